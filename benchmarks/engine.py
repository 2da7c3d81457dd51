"""The engine beside its peers on W1, W2 and W3: prints a table and writes results.json.

W1 is one ACO-year of 20,000 people in four enrolment types, 10,000 trials; W2 the same with
200,000 people; W3 100 ACOs in 5 years, each with its settlement. A person's year is nothing with
some probability, else lognormal, truncated at its type's 99th percentile. Rows are timed in turn,
one round after another; slow rows on part of the trials, scaled up. A peer counts if its mean lies
within four standard errors of the exact one.

    python benchmarks/engine.py
"""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module, metadata
from pathlib import Path

import numpy as np
from scipy import special

from simulator.sampling import aggregate, persons
from simulator.sampling.severity import lognormal
from simulator.sampling.streams import Streams
from simulator.settlement import capped, gains, reaches

ROUNDS = 5
W1, W2 = 20_000, 200_000
TRIALS = 10_000
SEED = 20261122
TYPES = (  # share of people, mean in USD, cv with the zeros in, probability of nothing
    (0.01, 85_000.0, 1.2, 0.00),
    (0.13, 13_500.0, 2.0, 0.08),
    (0.08, 19_000.0, 1.8, 0.03),
    (0.78, 10_500.0, 2.1, 0.06),
)
SEVERITIES = [lognormal(mean, cv, zero) for _, mean, cv, zero in TYPES]
POINTS = [float(one.exceeded(0.01)) for one in SEVERITIES]
Totals = np.ndarray  # (trial,), untruncated, USD


def counts(lives: int) -> list[int]:
    """Return the people of each type: rounded shares, the remainder to the last."""
    first = [round(lives * share) for share, *_ in TYPES[:-1]]
    return [*first, lives - sum(first)]


def cells(lives: int) -> list[aggregate.Cell]:
    """Return an ACO's cells."""
    three = zip(counts(lives), SEVERITIES, POINTS, strict=True)
    return [aggregate.Cell(n, one, point) for n, one, point in three]


def laws() -> Iterator[tuple[float, float, float]]:
    """Yield mu and sigma of those who spend, and the probability of nothing, by type."""
    for _, mean, cv, zero in TYPES:
        variance = np.log((1.0 + cv**2) * (1.0 - zero))
        yield np.log(mean / (1.0 - zero)) - variance / 2.0, np.sqrt(variance), zero


# --- the contestants: each returns untruncated totals, after making truncated ones if joint


def in_aggregate(lives: int, trials: int) -> Totals:
    """Draw the exact joint law."""
    drawn = aggregate.draw(aggregate.book(cells(lives)), Streams(SEED), "w", range(trials))
    return sum(drawn).sum(axis=1)


def by_person(lives: int, trials: int, workers: int = 1) -> Totals:
    """Draw every person in the compiled kernel."""
    drawn = persons.totals(cells(lives), Streams(SEED), "w", range(trials), workers=workers)
    return sum(drawn).sum(axis=1)


def one_year(random: np.random.Generator, lives: int) -> tuple[float, float]:
    """Return one trial's truncated and untruncated totals, every person drawn in NumPy."""
    truncated = untruncated = 0.0
    for n, point, (mu, sigma, zero) in zip(counts(lives), POINTS, laws(), strict=True):
        spent = random.lognormal(mu, sigma, n) * (random.random(n) >= zero)
        truncated += np.minimum(spent, point).sum()
        untruncated += spent.sum()
    return truncated, untruncated


def naive(lives: int, trials: int) -> Totals:
    """Draw in a Python loop over trials."""
    random = np.random.default_rng(SEED)
    return np.array([one_year(random, lives) for _ in range(trials)])[:, 1]


def in_chunks(lives: int, trials: int, chunk: int = 4) -> Totals:
    """Draw several trials at a time with NumPy's fastest generator."""
    random = np.random.Generator(np.random.SFC64(SEED))
    out = np.zeros((2, trials))
    for first in range(0, trials, chunk):
        here = slice(first, first + chunk)
        for n, point, (mu, sigma, zero) in zip(counts(lives), POINTS, laws(), strict=True):
            spent = random.standard_normal((chunk, n), dtype=np.float32)
            spent = np.exp(sigma * spent + mu) * (random.random((chunk, n), np.float32) >= zero)
            out[0, here] += np.minimum(spent, point).sum(axis=1)
            out[1, here] += spent.sum(axis=1)
    return out[1]


