"""What parts two contracts of one program, term by term, on the same futures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from simulator import population
from simulator.engine.simulate import needs, settle
from simulator.engine.tracks import Track, tracks
from simulator.errors import ScenarioError
from simulator.programs import Contract
from simulator.programs.rulebook import nearest
from simulator.sampling import design
from simulator.sampling import world as sampling
from simulator.scenario.schema import Case, Scenario
from simulator.scenario.sweep import cases

__all__ = ["Attribution", "Change", "attribution"]

_LINE = "settlement_usd"
_BLOCK = 1_024

Totals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """Terms that two contracts have otherwise, all of them from one value to another.

    `alone` is what each trial pays with these terms alone replaced in the first contract; `so_far`
    with these and all that stand before them: (trial,), USD, years and ACOs added.
    """

    terms: tuple[str, ...]
    old: str
    new: str
    alone: Totals
    so_far: Totals


@dataclass(frozen=True)
class Attribution:
    """Two contracts on the same trials, and each change that leads from one to the other."""

    scenario: Scenario
    labels: tuple[str, str]
    first: Totals
    second: Totals
    changes: tuple[Change, ...]


def attribution(scenario: Scenario, first: str, second: str) -> Attribution:
    """Return what parts two contracts of a scenario: its first case, all years and ACOs added.

    Both are settled on the same trials, then the first with one change at a time and with all
    changes up to each. Terms that change alike (two bands, say) count as one change.

    Raises
    ------
    ScenarioError
        For a contract that the scenario does not have, or two of unlike programs, elections or
        rules of exit.
    """
    case = cases(scenario)[0]
    one, other = (_track(case, label) for label in (first, second))
    if one.contracts[0].program != other.contracts[0].program:
        programs = " and ".join(track.contracts[0].program for track in (one, other))
        raise ScenarioError(f"contracts {first} and {second}: are of {programs}; one is needed")
    _refuse_choices(one, other)
    groups = _differences(one, other)
    found = [_replaced(one, other, group) for group in groups]
    built = [_replaced(one, other, sum(groups[: i + 1], ())) for i in range(len(groups))]
    settled = _settled(case, [one, other, *found, *built])
    changes = tuple(
        Change(group, *_values(one, other, group), settled[2 + i], settled[2 + len(groups) + i])
        for i, group in enumerate(groups)
    )
    return Attribution(scenario, (first, second), settled[0], settled[1], changes)


def _track(case: Case, label: str) -> Track:
    found = {track.name: track for track in tracks(case)}
    if label not in found:
        raise ScenarioError(f"contracts has no {label!r}; {nearest(label, found)}")
    return found[label]


def _refuse_choices(one: Track, other: Track) -> None:
    """Raise ScenarioError for contracts that differ in what is no term: it would not be told."""
    elected = [[contract.elections for contract in track.contracts] for track in (one, other)]
    unlike = [
        word
        for word, differ in (
            ("elections", elected[0] != elected[1]),
            ("exit", one.leaving != other.leaving),
        )
        if differ
    ]
    if unlike:
        raise ScenarioError(
            f"contracts {one.name} and {other.name}: differ in {' and '.join(unlike)}, which no "
            "term says; both must have the same"
        )


def _differences(one: Track, other: Track) -> list[tuple[str, ...]]:
    """Return the terms that differ in any year, those that change alike together."""
    terms = [name for name in one.contracts[0].terms() if _pair(one, other, name) is not None]
    alike: dict[str, list[str]] = {}
    for name in terms:
        alike.setdefault(repr(_pair(one, other, name)), []).append(name)
    return [tuple(names) for names in alike.values()]


def _pair(one: Track, other: Track, name: str) -> tuple[Any, Any] | None:
    """Return a term's values by year in both; None if they agree."""
    old, new = ([getattr(c, name) for c in track.contracts] for track in (one, other))
    return None if old == new else (old, new)


def _values(one: Track, other: Track, group: Sequence[str]) -> tuple[str, str]:
    """Return what a change leads from and to, in its first year that differs."""
    pairs = zip(one.contracts, other.contracts, strict=True)
    both = ((getattr(a, group[0]), getattr(b, group[0])) for a, b in pairs)
    old, new = next((a, b) for a, b in both if a != b)
    return _said(old), _said(new)


def _said(value: Any) -> str:
    """Return a term's value in plain words.

    >>> _said(0.05), _said(None)
    ('0.05', 'none')
    """
    if value is None:
        return "none"
    held = {f.name: getattr(value, f.name) for f in fields(value)} if _is_shape(value) else {}
    if "values" in held and "attributes" in held:
        return str(held["values"])
    return "; ".join(f"{n} {', '.join(f'{x:g}' for x in v)}" for n, v in held.items()) or str(
        value
    )


def _is_shape(value: Any) -> bool:
    return hasattr(value, "__dataclass_fields__")


def _replaced(one: Track, other: Track, terms: Sequence[str]) -> Track:
    """Return the first track with some terms, and their sources, as the second has them."""

    def with_terms(mine: Contract, theirs: Contract) -> Contract:
        values: dict[str, Any] = {name: getattr(theirs, name) for name in terms}
        sources = {**mine.sources, **{name: theirs.sources[name] for name in terms}}
        return replace(mine, sources=sources, **values)

    pairs = zip(one.contracts, other.contracts, strict=True)
    return replace(one, contracts=tuple(with_terms(*pair) for pair in pairs))


def _settled(case: Case, every: Sequence[Track]) -> list[Totals]:
    """Return each track's settlement by trial, all on the same worlds."""
    trials = case.scenario.trials
    draw = _drawer(case, every)
    parts: list[list[Totals]] = []
    for start in range(0, trials, _BLOCK):
        world = draw(range(start, min(start + _BLOCK, trials)))
        parts.append([_total(settle(track, world)) for track in every])
    return [np.concatenate(track) for track in zip(*parts, strict=True)]


def _drawer(case: Case, every: Sequence[Track]) -> Callable[[range], xr.Dataset]:
    """Return what draws a block of trials, as a run of the scenario would."""
    scenario, experience = case.scenario, case.scenario.experience
    people = population.project(
        scenario.population, scenario.market, scenario.years, experience.trend.mean
    )
    scheme, replicates = scenario.sampling.scheme, scenario.sampling.replicates
    streams = design.streams(scenario.seed, scheme, replicates, people)
    wanted = needs(every)
    return lambda trials: sampling.draw(people, experience, streams, trials, wanted)


def _total(statement: xr.Dataset) -> Totals:
    return statement[_LINE].sum(("year", "aco"), skipna=False).values
