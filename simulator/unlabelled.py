"""Arrays with named dims and without labels: sums that have nothing to align, and so cost little.

xarray looks for labels to align and compare in every sum, which takes a hundred times as long as
the sum of a small block. Inside a settlement there are none.
"""

from collections.abc import Hashable, Sequence
from functools import reduce
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.lib.mixins import NDArrayOperatorsMixin

__all__ = ["Bare", "BareWorld", "bare", "stacked"]

_NUMBERS = "bif"


class Bare(NDArrayOperatorsMixin, xr.DataArray):
    """A DataArray without coordinates; whatever meets labels is an ordinary one again.

    Sums, comparisons, `where` and `sum` go straight to NumPy, dims in xarray's own order; what is
    missing in a part is missing in its sum.

    >>> spent = bare(xr.DataArray([[1.0, 2.0]], dims=("trial", "segment")))
    >>> total = (2.0 * spent).sum("segment")
    >>> type(total).__name__, total.dims, total.values
    ('Bare', ('trial',), array([6.]))
    """

    __slots__ = ()

    def __array_ufunc__(self, ufunc: np.ufunc, method: Any, *inputs: Any, **options: Any) -> Any:
        """Return an elementwise function of bare arrays and numbers; else what xarray makes."""
        if method != "__call__" or options or not all(map(_is_bare, inputs)):
            return super().__array_ufunc__(ufunc, method, *map(_ordinary, inputs), **options)
        dims, arrays = _side_by_side(inputs)
        return _made(dims, ufunc(*arrays))

    def where(self, cond: Any, *other: Any, **options: Any) -> Self:
        """Return these values where `cond` holds, elsewhere those of `other`."""
        parts = (self, cond, *other)
        if len(parts) != 3 or options or not all(map(_is_bare, parts)):
            return super().where(cond, *other, **options)
        dims, (values, holds, rest) = _side_by_side(parts)
        return _made(dims, np.where(holds, values, rest))

    def sum(self, dim: Any = None, **options: Any) -> Self:
        """Return the sum along a dim; where a value is missing, so is the sum."""
        if not isinstance(dim, str) or options or not _is_bare(self) or self.dtype.kind != "f":
            return super().sum(dim, **{"skipna": False} | options)
        parts = np.moveaxis(self.data, self.dims.index(dim), 0)
        if not len(parts):
            return super().sum(dim)
        # First to last, so that the layout of a block in memory changes no bit.
        total = np.asarray(reduce(np.add, parts))
        return _made([d for d in self.dims if d != dim], total)


class BareWorld(xr.Dataset):
    """A Dataset whose variables without coordinates are bare."""

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        """Return a variable, bare if it has no coordinates."""
        found = super().__getitem__(key)
        return bare(found) if isinstance(found, xr.DataArray) else found


def bare(array: xr.DataArray) -> xr.DataArray:
    """Return an array as a bare one; as it is if it has coordinates, or no numbers."""
    if isinstance(array, Bare) or not _is_bare(array):
        return array
    return _made(array.dims, array.variable.data)


def stacked(parts: Sequence[xr.Variable], dim: str) -> xr.Variable:
    """Return variables side by side along a new last dim, in memory trial by trial within each.

    >>> cells = [xr.Variable("trial", [1.0, 2.0]), xr.Variable("trial", [3.0, 4.0])]
    >>> stacked(cells, "segment").values
    array([[1., 3.],
           [2., 4.]])
    """
    sizes = {held: size for part in parts for held, size in part.sizes.items()}
    inside = sorted(sizes, key=lambda held: held == "trial")
    values = [part.set_dims(sizes).transpose(*inside).data for part in parts]
    return xr.Variable((dim, *inside), np.stack(values)).transpose(*sizes, dim)


def _made(dims: Sequence[Hashable], data: Any) -> Any:
    variable = xr.Variable(tuple(dims), np.asarray(data), fastpath=True)
    return Bare(variable, {}, indexes={}, fastpath=True)


def _is_bare(one: Any) -> bool:
    """Return whether an operand is a number, or an array of numbers without coordinates."""
    if isinstance(one, xr.DataArray):
        return not len(one.coords) and one.variable.dtype.kind in _NUMBERS
    return isinstance(one, int | float | np.number | np.bool_)


def _ordinary(one: Any) -> Any:
    return xr.DataArray(one) if isinstance(one, Bare) else one


def _side_by_side(operands: Sequence[Any]) -> tuple[tuple[Hashable, ...], list[Any]]:
    """Return the dims of all operands, in order of appearance, and their values along them."""
    sizes: dict[Hashable, int] = {}
    parts = [one.variable if isinstance(one, xr.DataArray) else one for one in operands]
    for part in parts:
        for dim, size in part.sizes.items() if isinstance(part, xr.Variable) else ():
            if sizes.setdefault(dim, size) != size:
                raise ValueError(f"{dim} has {size} and {sizes[dim]}; allowed is one size")
    dims = tuple(sizes)
    return dims, [_along(dims, p) if isinstance(p, xr.Variable) else p for p in parts]


def _along(dims: tuple[Hashable, ...], one: xr.Variable) -> Any:
    """Return a variable's values as a view along `dims`, of length one where it has no dim."""
    if one.dims == dims:
        return one.data
    own = [dim for dim in dims if dim in one.dims]
    values = one.data.transpose([one.dims.index(dim) for dim in own])
    return values[tuple(slice(None) if dim in own else None for dim in dims)]
