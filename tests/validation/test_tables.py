import numpy as np
import pytest

from simulator.terms import Knots
from simulator.validation import tables


def outcomes():
    return [check.outcome for check in tables.report()]


def test_the_table_is_met_in_every_year():
    assert outcomes() == ["passed", "passed"]


@pytest.mark.parametrize(
    ("broken", "found"),
    [
        (lambda knots, x: np.interp(x, knots.at, knots.values) + 1e-6, ["failed", "passed"]),
        (lambda knots, x: np.interp(x, knots.at, knots.values[::-1]), ["failed", "failed"]),
    ],
    ids=["a rate too high", "rates that rise"],
)
def test_a_table_read_wrongly_fails(monkeypatch, broken, found):
    monkeypatch.setattr(Knots, "__call__", broken)
    assert outcomes() == found
