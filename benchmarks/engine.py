"""The engine beside its peers on W1, W2 and W3: prints a table and writes results.json.

Rows are timed in turn, one round after another; slow rows on a stated part of the work, scaled
up. A row counts if the means of its totals, and of its settlement where it settles, lie within
four standard errors of the exact ones. Peers run in an environment of their own (`make bench`
fills it); one that is not there, or fails, says so and is left out.

Every ratio is higher for better, but for `settlement_over_numpy_time`: how many times as long a
settlement takes as the same formulas in bare NumPy, on a block of 300,000 trials.

    python benchmarks/engine.py [PYTHON OF THE PEERS]
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import metadata
from pathlib import Path

import contestants
import numpy as np
import settlement
from workload import TRIALS, W1, W2, YEARS, Draw, Tasks, Timing, exact, settled, sizes, timed

ROUNDS = 7
_MOST_GROWTH = 1.5  # how much longer W2 may take than W1
_REFERENCE = 200_000  # trials of what has no closed form
HERE = Path(__file__).parent
PEERS = {"aggregate": "aggregate", "aggregate, finer": "aggregate", "gemact": "gemact"} | {
    name: name for name in ("monaco", "squigglepy", "lossmodels", "jax")
}
NAIVE = "naive NumPy loop"


@dataclass
class Row:
    """One contestant on one workload: what a round of it does, and what its rounds found.

    `part` is the share of the workload that a round does; `cores` are those that it kept busy in
    this process.
    """

    workload: str
    name: str
    round: Callable[[], Timing]
    tasks: Tasks
    part: float
    note: str = ""
    seconds: list[float] = field(default_factory=list)
    cores: list[float] = field(default_factory=list)
    joint: bool = True

    def run(self) -> None:
        """Time one round, scaled to the whole workload."""
        if self.note:
            return
        start, cpu = time.perf_counter(), time.process_time()
        try:
            found = self.round()
        except (OSError, ValueError, RuntimeError) as error:
            self.note = f"failed: {str(error)[:120]}"
            return
        self.seconds.append(found.seconds / self.part)
        self.cores.append((time.process_time() - cpu) / (time.perf_counter() - start))
        self.joint = found.means[0][0] is not None
        self.note = _wrong(self.tasks, found)

    @property
    def median(self) -> float:
        """Return the median time of the whole workload, in seconds."""
        return statistics.median(self.seconds) if self.seconds else float("nan")


def _wrong(tasks: Tasks, found: Timing) -> str:
    """Return what of a timing lies four standard errors or more from the exact means."""
    wholly = found.means[0][0] is None
    wrong = []
    for i, name in enumerate(("truncated", "untruncated", "settlement")):
        if found.means[0][i] is None:
            continue
        off, variance = 0.0, 0.0
        # ACOs of one size are drawn alike: their errors are one error.
        for (lives, trials), alike in Counter(tasks).items():
            mean, sd = _settlement(lives, wholly) if i == 2 else exact(lives)[i]
            drawn = float(found.means[tasks.index((lives, trials))][i] or 0.0)
            off += alike * (drawn - mean)
            variance += (alike * sd) ** 2 * (1.0 / trials + (i == 2) / _REFERENCE)
        if not abs(off) < 4.0 * np.sqrt(variance):
            wrong.append(f"{name} off by {off / np.sqrt(variance):+.1f} standard errors")
    return "; ".join(wrong)


@cache
def _settlement(lives: int, wholly: bool) -> tuple[float, float]:
    """Return mean and sd of an ACO's settlement, from many of the engine's own draws."""
    spent = contestants.in_aggregate(lives, _REFERENCE, "reference")[int(wholly)]
    paid = settled(spent, exact(lives)[int(wholly)][0])
    return float(paid.mean()), float(paid.std())


class Peer:
    """A package's own process, which draws tasks as they are asked for."""

    def __init__(self, python: str, name: str) -> None:
        script = str(HERE / "peers.py")
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [python, script, name], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
        )

    def timed(self, tasks: Tasks, *, settle: bool) -> Timing:
        """Return the timing of some tasks; RuntimeError if the package fails at them."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("its process has no pipes")
        self.process.stdin.write(json.dumps({"tasks": tasks, "settle": settle}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("its process ended")
        answer = json.loads(line)
        if "failed" in answer:
            raise RuntimeError(answer["failed"])
        return Timing(answer["seconds"], [tuple(means) for means in answer["means"]])


def rows(python: str) -> list[Row]:
    """Return every contestant on every workload."""
    own = [row for workload in ("W1", "W2", "W3") for row in _own(workload)]
    return [*own, *_threads(), *_peers(python)]


def _own(workload: str) -> Iterator[Row]:
    """Yield what needs no other package: how many trials a round draws, and how often."""
    slow = {"W1": 1, "W2": 10, "W3": 100}[workload]
    contenders: tuple[tuple[str, Draw, int, int], ...] = (
        (NAIVE, contestants.naive, 500 // slow, 1),
        ("NumPy in chunks", contestants.in_chunks, 1_000 // slow, 1),
        ("persons, 1 core", contestants.by_person, 5_000 // slow, 1),
        ("persons, 2 cores", partial(contestants.by_person, workers=2), 5_000 // slow, 1),
        ("aggregate", contestants.in_aggregate, TRIALS, 1 if workload == "W3" else 20),
    )
    for name, draw, trials, repeats in contenders:
        tasks, part = _part(workload, trials)
        settle = workload == "W3"
        go = partial(timed, draw, tasks, settle=settle, repeats=repeats)
        yield Row(workload, name, go, tasks, part)


def _part(workload: str, trials: int, every: int = 1) -> tuple[Tasks, float]:
    """Return some trials of a workload, of one ACO in `every`, and their share of its people."""
    lives = {"W1": [W1], "W2": [W2], "W3": sizes()}[workload]
    chosen = lives[every // 2 :: every]
    share = sum(chosen) / sum(lives) * trials / TRIALS
    return [(n, trials) for n in chosen], share


def _threads() -> Iterator[Row]:
    """Yield W3 with 20,000 trials, on one thread and on two."""
    for workers in (1, 2):
        tasks = [(n, 20_000 * YEARS) for n in sizes()]
        go = partial(_hundred, workers)
        yield Row("W3'", f"aggregate, {workers} thread(s)", go, tasks, 1.0)


def _hundred(workers: int) -> Timing:
    start = time.perf_counter()
    paid = contestants.hundred_acos(20_000, workers)
    return Timing(time.perf_counter() - start, [(*_known(n), one) for n, one in _each(paid)])


def _each(paid: Sequence[float]) -> Iterator[tuple[int, float]]:
    return zip(sizes(), paid, strict=True)


def _known(lives: int) -> tuple[float, float]:
    """Return the exact means: the threads return settlements alone, and are judged by these."""
    (truncated, _), (whole, _) = exact(lives)
    return truncated, whole


def _peers(python: str) -> Iterator[Row]:
    """Yield the peers: how many trials a round draws on W1, W2 and W3, and of how many ACOs."""
    timings = {
        "aggregate": ((TRIALS, TRIALS, TRIALS), 25),
        "aggregate, finer": ((TRIALS, TRIALS, TRIALS), 50),
        "gemact": ((300, 30, 30), 20),
        "monaco": ((200, 20, 20), 20),
        "squigglepy": ((200, 20, 20), 20),
        "lossmodels": ((200, 20, 20), 20),
        "jax": ((500, 50, 50), 50),
    }
    for name, (trials, every) in timings.items():
        note, ask = _asked(python, name)
        for workload, n in zip(("W1", "W2", "W3"), trials, strict=True):
            tasks, part = _part(workload, n, every if workload == "W3" else 1)
            if workload == "W3" and n == TRIALS:
                part = len(tasks) / len(sizes())  # a convolution costs the same for any size
            go = partial(ask, tasks, settle=workload == "W3")
            yield Row(workload, f"peer {name}", go, tasks, part, note)


def _asked(python: str, name: str) -> tuple[str, Callable[..., Timing]]:
    """Return why a peer cannot be asked, if so, and the way to ask it."""
    version = _version(python, PEERS[name])
    if not version:
        return "did not install", _nothing
    return "", Peer(python, name).timed


def _nothing(tasks: Tasks, *, settle: bool) -> Timing:
    raise RuntimeError("did not install")


@cache
def _version(python: str, package: str) -> str:
    """Return a package's version in the peers' environment; empty if it is not there."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    try:
        asked = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return asked.stdout.strip()


