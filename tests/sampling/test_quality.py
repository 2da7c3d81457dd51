"""Laws of quality and circumstances: shares within bounds, at the rates the scenario gives."""

import numpy as np
import pytest
from scipy import stats

from simulator.errors import ScenarioError
from simulator.sampling import quality
from simulator.sampling.block import Block
from simulator.sampling.streams import Streams
from tests.sampling.people import aco, experience, people

TRIALS = 20_000


def block(**groups: object) -> Block:
    acos = {"a": aco(region="north"), "b": aco(region="north"), "c": aco(region="south")}
    return Block(people(acos), experience(**groups), Streams(13), range(TRIALS))


def test_scores_are_shares_of_the_given_mean_and_spread() -> None:
    score = quality.draw(block())["quality_score"][1][:, -1, 0]
    assert 0.0 < score.min() < score.max() < 1.0
    assert score.mean() == pytest.approx(0.8, abs=4 * 0.06 / np.sqrt(TRIALS))
    assert score.std() == pytest.approx(0.06, rel=0.03)


def test_the_outcome_standard_is_met_as_often_as_given() -> None:
    met = quality.draw(block())["outcome_quality_met"][1][:, -1, 0]
    assert set(met.tolist()) == {0.0, 1.0}
    assert met.mean() == pytest.approx(0.9, abs=4 * 0.3 / np.sqrt(TRIALS))


def test_circumstances_strike_a_region_as_often_as_given() -> None:
    share = quality.circumstances(block())["circumstances_share"][1][:, -1]
    assert set(share[:, 0].tolist()) == {0.0, 0.25}
    assert (share[:, 0] > 0.0).mean() == pytest.approx(0.1, abs=4 * 0.3 / np.sqrt(TRIALS))
    assert np.array_equal(share[:, 0], share[:, 1])
    assert not np.array_equal(share[:, 0], share[:, 2])


def test_scores_of_adjacent_years_correlate_as_given() -> None:
    drawn = Block(
        people({"a": aco()}, (2022, 2023, 2024)),
        experience(quality={"persistence": 0.6}),
        Streams(13),
        range(TRIALS),
    )
    scores = quality.draw(drawn)["quality_score"][1][:, -3:, 0]
    normal = stats.norm.ppf(stats.rankdata(scores, axis=0) / (TRIALS + 1.0))
    found = np.corrcoef(normal, rowvar=False)[0, 1:]
    assert found == pytest.approx([0.6, 0.36], abs=4.0 / np.sqrt(TRIALS))
    assert scores.std(axis=0) == pytest.approx(0.06, rel=0.03)


def test_measures_that_are_not_filled_in_are_refused() -> None:
    with pytest.raises(ScenarioError, match=r"experience\.quality\.measures: are not read"):
        quality.draw(block(quality={"measures": {"236SSP": 70.0}}))


def test_a_spread_that_no_share_can_have_is_named() -> None:
    with pytest.raises(ScenarioError, match=r"experience\.quality\.sd: is 0\.5"):
        quality.draw(block(quality={"mean": 0.8, "sd": 0.5}))
