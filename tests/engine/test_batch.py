import json
from concurrent.futures import ThreadPoolExecutor
from traceback import walk_tb

import pytest

from simulator import results
from simulator.engine import ClusterError, PartlyDoneError
from simulator.engine.batch import Crew, complete
from simulator.engine.plan import plan
from simulator.engine.simulate import lines
from simulator.errors import ResultsError
from tests.runs import small

FIRST = small(60, ["level_e"])
SECOND = FIRST.model_copy(update={"seed": 2})


@pytest.fixture
def plans(tmp_path):
    return [plan(scenario, tmp_path, 10) for scenario in (FIRST, SECOND)]


@pytest.fixture
def crew():
    with ThreadPoolExecutor(2) as pool:
        yield Crew(pool, lambda: 2)


class Killed(Exception):
    pass


def poisoned(first, error):
    """Return a model that fails in the block that begins with a trial."""

    def fails(case, tracks, trials):
        if trials.start == first and len(trials) > 1:
            raise error
        return lines(case, tracks, trials)

    return fails


def test_runs_are_completed_together_and_told_as_they_end(plans, crew):
    told = []
    ended = [o.plan for o in complete(plans, crew, told.append, keep_going=False)]
    assert ended == plans
    assert [t.done for t in told] == [0, *range(1, 7), *range(6, 13)] or told[-1].done == 12
    assert told[-1][:3] == (12, 12, 12)
    assert told[-1].left == 0.0
    assert all(not results.verify(one.folder).flaws for one in plans)


def test_a_block_that_fails_is_named_and_the_others_are_saved(plans, crew, monkeypatch):
    monkeypatch.setattr("simulator.engine.batch.lines", poisoned(30, ZeroDivisionError("by 0")))
    with pytest.raises(PartlyDoneError) as said:
        list(complete(plans[:1], crew, keep_going=False))
    words = r"1 of 6 blocks could not be computed, the others are saved: block 3 of case 0"
    assert words in str(said.value)
    assert "ZeroDivisionError: by 0" in str(said.value)
    assert results.standing(plans[0].folder).done == 5
    with pytest.raises(ResultsError, match="block 3 of case 0"):
        results.open_run(plans[0].folder)
    monkeypatch.undo()
    list(complete(plans[:1], crew, keep_going=False))
    assert json.loads((plans[0].folder / "run.json").read_text())["blocks_computed"] == 1


def test_what_a_block_raises_can_be_sent_even_from_a_recursion_without_end(
    plans, crew, monkeypatch
):
    def recurs(case, tracks, trials):
        return recurs(case, tracks, trials)

    monkeypatch.setattr("simulator.engine.batch.lines", recurs)
    raised = []
    monkeypatch.setattr("simulator.engine.batch._said", lambda e: raised.append(e) or "recurs")
    with pytest.raises(PartlyDoneError, match="6 of 6 blocks"):
        list(complete(plans[:1], crew, keep_going=False))
    frames = [len(list(walk_tb(error.__traceback__))) for error in raised]
    assert max(frames) < 10


def test_a_run_that_fails_does_not_stop_the_others_if_asked_to_keep_going(
    plans, crew, monkeypatch
):
    with results.held(plans[0].folder):
        first, second = complete(plans, crew, keep_going=True)
        assert "is being written by another process" in str(first.error)
        assert second.error is None
    assert results.open_run(plans[1].folder).sizes["trial"] == 60


def test_a_block_that_kills_is_told_from_those_that_die_with_it(plans, crew, monkeypatch):
    deaths = {30: 9, 40: 1}  # block 3 kills whoever takes it; block 4 was beside it once

    def dies(case, tracks, trials):
        if len(trials) > 1 and deaths.get(trials.start, 0):
            deaths[trials.start] -= 1
            raise Killed
        return lines(case, tracks, trials)

    monkeypatch.setattr("simulator.engine.batch.lines", dies)
    crew = crew._replace(killed=(Killed,))
    with pytest.raises(ClusterError) as said:
        list(complete(plans[:1], crew, keep_going=False))
    assert "block 3 of case 0 (trials 30 to 39): ended every worker that took it" in str(
        said.value
    )
    assert "block 4" not in str(said.value)
    assert results.standing(plans[0].folder).done == 5


def test_a_disk_that_refuses_ends_a_batch_and_what_is_committed_stays(plans, crew, monkeypatch):
    monkeypatch.setattr("simulator.engine.batch.lines", poisoned(50, OSError(28, "No space")))
    with pytest.raises(OSError, match="No space"):
        list(complete(plans, crew, keep_going=True))
    monkeypatch.undo()
    list(complete(plans, crew, keep_going=False))
    assert all(not results.verify(one.folder).flaws for one in plans)


def test_who_is_silent_is_asked_whether_anybody_is_there(plans, crew, monkeypatch):
    def nobody():
        raise ClusterError("nobody")

    monkeypatch.setattr("simulator.engine.batch._PULSE", 0.001)
    with pytest.raises(ClusterError, match="nobody"):
        list(complete(plans, crew._replace(check=nobody), keep_going=False))
