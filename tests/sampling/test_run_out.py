"""Laws of an unfinished year: what is booked has no claims noise left, what is to come has."""

import numpy as np
import pytest

from simulator.errors import ScenarioError
from simulator.population.runout import completed
from simulator.sampling import spending
from simulator.sampling.block import Block
from simulator.sampling.streams import Streams
from tests.sampling.people import STILL, aco, experience, people

TRIALS = 20_000
OBSERVED = {"a": {"aged_nondual": 11_900.0, "esrd": 90_000.0}}
NOISE = {"severity": {"noise": True}}


def spent(
    months: int, sd: float = 0.0, name: str = "truncated_expenditure_ppy", **groups: object
) -> np.ndarray:
    """Return one simulated year's spending: (trial, segment)."""
    law = {
        "year": 2022,
        "months_observed": months,
        "observed_ppy": OBSERVED,
        "completion_factor": {"mean": 1.05, "sd": sd},
    }
    could = experience(STILL, run_out=law, **{**NOISE, **groups})
    block = Block(people({"a": aco()}), could, Streams(5), range(TRIALS))
    factor, kept = np.ones(block.shape), spending.effect(block)
    return spending.draw(block, factor, kept, {name})[name][1][:, -1, 0]


def whole() -> np.ndarray:
    could = experience(STILL, **NOISE)
    block = Block(people({"a": aco()}), could, Streams(5), range(TRIALS))
    one = np.ones(block.shape)
    name = "truncated_expenditure_ppy"
    return spending.draw(block, one, one, {name})[name][1][:, -1, 0]


def test_a_year_observed_to_its_end_has_no_claims_noise_left() -> None:
    found = spent(12)
    assert np.allclose(found, 1.05 * np.array([11_900.0, 90_000.0]), rtol=1e-12)


def test_the_expected_year_is_the_booked_part_completed_and_the_rest_as_projected() -> None:
    found, rest = spent(6, sd=0.02), people({"a": aco()}).expenditure_ppy.values[-1, 0]
    booked = np.array([11_900.0, 90_000.0])
    expected = completed(booked, rest, factor=1.05, months_share=0.5)
    error = found.std(axis=0) / np.sqrt(TRIALS)
    assert np.all(abs(found.mean(axis=0) - expected) < 4.0 * error)


@pytest.mark.parametrize("months", [3, 6, 9])
def test_noise_falls_with_the_root_of_the_months_to_come(months: int) -> None:
    ratio = spent(months).std(axis=0) / whole().std(axis=0)
    assert ratio == pytest.approx(np.sqrt(1.0 - months / 12.0) * np.ones(2), rel=1e-9)


def test_what_completion_is_unsure_of_is_all_that_a_closed_year_keeps() -> None:
    logs = np.log(spent(12, sd=0.02))
    assert logs.std(axis=0) == pytest.approx(0.02 / 1.05 * np.ones(2), rel=0.02)
    assert np.corrcoef(logs, rowvar=False)[0, 1] == pytest.approx(1.0)


def test_the_effect_of_booked_months_is_undone_in_the_counterfactual() -> None:
    sure = {"effect": {"mean": 0.05}}
    found = spent(12, **sure)
    without = spent(12, name="truncated_counterfactual_ppy", **sure)
    assert np.allclose(found / without, 0.95)


def test_a_completion_factor_that_is_not_known_is_named() -> None:
    law = {"year": 2022, "months_observed": 6, "observed_ppy": OBSERVED}
    could = experience(STILL, run_out=law)
    block = Block(people({"a": aco()}), could, Streams(5), range(3))
    one = np.ones(block.shape)
    with pytest.raises(ScenarioError, match=r"completion_factor\.mean: is not given"):
        spending.draw(block, one, one, spending.NAMES)
