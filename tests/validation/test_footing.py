import pytest

from simulator import benchmark
from simulator.engine import ledger
from simulator.errors import ResultsError
from simulator.programs.mssp import Mssp
from simulator.validation import footing


@pytest.fixture(autouse=True)
def of_mssp(monkeypatch):
    monkeypatch.setattr(footing, "NAMES", ("mssp",))


def outcomes(folders):
    return [check.outcome for check in footing.report(folders)]


def test_a_run_foots_and_pools(made):
    assert outcomes(made) == ["passed"] * 3


def test_a_line_that_is_not_its_sum_fails(made, monkeypatch):
    (made["mssp"] / ledger.FILE).unlink(missing_ok=True)
    right = Mssp._shared_savings

    def wrong(self, world, past, lines):
        found = right(self, world, past, lines)
        return {**found, "over_limit_usd": found["over_limit_usd"] + 0.01}

    sums = tuple((line, parts) for line, parts in Mssp.adds_up if "over_limit_usd" in parts)
    assert sums
    monkeypatch.setattr(Mssp, "_shared_savings", wrong)
    with pytest.raises(ResultsError, match="settles otherwise"):
        outcomes(made)


def test_a_sum_that_is_declared_wrongly_fails(made, monkeypatch):
    (made["mssp"] / ledger.FILE).unlink(missing_ok=True)
    line, parts = Mssp.adds_up[-1]
    monkeypatch.setattr(Mssp, "adds_up", (*Mssp.adds_up[:-1], (line, f"{parts} + 0.01")))
    assert outcomes(made) == ["failed", "passed", "passed"]
    (made["mssp"] / ledger.FILE).unlink()


def test_pooling_that_loses_dollars_fails(monkeypatch):
    monkeypatch.setattr(benchmark, "pool", lambda world, by: world.isel(segment=slice(1, None)))
    assert footing._pooling("mssp").outcome == "failed"
