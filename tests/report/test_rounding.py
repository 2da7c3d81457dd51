import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.report.rounding import dollars, figure, scale

values = st.floats(-1e9, 1e9)
errors = st.floats(0.01, 1e7)


def number(text):
    return float(text.replace(",", ""))


def place(text):
    digits = text.replace(",", "").lstrip("-")
    decimals = len(digits.partition(".")[2])
    zeros = len(digits) - len(digits.rstrip("0")) if "." not in digits else 0
    return -decimals if decimals else zeros


@given(values, errors)
def test_a_value_ends_where_its_error_ends(value, error):
    said = figure(value, error)
    assert abs(number(said.value) - value) <= 0.5001 * 10.0 ** place(said.error)


@given(values, errors)
def test_an_error_keeps_one_or_two_digits_and_within_a_sixth_of_itself(value, error):
    said = figure(value, error)
    assert abs(number(said.error) / error - 1.0) < 1.0 / 6.0
    assert len(said.error.replace(",", "").replace(".", "").strip("0")) <= 2


@given(values, errors)
def test_a_smaller_scale_does_not_change_the_digits(value, error):
    in_dollars, in_thousands = figure(value, error), figure(value, error, 1e3)
    assert number(in_thousands.value) * 1e3 == pytest.approx(number(in_dollars.value), abs=1e-3)


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [
        (1_234_567.0, 12_345.0, "1,235,000 ±12,000"),
        (-0.4, 12.0, "0 ±12"),
        (99.96, 0.5, "100.0 ±0.5"),
        (5.0, 0.0996, "5.00 ±0.10"),
        (-990_000.0, 0.0, "-990,000 ±0"),
        (-990_000.0, 1e-10, "-990,000 ±0"),
        (0.0, 0.0, "0 ±0"),
        (3.0, math.nan, "3 ±n/a"),
        (math.nan, math.nan, "n/a ±n/a"),
    ],
)
def test_figures_read_as_expected(value, error, shown):
    assert str(figure(value, error)) == shown


def test_the_scale_is_that_of_the_largest_amount():
    assert [scale(x).name for x in (-2e9, 3e6, 999_999.0, 12.0, 0.0)] == [
        "billion",
        "million",
        "thousand",
        "",
        "",
    ]


def test_dollars_carry_their_sign_before_the_dollar():
    assert dollars(-45_000.0, 1_200.0) == "-$45.0 ±1.2 thousand"


def test_less_than_half_a_dollar_in_millions_is_nothing():
    assert str(figure(1e-9, 1e-2, 1e6)) == "0 ±0"
