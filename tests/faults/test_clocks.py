"""Disks that fail to read or write (EIO), renames that come late, and clocks that jump."""

import errno
import itertools
import json
import os
import re
import time

import pytest

from simulator import results
from tests.faults.ground import repeated

LONG = 20
# After so many openings to write and renames, each fails, and every later one.
_FAILING = """
import errno, os, sys, threading

left, lock = [{moment}], threading.Lock()

def fail(event, args):
    opened = event == "open" and isinstance(args[0], str) and {out!r} in args[0]
    if event == "os.rename" or (opened and (args[2] or 0) & (os.O_WRONLY | os.O_RDWR)):
        with lock:
            left[0] -= 1
            if left[0] < 0:
                raise OSError(errno.{code}, os.strerror(errno.{code}), str(args[0]))

sys.addaudithook(fail)
"""
# As a file system over a network may: the file has its new name some time after the call began.
_LATE = """
import random, sys, time

def late(event, args):
    if event == "os.rename":
        time.sleep(random.Random(str(args[1])).uniform(0.0, 0.1))

sys.addaudithook(late)
"""
# An hour before, or after: the date from the second look on, the time of day from the {moment}th.
_JUMPING = """
import collections, datetime, time

real, now, seen = datetime.datetime, time.time, collections.Counter()

def gone(clock, moment):
    seen[clock] += 1
    return {back} if seen[clock] >= moment else 0.0

class Jumps(real):
    @classmethod
    def now(cls, tz=None):
        return real.now(tz) - datetime.timedelta(seconds=gone("date", 2))

time.time = lambda: now() - gone("time", {moment})
import simulator.results.recording

simulator.results.recording.datetime = Jumps
"""


@pytest.mark.parametrize("times", [2, pytest.param(LONG, marks=pytest.mark.slow)])
def test_a_disk_that_fails_is_exit_five_and_the_run_goes_on(ground, proof, times):
    def failing(rng):
        out = ground.fresh()
        patch = _FAILING.format(moment=rng.randrange(40), out=str(out), code="EIO")
        ended = ground.nursery.start(*ground.words(out, "--workers", 2), patch=patch).wait()
        wrong = ground.wrong(out, ended) or ("" if ended.code in (0, 5) else f"{ended}")
        return ended, wrong or ground.mended(out)

    told = repeated(times, failing)
    proof("A disk that fails (EIO), from a random opening to write or rename on", f"{told}")
    assert told.wrong == []


@pytest.mark.parametrize("code", ["EIO", "ENOSPC", "EDQUOT", "EROFS", "EACCES", "ESTALE"])
def test_a_disk_that_fails_at_the_first_write_says_so(ground, code):
    out = ground.fresh()
    patch = _FAILING.format(moment=0, out=str(out), code=code)
    ended = ground.nursery.start(*ground.words(out), patch=patch).wait()
    assert ended.code == 5
    assert os.strerror(getattr(errno, code)) in ended.err


# After so many openings to read a file of a run, each fails.
_UNREADABLE = """
import errno, os, sys, threading

left, lock = [{moment}], threading.Lock()

def fail(event, args):
    if event == "open" and isinstance(args[0], str) and {out!r} in args[0]:
        if not (args[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_DIRECTORY):
            with lock:
                left[0] -= 1
                if left[0] < 0:
                    raise OSError(errno.EIO, os.strerror(errno.EIO), str(args[0]))

sys.addaudithook(fail)
"""
_READERS = ("show", "verify", "status", "report", "capital", "reproduce", "explain", "run")


@pytest.mark.parametrize("times", [len(_READERS), pytest.param(8 * LONG, marks=pytest.mark.slow)])
def test_a_disk_that_fails_while_a_run_is_read_is_told_of_and_nothing_is_lost(
    ground, proof, times
):
    out, verbs = ground.fresh(), itertools.cycle(_READERS)
    assert ground.nursery.run(*ground.words(out)).code == 0

    def unreadable(rng):
        verb = next(verbs)
        own = ground.words(out) if verb == "run" else (verb, out / ground.name)
        more = ("--trial", 3, "--contract", "level_e") if verb == "explain" else ()
        patch = _UNREADABLE.format(moment=rng.randrange(80), out=str(out))
        ended = ground.nursery.start(*own, *more, patch=patch).wait()
        odd = ended.code not in (0, 5) or (ended.code and "Input/output" not in ended.err)
        return ended, (f"{verb}: {ended}" if odd else "") or ground.wrong(out, ended)

    told = repeated(times, unreadable)
    proof("A disk that fails (EIO), from a random opening of a run's files to read on", f"{told}")
    assert told.wrong == []
    assert ground.mended(out) == ""


def test_renames_that_come_late_change_nothing(ground):
    out = ground.fresh()
    ended = ground.nursery.start(*ground.words(out, "--workers", 2), patch=_LATE).wait()
    assert (ended.code, ground.wrong(out, ended)) == (0, "")
    assert results.verify(out / ground.name).flaws == ()


@pytest.mark.parametrize("times", [2, pytest.param(LONG, marks=pytest.mark.slow)])
def test_a_clock_that_jumps_an_hour_changes_no_value_and_no_time_is_negative(ground, proof, times):
    ways = itertools.cycle([3_600.0, -3_600.0])

    def jumping(rng):
        out = ground.fresh()
        patch = _JUMPING.format(moment=rng.randrange(1, 20), back=next(ways))
        ended = ground.nursery.start(*ground.words(out), patch=patch).wait()
        wrong = ground.wrong(out, ended) or ("" if ended.code == 0 else f"{ended}")
        negative = any(re.search(r"-\d+(\.\d+)? ?(s|min|h)\b", said) for said in ended[1:])
        took = json.loads((out / ground.name / "run.json").read_text())["seconds"]
        odd = f"{took} s, {ended}" if negative or not 0.0 < took < 600.0 else ""
        return ended, wrong or odd or ground.mended(out)

    told = repeated(times, jumping)
    proof("A clock that jumps an hour back, or ahead, during a run", f"{told}")
    assert told.wrong == []


def test_a_clock_that_jumps_back_sweeps_away_nothing_that_is_being_written(ground, monkeypatch):
    out = ground.fresh()
    assert ground.nursery.run(*ground.words(out)).code == 0
    folder = out / ground.name
    live, dead = folder / ".shown.1", folder / ".shown.2"
    for aside in (live, dead):
        aside.mkdir()
    hours_ago = time.time() - 7_200.0
    os.utime(dead, (hours_ago, hours_ago))
    back = time.time() - 3_600.0
    monkeypatch.setattr(time, "time", lambda: back)
    with results.showing(folder) as mine:
        assert mine.exists()
        assert live.exists()
    assert not dead.exists()
