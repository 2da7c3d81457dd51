"""What a run says in a sentence: the answer, what happened, what a zero means."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from simulator.analysis.convergence import Measure, estimate, standard_error
from simulator.analysis.paired import advantage
from simulator.report.rounding import dollars, figure

__all__ = ["answer", "downside", "drawn", "nothing_in", "what_happened"]


def answer(settlement: xr.DataArray) -> str:
    """Return which contract is best on average, by how much, and how often it owes.

    Contracts whose means the trials cannot tell apart (a paired difference within two standard
    errors) are named together.

    Parameters
    ----------
    settlement : DataArray (trial, contract), USD
    """
    means = estimate(settlement, Measure("mean"))
    ranked = [str(label) for label in settlement["contract"].values[_order(-means)]]
    gaps = {label: _gap(settlement, ranked[0], label) for label in ranked[1:]}
    equal = [ranked[0], *(label for label, gap in gaps.items() if _within_noise(gap))]
    behind = [label for label in ranked if label not in equal]
    said = _best(settlement, equal)
    if behind and len(equal) == 1:
        gap = gaps[behind[0]]
        lead = dollars(float(gap["mean_usd"]), float(gap["mean_error_usd"]))
        next_best = [label for label in behind if _twins(settlement, behind[0], label)]
        wins = figure(float(gap["wins_share"]), float(gap["wins_error_share"]), 0.01)
        said = f"{said}, {lead} more than {_and(next_best)} on the same draws"
        said = f"{said} and better in {wins}% of them"
    return f"{said}. {_owing(settlement, equal)}."


def downside(settlement: xr.DataArray, best: str) -> str:
    """Return what `best` comes to in its worst trials, and the contracts that are mildest there.

    None is milder whose mean of the worst 5% lies within two standard errors of that of `best`.
    """
    worst = Measure("tail", 0.05)
    means, errors = estimate(settlement, worst), standard_error(settlement, worst)
    own, noise = float(means.sel(contract=best)), float(errors.sel(contract=best))
    most = float(means.max())
    said = f"In the worst 5% of its trials {best} {_comes_to(own, noise)}"
    mild = [str(label) for label in means["contract"].values[(means == most).values]]
    spread = float(errors.sel(contract=mild[0]))
    if not most - own > 2.0 * float(np.hypot(noise, spread)):
        return f"{said}."
    verb = _comes_to(most, spread)
    verb = verb if len(mild) == 1 else f"each {verb}"
    return f"{said}; {_and(mild)} {verb} in its own worst 5%."


def _comes_to(mean: float, error: float) -> str:
    """Return whether a mean is owed or earned, and how much.

    >>> _comes_to(-1_234_567.0, 45_678.0)
    'owes $1.23 ±0.05 million on average'
    """
    if mean == 0.0:
        return "neither earns nor owes"
    return f"{'owes' if mean < 0.0 else 'earns'} {dollars(abs(mean), error)} on average"


def what_happened(row: pd.Series) -> str:
    """Return an observed result as a sentence, with its place in the distribution."""
    amount = float(row["settlement_usd"])
    did = "owed" if amount < 0.0 else "earned"
    said = f"In {row['year']} {row['aco']} {did} ${abs(amount):,.0f} under {row['contract']}"
    if pd.isna(row["percentile_share"]):
        return f"{said}; the run does not hold that year and contract"
    place = figure(float(row["percentile_share"]), float(row["percentile_error_share"]), 0.01)
    return f"{said}: percentile {place} of its distribution"


def drawn(trials: int, scheme: str, replicates: int) -> str:
    """Return how many trials a run has, and how they were drawn.

    >>> drawn(16_384, "sobol", 16)
    "16,384 trials, scrambled Sobol' points in 16 replicates of 1,024"
    """
    how = {
        "antithetic": f", antithetic: {trials // 2:,} mirrored pairs",
        "sobol": f", scrambled Sobol' points in {replicates} replicates of"
        f" {trials // max(replicates, 1):,}",
    }
    return f"{trials:,} trials{how.get(scheme, '')}"


def nothing_in(trials: int) -> str:
    """Return what a chance of zero, or of 100%, from this many trials still allows.

    >>> nothing_in(10_000).split("; ")[1]
    'a chance of 100% is all of them: above 99.97%.'
    """
    upper = 100.0 * (1.0 - 0.05 ** (1.0 / trials))
    below = float(f"{upper:.1g}")
    said = f"A chance of 0 is none of {trials:,} trials: below {below:g}% with 95% confidence"
    return f"{said}; a chance of 100% is all of them: above {100.0 - below:.10g}%."


def _gap(settlement: xr.DataArray, a: str, b: str) -> xr.Dataset:
    of_a, of_b = (settlement.sel(contract=label, drop=True) for label in (a, b))
    return advantage(of_a - of_b)


def _order(values: xr.DataArray) -> npt.NDArray[np.intp]:
    """Return the places of values from the lowest; equal ones stay as they stand."""
    return np.argsort(values.values, kind="stable")


def _twins(settlement: xr.DataArray, a: str, b: str) -> bool:
    """Return whether two contracts pay the same in every trial."""
    return bool((settlement.sel(contract=a) == settlement.sel(contract=b)).all())


def _within_noise(gap: xr.Dataset) -> bool:
    return not float(gap["mean_usd"]) > 2.0 * float(gap["mean_error_usd"])


def _best(settlement: xr.DataArray, equal: Sequence[str]) -> str:
    first = settlement.sel(contract=equal[0])
    mean, error = estimate(first, Measure("mean")), standard_error(first, Measure("mean"))
    amount = dollars(float(mean), float(error))
    verb, most = ("pay", "the most") if float(mean) >= 0.0 else ("cost", "the least")
    if len(equal) == 1:
        return f"On average {equal[0]} {verb}s {most}: {amount}"
    said = f"On average {_and(equal)} {verb} {most}: {_amounts(settlement, equal)}"
    return f"{said}; {settlement.sizes['trial']:,} trials do not tell them apart"


def _amounts(settlement: xr.DataArray, labels: Sequence[str]) -> str:
    """Return the means of contracts in the order of their names, the same amount once."""
    each = (settlement.sel(contract=label) for label in labels)
    pairs = [
        (estimate(one, Measure("mean")), standard_error(one, Measure("mean"))) for one in each
    ]
    return _and(list(dict.fromkeys(dollars(float(mean), float(error)) for mean, error in pairs)))


def _owing(settlement: xr.DataArray, labels: Sequence[str]) -> str:
    """Return how often contracts owe, those that owe equally often together."""
    together: dict[str, list[str]] = {}
    for label in labels:
        together.setdefault(_how_often(settlement.sel(contract=label)), []).append(label)
    if len(together) == 1:
        return f"{'It owes' if len(labels) == 1 else 'They owe'} in {next(iter(together))}"
    each = [f"{_and(same)} in {often}" for often, same in together.items()]
    return f"It owes: {', '.join(each)}"


def _how_often(settlement: xr.DataArray) -> str:
    owes = Measure("below")
    chance = float(estimate(settlement, owes))
    if chance == 0.0:
        return f"none of the {settlement.sizes['trial']:,} trials"
    return f"{figure(chance, float(standard_error(settlement, owes)), 0.01)}% of trials"


def _and(labels: Sequence[str]) -> str:
    """Return labels as a sentence lists them.

    >>> _and(["A", "B", "C"]), _and(["A"])
    ('A, B and C', 'A')
    """
    return " and ".join(", ".join(labels).rsplit(", ", 1))
