"""Completion factors by months: between those known, and never beyond them."""

import pytest

from simulator.errors import ScenarioError
from simulator.population.runout import completed, completing, completion_factor
from simulator.scenario.schema import RunOut

QUARTERS = {3: 1.349, 6: 1.154, 9: 1.105, 12: 1.072}


def run_out(**changes: object) -> RunOut:
    plain = {"year": 2026, "months_observed": 6, "observed_ppy": {"a": {"esrd": 80_000.0}}}
    return RunOut.model_validate({**plain, "factors": QUARTERS, **changes})


def test_factors_fall_with_the_months_observed() -> None:
    found = [completion_factor(QUARTERS, months) for months in range(3, 13)]
    assert found == sorted(found, reverse=True)
    assert found[3] == pytest.approx(1.154)


@pytest.mark.parametrize("factors", [{}, {3: 1.3, 5: 1.2}, {7: 1.1}])
def test_a_month_beyond_those_known_is_refused(factors: dict[int, float]) -> None:
    with pytest.raises(ScenarioError, match="months_observed: is 6; its completion factor"):
        completion_factor(factors, 6)


def test_the_factor_that_is_given_stands() -> None:
    given = run_out(completion_factor={"mean": 1.2, "sd": 0.02})
    assert completing(given) == given
    assumed = completing(run_out(completion_factor={"sd": 0.02})).completion_factor
    assert assumed.sd == 0.02
    assert assumed.mean == pytest.approx(1.154)


def test_a_year_observed_to_its_end_is_what_is_booked_and_to_come() -> None:
    assert completed(10_000.0, 11_000.0, factor=1.072, months_share=1.0) == pytest.approx(10_720.0)
