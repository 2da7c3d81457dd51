"""Laws of the levels that untruncated benchmarks read, and of what the market draws for all."""

import numpy as np
import pytest
import xarray as xr

from simulator.population import project
from simulator.sampling.streams import Streams
from simulator.sampling.world import draw
from simulator.scenario.schema import Aco, Market
from tests.sampling.people import EXPERIENCE, STILL, aco, experience, people

NEEDS = frozenset(
    {
        "expenditure_ppy",
        "truncated_expenditure_ppy",
        "uspcc_ppy",
        "reference_ppy",
        "rate_book_ppy",
        "geographic_factor",
        "untruncated_regional_ppy",
        "coding_intensity_factor",
        "risk_score",
        "inferred_risk_score",
        "total_quality_score",
        "suspect_billing_ppy",
        "skin_substitutes_ppy",
    }
)
TRIALS = 4_000


def world(
    population: xr.Dataset | None = None, trials: int = TRIALS, could: object = EXPERIENCE, **more
) -> xr.Dataset:
    expected = people({"a": aco(), "b": aco()}) if population is None else population
    return draw(expected, experience(could, **more), Streams(5), range(trials), NEEDS)


def test_what_is_set_before_the_year_does_not_move() -> None:
    found = world(trials=3)
    for name in ("uspcc_ppy", "rate_book_ppy", "geographic_factor"):
        assert "trial" not in found[name].dims


def test_the_reference_population_moves_with_the_nation_for_every_aco() -> None:
    found = world()
    error = np.log(found.reference_ppy.sel(year=2022) / found.uspcc_ppy.sel(year=2022))
    assert error.std("trial").values == pytest.approx([0.016, 0.016], rel=0.04)
    assert np.allclose(error.max("segment"), error.min("segment"))
    assert np.allclose(found.reference_ppy.sel(year=2018), found.uspcc_ppy.sel(year=2018))


def test_forecast_errors_add_up_from_the_first_projected_year() -> None:
    given = {"aged_nondual": {2018: 10_500.0, 2022: 11_600.0}, "esrd": {2018: 9e4, 2022: 9.5e4}}
    market = Market.model_validate({"national_ppy": given, "projected_from": 2019})
    found = world(project({"a": aco()}, market, (2022,), 0.04))
    error = np.log(found.reference_ppy.sel(year=2022) / found.uspcc_ppy.sel(year=2022))
    assert float(error.isel(segment=0).std()) == pytest.approx(0.016 * 2.0, rel=0.04)


def test_a_region_before_truncation_stands_over_the_truncated_one_and_moves_with_it() -> None:
    found = draw(
        people({"a": aco()}), experience(), Streams(5), range(50), NEEDS | {"regional_ppy"}
    )
    ratio = (found.untruncated_regional_ppy / found.regional_ppy).sel(year=2022, aco="a")
    assert (ratio > 1.0).all()
    assert np.allclose(ratio, ratio.isel(trial=0))


def test_a_region_that_is_given_before_truncation_stands_as_given() -> None:
    one = aco().model_dump()
    one["segments"]["aged_nondual"]["untruncated_regional_ppy"] = {2018: 12_345.0}
    found = world(people({"a": Aco.model_validate(one)}), trials=2)
    given = found.untruncated_regional_ppy.sel(year=2018, segment="aged_nondual")
    assert np.allclose(given, 12_345.0)


def test_spending_that_is_given_before_truncation_stands_and_sets_the_level_of_years_to_come() -> (
    None
):
    one = aco().model_dump()
    one["segments"]["aged_nondual"]["untruncated_expenditure_ppy"] = {2018: 12_000.0}
    plain, known = people({"a": aco()}), people({"a": Aco.model_validate(one)})
    before, after = (world(one, 2, STILL).sel(segment="aged_nondual") for one in (plain, known))
    assert np.allclose(after.expenditure_ppy.sel(year=2018), 12_000.0)
    excess = [(w.expenditure_ppy - w.truncated_expenditure_ppy) for w in (before, after)]
    ratio = excess[1] / excess[0]
    assert np.allclose(ratio.sel(year=2022), ratio.sel(year=2018))


