"""The arithmetic of who joins and stays: pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from simulator.terms import ByKind
from simulator.units import Ratio, Usd

__all__ = ["Leaving", "agreement_in", "renewed", "stays"]


def renewed(start: int, number: int, *, year: int, lengths: ByKind) -> tuple[int, int]:
    """Return start year and number of the agreement in force in `year`, after any renewals.

    >>> renewed(2025, 3, year=2030, lengths=ByKind(("agreement_start",), {2013: 5}))
    (2030, 4)
    """
    while year >= start + (length := _length(start, lengths)):
        start, number = start + length, number + 1
    return start, number


def _length(start: int, lengths: ByKind) -> int:
    return int(lengths(xr.Dataset(coords={"agreement_start": start})))


def agreement_in(world: xr.Dataset, year: int, lengths: ByKind) -> dict[str, xr.DataArray]:
    """Return the coordinates of each ACO's agreement in force in `year`: ``(aco,)`` each."""
    starts, numbers = world.agreement_start, world.agreement_number
    given = list(zip(starts.values.tolist(), numbers.values.tolist(), strict=True))
    now = {pair: renewed(*pair, year=year, lengths=lengths) for pair in set(given)}
    pairs = [now[pair] for pair in given]
    start = starts.copy(data=np.array([pair[0] for pair in pairs]))
    number = numbers.copy(data=np.array([pair[1] for pair in pairs]))
    regional = world.regional_agreement_number + number - numbers
    kind = world.agreement_kind.where(number == numbers, "renewal")
    return {
        "agreement_start": start,
        "agreement_number": number,
        "regional_agreement_number": regional,
        "agreement_kind": kind,
    }


@dataclass(frozen=True)
class Leaving:
    """When an ACO leaves for good: owed so often in a row, or so much in all, as known by then.

    `lag` is the number of years at the end whose settlements are not known yet.
    """

    losses_in_a_row: int | None
    cumulative_loss_share: float | None
    lag: int


def stays(settlements: Sequence[Usd], benchmarks: Sequence[Usd], rule: Leaving) -> Ratio:
    """Return whether an ACO goes on after the years given, in order; elementwise.

    >>> rule = Leaving(losses_in_a_row=2, cumulative_loss_share=None, lag=0)
    >>> [bool(stays(owed, [100.0] * 2, rule)) for owed in ([3.0, -1.0], [-1.0, -1.0])]
    [True, False]
    """
    known = max(len(settlements) - rule.lag, 0)
    settled, goes_on = list(settlements[:known]), np.bool_(True)
    row = rule.losses_in_a_row
    if row is not None and known >= row:
        goes_on = goes_on & ~(sum(owed < 0.0 for owed in settled[-row:]) == row)
    if rule.cumulative_loss_share is not None and known:
        least = -rule.cumulative_loss_share * benchmarks[known - 1]
        goes_on = goes_on & ~((sum(settled) < least) & (sum(settled) < 0.0))
    return goes_on
