"""How sure figures are: errors fall as they should, and intervals hold truths that are known."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import special

from simulator.analysis.convergence import Measure, estimate, standard_error
from simulator.analysis.intervals import interval
from simulator.programs import contract
from simulator.programs.worksheet import Worksheet, world
from simulator.results import open_run
from simulator.sampling.streams import Streams
from simulator.validation.checks import Check, Report, judged, near
from simulator.validation.references import SettledNormally, references

__all__ = ["report"]

GROUP = "Convergence"
_SIZES = (250, 500, 1_000, 2_000, 4_000)
_SLOPE = 0.1
_MEASURES: Mapping[str, Measure] = {
    "mean": Measure("mean"),
    "chance of owing": Measure("below"),
    "5th percentile": Measure("quantile", 0.05),
    "mean of the worst 5%": Measure("tail", 0.05),
}
_RUNS, _TRIALS, _LEVEL = 1_000, 1_000, 0.95
_HELD = (0.93, 0.97)
_BATCH = 100
_SEED, _EVEN = 20_261_231, 1_000_000
Floats = npt.NDArray[np.float64]


def report(folders: dict[str, Path]) -> Report:
    """Yield how standard errors fall, what they are worth, and how often intervals hold.

    folders : the run of each scenario of the package, by name
    """
    settled = (
        open_run(folders["mssp"])["settlement_usd"].sel(contract="level_e").squeeze(drop=True)
    )
    yield _falling(settled)
    yield _between_batches(settled)
    yield from _known(_drawn(references().settlement))


def _falling(settled: xr.DataArray) -> Check:
    """Return whether standard errors fall as one over the root of the number of trials."""
    slopes = {}
    for name in ("mean", "chance of owing", "mean of the worst 5%"):
        parts = [settled.isel(trial=slice(size)) for size in _SIZES]
        errors = [float(standard_error(part, _MEASURES[name])) for part in parts]
        slopes[name] = float(np.polyfit(np.log(_SIZES), np.log(errors), 1)[0])
    worst = max(abs(slope + 0.5) for slope in slopes.values())
    return judged(
        GROUP,
        f"Standard errors of a run of {_SIZES[0]:,} to {_SIZES[-1]:,} trials fall as n^-0.5",
        ", ".join(f"{name} n^{slope:.3f}" for name, slope in slopes.items()),
        f"exponents of -0.5 ±{_SLOPE:g}",
        met=worst <= _SLOPE,
    )


def _between_batches(settled: xr.DataArray) -> Check:
    """Return whether means of batches scatter as the standard error of one says."""
    batches = settled.values.reshape(-1, _BATCH)
    scatter = float(batches.mean(axis=1).std(ddof=1))
    stated = float(standard_error(settled, _MEASURES["mean"])) * math.sqrt(len(batches))
    allowed = 4.0 / math.sqrt(2.0 * (len(batches) - 1))
    return judged(
        GROUP,
        f"Means of {len(batches)} batches of {_BATCH} trials scatter as their standard error says",
        f"{scatter / stated:.3f} of it",
        f"1 ±{allowed:.2f}, four standard errors",
        met=abs(scatter / stated - 1.0) <= allowed,
    )


class _Normal(NamedTuple):
    """A settlement of normal savings: what was settled (run, trial) and the law of it, USD."""

    settled: xr.DataArray
    law: Floats


def _drawn(terms: SettledNormally) -> _Normal:
    """Return normal savings settled by the contract, and by its terms written down again."""
    sheet = Worksheet(
        program=terms.program, year=terms.year, option=terms.option, inputs=terms.inputs
    )
    law, usd = terms.savings, float(terms.inputs["benchmark_usd"])
    scores = Streams(_SEED).normal("validation", "savings", range(_RUNS * _TRIALS))
    spent = usd * (1.0 - law.mean - law.sd * scores)
    given = world(sheet, "references.yaml").assign_coords(trial=range(len(spent)))
    given["expenditure_usd"] = (("trial", "aco"), spent[:, None])
    chosen = contract(terms.program, terms.year, terms.option)
    settled = chosen.settle(given, enough=["settlement_usd"])["settlement_usd"]
    even = special.ndtri((np.arange(_EVEN) + 0.5) / _EVEN)
    return _Normal(
        xr.DataArray(settled.values.reshape(_RUNS, _TRIALS), dims=("run", "trial")),
        _by_hand(terms, law.mean + law.sd * even) * usd,
    )


def _by_hand(terms: SettledNormally, savings: Floats) -> Floats:
    """Return what is paid of savings, both as shares of the benchmark."""
    # Sequestration comes before the limit on what is earned.
    kept = terms.shared_savings * (1.0 - terms.sequestration)
    earned = np.minimum(kept * savings, terms.most_savings)
    owed = np.maximum(terms.shared_losses * savings, -terms.most_losses)
    shared = (savings >= terms.minimum) * earned + (savings <= -terms.minimum) * owed
    return np.asarray(shared, np.float64)


def _known(normal: _Normal) -> Report:
    """Yield whether estimates and their intervals hold a truth that is known."""
    truths = {
        "mean": normal.law.mean(),
        "chance of owing": (normal.law < 0.0).mean(),
        "5th percentile": np.quantile(normal.law, 0.05),
        "mean of the worst 5%": normal.law[: len(normal.law) // 20].mean(),
    }
    terms = references().settlement
    named = f"MSSP {terms.year} Level {terms.option}, normal savings ({terms.cite})"
    pooled = estimate(normal.settled, _MEASURES["mean"])
    yield near(GROUP, f"The mean settlement of {named}, USD", pooled.values, truths["mean"])
    held = {name: _coverage(normal.settled, name, truth) for name, truth in truths.items()}
    yield judged(
        GROUP,
        f"{_LEVEL:.0%} intervals hold the truth, {_RUNS:,} runs of {_TRIALS:,} trials of {named}",
        ", ".join(f"{name} {share:.1%}" for name, share in held.items()),
        f"{_HELD[0]:.0%} to {_HELD[1]:.0%}",
        met=all(_HELD[0] <= share <= _HELD[1] for share in held.values()),
    )


def _coverage(settled: xr.DataArray, name: str, truth: float) -> float:
    found = interval(settled, _MEASURES[name], _LEVEL)
    return float(((found["low"] <= truth) & (truth <= found["high"])).mean())
