import shutil
from pathlib import Path

import pytest

from simulator import results
from simulator.engine import AddressError
from simulator.engine.merging import merge
from simulator.engine.plan import part, plan
from simulator.engine.run import Where, execute_all, run
from simulator.errors import ResultsError
from tests.runs import small

SCENARIO = small(60, ["level_e"])


@pytest.fixture(scope="module")
def apart(tmp_path_factory):
    """Return a folder with a run's three parts, computed apart."""
    out = tmp_path_factory.mktemp("apart")
    parts = [part(plan(SCENARIO, out, 10), span) for span in (range(3), range(3, 4), range(4, 6))]
    for one in parts:
        list(execute_all([one], Where(workers=1), keep_going=False))
    return out


@pytest.fixture
def out(apart, tmp_path):
    shutil.copytree(apart, tmp_path, dirs_exist_ok=True)
    return tmp_path


def whole(out):
    return plan(SCENARIO, out, 10).folder


def test_parts_computed_apart_are_the_run_computed_at_once(out, tmp_path_factory):
    at_once = run(SCENARIO, tmp_path_factory.mktemp("whole"))
    assert merge(whole(out)) == 3
    assert results.digest(whole(out)) == results.digest(at_once.attrs["path"])
    assert not results.verify(whole(out)).flaws


def test_a_part_is_no_run_and_says_how_to_go_on(out):
    first = whole(out).with_name(whole(out).name + ".part-0-3")
    assert results.standing(first).next == f"acosim merge {whole(out)}"
    with pytest.raises(ResultsError, match="missing"):
        results.open_run(first)


def test_blocks_that_no_part_has_are_named(out):
    shutil.rmtree(whole(out).with_name(whole(out).name + ".part-3-4"))
    with pytest.raises(ResultsError, match="still lacks blocks 3:4 of 0:6"):
        merge(whole(out))
    with pytest.raises(ResultsError, match="has no parts"):
        merge(Path("results/none-12345678"))


def test_a_part_that_was_altered_is_not_merged(out):
    name = "trials.zarr/level_e/settlement_usd/c/0/4/0/0"
    path = whole(out).with_name(whole(out).name + ".part-4-6") / name
    path.write_bytes(path.read_bytes()[::-1])
    with pytest.raises(ResultsError, match=r"settlement_usd/c/0/4/0/0; compute it again"):
        merge(whole(out))


def test_a_part_cut_otherwise_is_refused(out):
    other = part(plan(SCENARIO, out / "other", 30), range(1))
    list(execute_all([other], Where(workers=1), keep_going=False))
    shutil.copytree(other.folder, out / other.folder.name)
    with pytest.raises(ResultsError, match="cut as its blocks are"):
        merge(whole(out))


@pytest.mark.parametrize("span", [range(6, 7), range(2, 2), range(3, 9)])
def test_blocks_that_a_run_does_not_have_are_refused(out, span):
    with pytest.raises(AddressError, match=r"it has 0:6"):
        part(plan(SCENARIO, out, 10), span)


def test_parts_of_different_trials_are_refused_by_name(out):
    longer = part(plan(small(80, ["level_e"]), out, 10), range(6, 8))
    list(execute_all([longer], Where(workers=1), keep_going=False))
    with pytest.raises(ResultsError, match=r"part-4-6 of 60, .*part-6-8 of 80; remove"):
        merge(whole(out))
    assert not whole(out).exists()