def peer_aggregate(lives: int, trials: int) -> Totals:
    """Convolve with the package aggregate at its defaults, then sample: untruncated alone."""
    lines = ["port W"]
    for i, (n, (mu, sigma, zero)) in enumerate(zip(counts(lives), laws(), strict=True)):
        mean, cv = np.exp(mu + sigma**2 / 2.0), np.sqrt(np.expm1(sigma**2))
        count = f"binomial {1.0 - zero}" if zero else "fixed"
        lines.append(f"\tagg T{i} {n * (1.0 - zero)} claims sev lognorm {mean} cv {cv} {count}")
    portfolio = import_module("aggregate").build("\n".join(lines))
    return portfolio.sample(trials)["total"].to_numpy()


def peer_gemact(lives: int, trials: int) -> Totals:
    """Draw with gemact's loss models, one a type: untruncated alone."""
    gemact = import_module("gemact")
    total = np.zeros(trials)
    for n, (mu, sigma, zero) in zip(counts(lives), laws(), strict=True):
        model = gemact.LossModel(
            frequency=gemact.Frequency("binom", {"n": n, "p": 1.0 - max(zero, 1e-9)}),
            severity=gemact.Severity("lognormal", {"shape": sigma, "scale": np.exp(mu)}),
            aggr_loss_dist_method="mc",
            n_sim=trials,
            random_state=SEED,
        )
        total += model.dist[0].rvs(trials)
    return total


def peer_monaco(lives: int, trials: int) -> Totals:
    """Run the naive trial under monaco."""
    monaco, uniform = import_module("monaco"), import_module("scipy.stats").uniform
    steps = {
        "preprocess": lambda case: (np.random.default_rng(int(case.invals["u"].val * 2**52)),),
        "run": lambda random: one_year(random, lives),
        "postprocess": lambda case, *two: case.addOutVal("total", two[1]),
    }
    off = ("debug", "verbose", "savecasedata", "savesimdata", "keepsiminput", "keepsimrawoutput")
    options = dict.fromkeys(off, False) | {"singlethreaded": True, "usedask": False}
    sim = monaco.Sim(name="w", ndraws=trials, fcns=steps, seed=SEED, **options)
    sim.addInVar(name="u", dist=uniform, distkwargs={"loc": 0, "scale": 1})
    sim.runSim()
    return np.array(sim.outvars["total"].nums)


# --- W3: a hundred ACOs, five years, settled


def sizes() -> list[int]:
    """Return the people of W3's ACOs: lognormal quantiles, clipped."""
    scores = special.ndtri((np.arange(100) + 0.5) / 100.0)
    return [int(n) for n in np.clip(15_000 * np.exp(0.85 * scores), 5_000, 200_000)]


def settled(spent: np.ndarray, benchmark: float) -> np.ndarray:
    """Return what is shared: savings of 2.5% or more, at half, up to 10% of benchmark."""
    saved = benchmark - 0.98 * spent
    share = 0.5 * gains(reaches(saved, 0.025 * benchmark))
    return share + capped(share, 0.10 * benchmark)


def one_aco(trials: int, place: int, lives: int) -> float:
    """Return one ACO's mean settlement over five years."""
    people = aggregate.book(cells(lives))
    benchmark = float(aggregate.expected(people)[0].sum())
    earned = 0.0
    for year in range(5):
        drawn = aggregate.draw(people, Streams(SEED), f"{place}/{year}", range(trials))
        earned += float(settled(drawn[0].sum(axis=1), benchmark).mean())
    return earned / 5.0


def hundred_acos(trials: int, workers: int) -> float:
    """Return the mean settlement of W3, on so many threads."""
    with ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(partial(one_aco, trials), range(100), sizes()))


# --- timing


@dataclass
class Row:
    """One contestant: what it draws, on how many trials it is timed, and its times."""

    workload: str
    name: str
    draw: Callable[[int], object]
    timed: int
    trials: int = TRIALS
    joint: bool = True
    exact: tuple[float, float] | None = None
    repeats: int = 1
    seconds: list[float] = field(default_factory=list)
    note: str = ""

    def run(self) -> None:
        """Time one round, scaled to all trials."""
        start = time.perf_counter()
        for _ in range(self.repeats):
            drawn = self.draw(self.timed)
        spent = (time.perf_counter() - start) / self.repeats
        self.seconds.append(spent * self.trials / self.timed)
        if self.exact and isinstance(drawn, np.ndarray):
            self._check(drawn)

    @property
    def median(self) -> float:
        """Return the median time of all trials, in seconds."""
        return statistics.median(self.seconds)

    def _check(self, drawn: np.ndarray) -> None:
        mean, sd = self.exact or (0.0, 1.0)
        off = (drawn.mean() - mean) / (sd / np.sqrt(len(drawn)))
        self.note = "" if abs(off) < 4.0 else f"biased: {off:+.1f} standard errors"