def test_years_given_beyond_the_base_years_are_in_the_world_as_given() -> None:
    one = aco().model_dump()
    one["segments"]["aged_nondual"]["expenditure_ppy"][2014] = 9_000.0
    one["segments"]["aged_nondual"]["expenditure_ppy"][2020] = 12_500.0
    given = world(people({"a": Aco.model_validate(one)}, years=(2022, 2023)), trials=4)
    spent = given.truncated_expenditure_ppy.sel(segment="aged_nondual")
    assert given.year.values[0] == 2014
    assert np.allclose(spent.sel(year=[2014, 2020]).values.squeeze(), [9_000.0, 12_500.0])
    assert (spent.sel(year=2021).std("trial") > 0.0).all()


def test_one_coding_intensity_factor_a_year_serves_all_people_but_those_with_esrd() -> None:
    could = {"risk_scores": {**EXPERIENCE["risk_scores"], "coding_intensity_sd": 0.01}}
    found = world(**could).coding_intensity_factor.sel(year=2022)
    assert found.std("trial").values == pytest.approx([0.01, 0.01], rel=0.05)
    assert abs(np.corrcoef(found.T)[0, 1]) < 4.0 / np.sqrt(TRIALS)


def test_an_error_of_normalisation_is_every_acos() -> None:
    sure = {"sd": {}, "correlation": 0.0, "normalization_sd": 0.01}
    found = world(risk_scores=sure).risk_score.sel(year=2022, segment="aged_nondual")
    assert np.allclose(found.sel(aco="a"), found.sel(aco="b"))
    assert float(found.sel(aco="a").std()) == pytest.approx(0.01 * 1.05, rel=0.05)


def test_an_inferred_score_is_the_risk_score_unless_told_otherwise() -> None:
    same = world(trials=20)
    assert np.allclose(same.inferred_risk_score, same.risk_score)
    shifted = world(trials=20, risk_scores={"inferred_shift": -0.02})
    ratio = (shifted.inferred_risk_score / shifted.risk_score).sel(year=2022)
    assert np.allclose(ratio, 0.98)


def test_one_talent_shows_in_every_programs_quality() -> None:
    both = draw(
        people({"a": aco()}),
        experience(total_quality={"mean": 0.7, "sd": 0.1}),
        Streams(5),
        range(TRIALS),
        frozenset({"total_quality_score", "quality_score"}),
    ).sel(year=2022, aco="a")
    order = both.quality_score.argsort().values
    assert (np.diff(both.total_quality_score.values[order]) >= 0.0).all()
    error = 0.1 / np.sqrt(TRIALS)
    assert abs(float(both.total_quality_score.mean()) - 0.7) < 4.0 * error


def test_excluded_spending_is_its_share_of_expenditure() -> None:
    one = aco().model_dump()
    one["segments"]["aged_nondual"]["skin_substitutes_share"] = {2018: 0.02}
    found = world(people({"a": Aco.model_validate(one)}), trials=5).sel(segment="aged_nondual")
    assert np.allclose(found.skin_substitutes_ppy, 0.02 * found.expenditure_ppy)
    assert np.allclose(found.suspect_billing_ppy, 0.0)


def test_where_nothing_is_truncated_either_table_gives_the_spending() -> None:
    market = Market.model_validate({"uspcc_ppy": {"aged_disabled": {2018: 11_000.0}}})
    one = aco(esrd=False).model_dump()
    part = one["segments"]["aged_nondual"]
    part["untruncated_expenditure_ppy"], part["expenditure_ppy"] = part["expenditure_ppy"], {}
    part["untruncated_expenditure_ppy"][2018] = 13_000.0
    found = project({"a": Aco.model_validate(one)}, market, (2022,), 0.04)
    assert np.allclose(found.expenditure_ppy.sel(year=2018), 13_000.0)
    drawn = draw(found, experience(STILL), Streams(5), range(2), NEEDS)
    assert np.allclose(drawn.expenditure_ppy.sel(year=2018), 13_000.0)


def test_what_is_known_only_before_truncation_teaches_nothing_of_later_years() -> None:
    one = aco(esrd=False).model_dump()
    plain = world(people({"a": Aco.model_validate(one)}), 2, STILL)
    one["segments"]["aged_nondual"]["untruncated_expenditure_ppy"] = {2015: 30_000.0}
    known = world(people({"a": Aco.model_validate(one)}), 2, STILL)
    assert np.allclose(known.expenditure_ppy.sel(year=2015), 30_000.0)
    assert np.allclose(known.expenditure_ppy.sel(year=2022), plain.expenditure_ppy.sel(year=2022))
