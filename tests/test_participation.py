"""Agreements: how they renew."""

import pytest

from simulator.participation import renewed
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
