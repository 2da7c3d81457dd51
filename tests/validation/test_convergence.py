import numpy as np
import pytest

from simulator import settlement
from simulator.analysis import intervals
from simulator.validation import convergence


def failed(folders):
    return [
        place
        for place, check in enumerate(convergence.report(folders))
        if check.outcome == "failed"
    ]


def test_errors_fall_and_intervals_hold(made):
    assert failed(made) == []


def test_an_error_that_falls_too_fast_fails(made, monkeypatch):
    right = convergence.standard_error
    monkeypatch.setattr(
        convergence, "standard_error", lambda x, of: right(x, of) / np.sqrt(x.sizes["trial"])
    )
    assert failed(made) == [0, 1]


def test_an_error_that_is_too_small_fails(made, monkeypatch):
    right = convergence.standard_error
    monkeypatch.setattr(convergence, "standard_error", lambda x, of: right(x, of) / 2.0)
    assert failed(made) == [1]


def test_intervals_that_are_too_narrow_fail(made, monkeypatch):
    right = intervals._of_mean
    monkeypatch.setattr(intervals, "_of_mean", lambda x, score: right(x, 0.8 * score))
    assert failed(made) == [3]


@pytest.mark.parametrize("part", [0.99, 1.01])
def test_a_settlement_that_is_off_by_a_hundredth_fails(made, monkeypatch, part):
    right = settlement.gains
    monkeypatch.setattr(settlement, "gains", lambda gross: part * right(gross))
    assert 2 in failed(made)
