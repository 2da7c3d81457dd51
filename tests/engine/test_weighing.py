from concurrent.futures import ThreadPoolExecutor

import pytest

from simulator.engine.batch import Crew, complete
from simulator.engine.plan import plan
from simulator.engine.run import run
from simulator.engine.weighing import Weights, weighed
from tests.runs import small

TRIALS = 5
ONE, TWO = small(TRIALS, ["level_e"]), small(TRIALS)


@pytest.fixture
def plans(tmp_path, monkeypatch):
    monkeypatch.setattr("simulator.engine.weighing._WORTH_WHILE", TRIALS)
    other = ONE.model_copy(update={"seed": 2})
    return [plan(scenario, tmp_path, 1) for scenario in (ONE, other, TWO)]


@pytest.fixture
def pool():
    with ThreadPoolExecutor(2) as found:
        yield found


def test_a_block_is_as_planned_until_one_is_timed(plans):
    assert [Weights(plans).of(one) for one in plans] == [one.weight for one in plans]


def test_what_is_timed_counts_for_its_kind_and_scales_the_others(plans):
    weights = Weights(plans)
    weights.take(plans[0], 5.0)
    each = [weights.of(one) for one in plans]
    assert each == pytest.approx([5.0, 5.0, 5.0 * plans[2].weight / plans[0].weight])
    weights.take(plans[2], 7.0)
    assert [weights.of(one) for one in plans] == [5.0, 5.0, 7.0]


def test_one_plan_of_each_kind_is_worth_timing(plans):
    assert list(Weights(plans).worth_while(plans)) == [plans[0], plans[2]]


def test_nothing_is_timed_where_all_are_of_one_kind(plans):
    assert list(Weights(plans[:2]).worth_while(plans[:2])) == []


def test_what_is_done_already_makes_nothing_worth_timing(plans, tmp_path):
    run(ONE, tmp_path, block=1)
    run(ONE.model_copy(update={"seed": 2}), tmp_path, block=1)
    assert list(Weights(plans).worth_while(plans)) == [plans[2]]


def test_a_block_is_timed_apart_from_what_is_read_first(plans):
    seconds, spent = weighed(plans[2].cases[0], plans[2].tracks[0], range(10))
    assert 0.0 < seconds < spent


class Counting:
    """An executor that keeps what it was given to do."""

    def __init__(self, real):
        self.real, self.asked = real, []

    def submit(self, job, *words):
        self.asked.append(job)
        return self.real.submit(job, *words)


@pytest.mark.parametrize("watched", [True, False])
def test_blocks_are_timed_only_while_somebody_watches(plans, watched, pool):
    crew = Crew(Counting(pool), lambda: 2)
    told = (lambda tally: None) if watched else None
    list(complete(plans, crew, told, keep_going=False))
    assert crew.executor.asked.count(weighed) == 2 * watched


def test_a_block_that_cannot_be_timed_is_as_planned(plans, pool, monkeypatch):
    def fails(case, tracks, trials):
        raise ZeroDivisionError

    monkeypatch.setattr("simulator.engine.batch.weighed", fails)
    told = []
    list(complete(plans, Crew(pool, lambda: 2), told.append, keep_going=False))
    assert told[-1].worked == sum(one.weight * TRIALS for one in plans)
