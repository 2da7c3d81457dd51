"""What the lines of a run come to: every statement settled again in float64, block by block."""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial, reduce
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from simulator import results
from simulator.engine.simulate import drawn, settle
from simulator.engine.tracks import Track, tracks
from simulator.errors import ResultsError
from simulator.programs import Contract
from simulator.scenario.schema import Case, Sampling
from simulator.scenario.sweep import cases

__all__ = ["FILE", "TOTAL", "kept", "ledger", "quick"]

FILE = "ledger.parquet"
TOTAL = "(total)"
_FIGURES = ("mean", "error", "most")
_HALF_A_CENT = 0.005
_QUICK = 1_000_000
# Trials that are settled again at a time: all lines of a statement are in memory, in float64.
_HELD = 5_000
_WIDE = 20_000

Floats: TypeAlias = npt.NDArray[np.float64]


class _Key(NamedTuple):
    """What is added up: a line, a step, how often a limit binds, what it is worth, a footing."""

    contract: str
    kind: str
    place: int
    name: str


class _Moments(NamedTuple):
    """Trials, groups of them, mean, squared deviations of groups, sums of replicates, the most.

    Trials that are drawn together deviate together: in pairs, or as replicates, whose sums are
    kept (an empty axis first otherwise).
    """

    n: int
    groups: int
    mean: Floats
    squares: Floats
    replicates: Floats
    most: Floats


class _Labels(NamedTuple):
    """What the axes of a quantity stand for."""

    years: tuple[str, ...]
    acos: tuple[str, ...]
    segments: tuple[str, ...]


_Sums: TypeAlias = dict[_Key, _Moments]
_ByContract: TypeAlias = dict[str, _Labels]


def ledger(path: Path | str, into: Path | None = None) -> pd.DataFrame:
    """Return what a run's statements come to, with standard errors; kept in the run's folder.

    One that is made anew is written into the folder `into`, if it is given.

    A row for each case, contract, year, ACO and

    ========  =====================================================================
    line      of a statement, by segment where it is: its mean
    step      of the program's waterfall: its mean; years and ACOs added are ``(total)``
    binds     a limit: the share of trials in which it does (in any of the years and ACOs added)
    worth     a limit: the mean over all trials of what it changes for the ACO
    foots     a level of the waterfall, or a line that adds up: the share of trials in which it
              is met to half a cent
    misses    the same: the mean miss in dollars, and the largest as `most`
    ========  =====================================================================

    The memory it takes does not grow with the number of trials. Of an ACO with a segment of 1 to
    10 people nothing by segment is a number.

    Raises ResultsError if what is settled again is not what the run stored.
    """
    folder = Path(path)
    found = kept(folder)
    if found is not None:
        return found
    stamp = _stamp(folder)
    every = cases(results.run_scenario(folder))
    table = pd.concat([_case(folder, case) for case in every], ignore_index=True)
    unseen = table["segment"].notna() & table["aco"].isin(results.few(every))
    table.loc[unseen, [*_FIGURES]] = np.nan
    table.attrs = {**stamp, "sha256": _digest(table)}
    place = into or folder
    aside = place / f".{FILE}.{os.getpid()}"
    table.to_parquet(aside, index=False)
    aside.replace(place / FILE)
    return table


def quick(run: xr.Dataset) -> bool:
    """Return whether settling a run again takes seconds: it is then done with the run."""
    return run["settlement_usd"].size <= _QUICK


def _stamp(folder: Path) -> dict[str, str]:
    """Return what a ledger rests on: the run, its trials and the code that settles again."""
    pin, trials = results.Store(folder).pin, results.run_scenario(folder).trials
    stamp = {"digest": pin.digest, "trials": str(trials), "code": results.code_version()}
    return {**stamp, "small_cells": "withheld"}


def kept(path: Path | str) -> pd.DataFrame | None:
    """Return the ledger that is kept in a run's folder, if it is this run's and not altered."""
    stamp = _stamp(Path(path))
    try:
        table = pd.read_parquet(Path(path) / FILE)
    except (OSError, ValueError):
        return None
    return table if table.attrs == {**stamp, "sha256": _digest(table)} else None


def _digest(table: pd.DataFrame) -> str:
    return sha256(table.to_csv(index=False, float_format="%.17g").encode()).hexdigest()


