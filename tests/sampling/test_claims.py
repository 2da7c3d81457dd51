"""Laws of claims noise: exact margins whatever persists, and the people who stay correlate it."""

import numpy as np
import pytest
from scipy import stats

from simulator.errors import ScenarioError
from simulator.sampling import claims
from simulator.sampling.block import Block
from simulator.sampling.streams import Streams
from tests.sampling.people import STILL, aco, experience, people

TRIALS = 20_000
NOISE = {"severity": {"noise": True}}


def block(*years: int, churn: float = 0.0, trials: int = TRIALS, **groups: object) -> Block:
    could = experience(STILL, **NOISE, **groups)
    expected = people({"a": aco(churn=churn)}, years)
    return Block(expected, could, Streams(5), range(trials))


def test_the_margins_of_a_year_do_not_depend_on_persistence() -> None:
    apart = claims.draw(block(2022)).truncated[:, -1, 0]
    tied = claims.draw(block(2022, churn=0.2, persistence={"claims": 0.8})).truncated[:, -1, 0]
    for segment in range(2):
        assert stats.ks_2samp(apart[:, segment], tied[:, segment]).pvalue > 1e-3
    assert tied.mean(axis=0) == pytest.approx(
        [11_000 * 11_600 / 10_500, 84_000 * 90_400 / 85_900], rel=4 * 0.02 / np.sqrt(TRIALS) * 5
    )


@pytest.mark.parametrize(("persistence", "churn"), [(0.6, 0.0), (0.6, 0.5), (0.0, 0.0)])
def test_years_correlate_by_persistence_times_those_who_stay(
    persistence: float, churn: float
) -> None:
    drawn = block(2022, 2023, 2024, churn=churn, persistence={"claims": persistence})
    spent = claims.draw(drawn).truncated[:, -3:, 0, 0]
    expected = persistence * (1.0 - churn)
    found = np.corrcoef(spent, rowvar=False)[0, 1:]
    # The count above the threshold comes in steps, which hides a hundredth of the correlation.
    error = 4.0 / np.sqrt(TRIALS)
    assert found == pytest.approx([expected, expected**2], abs=error + 0.02 * expected)


def test_what_lies_above_the_thresholds_persists_too() -> None:
    drawn = claims.draw(block(2022, 2023, persistence={"claims": 0.6}))
    found = np.corrcoef(drawn.excess[:, -2:, 0, 0], rowvar=False)[0, 1]
    assert 0.45 < found < 0.62


def test_means_hold_what_lies_above_the_thresholds() -> None:
    drawn = block(2022)
    level, mean = drawn.people.expenditure_ppy.values, claims.means(drawn)
    assert np.all(mean > level)
    shape = claims._shape(drawn, 0).scaled_to(float(mean[-1, 0, 0]))
    cut = float(shape.limited_mean(drawn.people.truncation_usd.values[-1, 0]))
    assert cut == pytest.approx(level[-1, 0, 0], rel=1e-13)


def test_more_than_people_can_spend_below_the_threshold_is_refused() -> None:
    drawn = block(2022)
    drawn.people["truncation_usd"] = drawn.people.truncation_usd * 0.1
    with pytest.raises(ScenarioError, match="up to the truncation point"):
        claims.means(drawn)
