"""Laws of spending: who moves it, what truncation leaves, what the effect takes."""

from typing import Any, get_args

import numpy as np
import pytest
import xarray as xr

from simulator.errors import ScenarioError
from simulator.sampling import spending, world
from simulator.sampling.block import Block
from simulator.sampling.streams import Streams
from simulator.scenario.schema import Severity
from tests.sampling.people import STILL, aco, experience, people

TRIALS = 20_000


def block(*years: int, trials: int = TRIALS, base: Any = STILL, **groups: Any) -> Block:
    could = experience(base, **groups)
    return Block(people({"a": aco()}, years or (2022,)), could, Streams(5), range(trials))


def drawn(*years: int, **groups: Any) -> xr.Dataset:
    one = block(*years, trials=2_000, **groups)
    return world.draw(one.people, one.experience, one.streams, one.trials, spending.NAMES)


def test_the_deviation_lasts_and_changes_from_year_to_year() -> None:
    found = spending.deviation(block(2022, 2023, deviation={"sd": 0.03, "change_sd": 0.02}))
    logs = np.log(found.factor[:, -2:, 0])
    expected = np.sqrt([0.03**2 + 4 * 0.02**2, 0.03**2 + 5 * 0.02**2])
    assert logs.std(axis=0) == pytest.approx(expected, rel=0.02)
    assert np.diff(logs, axis=1).std() == pytest.approx(0.02, rel=0.02)
    assert found.score.std(axis=0) == pytest.approx(1.0, rel=0.02)


def test_in_simulated_base_years_the_deviation_departs_from_the_last_of_them() -> None:
    spread = {"mean": -0.03, "sd": 0.03, "change_sd": 0.02}
    drawn = block(2019, deviation=spread, base_years="simulated")
    factor = spending.deviation(drawn).factor[:, :, 0]
    expected = np.sqrt([2 * 0.02**2, 0.02**2, 0.0, 0.03**2 + 0.02**2])
    assert drawn.years == (2016, 2017, 2018, 2019)
    assert np.log(factor).std(axis=0) == pytest.approx(expected, rel=0.02)
    error = factor.std(axis=0) / np.sqrt(TRIALS)
    assert np.all(abs(factor.mean(axis=0) - [1.0, 1.0, 1.0, 0.97]) <= 4.0 * error + 1e-12)


def test_a_ramped_deviation_is_reached_in_equal_steps_and_then_lasts() -> None:
    law = {"mean": -0.04, "sd": 0.04, "ramp_years": 4}
    factor = spending.deviation(block(2020, 2023, deviation=law)).factor[:, -4:, 0]
    steps = np.array([0.5, 0.75, 1.0, 1.0])
    error = factor.std(axis=0) / np.sqrt(TRIALS)
    assert np.all(abs(factor.mean(axis=0) - (1.0 - 0.04 * steps)) <= 4.0 * error)
    assert np.log(factor).std(axis=0) == pytest.approx(0.04 * steps, rel=0.02)
    assert np.corrcoef(np.log(factor[:, 0]), np.log(factor[:, 1]))[0, 1] == pytest.approx(1.0)


def test_a_deviation_without_spread_is_its_mean_in_every_trial() -> None:
    found = spending.deviation(block(deviation={"mean": -0.03}))
    assert np.allclose(found.factor, 0.97)
    assert found.score.std() == pytest.approx(1.0, rel=0.02)


def test_the_effect_is_what_parts_spending_from_its_counterfactual() -> None:
    found = drawn(2022, 2023, effect={"mean": 0.02, "sd": 0.01, "ramp_years": 2})
    ratio = found.truncated_expenditure_ppy / found.truncated_counterfactual_ppy
    saved = 1.0 - ratio.isel(segment=0, aco=0)
    assert saved.sel(year=2018).max() == 0.0
    assert float(saved.sel(year=2023).mean()) == pytest.approx(0.02, abs=4 * 0.01 / 2_000**0.5)
    assert np.allclose(saved.sel(year=2022) * 2.0, saved.sel(year=2023))
    whole = found.expenditure_ppy / found.counterfactual_ppy
    assert np.allclose(whole, ratio)


def test_the_effect_is_as_unsure_as_stated_and_the_same_in_every_year() -> None:
    found = drawn(2022, 2023, effect={"mean": 0.02, "sd": 0.01})
    saved = 1.0 - (found.expenditure_ppy / found.counterfactual_ppy).isel(segment=0, aco=0)
    first, second = saved.sel(year=2022), saved.sel(year=2023)
    assert float(first.std()) == pytest.approx(0.01, rel=4.0 / np.sqrt(2.0 * len(first)))
    assert float(abs(first.mean() - 0.02)) < 4.0 * 0.01 / np.sqrt(len(first))
    assert np.allclose(first, second)


def test_without_an_effect_spending_is_its_counterfactual() -> None:
    found = drawn(severity={"noise": True})
    assert found.expenditure_ppy.equals(found.counterfactual_ppy)


def test_truncation_takes_what_lies_above_the_threshold() -> None:
    found = drawn(severity={"noise": True})
    above = found.expenditure_ppy - found.truncated_expenditure_ppy
    assert bool((above >= 0.0).all())
    simulated = above.sel(year=2022) / found.truncated_expenditure_ppy.sel(year=2022)
    expected = (above / found.truncated_expenditure_ppy).sel(year=2018).mean("trial")
    error = simulated.std("trial") / np.sqrt(2_000)
    # The threshold of a base year is carried back with the nation, and cuts nearly as much.
    assert bool((abs(simulated.mean("trial") - expected) < 4.0 * error + 0.2 * expected).all())


def test_nothing_is_cut_where_the_scenario_says_so() -> None:
    found = drawn(severity={"noise": True, "truncated": False})
    assert np.allclose(found.expenditure_ppy, found.truncated_expenditure_ppy)


def test_a_segment_without_people_costs_what_is_expected() -> None:
    acos = {"a": aco(), "b": aco(esrd=False)}
    expected = people(acos)
    found = world.draw(expected, experience(), Streams(1), range(10), spending.NAMES)
    assert bool(np.isfinite(found.truncated_expenditure_ppy.sel(aco="b", segment="esrd")).all())


@pytest.mark.parametrize("family", get_args(Severity.model_fields["family"].annotation))
def test_every_family_draws_what_is_expected(family: str) -> None:
    tail = {"tail_share": 0.01, "tail_index": 4.0, "peak": 1.0}
    found = drawn(severity={"noise": True, "family": family, **tail})
    spent = found.truncated_expenditure_ppy.sel(year=2022)
    error = spent.std("trial") / np.sqrt(2_000)
    expected = people({"a": aco()}).expenditure_ppy.sel(year=2022)
    assert bool((abs(spent.mean("trial") - expected) < 4.0 * error).all())


def test_a_shape_that_cannot_be_is_named() -> None:
    law = {"family": "gamma", "cv": {"esrd": 0.3}, "zero_share": {"esrd": 0.5}}
    with pytest.raises(ScenarioError, match=r"experience\.severity: esrd: severity: cv 0\.3"):
        drawn(severity={"noise": True} | law)


def test_a_tail_without_its_parameters_is_named() -> None:
    with pytest.raises(ScenarioError, match="lognormal_pareto needs tail_share and tail_index"):
        drawn(severity={"noise": True, "family": "lognormal_pareto"})
