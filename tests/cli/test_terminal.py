import math
from itertools import pairwise

import pytest

from simulator.cli.terminal import Clock, duration
from simulator.engine.batch import Tally
from simulator.engine.plan import plan
from simulator.engine.run import Where, execute_all
from tests.runs import small


def told(clock, now, blocks, *, work=1.0, total=100):
    clock.tell(Tally(blocks, total, blocks, blocks * work, (total - blocks) * work), now)
    return clock.left(now)


def test_nothing_is_said_before_anything_is_done():
    clock = Clock(2, 0.0)
    clock.tell(Tally(50, 100, 0, 0.0, 50.0), 3.0)
    assert clock.left(3.0) == math.inf
    assert duration(clock.left(3.0)) == ""


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_the_time_left_is_right_after_a_tenth_for_blocks_of_one_length(workers):
    clock, each = Clock(workers, 0.0), 3.0
    for done in range(workers, 11, workers):
        told(clock, done / workers * each, done)
    now = 10 // workers * each
    true = (100 / workers) * each - now
    assert clock.left(now) == pytest.approx(true, rel=0.2)


def test_blocks_that_were_there_already_do_not_make_it_look_fast():
    clock = Clock(1, 0.0)
    clock.tell(Tally(95, 100, 5, 5.0, 5.0), 10.0)
    assert clock.left(10.0) == pytest.approx(10.0)


def test_what_a_run_spends_before_its_first_block_does_not_make_it_look_slow():
    clock = Clock(1, 0.0)
    clock.tell(Tally(0, 100, 0, 0.0, 100.0), 30.0)
    assert told(clock, 40.0, 10) == pytest.approx(90.0)


def test_larger_blocks_still_to_come_are_counted_as_larger():
    clock = Clock(1, 0.0)
    clock.tell(Tally(10, 20, 10, 10.0, 100.0), 10.0)
    assert clock.left(10.0) == pytest.approx(100.0)


def test_the_time_left_goes_down_between_blocks():
    clock = Clock(1, 0.0)
    assert told(clock, 10.0, 10) - clock.left(15.0) == pytest.approx(5.0)


def test_the_time_left_of_an_uneven_batch_is_within_half_at_every_block(tmp_path):
    few, many = small(60, ["level_e"]), small(80, ["level_e", "enhanced"])
    tallies, clock, now = [], Clock(1, 0.0), 0.0
    plans = [plan(few, tmp_path, 10), plan(many, tmp_path, 20)]
    list(execute_all(plans, Where("threads", 1), tallies.append, keep_going=False))
    # A block of the second run takes a third longer than its weight says.
    steps = [now.worked - before.worked for before, now in pairwise(tallies)]
    took = [step * (1.0 if step <= plans[0].weight else 4 / 3) for step in steps]
    assert len({*steps}) > 1
    for at, tally in enumerate(tallies[1:], 1):
        now = sum(took[:at])
        clock.tell(tally, now)
        true = sum(took[at:])
        assert true / 1.5 <= clock.left(now) <= true * 1.5


def test_the_time_left_is_right_after_a_tenth_however_wrong_the_plans_are(tmp_path, monkeypatch):
    """A block of the second run takes six times what its weight says, and is timed beforehand."""
    monkeypatch.setattr("simulator.engine.weighing._WORTH_WHILE", 5)
    few, many = small(100, ["level_e"]), small(100, ["level_e", "enhanced"])
    plans = [plan(few, tmp_path, 10), plan(many, tmp_path, 20)]
    seconds = {1: 1.0, 2: 6.0 * plans[1].weight / plans[0].weight}

    def timed(case, tracks, trials):
        return seconds[len(tracks)], 0.0

    monkeypatch.setattr("simulator.engine.batch.weighed", timed)
    tallies, clock = [], Clock(1, 0.0)
    list(execute_all(plans, Where("threads", 1), tallies.append, keep_going=False))
    assert (tallies[-1].done, tallies[-1].left) == (15, 0.0)
    took = [seconds[1]] * 10 + [seconds[2]] * 5
    for tally in tallies[1:]:
        now, true = sum(took[: tally.blocks]), sum(took[tally.blocks :])
        clock.tell(tally, now)
        if now >= 0.1 * sum(took):
            assert clock.left(now) == pytest.approx(true, rel=0.2)
