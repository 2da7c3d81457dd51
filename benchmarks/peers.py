"""Packages of the index that can draw what an ACO's people spend, each as its own users would.

Started as `python peers.py NAME` in an environment that has the package, it answers a line of
JSON (tasks, and whether to settle) with another: how long they took, and what came out.
"""

import json
import os
import sys
import warnings
from collections.abc import Callable
from functools import cache, partial
from importlib import import_module

import numpy as np
from workload import SEED, Draw, counts, laws, one_year, points, timed

Totals = np.ndarray  # (trial,), USD


def aggregated(lives: int, trials: int, **options: int) -> tuple[None, Totals]:
    """Convolve with the package aggregate (FFT), then sample."""
    lines = ["port W"]
    for i, (n, (mu, sigma, zero)) in enumerate(zip(counts(lives), laws(), strict=True)):
        mean, cv = np.exp(mu + sigma**2 / 2.0), np.sqrt(np.expm1(sigma**2))
        count = f"binomial {1.0 - zero}" if zero else "fixed"
        lines.append(f"\tagg T{i} {n * (1.0 - zero)} claims sev lognorm {mean} cv {cv} {count}")
    portfolio = import_module("aggregate").build("\n".join(lines), **options)
    return None, portfolio.sample(trials)["total"].to_numpy()


def gemact(lives: int, trials: int) -> tuple[None, Totals]:
    """Draw with gemact's loss models by Monte Carlo, one a type."""
    package = import_module("gemact")
    total = np.zeros(trials)
    for n, (mu, sigma, zero) in zip(counts(lives), laws(), strict=True):
        model = package.LossModel(
            frequency=package.Frequency("binom", {"n": n, "p": 1.0 - max(zero, 1e-9)}),
            severity=package.Severity("lognormal", {"shape": sigma, "scale": np.exp(mu)}),
            aggr_loss_dist_method="mc",
            n_sim=trials,
            random_state=SEED + lives,
        )
        total += model.dist[0].rvs(trials)
    return None, total


def monaco(lives: int, trials: int) -> tuple[Totals, Totals]:
    """Run the naive trial under monaco."""
    package, uniform = import_module("monaco"), import_module("scipy.stats").uniform
    steps = {
        "preprocess": lambda case: (np.random.default_rng(int(case.invals["u"].val * 2**52)),),
        "run": lambda random: one_year(random, lives),
        "postprocess": lambda case, *two: [
            case.addOutVal(name, value) for name, value in zip(("below", "all"), two, strict=True)
        ],
    }
    off = ("debug", "verbose", "savecasedata", "savesimdata", "keepsiminput", "keepsimrawoutput")
    options = dict.fromkeys(off, False) | {"singlethreaded": True, "usedask": False}
    sim = package.Sim(name="w", ndraws=trials, fcns=steps, seed=SEED + lives, **options)
    sim.addInVar(name="u", dist=uniform, distkwargs={"loc": 0, "scale": 1})
    sim.runSim()
    truncated, whole = (np.array(sim.outvars[name].nums) for name in ("below", "all"))
    return truncated, whole


def squigglepy(lives: int, trials: int) -> tuple[Totals, Totals]:
    """Sample people with squigglepy, one trial at a time."""
    package, random = import_module("squigglepy"), np.random.default_rng([SEED, lives])
    out = np.zeros((2, trials))
    for n, point, (mu, sigma, zero) in zip(counts(lives), points(), laws(), strict=True):
        law = package.lognorm(norm_mean=mu, norm_sd=sigma)
        for i in range(trials):
            spent = package.sample(law, n) * (random.random(n) >= zero)
            out[:, i] += np.minimum(spent, point).sum(), spent.sum()
    return out[0], out[1]


def lossmodels(lives: int, trials: int) -> tuple[None, Totals]:
    """Draw with lossmodels' collective risk model, one a type, a few trials at a time."""
    package = import_module("lossmodels")
    total, random, chunk = np.zeros(trials), np.random.default_rng([SEED, lives]), 50
    for n, (mu, sigma, zero) in zip(counts(lives), laws(), strict=True):
        frequency = package.Binomial(n, 1.0 - zero)
        model = package.CollectiveRiskModel(frequency, package.Lognormal(mu, sigma))
        for first in range(0, trials, chunk):
            here = total[first : first + chunk]
            here += model.sample(len(here), rng=random)
    return None, total


def jax(lives: int, trials: int) -> tuple[Totals, Totals]:
    """Draw people in JAX, compiled once a size, one trial after another."""
    key = import_module("jax").random.key(SEED + lives)
    found = np.asarray(_compiled(lives)(import_module("jax").random.split(key, trials)))
    truncated, whole = found.astype(np.float64).T
    return truncated, whole


@cache
def _compiled(lives: int) -> Callable[[object], object]:
    package = import_module("jax")
    numpy, random = package.numpy, package.random
    types = list(zip(counts(lives), points(), laws(), strict=True))

    def one(key: object) -> object:
        total = numpy.zeros(2)
        for part, (n, point, (mu, sigma, zero)) in zip(random.split(key, 4), types, strict=True):
            amounts, spends = random.split(part)
            spent = numpy.exp(mu + sigma * random.normal(amounts, (n,)))
            spent = spent * (random.uniform(spends, (n,)) >= zero)
            total += numpy.stack([numpy.minimum(spent, point).sum(), spent.sum()])
        return total

    return package.jit(lambda keys: package.lax.map(one, keys))


PEERS: dict[str, Draw] = {
    "aggregate": aggregated,
    "aggregate, finer": partial(aggregated, log2=18),
    "gemact": gemact,
    "monaco": monaco,
    "squigglepy": squigglepy,
    "lossmodels": lossmodels,
    "jax": jax,
}


def main() -> None:
    """Answer requests until there are none, on one core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    warnings.simplefilter("ignore")
    draw, answers = PEERS[sys.argv[1]], sys.stdout
    sys.stdout = sys.stderr  # what a package prints is no answer
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            found = timed(draw, asked["tasks"], settle=asked["settle"])._asdict()
        except Exception as error:  # whatever a peer may raise is its row's note
            found = {"failed": f"{type(error).__name__}: {error}"}
        print(json.dumps(found), file=answers, flush=True)


if __name__ == "__main__":
    main()
