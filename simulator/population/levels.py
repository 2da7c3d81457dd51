"""National levels by year and segment: as the market gives them, and carried where it does not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np

from simulator.scenario.schema import Market

__all__ = ["Kind", "Levels", "carried", "curve", "national"]

Key = TypeVar("Key", bound=str)
Arrays: TypeAlias = dict[str, tuple[tuple[str, ...], np.ndarray]]

_DIMS = ("year", "segment")


@dataclass(frozen=True)
class Kind:
    """What a segment's people are to the market: enrolment type, and whether high needs."""

    entitlement: str
    high_needs: bool

    @property
    def categories(self) -> tuple[str, ...]:
        """Return the benchmark categories that may hold a segment's levels, the nearest first."""
        if self.entitlement == "esrd":
            return ("esrd",)
        return ("high_needs", "aged_disabled") if self.high_needs else ("aged_disabled",)


@dataclass(frozen=True)
class Levels:
    """The nation's levels: `expected`, on which others are carried, and every array of them."""

    expected: np.ndarray
    arrays: Arrays


def national(market: Market, kinds: Sequence[Kind], span: range, growth: float) -> Levels:
    """Return national levels, (year, segment); what is given nowhere grows by `growth` a year.

    A gap between two given years of an enrolment type is filled at a steady growth.

    The expected level of a segment is that of its enrolment type, else that of its benchmark
    category. A USPCC that is not given grows as expected; the reference population is expected
    to cost what the USPCC says.
    """
    types = [(kind.entitlement,) for kind in kinds]
    categories = [kind.categories for kind in kinds]
    grown = curve(span, growth)
    by_type = _between(_given(market.national_ppy, types, span))
    by_category = _given(market.uspcc_ppy, categories, span)
    actual = _given(market.reference_ppy, categories, span)
    first = np.where(_any(by_type), by_type, np.where(_any(actual), actual, by_category))
    expected = carried(first, grown)
    uspcc = carried(by_category, expected)
    arrays = {
        "national_ppy": expected,
        "uspcc_ppy": uspcc,
        "reference_ppy": carried(actual, uspcc),
        "coding_intensity_factor": np.nan_to_num(
            _given(market.coding_intensity_factor, categories, span), nan=1.0
        ),
        "truncation_usd": carried(
            _given(market.truncation_usd, types, span), expected, otherwise=np.inf
        ),
        "prospective_factor": _prospective(market, kinds, span, expected),
    }
    return Levels(expected, {name: (_DIMS, values) for name, values in arrays.items()})


def _prospective(
    market: Market, kinds: Sequence[Kind], span: range, expected: np.ndarray
) -> np.ndarray:
    """Return forecast growth as an index, 1 in the first year; the nation's where none is given.

    Only its growth from one year to another means anything.
    """
    annual = np.ones_like(expected)
    annual[1:] = expected[1:] / expected[:-1]
    keys = [(*kind.categories, kind.entitlement) for kind in kinds]
    given = _given(market.prospective_factor, keys, span)
    forecast = np.isfinite(given)
    annual[forecast] = given[forecast]
    return np.cumprod(annual, axis=0)


def _given(
    table: Mapping[Key, Mapping[int, float]], keys: Sequence[Sequence[str]], span: range
) -> np.ndarray:
    """Return what a table gives under the first key it has: not a number where it gives none."""
    out = np.full((len(span), len(keys)), np.nan)
    for column, names in enumerate(keys):
        by_name = {str(name): by_year for name, by_year in table.items()}
        found = next((by_name[name] for name in names if name in by_name), {})
        for year, value in found.items():
            out[year - span.start, column] = value
    return out


def _between(given: np.ndarray) -> np.ndarray:
    """Return `given` with each gap between two years filled at a steady growth."""
    filled, years = given.copy(), np.arange(len(given))
    for column in range(given.shape[1]):
        known = np.flatnonzero(np.isfinite(given[:, column]))
        if known.size:
            inner = slice(known[0], known[-1] + 1)
            logs = np.interp(years[inner], known, np.log(given[known, column]))
            filled[inner, column] = np.exp(logs)
    np.copyto(filled, given, where=np.isfinite(given))
    return filled


def _any(given: np.ndarray) -> np.ndarray:
    return np.isfinite(given).any(axis=0)


def curve(span: range, growth: float | np.ndarray) -> np.ndarray:
    """Return 1 in the first year, growing by `growth` a year: (year, 1) or wider."""
    elapsed = np.arange(len(span)).reshape(-1, *[1] * max(np.ndim(growth), 1))
    return (1.0 + np.asarray(growth)) ** elapsed


def carried(given: np.ndarray, level: np.ndarray | float, otherwise: float = 1.0) -> np.ndarray:
    """Return `given` with its gaps filled: the last (or first) ratio to `level`, times level."""
    ratio = given / level
    years = np.arange(len(given)).reshape(-1, *[1] * (given.ndim - 1))
    last = np.maximum.accumulate(years * np.isfinite(ratio), axis=0)
    first = np.argmax(np.isfinite(ratio), axis=0)
    filled = np.take_along_axis(ratio, np.maximum(last, first), axis=0)
    return np.nan_to_num(filled, nan=otherwise) * level
