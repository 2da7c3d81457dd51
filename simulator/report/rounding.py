"""Figures as people read them: no more digits than the standard error leaves."""

import math
from typing import NamedTuple

from simulator.units import round_half_away

__all__ = ["Figure", "Scale", "dollars", "figure", "scale"]


class Figure(NamedTuple):
    """A value and its standard error, rounded and in words."""

    value: str
    error: str

    def __str__(self) -> str:
        """Return both, as a table's cell shows them.

        >>> str(Figure("1.25", "0.02"))
        '1.25 ±0.02'
        """
        return f"{self.value} ±{self.error}"


class Scale(NamedTuple):
    """How many dollars one is, and what to call it."""

    size: float
    name: str


_NOTHING = 5e-7
_SCALES = (Scale(1e9, "billion"), Scale(1e6, "million"), Scale(1e3, "thousand"), Scale(1.0, ""))


def scale(largest: float) -> Scale:
    """Return the scale in which the largest amount has one to three digits before the point.

    >>> scale(-12_300_000.0).name
    'million'
    """
    return next((s for s in _SCALES if abs(largest) >= s.size), _SCALES[-1])


def figure(value: float, error: float, size: float = 1.0) -> Figure:
    """Return `value` over `size`, rounded to the place of its error.

    The error keeps two digits while they are below 3.55, else one: 0.0123, 0.5 (the rule of
    the Particle Data Group). A value known exactly keeps four digits.

    >>> figure(1_234_567.0, 12_345.0)
    Figure(value='1,235,000', error='12,000')
    >>> figure(1_234_567.0, 12_345.0, 1e6)
    Figure(value='1.235', error='0.012')
    >>> figure(0.0, 0.0), figure(float("nan"), 1.0).value
    (Figure(value='0', error='0'), 'n/a')
    """
    value, error = value / size, error / size
    if math.isnan(value):
        return Figure("n/a", "n/a")
    value = 0.0 if abs(value) < _NOTHING and not error > _NOTHING else value
    if math.isnan(error) or _exact(value, error):
        return Figure(f"{float(f'{value:.4g}') + 0.0:,.15g}", "0" if error >= 0.0 else "n/a")
    place = _leading(error)
    place -= error / 10.0**place < 3.55
    return Figure(_written(value, place), _written(error, place))


def dollars(value: float, error: float) -> str:
    """Return an amount and its error in a sentence.

    >>> dollars(-1_234_567.0, 45_678.0)
    '-$1.23 ±0.05 million'
    """
    unit = scale(value)
    said = figure(value, error, unit.size)
    amount = f"-${said.value[1:]}" if said.value.startswith("-") else f"${said.value}"
    return f"{amount} ±{said.error} {unit.name}".rstrip()


def _exact(value: float, error: float) -> bool:
    """Return whether an error is none: under half a dollar in millions, rounding of float64."""
    return error <= max(_NOTHING, 1e-12 * abs(value))


def _leading(x: float) -> int:
    """Return the power of ten of the first digit."""
    return math.floor(math.log10(abs(x))) if x else 0


def _written(x: float, place: int) -> str:
    rounded = float(round_half_away(x, -place)) + 0.0
    return f"{rounded:,.{max(-place, 0)}f}"
