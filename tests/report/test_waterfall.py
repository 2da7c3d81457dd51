import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.report.waterfall import Bar, split, to_the_cent

AMOUNTS = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=12)


@given(AMOUNTS)
def test_bars_in_cents_foot_whatever_they_are(amounts):
    bars = [Bar("", "change", amount, 0.0) for amount in amounts]
    bars.append(Bar("", "level", float(np.sum(amounts)), 0.0))
    cents = [round(100 * shown) for shown in to_the_cent(bars)]
    assert abs(sum(cents[:-1]) - cents[-1]) <= (1 if abs(sum(amounts)) > 1e8 else 0) or (
        sum(cents[:-1]) == cents[-1]
    )


@given(AMOUNTS)
def test_no_bar_is_more_than_a_cent_from_its_own(amounts):
    bars = [Bar("", "change", amount, 0.0) for amount in amounts]
    for bar, shown in zip(bars, to_the_cent(bars), strict=True):
        assert abs(shown - bar.mean) < 0.0101 + 1e-6 * (abs(bar.mean) > 1e8)


def test_savings_begin_where_levels_are_small():
    levels = [
        Bar("base", "change", 100.0, 0.0),
        Bar("benchmark", "level", 100.0, 0.0),
        Bar("expenditure", "change", -95.0, 0.0),
        Bar("gross", "level", 5.0, 0.0),
        Bar("payment", "level", 2.0, 0.0),
    ]
    spending, savings = split(levels)
    assert [bar.text for bar in spending] == ["base", "benchmark", "expenditure"]
    assert [bar.text for bar in savings] == ["gross", "payment"]


@pytest.mark.parametrize("bars", [[], [Bar("x", "change", 1.0, 0.0)]])
def test_bars_without_a_small_level_stay_together(bars):
    assert split(bars) == ([], bars)
