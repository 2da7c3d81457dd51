"""Laws of the world: what is expected stays expected, and a draw depends on its address alone."""

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr

from simulator.errors import SimulatorError
from simulator.sampling import design, quality, risk_scores, spending, world
from simulator.sampling.streams import Scheme
from simulator.scenario.schema import Experience
from simulator.variables import DIMS, WORLD, missing
from tests.sampling.people import STILL, aco, experience, people

COUNTED = {"person_years", "persons", "assigned_share", "prospective_factor"}
NEEDS = frozenset(COUNTED | spending.NAMES | set(risk_scores.NAMES) | set(quality.NAMES)) | {
    "national_ppy",
    "regional_ppy",
    "revenue_usd",
    "circumstances_share",
}
SCHEMES: tuple[Scheme, ...] = ("independent", "antithetic", "sobol")
PROJECTED = {
    "truncated_expenditure_ppy": "expenditure_ppy",
    "truncated_counterfactual_ppy": "expenditure_ppy",
    "risk_score": "risk_score",
    "demographic_score": "demographic_score",
    "national_ppy": "national_ppy",
    "regional_ppy": "regional_ppy",
    "revenue_usd": "revenue_usd",
}
PERSISTENT = {
    "persistence": {"claims": 0.6},
    "quality": {"persistence": 0.5},
    "risk_scores": {"common_share": 0.3},
}


def draw(
    expected: xr.Dataset,
    could: Experience | None = None,
    trials: range = range(2_000),
    needs: frozenset[str] = NEEDS,
    scheme: Scheme = "independent",
) -> xr.Dataset:
    streams = design.streams(7, scheme, 16, expected)
    return world.draw(expected, could or experience(), streams, trials, needs)


@pytest.mark.parametrize("name", PROJECTED)
def test_what_is_expected_is_the_mean_of_what_happens(name: str) -> None:
    expected = people({"a": aco(), "b": aco(3_000)}, (2022, 2023))
    found = draw(expected, experience(risk_scores={"demographic_sd": 0.01}), range(8_000))[name]
    error = found.std("trial") / np.sqrt(8_000)
    gap = abs(found.mean("trial") - expected[PROJECTED[name]])
    assert bool((gap <= 4.0 * error + 1e-9 * expected[PROJECTED[name]]).all())


def test_without_trend_error_or_effect_claims_noise_has_no_mean() -> None:
    expected = people({"a": aco()})
    still = experience(STILL, severity={"noise": True})
    found = draw(expected, still, range(20_000)).sel(year=2022)
    noise = found.truncated_expenditure_ppy / expected.expenditure_ppy.sel(year=2022) - 1.0
    assert bool((abs(noise.mean("trial")) < 3.0 * noise.std("trial") / np.sqrt(20_000)).all())


def test_claims_noise_falls_with_the_square_root_of_size() -> None:
    expected = people({"small": aco(4_000), "large": aco(64_000)})
    still = experience(STILL, severity={"noise": True})
    found = draw(expected, still, range(20_000)).sel(year=2022).truncated_expenditure_ppy
    ratio = found.std("trial").sel(aco="small") / found.std("trial").sel(aco="large")
    # The standard error of a ratio of sds over 20,000 trials is 0.01 of it, tails included.
    assert ratio.values == pytest.approx(4.0, rel=0.04)


def test_without_any_spread_every_trial_is_the_expectation() -> None:
    expected = people({"a": aco()})
    found = draw(expected, experience(STILL), range(3))
    for name, projected in PROJECTED.items():
        assert np.allclose(found[name] / expected[projected], 1.0, rtol=1e-9)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("cuts", [(0, 1, 300), (0, 137, 138, 300), (0, 299, 300)])
def test_draws_are_identical_however_trials_are_cut_into_blocks(
    cuts: tuple[int, ...], scheme: Scheme
) -> None:
    expected = people({"a": aco(), "b": aco(600)}, (2022, 2023))
    could = experience(**PERSISTENT, base_years="simulated")
    whole = draw(expected, could, range(300), scheme=scheme)
    ranges = [range(first, last) for first, last in pairwise(cuts)]
    blocks = [draw(expected, could, trials, scheme=scheme) for trials in ranges]
    cut = xr.concat(blocks, dim="trial", data_vars="minimal", coords="minimal", compat="override")
    assert cut.identical(whole)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_change_of_an_assumption_moves_every_trial_alike(scheme: Scheme) -> None:
    expected = people({"a": aco()})
    low, high = (
        draw(expected, experience(deviation={"mean": mean}), range(512), scheme=scheme)
        for mean in (0.0, 0.05)
    )
    moved = high.expenditure_ppy.sel(year=2022) / low.expenditure_ppy.sel(year=2022)
    assert np.allclose(moved, 1.05, rtol=1e-12)


def same(more: xr.Dataset, alone: xr.Dataset) -> bool:
    shared = {dim: alone[dim] for dim in ("year", "aco", "segment")}
    held = more[list(alone.data_vars)].sel(shared)
    return all(
        np.array_equal(held[name].transpose(*values.dims), values)
        for name, values in alone.data_vars.items()
    )


