"""Laws of risk scores: their spread grows with the years, and they move with the deviation."""

import numpy as np
import pytest

from simulator.sampling import risk_scores, spending
from simulator.sampling.block import Block
from simulator.sampling.streams import Streams
from tests.sampling.people import aco, experience, people

TRIALS = 20_000


def block(**risk: object) -> Block:
    could = experience(risk_scores={"sd": {"aged_nondual": 0.03}, **risk})
    return Block(people({"a": aco()}, (2020, 2022)), could, Streams(11), range(TRIALS))


def logs(drawn: Block) -> np.ndarray:
    """Return log scores of (trial, year) for people of 65 and over, both simulated years."""
    score = spending.deviation(drawn).score
    _, values = risk_scores.draw(drawn, score)["risk_score"]
    return np.log(values[:, [-3, -1], 0, 0])


def test_changes_add_up_from_the_last_base_year() -> None:
    assert logs(block()).std(axis=0) == pytest.approx(0.03 * np.sqrt([2, 4]), rel=0.02)


@pytest.mark.parametrize("correlation", [-1.0, 0.0, 0.4, 1.0])
def test_changes_are_correlated_with_the_acos_deviation(correlation: float) -> None:
    """Trap: risk scores as noise of their own."""
    drawn = block(correlation=correlation)
    deviation = np.log(spending.deviation(drawn).factor[:, -1, 0])
    found = np.corrcoef(deviation, logs(drawn)[:, -1])[0, 1]
    assert found == pytest.approx(correlation, abs=4.0 / np.sqrt(TRIALS))


def test_what_the_deviation_leaves_of_a_change_is_partly_shared_by_all_types() -> None:
    could = experience(
        risk_scores={"sd": {"esrd": 0.03, "aged_nondual": 0.03}, "common_share": 0.3}
    )
    drawn = Block(people({"a": aco()}), could, Streams(11), range(TRIALS))
    _, values = risk_scores.draw(drawn, spending.deviation(drawn).score)["risk_score"]
    changes = np.log(values[:, -1, 0])
    found = np.corrcoef(changes, rowvar=False)[0, 1]
    # The deviation, correlated by 0.4 with each, shares 0.16; the common part 0.3 of the rest.
    assert found == pytest.approx(0.16 + 0.84 * 0.3, abs=4.0 / np.sqrt(TRIALS))
    assert changes.std(axis=0) == pytest.approx(0.03 * 2.0, rel=0.02)


def test_coding_grows_year_by_year() -> None:
    more, none = logs(block(coding_growth=0.01)), logs(block())
    assert np.allclose(more - none, np.log(1.01) * np.array([2, 4]))


def test_segments_without_a_spread_stay_as_projected() -> None:
    drawn = block()
    _, values = risk_scores.draw(drawn, spending.deviation(drawn).score)["risk_score"]
    assert np.ptp(values[..., 1]) == 0.0
