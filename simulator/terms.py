"""The shapes a rule can take: small frozen callables, so that a formula reads like the rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import xarray as xr

from simulator.units import Ratio, Usd

__all__ = ["Bands", "ByKind", "Knots", "Layers"]

Nested: TypeAlias = Mapping[Any, Any] | float | str


@dataclass(frozen=True)
class Bands:
    """Marginal rates: each rate holds from its edge to the next, the last one without end.

    >>> corridor = Bands(edges=(0.0, 0.10), rates=(1.0, 0.5))
    >>> float(corridor(30.0, of=100.0))
    20.0
    """

    edges: tuple[float, ...]
    rates: tuple[float, ...]

    def __call__(self, amount: Usd | Ratio, of: Usd = 1.0) -> Usd | Ratio:
        """Return the part of a non-negative `amount` that is shared; edges are shares of `of`."""
        return sum(self.parts(amount, of))

    def parts(self, amount: Usd | Ratio, of: Usd = 1.0) -> tuple[Usd | Ratio, ...]:
        """Return what each band shares of a non-negative `amount`, lowest band first."""
        uppers = (*self.edges[1:], np.inf)
        return tuple(
            rate * (np.minimum(amount, _edge(high, of)) - np.minimum(amount, low * of))
            for low, high, rate in zip(self.edges, uppers, self.rates, strict=True)
        )


def _edge(share: float, of: Usd) -> Usd:
    return np.inf if np.isinf(share) else share * of


@dataclass(frozen=True)
class Knots:
    """A line through knots, flat outside them.

    >>> float(Knots(at=(0.0, 10.0), values=(1.0, 0.0))(2.5))
    0.75
    """

    at: tuple[float, ...]
    values: tuple[float, ...]

    def __call__(self, x: Ratio) -> Ratio:
        """Return the interpolated value at `x`."""
        return xr.apply_ufunc(np.interp, x, kwargs={"xp": self.at, "fp": self.values})


@dataclass(frozen=True)
class Layers:
    """Reinsurance layers: each rate pays the part of a loss between its attachment and limit.

    >>> float(Layers(attach=(100.0,), limit=(50.0,), rates=(0.8,))(130.0))
    24.0
    """

    attach: tuple[float, ...]
    limit: tuple[float, ...]
    rates: tuple[float, ...]

    def __call__(self, loss: Usd) -> Usd:
        """Return what the layers pay of a loss."""
        layers = zip(self.attach, self.limit, self.rates, strict=True)
        return sum(r * np.minimum(np.maximum(loss - a, 0.0), size) for a, size, r in layers)


@dataclass(frozen=True)
class ByKind:
    """A term that depends on attributes of an ACO, one after another.

    Keys that are words must be met exactly; keys that are numbers are steps, each holding from
    itself to the next (agreements that start in 2019 or later, from the fourth agreement on).

    >>> import xarray as xr
    >>> aco = {"aco": ["x", "y"], "start": ("aco", [2019, 2026])}
    >>> cap = ByKind(("start",), {2019: 0.05, 2024: 0.015})
    >>> cap(xr.Dataset(coords=aco)).values
    array([0.05 , 0.015])
    """

    attributes: tuple[str, ...]
    values: Nested

    def __call__(self, kinds: xr.Dataset) -> xr.DataArray:
        """Return the value for each ACO: ``(aco,)``, or without dims if it depends on nothing."""
        if not self.attributes:
            return xr.DataArray(self.values)
        coords = xr.broadcast(*(kinds[name] for name in self.attributes))
        return xr.apply_ufunc(self._lookup, *coords, vectorize=True)

    def leaves(self) -> list[tuple[str, Any]]:
        """Return each value with its dotted path of keys."""
        return list(_leaves(self.values, ""))

    def _lookup(self, *keys: Any) -> Any:
        value: Any = self.values
        for key in keys:
            value = value[_step(value, key)]
        return value


def _step(table: Mapping[Any, Any], key: Any) -> Any:
    if not isinstance(next(iter(table)), int | float):
        return str(key)
    return max((k for k in table if k <= key), default=min(table))


def _leaves(value: Nested, path: str) -> list[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        return [(path, value)]
    joined = ((f"{path}.{key}" if path else str(key), item) for key, item in value.items())
    return [leaf for at, item in joined for leaf in _leaves(item, at)]
