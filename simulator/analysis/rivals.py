"""What matters: the answer again with each unsettled term at its rival, on the same draws."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from simulator import results
from simulator.analysis.convergence import Measure, estimate, standard_error
from simulator.analysis.value import discounted
from simulator.engine.simulate import drawn, settle
from simulator.engine.tracks import Track, tracks
from simulator.errors import ResultsError
from simulator.scenario.schema import Case, Override

__all__ = ["Rival", "rivals", "what_matters"]

_BLOCK = 1_000
_UNSETTLED = ("assumed", "reported", "proposed")
_MEAN = Measure("mean")


class Rival(NamedTuple):
    """A term that CMS's own text does not settle, and another value that it may have.

    `paths` are the contracts' terms that it changes: ``program.year.option.term``.
    """

    program: str
    term: str
    value: object
    now: str
    status: str
    cite: str
    labels: tuple[str, ...]
    paths: tuple[str, ...]


class _Found(NamedTuple):
    """One rival value of one contract's term."""

    label: str
    path: str
    now: str
    status: str
    cite: str


def rivals(signed: Sequence[Track]) -> list[Rival]:
    """Return each rival value of the terms of some contracts, all years that have it together."""
    groups: dict[tuple[str, str, str], tuple[object, list[_Found]]] = {}
    for track in signed:
        for key, value, found in _stated(track):
            groups.setdefault(key, (value, []))[1].append(found)
    return [_rival(key, value, found) for key, (value, found) in groups.items()]


def _stated(track: Track) -> Iterator[tuple[tuple[str, str, str], object, _Found]]:
    for contract in track.contracts:
        own = f"{contract.program}.{contract.year}.{contract.option}"
        for name, source in contract.sources.items():
            for other in (*source.also, *source.tried):
                term = f"{name}.{other.at}" if other.at else name
                status = "disputed" if other in source.also else source.status
                key = (contract.program, term, repr(other.value))
                found = _Found(track.name, f"{own}.{term}", str(source.value), status, other.cite)
                if source.status in _UNSETTLED or source.also:
                    yield key, other.value, found


def _rival(key: tuple[str, str, str], value: object, found: Sequence[_Found]) -> Rival:
    return Rival(
        program=key[0],
        term=key[1],
        value=value,
        now=" or ".join(dict.fromkeys(one.now for one in found)),
        status=found[0].status,
        cite=found[0].cite,
        labels=tuple(dict.fromkeys(one.label for one in found)),
        paths=tuple(dict.fromkeys(one.path for one in found)),
    )


def what_matters(
    case: Case, trials: int, between: tuple[str, str] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the answers as they are, and how far each rival value moves them: most first.

    The answer is a contract's mean result over all years and ACOs in USD (its present value where
    the scenario has a `valuation`), or the mean of the first contract of `between` less the
    second. Every change is paired, trial by trial, and has the standard error of that difference.

    Parameters
    ----------
    case : the scenario to ask, at one point of its sweep
    trials : how many trials to draw; the first of those that a run of the scenario draws
    between : two contracts, to ask for their difference

    Raises
    ------
    ResultsError
        For a contract that the scenario does not have.
    """
    signed = tracks(case)
    _refuse_unknown(signed, between)
    if between is not None:
        signed = tuple(track for track in signed if track.name in between)
    asked = rivals(signed)
    variants = {i: _variant(case, rival) for i, rival in enumerate(asked)}
    now, others = _results(case, signed, variants, trials)
    answers = _answers(now, between)
    rows = [
        {"answer": name, **_described(asked[i]), **_change(answers[name], moved)}
        for i, found in others.items()
        for name, moved in _answers({**now, **found}, between).items()
        if name in found or between is not None
    ]
    table = pd.DataFrame(rows)
    if len(table):
        largest = table.change_usd.abs().sort_values(ascending=False, kind="stable")
        table = table.loc[largest.index].reset_index(drop=True)
    return pd.DataFrame([_said(name, answer) for name, answer in answers.items()]), table


def _refuse_unknown(signed: Sequence[Track], between: tuple[str, str] | None) -> None:
    labels = [track.name for track in signed]
    for name in between or ():
        if name not in labels:
            raise ResultsError(f"contract {name!r} is not there; there are {', '.join(labels)}")


def _variant(case: Case, rival: Rival) -> tuple[Track, ...]:
    """Return the tracks that a rival value changes, with it."""
    value = rival.value
    changed = {
        path: Override.model_validate({"value": value, "why": rival.cite}) for path in rival.paths
    }
    rules = {**case.scenario.rules, **changed}
    scenario = case.scenario.model_copy(update={"rules": rules})
    made = tracks(case.model_copy(update={"scenario": scenario}))
    return tuple(track for track in made if track.name in rival.labels)


def _results(
    case: Case, signed: Sequence[Track], variants: Mapping[int, Sequence[Track]], trials: int
) -> tuple[dict[str, xr.DataArray], dict[int, dict[str, xr.DataArray]]]:
    """Return each track's result by trial, and that of each variant, on one world a block."""
    now: dict[str, list[xr.DataArray]] = {track.name: [] for track in signed}
    others: dict[int, dict[str, list[xr.DataArray]]] = {
        i: {track.name: [] for track in made} for i, made in variants.items()
    }
    for first in range(0, trials, _BLOCK):
        block = range(first, min(first + _BLOCK, trials))
        world = drawn(case, signed, block)
        for track in signed:
            now[track.name].append(_result(case, track, world))
        for i, made in variants.items():
            for track in made:
                others[i][track.name].append(_result(case, track, world))
    together = results.together(case.scenario.sampling, np.arange(trials))

    def joined(parts: Sequence[xr.DataArray]) -> xr.DataArray:
        return xr.concat(parts, dim="trial").assign_coords(together)

    return (
        {name: joined(parts) for name, parts in now.items()},
        {i: {name: joined(parts) for name, parts in m.items()} for i, m in others.items()},
    )


def _result(case: Case, track: Track, world: xr.Dataset) -> xr.DataArray:
    """Return what a contract is worth over all years and ACOs, USD: (trial,)."""
    statement = settle(track, world)
    line = "economic_result_usd" if "economic_result_usd" in statement else "settlement_usd"
    paid = statement[line].sum("aco", skipna=False)
    valuation = case.scenario.valuation
    whole = paid.sum("year", skipna=False) if valuation is None else discounted(paid, valuation)
    return whole.reset_coords(drop=True)


def _answers(
    found: Mapping[str, xr.DataArray], between: tuple[str, str] | None
) -> dict[str, xr.DataArray]:
    if between is None:
        return dict(found)
    a, b = between
    return {f"{a} less {b}": found[a] - found[b]}


def _described(rival: Rival) -> dict[str, object]:
    kept = rival._asdict()
    return {name: kept[name] for name in ("program", "term", "now", "value", "status", "cite")}


def _said(name: str, answer: xr.DataArray) -> dict[str, object]:
    return {
        "answer": name,
        "mean_usd": float(estimate(answer, _MEAN)),
        "mean_error_usd": float(standard_error(answer, _MEAN)),
        "above_zero_share": float(estimate(answer, Measure("above"))),
    }


def _change(before: xr.DataArray, after: xr.DataArray) -> dict[str, object]:
    """Return a paired change, and what the answer is then."""
    moved = after - before
    return {
        "change_usd": float(estimate(moved, _MEAN)),
        "change_error_usd": float(standard_error(moved, _MEAN)),
        "then_usd": float(estimate(after, _MEAN)),
        "then_above_zero_share": float(estimate(after, Measure("above"))),
    }