def ratios(found: Sequence[Row]) -> dict[str, float | None]:
    """Return what the benchmark is judged by, higher is better; none if a row of it is wrong."""
    sound = {(row.workload, row.name): row.median for row in found if not row.note}
    peers = [
        seconds
        for (workload, name), seconds in sound.items()
        if workload == "W1" and name.startswith("peer")
    ]
    ours, naive = sound.get(("W1", "aggregate")), sound.get(("W1", NAIVE))
    one, two = (sound.get(("W3'", f"aggregate, {n} thread(s)")) for n in (1, 2))
    return {
        "w1_aggregate_over_naive": _over(naive, ours),
        "w1_persons_over_naive": _over(naive, sound.get(("W1", "persons, 1 core"))),
        "w1_aggregate_over_best_peer": _over(min(peers, default=None), ours),
        "w2_over_w1_aggregate_time_inverse": _over(ours, sound.get(("W2", "aggregate"))),
        "w3_two_cores_over_one": _over(one, two),
    }


def _over(slow: float | None, fast: float | None) -> float | None:
    return None if slow is None or fast is None else slow / fast


def machine(python: str) -> dict[str, str | int | None]:
    """Return what the times depend on."""
    names = Path("/proc/cpuinfo")
    lines = names.read_text().splitlines() if names.exists() else []
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "")
    versions = {name: metadata.version(name) for name in ("numpy", "scipy", "numba", "xarray")}
    peers = {f"peer {name}": _version(python, name) for name in dict.fromkeys(PEERS.values())}
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "avx512": str(any("avx512f" in line for line in lines)),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_at_start": str(round(os.getloadavg()[0], 2)),
        **versions,
        **{name: version or "did not install" for name, version in peers.items()},
    }