def contestants() -> list[Row]:
    """Return the rows of W1, W2 and W3."""
    rows = [row for name, lives in (("W1", W1), ("W2", W2)) for row in people_rows(name, lives)]
    peers = (("aggregate", TRIALS, False), ("gemact", 500, False), ("monaco", 200, True))
    for peer, timed, joint in peers:
        draw = partial(globals()[f"peer_{peer}"], W1)
        rows.append(Row("W1", f"peer {peer}", draw, timed, joint=joint, exact=exact(W1)))
    for trials, workers in ((2_000, 1), (20_000, 1), (20_000, 2)):
        run = partial(hundred_acos, workers=workers)
        rows.append(Row("W3", f"aggregate, {workers} thread(s)", run, trials, trials))
    return rows


def people_rows(workload: str, lives: int) -> list[Row]:
    """Return the rows of our own for one ACO-year."""
    part = W1 / lives
    made = [
        Row(workload, "naive NumPy loop", partial(naive, lives), int(500 * part)),
        Row(workload, "NumPy in chunks", partial(in_chunks, lives), int(1_000 * part)),
        Row(workload, "persons, 1 core", partial(by_person, lives), int(5_000 * part)),
        Row(workload, "persons, 2 cores", partial(by_person, lives, workers=2), int(5_000 * part)),
        Row(workload, "aggregate", partial(in_aggregate, lives), TRIALS, repeats=20),
    ]
    for row in made:
        row.exact = exact(lives)
    return made


def exact(lives: int) -> tuple[float, float]:
    """Return the mean and sd of an ACO's untruncated total."""
    held = list(zip(counts(lives), SEVERITIES, strict=True))
    mean, variance = sum(n * one.mean for n, one in held), sum(n * one.sd**2 for n, one in held)
    return mean, float(np.sqrt(variance))


def timed(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that run here, timed in turn after one round to warm up."""
    able = []
    for row in rows:
        if row.name.startswith("peer") and not installed(row.name.removeprefix("peer ")):
            print(f"skipped, not installed: {row.name}")
            continue
        row.run()
        row.seconds.clear()
        able.append(row)
    for _ in range(ROUNDS):
        for row in able:
            row.run()
    return able


def installed(package: str) -> bool:
    """Return whether a peer is here."""
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def ratios(rows: Sequence[Row]) -> dict[str, float | None]:
    """Return what the benchmark is judged by; higher is better."""
    found = {(row.workload, row.name, row.trials): row.median for row in rows}
    naive_, ours = (found["W1", name, TRIALS] for name in ("naive NumPy loop", "aggregate"))
    peers = [row.median for row in rows if row.name.startswith("peer") and not row.note]
    one, two = (found["W3", f"aggregate, {n} thread(s)", 20_000] for n in (1, 2))
    return {
        "w1_aggregate_over_naive": naive_ / ours,
        "w1_persons_over_naive": naive_ / found["W1", "persons, 1 core", TRIALS],
        "w1_aggregate_over_best_peer": min(peers) / ours if peers else None,
        "w2_over_w1_aggregate_time_inverse": ours / found["W2", "aggregate", TRIALS],
        "w3_two_cores_over_one": one / two,
    }


def machine() -> dict[str, str | int | None]:
    """Return what the times depend on."""
    names = Path("/proc/cpuinfo")
    lines = names.read_text().splitlines() if names.exists() else []
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "")
    versions = {name: metadata.version(name) for name in ("numpy", "scipy", "numba")}
    load = round(os.getloadavg()[0], 2)
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_at_start": str(load),
        **versions,
    }


def main() -> None:
    """Time everything, print the table, write the results."""
    here = machine()
    print(" · ".join(f"{key} {value}" for key, value in here.items()))
    rows = timed(contestants())
    base = {row.workload: row.median for row in rows if row.name == "naive NumPy loop"}
    print(f"{'':4}{'':22}{'trials':>8}{'timed on':>10}{'median s':>12}{'x naive':>10}  joint?")
    for row in rows:
        over = f"{base[row.workload] / row.median:10.2f}" if row.workload in base else f"{'':10}"
        size = f"{row.trials:8}{row.timed:10}"
        joint = "yes" if row.joint else "no"
        print(f"{row.workload:4}{row.name:22}{size}{row.median:12.5f}{over}  {joint}  {row.note}")
    judged = ratios(rows)
    for name, value in judged.items():
        print(f"{name:36}{'none' if value is None else f'{value:.2f}'}")
    keep = ("workload", "name", "trials", "timed", "joint", "seconds", "note")
    table = [{name: getattr(row, name) for name in keep} | {"median": row.median} for row in rows]
    where = Path(__file__).with_name("results.json")
    where.write_text(json.dumps(judged | {"machine": here, "rows": table}, indent=1) + "\n")


if __name__ == "__main__":
    main()
