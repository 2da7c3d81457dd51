import pytest

PROOFS = """
import pytest

def test_held(proof):
    proof("two and two make four", "1 sum, 0 wrong")

def test_failing(proof):
    proof("two and two make five", "1 sum, 1 wrong")
    assert {failing}

def test_left_out():
    pytest.skip("no abacus")
"""
CONFTEST = "from tests.conftest import *\n"

pytest_plugins = ["pytester"]


def run(pytester, *words, failing=False):
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(PROOFS.format(failing=not failing))
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *words)


@pytest.mark.parametrize("spread", [(), ("-n", "2")])
def test_what_is_shown_is_printed_with_its_figures(pytester, monkeypatch, pytestconfig, spread):
    monkeypatch.setenv("PYTHONPATH", str(pytestconfig.rootpath))
    done = run(pytester, *spread)
    assert done.ret == 0
    done.stdout.fnmatch_lines(["*holds  two and two make four", "*1 sum, 0 wrong"])


def test_a_proof_that_fails_or_is_left_out_is_not_passed_over(pytester, monkeypatch, pytestconfig):
    monkeypatch.setenv("PYTHONPATH", str(pytestconfig.rootpath))
    left_out = run(pytester, "--prove")
    assert left_out.ret == 1
    left_out.stdout.fnmatch_lines(["*NOT SHOWN  *test_left_out", "*no abacus"])
    failed = run(pytester, failing=True)
    assert failed.ret == 1
    failed.stdout.fnmatch_lines(["*FAILS  two and two make five", "*1 sum, 1 wrong"])