def _case(folder: Path, case: Case) -> pd.DataFrame:
    """Return one case's rows; its blocks are settled on threads and added in order."""
    signed, sampling, trials = tracks(case), case.scenario.sampling, case.scenario.trials
    together = _together(sampling)
    held = min(results.Store(folder).pin.block, _HELD)
    size = max(held // together, 1) * together
    blocks = [range(first, min(first + size, trials)) for first in range(0, trials, size)]
    # Of few numbers a block takes as long as its labels do, and threads would only take turns.
    wide = size * len(case.scenario.population) * len(case.scenario.years) > _WIDE
    threads = min(os.cpu_count() or 1, len(blocks)) if wide else 1
    with ThreadPoolExecutor(threads) as pool:
        labels, sums = reduce(_added, pool.map(partial(_block, folder, case, signed), blocks))
    return pd.DataFrame(_rows(case.index, sums, labels))


def _together(sampling: Sampling) -> int:
    """Return how many trials in a row belong to a pair, or to all replicates in turn."""
    return {"antithetic": 2, "sobol": sampling.replicates}.get(sampling.scheme, 1)


def _added(
    a: tuple[_ByContract, _Sums], b: tuple[_ByContract, _Sums]
) -> tuple[_ByContract, _Sums]:
    return a[0], {key: _merged(moments, b[1][key]) for key, moments in a[1].items()}


def _block(
    folder: Path, case: Case, signed: Sequence[Track], trials: range
) -> tuple[_ByContract, _Sums]:
    """Return the sums of one block of trials, once it is what the run stored."""
    world = drawn(case, signed, trials)
    store = results.Store(folder)
    labels: _ByContract = {}
    sums: _Sums = {}
    for track in signed:
        statement = settle(track, world)
        # By contract: another program has cells of its own.
        labels[track.name] = _labels(statement)
        _refuse_other(store, (case.index, track.name), statement, trials)
        for key, values in _quantities(track, statement, trials):
            sums[key] = _moments(values, case.scenario.sampling)
    return labels, sums


def _refuse_other(
    store: results.Store, at: tuple[int, str], statement: xr.Dataset, trials: range
) -> None:
    """Raise ResultsError unless the settlements are those that the run stored."""
    stored = store.arrays[at[1], "settlement_usd"][at[0], trials.start : trials.stop]
    line = statement["settlement_usd"]
    again = _spread(line, _sizes(line, statement, trials)).astype(np.float32)
    if not np.array_equal(again, np.asarray(stored)):
        raise ResultsError(
            f"{store.where.parent}: {at[1]} settles otherwise in trials {trials.start} to "
            f"{trials[-1]} than the run says, which was made by acosim {store.pin.code}; this is "
            f"{results.code_version()}: run it again"
        )


def _labels(statement: xr.Dataset) -> _Labels:
    years, acos, segments = (
        tuple(str(label) for label in np.atleast_1d(statement[dim].values))
        if dim in statement.coords
        else ()
        for dim in ("year", "aco", "segment")
    )
    return _Labels(_with_total(years), _with_total(acos), segments)


def _with_total(labels: tuple[str, ...]) -> tuple[str, ...]:
    return labels if len(labels) == 1 else (TOTAL, *labels)


def _quantities(
    track: Track, statement: xr.Dataset, trials: range
) -> Iterator[tuple[_Key, Floats]]:
    """Yield each quantity of a track, (trial, year, aco) and for lines by segment perhaps."""
    for place, (name, line) in enumerate(statement.data_vars.items()):
        key = _Key(track.name, "line", place, str(name))
        yield key, _spread(line, _sizes(line, statement, trials))
    # Without labels there is nothing to align in sums.
    bare = statement.reset_coords(drop=True).drop_vars([str(dim) for dim in statement.xindexes])
    at = {int(year): row for row, year in enumerate(statement["year"].values)}
    years = [(contract, bare.isel(year=at[contract.year])) for contract in track.contracts]
    yield from _steps(track.name, years, trials)
    yield from _limits(track.name, years, trials)
    yield from _sums_of_lines(track.name, years, trials)


_Years: TypeAlias = Sequence[tuple[Contract, xr.Dataset]]


def _steps(label: str, years: _Years, trials: range) -> Iterator[tuple[_Key, Floats]]:
    """Yield the bars of a waterfall, and where each level is met by the changes before it."""
    standing: Floats | float = 0.0
    for place, step in enumerate(years[0][0].waterfall):
        if not _states(years, step.usd):
            continue
        values = _evaluated(years, step.usd, trials)
        yield _Key(label, "step", place, step.text), _added_up(values)
        if step.kind == "level":
            yield from _footing(label, place, step.text, values - standing)
        else:
            standing = standing + values


def _limits(label: str, years: _Years, trials: range) -> Iterator[tuple[_Key, Floats]]:
    for place, limit in enumerate(years[0][0].limits):
        if not (_states(years, limit.when) and _states(years, limit.usd)):
            continue
        binds = _evaluated(years, limit.when, trials) > 0.0
        worth = _evaluated(years, limit.usd, trials, limit.when)
        yield _Key(label, "binds", place, limit.text), _any(binds).astype(np.float64)
        yield _Key(label, "worth", place, limit.text), _added_up(worth)


def _sums_of_lines(label: str, years: _Years, trials: range) -> Iterator[tuple[_Key, Floats]]:
    """Yield how far each line is from what it is the sum of."""
    after = len(years[0][0].waterfall)
    for place, (line, parts) in enumerate(years[0][0].adds_up):
        if not _states(years, line):
            continue
        miss = _evaluated(years, line, trials) - _evaluated(years, parts, trials)
        yield from _footing(label, after + place, f"{line} = {parts}", miss)


def _footing(label: str, place: int, text: str, miss: Floats) -> Iterator[tuple[_Key, Floats]]:
    met = np.abs(miss) <= _HALF_A_CENT
    yield _Key(label, "foots", place, text), met.astype(np.float64)
    yield _Key(label, "misses", place, text), np.abs(miss)


def _states(years: _Years, expression: str) -> bool:
    return all(contract.states(statement, expression) for contract, statement in years)


def _evaluated(years: _Years, expression: str, trials: range, where: str | None = None) -> Floats:
    """Return an expression by (trial, year, aco), segments added; nothing but `where` is true."""
    found = []
    for contract, statement in years:
        values = contract.evaluated(statement, expression)
        if where is not None:
            values = values.where(contract.evaluated(statement, where) > 0.0, 0.0)
        values = values.sum("segment") if "segment" in values.dims else values
        found.append(_spread(values, {"trial": len(trials), "aco": statement["aco"].size}))
    return np.stack(found, axis=1)


def _spread(values: xr.DataArray, sizes: Mapping[str, int]) -> Floats:
    """Return values along these dims, also those that they are the same for."""
    lacking = {dim: n for dim, n in sizes.items() if dim not in values.dims}
    bare = values.drop_vars([*values.coords]).expand_dims(lacking)
    return np.asarray(bare.transpose(*sizes).values, np.float64)


def _sizes(line: xr.DataArray, statement: xr.Dataset, trials: range) -> dict[str, int]:
    """Return the dims of a stored line, and segments where it is by segment."""
    dims = ("year", "aco", *(["segment"] if "segment" in line.dims else []))
    return {"trial": len(trials), **{dim: statement[dim].size for dim in dims}}


def _added_up(values: Floats) -> Floats:
    """Return (trial, year, aco) with the totals of years and of ACOs first, where several."""
    for axis in (1, 2):
        if values.shape[axis] > 1:
            values = np.concatenate([values.sum(axis=axis, keepdims=True), values], axis=axis)
    return values


def _any(binds: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return (trial, year, aco) with whether it is so in any year and ACO first."""
    for axis in (1, 2):
        if binds.shape[axis] > 1:
            binds = np.concatenate([binds.any(axis=axis, keepdims=True), binds], axis=axis)
    return binds


def _rows(case: int, sums: _Sums, labels: _ByContract) -> Iterator[dict[str, object]]:
    """Yield a row for each quantity, year, ACO and segment."""
    for key, found in sums.items():
        error = _error(found)
        for at in np.ndindex(found.mean.shape):
            figures = {"mean": found.mean[at], "error": error[at], "most": found.most[at]}
            yield {
                "case": case,
                **_place(at, labels[key.contract], found.mean.shape),
                **key._asdict(),
                **figures,
            }


def _place(at: tuple[int, ...], labels: _Labels, shape: tuple[int, ...]) -> dict[str, str | None]:
    """Return the labels of a figure; totals are not there where lines are not added."""
    years, acos = labels.years[-shape[0] :], labels.acos[-shape[1] :]
    segment = labels.segments[at[2]] if len(at) > 2 else None
    return {"year": years[at[0]], "aco": acos[at[1]], "segment": segment}


def _moments(values: Floats, sampling: Sampling) -> _Moments:
    """Return the moments of a block of trials."""
    n, mean, most = len(values), values.mean(axis=0), values.max(axis=0)
    # A view would keep all of the values.
    deviations, replicates = values - mean, values[:0].copy()
    if sampling.scheme == "antithetic":
        pairs = deviations[: n - n % 2].reshape(-1, 2, *mean.shape).sum(axis=1)
        deviations = np.concatenate([pairs, deviations[n - n % 2 :]])
    if sampling.scheme == "sobol":
        replicates = values.reshape(-1, sampling.replicates, *mean.shape).sum(axis=0)
    return _Moments(n, len(deviations), mean, (deviations**2).sum(axis=0), replicates, most)


def _merged(a: _Moments, b: _Moments) -> _Moments:
    """Return the moments of both together (Chan, Golub, LeVeque)."""
    n, gap = a.n + b.n, b.mean - a.mean
    size = round(n / (a.groups + b.groups))
    return _Moments(
        n,
        a.groups + b.groups,
        a.mean + gap * (b.n / n),
        a.squares + b.squares + gap**2 * (a.n * b.n / n * size),
        a.replicates + b.replicates,
        np.maximum(a.most, b.most),
    )


def _error(found: _Moments) -> Floats:
    """Return the standard error of the mean: of as many groups as were drawn independently."""
    squares, groups = found.squares, found.groups
    if len(found.replicates):
        groups = len(found.replicates)
        deviations = found.replicates - found.mean * (found.n / groups)
        squares = (deviations**2).sum(axis=0)
    return np.sqrt(squares * groups / ((groups - 1) or np.nan)) / found.n
