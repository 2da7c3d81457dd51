"""Laws of what is expected: given figures stand, the rest is carried along its region and risk."""

from time import perf_counter

import numpy as np
import pytest
import xarray as xr

from simulator.errors import ScenarioError
from simulator.population import project
from simulator.scenario.schema import Aco, Market

MARKET = Market.model_validate(
    {
        "national_ppy": {
            "esrd": {2018: 80_000.0, 2019: 84_000.0},
            "aged_nondual": {2016: 9_000.0, 2017: 9_500.0, 2018: 10_000.0, 2022: 12_000.0},
        },
        "truncation_usd": {"aged_nondual": {2022: 140_000.0}},
    }
)


GIVEN = [2016, 2017, 2018, 2022]


def aco(**changes: object) -> Aco:
    figures = {
        "segments": {
            "aged_nondual": {
                "person_years": {2018: 9_000, 2022: 10_000},
                "expenditure_ppy": {2016: 10_000, 2017: 10_500, 2018: 11_000},
                "risk_score": {2016: 1.0, 2017: 1.02, 2018: 1.04, 2022: 1.092},
            }
        },
        "agreement": {"start": 2019},
    }
    return Aco.model_validate(figures | changes)


def people(*acos: Aco, years: tuple[int, ...] = (2022,), market: Market = MARKET) -> xr.Dataset:
    return project({f"aco{i}": one for i, one in enumerate(acos)}, market, years, 0.05)


def test_given_figures_stand_as_they_are() -> None:
    found = people(aco()).isel(aco=0, segment=0)
    given = found.sel(year=GIVEN)
    assert given.performance.values.tolist() == [False, False, False, True]
    assert given.expenditure_ppy.values[:3].tolist() == [10_000, 10_500, 11_000]
    assert given.risk_score.values.tolist() == [1.0, 1.02, 1.04, 1.092]
    assert given.person_years.values.tolist() == [0, 0, 9_000, 10_000]


def test_no_year_is_left_out_between_base_years_and_performance_years() -> None:
    found = people(aco(), aco(agreement={"start": 2021}), years=(2022, 2024))
    assert found.year.values.tolist() == list(range(2016, 2025))
    assert found.year.values[found.performance].tolist() == [2022, 2024]


def test_expenditure_is_carried_with_its_region_and_its_risk() -> None:
    found = people(aco(regional_growth_factor=0.99)).isel(aco=0, segment=0)
    expected = 11_000 * (12_000 / 10_000) * 0.99 * (1.092 / 1.04)
    assert float(found.expenditure_ppy.sel(year=2022)) == pytest.approx(expected)


def test_the_region_equals_the_nation_until_the_last_base_year() -> None:
    found = people(aco(regional_growth_factor=0.99)).isel(aco=0, segment=0)
    ratio = found.regional_ppy / found.national_ppy
    assert ratio.sel(year=GIVEN).values == pytest.approx([1, 1, 1, 0.99])


def test_regional_levels_that_are_given_replace_the_growth_factor() -> None:
    part = {"aged_nondual": {**segment(), "regional_ppy": {2018: 9_000.0, 2022: 12_600.0}}}
    found = people(aco(segments=part, regional_growth_factor=0.9)).isel(aco=0, segment=0)
    regional = found.regional_ppy.sel(year=GIVEN).values
    assert regional == pytest.approx([8_100, 8_550, 9_000, 12_600])


def segment() -> dict[str, object]:
    return aco().segments["aged_nondual"].model_dump()


def test_national_levels_grow_by_the_trend_where_the_market_gives_none() -> None:
    found = people(aco(), years=(2022, 2024)).isel(segment=0)
    assert float(found.national_ppy.sel(year=2024)) == pytest.approx(12_000 * 1.05**2)
    assert float(found.truncation_usd.sel(year=2024)) == pytest.approx(140_000 * 1.05**2)
    assert int(found.last_given_year) == 2019


def test_person_years_grow_and_head_counts_with_them() -> None:
    part = {"aged_nondual": {**segment(), "growth_share": 0.1}}
    found = people(aco(segments=part, persons={2022: 10_500}), years=(2022, 2023)).isel(aco=0)
    assert float(found.person_years.sel(year=2023).sum()) == pytest.approx(11_000)
    assert float(found.persons.sel(year=2023)) == pytest.approx(11_550)


def test_a_segment_that_an_aco_lacks_holds_no_people_and_no_gaps() -> None:
    esrd = {"esrd": {**segment(), "expenditure_ppy": {}, "risk_score": {}}}
    found = people(aco(), aco(segments=esrd))
    assert float(found.person_years.sel(aco="aco0", segment="esrd").sum()) == 0.0
    assert not any(bool(values.isnull().any()) for values in found.data_vars.values())


