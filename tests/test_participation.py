"""Agreements: how they renew."""

import pytest

from simulator.participation import Leaving, renewed, stays
from simulator.terms import ByKind

LENGTHS = ByKind(("agreement_start",), {2013: 3, 2019: 6, 2020: 5})


@pytest.mark.parametrize(
    ("start", "number", "year", "agreement"),
    [
        (2019, 1, 2024, (2019, 1)),  # 1 July 2019 to the end of 2024
        (2019, 1, 2025, (2025, 2)),
        (2024, 1, 2028, (2024, 1)),
        (2024, 1, 2034, (2034, 3)),
    ],
)
def test_an_agreement_renews_when_its_years_are_over(start, number, year, agreement):
    assert renewed(start, number, year=year, lengths=LENGTHS) == agreement


@pytest.mark.parametrize(
    ("settled", "row", "share", "lag", "goes_on"),
    [
        ([-1.0, 5.0, -1.0], 2, None, 0, True),
        ([5.0, -1.0, -1.0], 2, None, 0, False),
        ([5.0, -1.0, -1.0], 2, None, 1, True),  # the last year is not settled yet
        ([5.0, -6.0, -3.0], None, 0.03, 0, False),
        ([5.0, -6.0, -1.0], None, 0.03, 0, True),
        ([], 1, 0.0, 0, True),
        ([4.0], 1, 0.0, 0, True),
    ],
)
def test_an_aco_leaves_by_what_is_settled(settled, row, share, lag, goes_on):
    rule = Leaving(row, share, lag)
    assert bool(stays(settled, [100.0] * len(settled), rule)) == goes_on
