"""What parts two contracts, as a table: each change alone, in turn, and what they do together."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import xarray as xr

from simulator.analysis.convergence import Measure, estimate
from simulator.engine.attribution import Attribution, Totals

__all__ = ["MEASURES", "Row", "rows", "sequence"]

MEASURES = {
    "mean": Measure("mean"),
    "P(owes)": Measure("below", 0.0),
    "worst 1%": Measure("tail", 0.01),
}
"""What a change is measured by: mean, chance of owing, mean of the worst hundredth of trials."""

# Trials per batch of the standard error of a difference.
_BATCHES = 50


class Row(NamedTuple):
    """A change, or a level, with an estimate and its standard error by measure."""

    name: str
    old: str
    new: str
    figures: dict[str, tuple[float, float]]


def rows(found: Attribution) -> list[Row]:
    """Return both contracts, each change alone, what they do together, and the whole difference.

    A difference is between estimates from the same trials, and so is its standard error.
    """
    first, second = found.first, found.second
    changes = [
        Row(", ".join(c.terms), c.old, c.new, _differences(c.alone, first)) for c in found.changes
    ]
    whole = _differences(second, first)
    together = {
        name: (figure[0] - sum(row.figures[name][0] for row in changes), figure[1])
        for name, figure in whole.items()
    }
    return [
        Row(found.labels[0], "", "", _levels(first)),
        *changes,
        Row("interaction", "", "", together),
        Row("whole difference", "", "", whole),
        Row(found.labels[1], "", "", _levels(second)),
    ]


def sequence(found: Attribution) -> list[Row]:
    """Return each change on top of those before it, in the order of the terms: they add up."""
    stands = [found.first, *(change.so_far for change in found.changes)]
    return [
        Row(", ".join(c.terms), c.old, c.new, _differences(after, before))
        for c, (before, after) in zip(found.changes, pairwise(stands), strict=True)
    ]


def _levels(totals: Totals) -> dict[str, tuple[float, float]]:
    return {
        name: (_estimate(totals, m), _batched(totals, None, m)) for name, m in MEASURES.items()
    }


def _differences(totals: Totals, base: Totals) -> dict[str, tuple[float, float]]:
    return {
        name: (_estimate(totals, m) - _estimate(base, m), _batched(totals, base, m))
        for name, m in MEASURES.items()
    }


def _estimate(totals: Totals, measure: Measure) -> float:
    return float(estimate(xr.DataArray(totals, dims="trial"), measure))


def _batched(totals: Totals, base: Totals | None, measure: Measure) -> float:
    """Return the standard error of an estimate, or of a difference, from batches of trials.

    The spread of an estimate over batches, over the root of their number: it needs no formula
    for the difference of two tails on the same trials.
    """
    parts = min(_BATCHES, totals.size // 100)
    if parts < 2:
        return float("nan")
    size = totals.size // parts
    cut = totals[: parts * size].reshape(parts, size)
    found = np.array([_estimate(batch, measure) for batch in cut])
    if base is not None:
        against = base[: parts * size].reshape(parts, size)
        found = found - np.array([_estimate(batch, measure) for batch in against])
    return float(found.std(ddof=1) / np.sqrt(parts))