def test_expenditure_that_is_given_nowhere_is_the_region_at_the_segments_risk() -> None:
    part = {"aged_nondual": {**segment(), "expenditure_ppy": {}}}
    found = people(aco(segments=part)).isel(aco=0, segment=0)
    assert float(found.expenditure_ppy.sel(year=2022)) == pytest.approx(12_000 * 1.092)


def test_another_aco_or_year_changes_nothing() -> None:
    alone, more = people(aco()), people(aco(), aco(agreement={"start": 2020}), years=(2021, 2022))
    assert np.array_equal(
        alone.expenditure_ppy.values,
        more.expenditure_ppy.sel(aco=["aco0"], year=alone.year).values,
    )


def test_revenue_is_all_expenditure_unless_given() -> None:
    found, given = people(aco()), people(aco(revenue_ppy=3_000))
    spent = (found.person_years * found.expenditure_ppy).sum("segment")
    assert found.revenue_usd.values == pytest.approx(spent.values)
    assert float(given.revenue_usd.sel(year=2022).item()) == pytest.approx(30_000_000.0)


def test_revenue_that_is_given_moves_with_expenditure_in_later_years() -> None:
    found = people(aco(revenue_ppy=3_000), years=(2022, 2023)).isel(aco=0)
    spent = (found.person_years * found.expenditure_ppy).sum("segment")
    part = (found.revenue_usd / spent).sel(year=[2022, 2023]).values
    assert part == pytest.approx([30e6 / spent.sel(year=2022).item()] * 2)


def test_forecast_growth_is_as_given_and_else_the_nations() -> None:
    forecast = {"prospective_factor": {"aged_nondual": {2019: 1.02, 2020: 1.03}}}
    market = Market.model_validate(MARKET.model_dump() | forecast)
    later = aco(agreement={"start": 2020})
    found = people(aco(), later, years=(2020, 2021), market=market).isel(segment=0)
    growth = (found.prospective_factor / found.prospective_factor.shift(year=1)).dropna("year")
    expected = [9_500 / 9_000, 10_000 / 9_500, 1.02, 1.03, 1.2**0.25]
    assert growth.values == pytest.approx(expected)


def test_reconciled_person_years_are_those_of_settled_years() -> None:
    part = {"aged_nondual": {**segment(), "person_years": dict.fromkeys(GIVEN, 9_000.0)}}
    prior = {"prior_savings_ppy": {2017: 120.0, 2018: -40.0}}
    found = people(aco(segments=part, **prior)).isel(aco=0)
    assert found.prior_savings_ppy.sel(year=GIVEN).values.tolist() == [0, 120, -40, 0]
    assert found.reconciled_person_years.sel(year=GIVEN).values.tolist() == [0, 9e3, 9e3, 9e3]
    given = people(aco(segments=part, reconciled_person_years={2018: 7_000}, **prior))
    settled = given.reconciled_person_years.sel(year=GIVEN).values[:, 0]
    assert settled.tolist() == [0, 9e3, 7e3, 9e3]


@pytest.mark.parametrize(
    ("segments", "message"),
    [
        ({"aged": segment()}, "entitlement is not given and the name is 'aged'"),
        ({"disabled": segment()}, "market.national_ppy has no disabled"),
        ({"aged_nondual": {**segment(), "channel": "voluntary"}}, "channel is 'voluntary'"),
    ],
)
def test_segments_that_cannot_be_placed_are_named(segments: object, message: str) -> None:
    with pytest.raises(ScenarioError, match=r"population\.aco1\.segments\.") as caught:
        people(aco(), aco(segments=segments))
    assert message in caught.value.messages[0]


def test_published_benchmarks_are_for_all_or_none() -> None:
    with pytest.raises(ScenarioError, match="aco1: historical_benchmark_ppy is missing"):
        people(aco(historical_benchmark_ppy=11_000), aco())


def test_five_hundred_acos_are_projected_within_two_seconds() -> None:
    began = perf_counter()
    people(*[aco()] * 500, years=(2022, 2023, 2024))
    assert perf_counter() - began < 2.0


def test_national_levels_between_two_years_grow_steadily() -> None:
    found = people(aco()).isel(segment=0).national_ppy
    growth = (found / found.shift(year=1)).sel(year=[2019, 2020, 2021, 2022]).values
    assert growth.tolist() == pytest.approx([1.2**0.25] * 4)
