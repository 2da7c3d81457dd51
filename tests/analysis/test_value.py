"""Present values and cash positions, on round numbers."""

import numpy as np
import pytest
import xarray as xr

from simulator.analysis.value import cumulative, present_value, worst_position
from simulator.errors import SimulatorError

VALUED = "valuation: {discount_rate: 0.1, paid_after_years: 1.0}"


def run(scenario=VALUED, line="economic_result_usd"):
    paid = np.array([[-100.0, 60.0, 70.0], [10.0, 0.0, 0.0]])
    made = xr.DataArray(paid, {"year": [2027, 2028, 2029]}, ("trial", "year"))
    return xr.Dataset({"settlement_usd": 0.0 * made, line: made}, attrs={"scenario": scenario})


def test_a_result_is_paid_a_year_after_its_end():
    value = present_value(run())
    assert float(value[0]) == pytest.approx(-100 / 1.1**2 + 60 / 1.1**3 + 70 / 1.1**4)


def test_without_a_rate_years_add_up():
    plain = present_value(run("valuation: {discount_rate: 0.0}"))
    assert plain.values.tolist() == [30.0, 10.0]


def test_the_worst_position_is_the_lowest_on_the_way_and_never_above_zero():
    assert cumulative(run())[0].values.tolist() == [-100.0, -40.0, 30.0]
    assert worst_position(run()).values.tolist() == [-100.0, 0.0]


def test_a_run_without_a_result_line_is_valued_by_its_settlement():
    only = run().rename(economic_result_usd="settlement_usd_", settlement_usd="other_usd")
    assert present_value(only.rename(settlement_usd_="settlement_usd"))[1] > 0.0


def test_a_run_without_valuation_says_what_asks_for_one():
    with pytest.raises(SimulatorError, match=r"valuation\.discount_rate"):
        present_value(run("name: x"))