def test_another_aco_changes_no_draw() -> None:
    # The forecast is no draw: it is an index that counts from the population's first base year.
    many = {"b": aco(agreement={"start": 2020}), "a": aco()}
    own = [2016, 2017, 2018, 2022]
    for could in (experience(), experience(**PERSISTENT, base_years="simulated")):
        alone = draw(people({"a": aco()}), could).drop_vars("prospective_factor").sel(year=own)
        assert same(draw(people(many), could), alone)


def test_another_segment_changes_no_draw() -> None:
    # Head-counts and revenue belong to all segments together.
    totals = ["persons", "revenue_usd", "reconciled_person_years"]
    alone = draw(people({"a": aco(esrd=False)})).drop_vars(totals)
    assert same(draw(people({"a": aco()})), alone)


@pytest.mark.parametrize("base_years", ["given", "simulated"])
def test_another_year_changes_no_draw(base_years: str) -> None:
    could = experience(**PERSISTENT, base_years=base_years)
    alone = draw(people({"a": aco()}, (2022,)), could).sel(year=[2016, 2017, 2018, 2022])
    assert same(draw(people({"a": aco()}, (2020, 2022, 2024)), could), alone)


def test_other_needs_change_no_draw() -> None:
    few = draw(people({"a": aco()}), needs=frozenset({"risk_score"}))
    assert "truncated_expenditure_ppy" not in few
    assert same(draw(people({"a": aco()})), few)


def test_a_world_has_no_gaps_and_keeps_the_house_order() -> None:
    expected = people({"a": aco(), "b": aco(200.0, esrd=False)}, (2022, 2023))
    found = draw(expected, trials=range(40, 50))
    assert missing(found) == []
    assert NEEDS <= set(found.data_vars) <= set(WORLD)
    assert found.trial.values.tolist() == list(range(40, 50))
    for variable in found.data_vars.values():
        assert list(variable.dims) == [dim for dim in DIMS if dim in variable.dims]
        assert variable.dtype == np.float64
    assert found.agreement_start.dims == ("aco",)
    assert found.entitlement.dims == ("segment",)


def test_base_years_are_what_the_scenario_gives() -> None:
    expected = people({"a": aco()})
    base = draw(expected).sel(year=[2016, 2017, 2018])
    given = expected.sel(year=[2016, 2017, 2018])
    assert np.array_equal(
        base.risk_score.values, np.broadcast_to(given.risk_score, (2_000, 3, 1, 2))
    )
    assert bool((base.truncated_expenditure_ppy == given.expenditure_ppy).all())


def test_simulated_base_years_scatter_around_what_the_scenario_gives() -> None:
    expected = people({"a": aco()})
    found = draw(expected, experience(base_years="simulated"), range(8_000))
    base = [2016, 2017, 2018]
    for name in ("truncated_expenditure_ppy", "national_ppy"):
        drawn, given = found[name].sel(year=base), expected[PROJECTED[name]].sel(year=base)
        error = drawn.std("trial") / np.sqrt(8_000)
        assert bool((error > 0.0).all())
        assert bool((abs(drawn.mean("trial") - given) < 4.0 * error).all())
    assert found.risk_score.sel(year=2018).std("trial").max() < 1e-9
    assert found.risk_score.sel(year=2016).std("trial").min() > 0.0


def test_years_that_only_a_renewal_can_read_are_drawn_where_one_can() -> None:
    one = draw(people({"a": aco()}, (2022,))).truncated_expenditure_ppy
    more = draw(people({"a": aco()}, (2022, 2023))).truncated_expenditure_ppy
    assert one.sel(year=slice(2016, 2021)).std("trial").max() < 1e-6
    assert more.sel(year=slice(2016, 2019)).std("trial").max() < 1e-6
    assert more.sel(year=slice(2020, 2023)).std("trial").min() > 1.0


def test_what_nothing_draws_is_named() -> None:
    with pytest.raises(SimulatorError, match="nothing draws episode_cost_usd"):
        draw(people({"a": aco()}), needs=frozenset({"episode_cost_usd"}))


def test_the_defaults_of_an_experience_draw_a_world() -> None:
    assert missing(draw(people({"a": aco()}), Experience(), range(5))) == []


def test_the_trials_of_a_cell_lie_side_by_side_in_memory() -> None:
    drawn = draw(people({"a": aco(), "b": aco(3_000)}), trials=range(10))
    many = [v.values for v in drawn.data_vars.values() if v.dims[:1] == ("trial",)]
    assert many
    assert all(values.strides[0] == values.itemsize for values in many)


def test_what_moves_the_market_moves_benchmark_and_spending_alike() -> None:
    """Trap: a shock of nation or region that the benchmark sees and the ACO's people do not."""
    market = {"trend": {"sd": 0.03, "regional_sd": 0.02}}
    found = draw(people({"a": aco()}), experience(STILL | market), range(500)).sel(year=2022)
    assert bool((found.regional_ppy.std("trial") > 0.02 * found.regional_ppy.mean("trial")).all())
    ratio = found.truncated_expenditure_ppy / found.regional_ppy
    np.testing.assert_allclose(ratio, ratio.isel(trial=0).broadcast_like(ratio), rtol=1e-12)
