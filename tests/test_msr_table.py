"""The minimum savings rate by size: exact, and never rising with size."""

import numpy as np

from simulator.programs import contract

# 425.605(b)(1): each row's smallest and largest number of people, and its rate at either end.
ROWS = [
    (1, 499, 0.122, 0.122),
    (500, 999, 0.122, 0.087),
    (1_000, 2_999, 0.087, 0.050),
    (3_000, 4_999, 0.050, 0.039),
    (5_000, 5_999, 0.039, 0.036),
    (6_000, 6_999, 0.036, 0.034),
    (7_000, 7_999, 0.034, 0.032),
    (8_000, 8_999, 0.032, 0.031),
    (9_000, 9_999, 0.031, 0.030),
    (10_000, 14_999, 0.030, 0.027),
    (15_000, 19_999, 0.027, 0.025),
    (20_000, 49_999, 0.025, 0.022),
    (50_000, 59_999, 0.022, 0.020),
    (60_000, 70_000, 0.020, 0.020),
]


def test_the_table_is_exact_for_every_size_and_never_rises():
    sizes = np.arange(1, 70_001)
    rates = contract("mssp", 2022, "A").minimum_savings(sizes)
    for low, high, first, last in ROWS:
        n = sizes[low - 1 : high]
        exact = (first * (high - n) + last * (n - low)) / (high - low)
        np.testing.assert_allclose(rates[low - 1 : high], exact, rtol=0, atol=1e-15)
    assert (np.diff(rates) <= 1e-15).all()


def test_every_year_has_the_same_table():
    tables = {contract("mssp", year, "A").minimum_savings for year in range(2019, 2028)}
    assert len(tables) == 1
