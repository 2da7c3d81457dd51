"""One run, one digest: however it is cut, spread, ordered, stopped and resumed."""

import itertools
import json
import random
import signal
import time
from collections import Counter

import pytest

from simulator import results
from simulator.engine import batch
from simulator.engine.merging import merge
from simulator.engine.plan import part, plan
from simulator.engine.run import Where, execute_all, run
from tests.runs import local_cluster, small

TRIALS = 150
BLOCKS = (7, 30, 64, 150)


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    """Return the digest of the run in one block, by one worker."""
    out = tmp_path_factory.mktemp("right")
    return results.digest(run(small(TRIALS), out, workers=1, block=TRIALS).attrs["path"])


def digest(out, block, where):
    planned = plan(small(TRIALS), out, block)
    for _ in execute_all([planned], where, keep_going=False):
        pass
    return results.digest(planned.folder)


def shuffled(monkeypatch, seed):
    """Let blocks be computed in another order."""
    rng, unsound = random.Random(seed), results.unsound

    def in_disorder(todo):
        return rng.sample(list(todo), len(todo))

    monkeypatch.setattr(batch, "sorted", in_disorder, raising=False)
    return unsound


def on_threads(out):
    for workers, block in itertools.product((1, 2, 4, 8), BLOCKS):
        yield "threads", digest(out / f"t{workers}-{block}", block, Where("threads", workers))


def in_disorder(out, monkeypatch):
    for seed, block in itertools.product(range(4), BLOCKS[:3]):
        with monkeypatch.context() as patch:
            shuffled(patch, seed)
            where = Where("threads", 1 + seed)
            yield "in another order", digest(out / f"o{seed}-{block}", block, where)


def resumed(out):
    """Yield runs that lost some of their blocks, and went on in other hands."""
    for seed in range(12):
        rng = random.Random(seed)
        block, there = rng.choice(BLOCKS[:3]), out / f"r{seed}"
        planned = plan(small(TRIALS), there, block)
        digest(there, block, Where("threads", 2))
        manifest = planned.folder / results.MANIFEST
        lines = manifest.read_text().splitlines(keepends=True)
        manifest.write_text("".join(rng.sample(lines, rng.randrange(len(lines)))))
        yield "resumed", digest(there, block, Where("threads", rng.choice([1, 2, 4])))


def extended(out):
    for seed in range(6):
        rng = random.Random(seed)
        there = out / f"x{seed}"
        run(small(rng.randrange(1, TRIALS)), there, block=rng.choice(BLOCKS[:2]), workers=2)
        yield "extended", results.digest(run(small(TRIALS), there).attrs["path"])


def in_parts(out):
    for cut in (1, 2, 4):
        there = out / f"p{cut}"
        whole = plan(small(TRIALS), there, 30)
        for span in (range(cut), range(cut, 5)):
            list(execute_all([part(whole, span)], Where("threads", 1), keep_going=False))
        merge(whole.folder)
        yield "in parts, merged", results.digest(whole.folder)


def on_clusters(out):
    """Yield runs on clusters of processes and of threads, and on processes of our own."""
    from distributed import Client

    for workers, threads in ((1, 1), (1, 2), (2, 1), (2, 2), (4, 1)):
        cluster = local_cluster(workers, threads)
        with cluster, Client(cluster) as client:
            for block in BLOCKS[:3]:
                where = Where(client if block == 7 else cluster.scheduler_address)
                yield "a dask cluster", digest(out / f"c{workers}{threads}-{block}", block, where)
    with local_cluster(1, 4, processes=False) as cluster, Client(cluster) as client:
        for block in BLOCKS[:3]:
            yield "a dask cluster of threads", digest(out / f"i{block}", block, Where(client))
    for workers, block in ((1, 30), (2, 7)):
        there = out / f"own{workers}-{block}"
        yield "processes of its own", digest(there, block, Where("processes", workers))


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_one_digest_over_every_way_to_run(right, tmp_path, proof, monkeypatch):
    ways = [
        *on_threads(tmp_path),
        *in_disorder(tmp_path, monkeypatch),
        *resumed(tmp_path),
        *extended(tmp_path),
        *in_parts(tmp_path),
        *on_clusters(tmp_path),
    ]
    counts = ", ".join(f"{n} {way}" for way, n in Counter(way for way, _ in ways).items())
    digests = {right, *(found for _, found in ways)}
    proof(
        "One sha256 of the values over every way to run",
        f"{len(ways)} combinations ({counts}), {len(digests)} digest: {right[:16]}…",
    )
    assert digests == {right}
    assert len(ways) >= 60


def test_one_digest_in_another_order_resumed_extended_and_in_parts(right, tmp_path, monkeypatch):
    ways = (in_disorder(tmp_path, monkeypatch), resumed(tmp_path), in_parts(tmp_path))
    assert {next(way)[1] for way in ways} == {right}


@pytest.mark.parametrize("kills", [3, pytest.param(100, marks=pytest.mark.slow)])
def test_what_is_committed_never_changes_while_a_run_is_extended_and_killed(ground, proof, kills):
    rng, out = random.Random(1), ground.fresh()
    trials, changed, committed = 20, [], {}
    for _ in range(kills):
        trials += rng.randrange(5, 25)
        command = ground.nursery.start(*ground.words(out, "--trials", trials, "--workers", 2))
        time.sleep(rng.uniform(0.05, 1.5))
        command.signal(signal.SIGKILL)
        command.wait()
        found = entries(out / ground.name)
        changed += [key for key, entry in committed.items() if found.get(key) != entry]
        committed = found
    before = values(out / ground.name, committed)
    ended = ground.nursery.run(*ground.words(out, "--trials", trials))
    after = values(out / ground.name, committed)
    alone = run(small(trials, ["level_e"]), ground.fresh(), block=64)
    same = results.digest(out / ground.name) == results.digest(alone.attrs["path"])
    proof(
        f"A run extended and killed (kill -9) {kills} times, then completed",
        f"{len(committed)} committed blocks, {len(changed)} changed; exit {ended.code}; "
        f"as one run of {trials:,} trials undisturbed: {same}",
    )
    assert not changed
    assert before == after
    assert (ended.code, same) == (0, True)


def entries(folder):
    return dict(results.entries(folder)) if folder.exists() else {}


def values(folder, committed):
    store = results.Store(folder)
    every = (entry.block for entry in committed.values())
    return {str(block): store.checksum(block) for block in every}


def test_run_json_says_how_many_blocks_were_computed(ground):
    out = ground.fresh()
    assert ground.nursery.run(*ground.words(out)).code == 0
    assert json.loads((out / ground.name / "run.json").read_text())["blocks_computed"] == 12
