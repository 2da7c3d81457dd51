"""Figures that stand outside the model, which it is held to; each says where it was read."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from simulator import loading
from simulator.units import Share

__all__ = ["References", "SettledNormally", "references"]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SizeTable(_Frozen):
    """The minimum savings rate: fewest and most people, and the rate at either end, by row."""

    cite: str
    years: tuple[int, ...]
    rows: tuple[tuple[int, int, Share, Share], ...]


class Normal(_Frozen):
    """A normal law, as shares of the benchmark."""

    mean: float
    sd: float


class SettledNormally(_Frozen):
    """A worksheet whose savings are normal, and terms of its contract, written down again."""

    cite: str
    program: str
    year: int
    option: str
    inputs: Mapping[str, float | str]
    savings: Normal
    minimum: Share
    shared_savings: Share
    shared_losses: Share
    most_savings: Share
    most_losses: Share
    sequestration: Share


class Concentration(_Frozen):
    """Shares of people, the dearest, and the share of all spending that they have."""

    cite: str
    spending_share: tuple[tuple[Share, Share], ...]
    within: Share


class Variation(_Frozen):
    """Between what a coefficient of variation lies."""

    cite: str
    low: float
    high: float


class Book(_Frozen):
    """People by enrolment type: their shares, and what one of them spends in a year, USD."""

    shares: Mapping[str, Share]
    means_usd: Mapping[str, float]


class References(_Frozen):
    """All of them."""

    minimum_savings: SizeTable
    settlement: SettledNormally
    concentration: Concentration
    truncated_variation: Variation
    book: Book


@cache
def references() -> References:
    """Return the figures that travel with the package."""
    return loading.read(Path(__file__).with_name("references.yaml"), References)
