"""The arithmetic of who joins and stays: pure."""

import numpy as np
import xarray as xr

from simulator.terms import ByKind

__all__ = ["agreement_in", "renewed"]


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
    pairs = [
        renewed(int(start), int(number), year=year, lengths=lengths)
        for start, number in zip(starts.values, numbers.values, strict=True)
    ]
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
