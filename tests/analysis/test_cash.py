import numpy as np
import pytest
import xarray as xr

from simulator.analysis.cash import by_quarter
from simulator.errors import RulesError, SimulatorError
from simulator.programs import PROGRAMS
from simulator.programs.calendar import Due, Payments, payments


def _settled():
    values = np.array([[5.0, -3.0], [-2.0, 4.0]])[..., None]
    coords = {"year": [2026, 2027], "contract": ["stay"]}
    return xr.DataArray(values, coords, ("trial", "year", "contract"))


def _when(earned, owed):
    due = {"status": "assumed", "cite": "us"}
    return Payments(
        earned=Due(years_after=earned[0], quarter=earned[1], **due),
        owed=Due(years_after=owed[0], quarter=owed[1], **due),
    )


def test_what_is_earned_and_what_is_owed_move_in_their_own_quarters():
    moved = by_quarter(_settled(), {"stay": _when((1, 4), (2, 1))}).sel(contract="stay")
    assert list(moved.quarter.values) == ["2027 Q4", "2028 Q1", "2028 Q4", "2029 Q1"]
    np.testing.assert_array_equal(
        moved.transpose("trial", "quarter"), [[5.0, 0.0, 0.0, -3.0], [0.0, -2.0, 4.0, 0.0]]
    )


def test_every_dollar_of_every_trial_moves_once():
    settled = _settled()
    moved = by_quarter(settled, {"stay": _when((1, 4), (2, 4))})
    np.testing.assert_array_equal(
        moved.sum("quarter"), settled.sum("year").transpose(*moved.sum("quarter").dims)
    )


def test_a_contract_without_a_calendar_is_named():
    with pytest.raises(SimulatorError, match="'stay' has no calendar"):
        by_quarter(_settled(), {})


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_has_a_calendar(program):
    assert payments(program).earned.cite


def test_a_program_without_a_calendar_is_named():
    with pytest.raises(RulesError, match="lacks 'iota'"):
        payments("iota")