def table(found: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of the table."""
    base = {row.workload: row.median for row in found if row.name == NAIVE}
    yield f"{'':4} {'':24}{'timed on':>10}{'median s':>12}{'x naive':>11}  joint? cores busy"
    for row in sorted(found, key=lambda row: row.workload):
        if not row.seconds:
            yield f"{row.workload:4} {row.name:24}{'':33}  {'':6}{'':5}  {row.note}"
            continue
        over = f"{base[row.workload] / row.median:11,.2f}" if row.workload in base else " " * 11
        joint = "yes" if row.joint else "no"
        peer = row.name.startswith("peer")
        cores = "" if peer else f"{statistics.median(row.cores):.2f}"
        figures = f"{row.part:10.2%}{row.median:12.5f}{over}  {joint:6}{cores:>5}"
        yield f"{row.workload:4} {row.name:24}{figures}  {row.note}"


def _growth(inverse: float | None) -> str:
    """Return how much longer W2 takes than W1, and whether that is little enough."""
    if inverse is None:
        return "W2 over W1: none"
    said = "no slower" if inverse >= 1.0 / _MOST_GROWTH else "slower"
    return f"W2 takes {1.0 / inverse:.2f} x the time of W1: {said} than {_MOST_GROWTH} x W1"


def _settlement_over_numpy() -> float:
    """Return the slowest settlement over bare NumPy, and print each."""
    found = list(settlement.compared())
    print(*map(settlement.told, found), sep="\n")
    slowest = max(one.ratio for one in found)
    print(f"{'settlement_over_numpy_time':36}{slowest:,.2f} (lower is better)")
    return slowest


def main() -> None:
    """Time everything, print the table, write the results."""
    python = sys.argv[1] if len(sys.argv) > 1 else str(HERE / ".venv" / "bin" / "python")
    here = machine(python)
    print(" · ".join(f"{key} {value}" for key, value in here.items()), flush=True)
    every = rows(python)
    for number in range(ROUNDS + 1):
        for row in every:
            row.run()
            if number == 0:  # a round to warm up
                row.seconds.clear()
                row.cores.clear()
        print(f"round {number} of {ROUNDS}", file=sys.stderr, flush=True)
    print(*table(every), sep="\n")
    judged = ratios(every)
    for name, value in judged.items():
        print(f"{name:36}{'none' if value is None else f'{value:,.2f}'}")
    print(_growth(judged["w2_over_w1_aggregate_time_inverse"]))
    judged["settlement_over_numpy_time"] = _settlement_over_numpy()
    keep = ("workload", "name", "part", "joint", "seconds", "cores", "note")
    told = [{name: getattr(row, name) for name in keep} | {"median": row.median} for row in every]
    written = judged | {"machine": here, "rows": told}
    (HERE / "results.json").write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    main()
