"""Columns of trials, so many in memory at a time that more trials of a run take no more."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import xarray as xr

__all__ = ["HELD", "PIECE", "by_column", "gathered", "held"]

# Numbers in memory at once, 8 bytes each, and a few copies while something is made of them.
HELD = 250_000
# Trials that are read, or from which something is made, at a time.
PIECE = 100_000

_Found = TypeVar("_Found", xr.DataArray, xr.Dataset)


def held(x: xr.DataArray) -> xr.DataArray:
    """Return `x` in memory if it is small, else as it is: lazy, if it was."""
    return gathered(x) if x.size <= HELD else x


def gathered(x: xr.DataArray) -> xr.DataArray:
    """Return `x` in memory; of what is lazy a piece at a time is computed and put in its place.

    >>> gathered(xr.DataArray([1.0, 2.0, 3.0], dims="trial").chunk(trial=2) + 1.0).values.tolist()
    [2.0, 3.0, 4.0]
    """
    if not x.chunks or x.size <= HELD:
        return x.compute()
    # Dask itself would hold all pieces beside the array that it puts them together in; and of a
    # thousand cases, a piece each, it is asked a few times and not a thousand.
    axis = int(np.argmax(x.data.numblocks))
    piece, length = x.chunks[axis][0], x.shape[axis]
    span = max(HELD * length // x.size // piece, 1) * piece
    whole = np.empty(x.shape, x.dtype)
    for first in range(0, length, span):
        place = (*(slice(None),) * axis, slice(first, first + span))
        whole[place] = x.data[place].compute()
    return x.copy(data=whole)


def by_column(of: Callable[[xr.DataArray], _Found], x: xr.DataArray, dim: str = "trial") -> _Found:
    """Return ``of(x)``, made of a part at a time that is in memory: at the least one column.

    Parameters
    ----------
    of : takes an array with all dims of `x` and returns one less `dim`; what it makes of a
        column may not depend on the columns beside it
    dim : what a column runs along

    >>> x = xr.DataArray([[1.0, 5.0], [3.0, 9.0]], dims=("trial", "contract"))
    >>> by_column(lambda one: one.mean("trial"), x).values.tolist()
    [2.0, 7.0]
    """
    several = [other for other in x.dims if other != dim and x.sizes[other] > 1]
    if x.size <= HELD or not several:
        return of(gathered(x))
    along = max(several, key=lambda other: x.sizes[other])
    middle = x.sizes[along] // 2
    halves = (slice(None, middle), slice(middle, None))
    parts = [by_column(of, x.isel({along: half}), dim) for half in halves]
    return xr.concat(parts, dim=along, coords="minimal", compat="override")
