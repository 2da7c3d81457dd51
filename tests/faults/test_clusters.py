"""Workers, schedulers and blocks that die in the middle of a run on a cluster."""

import random
import signal
import time

import psutil
import pytest

from simulator import results
from tests.faults.clusters import Cluster
from tests.faults.ground import Told, repeated

LONG, _AT_ONCE = 20, 4
_SPAN = 3.0
# Dask loads it more than once into a process, always as the same module.
_POISON = """
import simulator.engine.batch as batch
from simulator.engine.simulate import lines as real

def lines(case, tracks, trials):
    if trials.start == 50 and len(trials) > 1:
        {act}
    return real(case, tracks, trials)

batch.lines = lines
"""
_ACTS = {
    "dies": "import os; os._exit(1)",
    "crashes": "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
    "raises": "raise ZeroDivisionError('division by zero')",
    "recurs without end": "return lines(case, tracks, trials)",
    "eats memory": "held = [bytearray(20_000_000) for _ in iter(int, 1)]",
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("cluster"), 4) as found:
        yield found


def words(ground, cluster, out, *more):
    return ground.words(out, "--scheduler", cluster.address, *more)


def killed(ground, cluster, share, rng):
    """Return what comes of runs under way, begun one after another, when workers are killed."""
    outs, commands = [ground.fresh() for _ in range(_AT_ONCE)], []
    for out in outs:
        commands.append(ground.nursery.start(*words(ground, cluster, out)))
        time.sleep(rng.uniform(0.2, _SPAN / _AT_ONCE))
    alive = cluster.workers()
    for process in rng.sample(alive, max(round(share * len(alive)), 1) if alive else 0):
        kill(process)
    ends = [command.wait() for command in commands]
    wrong = [
        ground.wrong(out, end) or ground.mended(out) for out, end in zip(outs, ends, strict=True)
    ]
    cluster.settle()
    return Told.of(ends, wrong)


def kill(process):
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "share"), [("one", 0.0), ("half", 0.5), ("all but one", 0.75), ("all", 1.0)]
)
def test_workers_that_are_killed_do_not_change_a_run(ground, cluster, proof, name, share):
    told, rng = Told.nothing(), random.Random(1)
    for _ in range(LONG // _AT_ONCE):
        told = told.plus(killed(ground, cluster, share, rng))
    proof(f"{name} of four workers killed (kill -9) at random moments", f"{told}")
    assert told.wrong == []
    assert told.codes[0] >= LONG // 2


@pytest.mark.slow
@pytest.mark.parametrize("act", _ACTS)
def test_a_poison_block_is_named_and_the_others_are_saved(ground, proof, act, tmp_path):
    few = {"limit": "1GB", "worker__memory__terminate": 0.6} if act == "eats memory" else {}
    raises = act in ("raises", "recurs without end")
    code = 4 if raises else 6

    def fault(rng):
        out = ground.fresh()
        ended = ground.nursery.run(
            *words(ground, cluster, out, "--block", rng.choice([5, 10, 25]))
        )
        said = "(trials 50 to" in ended.err and "the others are saved" in ended.err
        standing = results.standing(out / ground.name)
        saved = standing.done == standing.blocks - 1
        right = ended.code == code and said and saved
        return ended, "" if right else f"{ended}, {standing}"

    patch = _POISON.format(act=_ACTS[act])
    # Whoever dies once is given up by dask; the run tries each such block again, alone.
    with Cluster(tmp_path, 2, patch, scheduler__allowed_failures=0, **few) as cluster:
        told = repeated(LONG, fault)
    proof(f"A block that {act}: it is named, the others saved, exit {code}", f"{told}")
    assert told.wrong == []


@pytest.mark.slow
@pytest.mark.parametrize("way", ["silent for 30 s", "silent for good", "killed"])
def test_a_scheduler_that_is_lost_is_waited_for_or_refused(ground, proof, way, tmp_path):
    told = Told.nothing()
    for _ in range(4):
        told = told.plus(lost(ground, way, tmp_path))
    proof(f"A scheduler that is {way}, five runs under way at random moments", f"{told}")
    assert told.wrong == []
    assert set(told.codes) <= {0, 6}
    assert way != "silent for 30 s" or told.codes[0] == LONG


def lost(ground, way, folder):
    """Return what comes of five runs, begun one after another, when their scheduler is lost."""
    patience = 5 if way == "silent for good" else 60
    with Cluster(folder, 2) as cluster:
        outs = [ground.fresh() for _ in range(5)]
        commands = []
        for out in outs:
            commands.append(
                ground.nursery.start(*words(ground, cluster, out, "--patience", patience))
            )
            time.sleep(0.7)
        number = signal.SIGKILL if way == "killed" else signal.SIGSTOP
        cluster.scheduler.send_signal(number)
        if way == "silent for 30 s":
            time.sleep(30)
            cluster.scheduler.send_signal(signal.SIGCONT)
        ends = [command.wait(240) for command in commands]
    wrong = [
        ground.wrong(out, end) or ground.mended(out) for out, end in zip(outs, ends, strict=True)
    ]
    return Told.of(ends, wrong)


@pytest.mark.slow
def test_no_workers_at_all_is_said_in_words(ground, proof, tmp_path):
    with Cluster(tmp_path, 1) as cluster:
        cluster.nannies.send_signal(signal.SIGTERM)
        cluster.nannies.wait()
        out = ground.fresh()
        ended = ground.nursery.run(*words(ground, cluster, out, "--patience", 6))
    proof("A scheduler without workers", f"exit {ended.code}: {ended.err.strip()}")
    assert ended.code == 6
    assert "has no workers" in ended.err
