"""A question put to a scenario without a run: what contracts pay at any value of a swept path."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import xarray as xr

from simulator import results
from simulator.analysis.value import discounted
from simulator.engine.checking import barred
from simulator.engine.simulate import drawn, settle
from simulator.engine.tracks import Track, tracks
from simulator.errors import RulesError, ScenarioError, SimulatorError
from simulator.scenario.schema import Case, Scenario, Sweep
from simulator.scenario.sweep import cases

__all__ = ["Act", "Asked", "Vary", "answer", "worth"]

_BLOCK = 1_000
_NAME = "tried"

Act: TypeAlias = Literal["set", "times", "plus"]


class Asked(NamedTuple):
    """Whose pay is asked for, and less whose, if less any: labels of a scenario's contracts."""

    contract: str
    against: str | None = None

    def __str__(self) -> str:
        """Return the question as a table names it.

        >>> str(Asked("move", "stay"))
        'move less stay'
        """
        return self.contract if self.against is None else f"{self.contract} less {self.against}"


class Vary(NamedTuple):
    """The paths of a scenario that take a value together, and how the value acts on each."""

    paths: tuple[str, ...]
    act: Act = "set"

    def at(self, scenario: Scenario, value: float | str) -> Case:
        """Return the scenario at one value. Raises ScenarioError for one that cannot be."""
        written = value if self.act == "set" else {self.act: value}
        sweep = Sweep.model_validate({"list": {_NAME: dict.fromkeys(self.paths, written)}})
        swept = scenario.model_copy(update={"sweep": sweep})
        try:
            case = cases(swept)[0]
            wrong = barred(case.scenario)
        except ScenarioError as error:
            said = (text.replace(f"sweep.list.{_NAME}.", "") for text in error.messages)
            raise ScenarioError([f"--vary {text}" for text in said]) from error
        if wrong:
            raise ScenarioError([f"--vary makes {text}" for text in wrong])
        return case


def answer(case: Case, asked: Asked, trials: int) -> xr.DataArray:
    """Return what is asked for, USD: (trial,), years and ACOs added.

    That is the settlement, or the present value of results where the scenario has a `valuation`.
    The trials are the first of those that a run of the scenario draws, whatever the case: two
    cases differ by their values alone. A coordinate `replicate` says which were drawn together.

    Raises SimulatorError for a contract that the scenario does not have.
    """
    signed = _signed(case, asked)
    parts = []
    for first in range(0, trials, _BLOCK):
        world = drawn(case, signed, range(first, min(first + _BLOCK, trials)))
        found = {track.name: worth(case, settle(track, world)) for track in signed}
        paid = found[asked.contract]
        parts.append(paid if asked.against is None else paid - found[asked.against])
    together = results.together(case.scenario.sampling, np.arange(trials))
    return xr.concat(parts, dim="trial").assign_coords(together)


def _signed(case: Case, asked: Asked) -> tuple[Track, ...]:
    """Return the tracks that are asked for."""
    try:
        every = tracks(case)
    except RulesError as error:
        raise ScenarioError(f"{case.scenario.name}: {error}") from error
    _refuse_unknown([track.name for track in every], asked)
    return tuple(track for track in every if track.name in asked)


def _refuse_unknown(labels: Sequence[str], asked: Asked) -> None:
    for label in (asked.contract, asked.against):
        if label is not None and label not in labels:
            raise SimulatorError(f"contract {label!r} is not there; there are {', '.join(labels)}")
    if asked.contract == asked.against:
        raise SimulatorError(f"{asked} is nothing, whatever happens; name two contracts")


def worth(case: Case, statement: xr.Dataset) -> xr.DataArray:
    """Return what a statement comes to, years and ACOs added, USD: (trial,)."""
    valuation = case.scenario.valuation
    if valuation is None:
        return (
            statement["settlement_usd"].sum(["year", "aco"], skipna=False).reset_coords(drop=True)
        )
    line = "economic_result_usd" if "economic_result_usd" in statement else "settlement_usd"
    return discounted(statement[line].sum("aco", skipna=False), valuation).reset_coords(drop=True)
