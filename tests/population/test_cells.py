import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulator.population.cells import flag, number, scaled, year


@given(st.integers(-10_000_000_000_000, 10_000_000_000_000))
def test_an_amount_reads_back_however_it_is_printed(cents: int) -> None:
    amount = cents / 100
    size = f"{abs(amount):,.2f}"
    printed = [f"{amount:.2f}", f"{amount:,.2f}", f" ${amount:,.2f} ", f"{amount:.2f}%"]
    negative = [f"-${size}", f"(${size})", f"({size})", f"\N{MINUS SIGN}{size}"]
    for text in printed + (negative if amount < 0.0 else []):
        assert number(text) == amount


@given(st.text(max_size=30))
def test_any_text_is_a_finite_number_or_none(text: str) -> None:
    assert not math.isinf(number(text))
    assert math.isnan(flag(text)) or flag(text) in (0.0, 1.0)
    assert math.isnan(year(text)) or 2000 <= year(text) < 2100


@given(
    st.lists(st.sampled_from([0.0, 0.005, 0.01, 0.015, 0.02, 0.024, 0.0399, 0.122]), min_size=1)
)
def test_rates_are_the_same_as_fractions_and_as_percentages(rates: list[float]) -> None:
    """Trap: MinSavPerc read by its sign; PY2013 prints 0.0233% for 2.33%."""
    fractions = scaled([f"{rate:.6f}" for rate in rates], "rate")
    signed = scaled([f"{rate:.6f}%" for rate in rates], "rate")
    percentages = scaled([f"{100 * rate:.4f}%" for rate in rates], "rate")
    np.testing.assert_allclose(fractions, rates)
    np.testing.assert_array_equal(fractions, signed)
    np.testing.assert_allclose(percentages, rates)
