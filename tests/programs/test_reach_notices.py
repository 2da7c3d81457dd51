"""Contracts of ACO REACH that an ACO could not sign, and what is not known of it."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from simulator.population import project
from simulator.programs import contract
from simulator.scenario import reading

SCENARIO = Path(__file__).parents[2] / "scenarios" / "reach_2026_tightening.yaml"


@pytest.fixture(scope="module")
def acos() -> xr.Dataset:
    scenario = reading.read(SCENARIO)
    people = project(scenario.population, scenario.market, scenario.years, 0.04)
    return people.reset_coords()


def told(acos: xr.Dataset, year: int = 2026, **changed: object) -> list[str]:
    """Return the notices of an ACO with some of its figures changed: the same for all years."""
    for name, value in changed.items():
        acos = acos.assign({name: xr.full_like(acos[name], value, dtype=np.array(value).dtype)})
    return contract("reach", year, "global").notices(acos, [])


def test_an_aco_of_enough_people_has_no_notice(acos: xr.Dataset) -> None:
    assert told(acos) == []


@pytest.mark.parametrize(
    ("kind", "year", "least"),
    [
        ("standard", 2022, 5000),
        ("new_entrant", 2023, 2000),
        ("new_entrant", 2024, 3000),
        ("new_entrant", 2026, 5000),
        ("high_needs", 2024, 750),
        ("high_needs", 2026, 1250),
    ],
)
def test_fewer_people_than_the_types_minimum_of_the_year(
    acos: xr.Dataset, kind: str, year: int, least: int
) -> None:
    acos = acos.reindex(year=sorted({*acos.year.values.tolist(), year}), method="nearest")
    if kind == "new_entrant":
        acos = acos.assign(person_years=acos.person_years.where(acos.year > 2019, 0.0))
    known = {"reach_type": kind, "reach_base_persons": 5000.0}
    assert told(acos, year, persons=float(least), **known) == []
    (notice,) = told(acos, year, persons=least * 0.85, **known)
    words = kind.replace("_", " ")
    assert notice == (
        f"riverside: {least * 0.85:,.0f} aligned people in {year}; a {words} ACO needs {least:,}"
    )


def test_a_tenth_fewer_is_tolerated_once_from_the_year_of_the_buffer_on(acos: xr.Dataset) -> None:
    (notice,) = told(acos, persons=4600.0)
    assert notice.endswith("a standard ACO needs 5,000; 10% fewer are tolerated once")
    (before,) = told(acos, 2022, persons=4600.0)
    assert before.endswith("needs 5,000")


def test_a_new_entrant_needs_people_aligned_by_claims(acos: xr.Dataset) -> None:
    by_claims = acos.person_years.where(acos.year > 2019, 0.0) * 0.2
    found = told(acos.assign(person_years=by_claims), reach_type="new_entrant")
    assert found == [
        "riverside: 2,260 people aligned by claims in 2026; a new entrant ACO needs 3,000"
    ]


def test_a_standard_aco_needs_an_early_year_of_3000_people(acos: xr.Dataset) -> None:
    fewer = acos.person_years.where(acos.year > 2019, acos.person_years * 0.25)
    (notice,) = told(acos.assign(person_years=fewer))
    assert "at most 2,676 people aligned by claims in 2017 to 2019" in notice


def test_a_new_entrant_has_fewer_than_3000_people_in_each_early_year(acos: xr.Dataset) -> None:
    fewer = acos.person_years.where(acos.year > 2019, acos.person_years * 0.25)
    assert told(acos.assign(person_years=fewer), reach_type="new_entrant") == []
    (notice,) = told(acos, reach_type="new_entrant")
    assert notice == (
        "riverside: up to 10,705 people aligned by claims in 2017 to 2019; a new entrant ACO has "
        "fewer than 3,000 in each of them"
    )


def test_participants_give_up_enough_of_their_claims_for_capitation(acos: xr.Dataset) -> None:
    assert told(acos, fee_reduction_share=1.0) == []
    (notice,) = told(acos, fee_reduction_share=0.2)
    assert notice == (
        "riverside: participants give up 0.2 of their claims for capitation; 2026 asks for at "
        "least 1"
    )


def test_high_needs_acos_say_how_many_people_they_had(acos: xr.Dataset) -> None:
    (notice,) = told(acos, reach_type="high_needs")
    assert notice.startswith("riverside: reach.base_persons is not given; scores are capped as if")
    assert told(acos, reach_type="high_needs", reach_base_persons=900.0) == []


def test_a_second_cap_without_an_early_score_is_told(acos: xr.Dataset) -> None:
    nobody = acos.person_years.where((acos.year != 2019) | (acos.segment != "esrd"), 0.0)
    (notice,) = told(acos.assign(person_years=nobody))
    assert "the second cap compares with; it is passed over for 2026" in notice
    assert told(acos.assign(person_years=nobody), 2025) == []
