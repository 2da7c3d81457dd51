"""Columns of trials, so many in memory at a time that more trials of a run take no more."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import xarray as xr

__all__ = ["HELD", "PIECE", "by_column", "gathered", "held"]

# Numbers in memory at once, 8 bytes each, and a few copies while something is made of them.
HELD = 250_000
# Trials of a run that are read and worked on at a time, of a column that is then held whole.
PIECE = 100_000

_Found = TypeVar("_Found", xr.DataArray, xr.Dataset)


def held(x: xr.DataArray) -> xr.DataArray:
    """Return `x` in memory if it is small, else as it is: lazy, if it was."""
    return gathered(x) if x.size <= HELD else x


def gathered(x: xr.DataArray) -> xr.DataArray:
    """Return `x` in memory: each piece of what is lazy is put in its place as soon as it is there.

    >>> gathered(xr.DataArray([1.0, 2.0, 3.0], dims="trial").chunk(trial=2) + 1.0).values.tolist()
    [2.0, 3.0, 4.0]
    """
    # Dask would hold all pieces beside the array that they are put together in.
    if not x.chunks or all(len(pieces) == 1 for pieces in x.chunks):
        return x.compute()
    whole = np.empty(x.shape, x.dtype)
    x.data.store(whole, lock=False)
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
