"""Nothing is lost: statements add up in every trial, and pooling keeps people and dollars."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from simulator import benchmark
from simulator.engine.ledger import ledger
from simulator.engine.simulate import drawn
from simulator.engine.tracks import tracks
from simulator.scenario.sweep import cases
from simulator.validation.checks import Check, Report, judged
from simulator.validation.runs import NAMES, scenario

__all__ = ["report"]

GROUP = "Conservation"
_ROUNDING = 1e-12
_POOLED = 200
_AMOUNTS = ("person_years", "expenditure_ppy", "truncated_expenditure_ppy")
_HALF_A_CENT = "every trial, year and contract, to half a cent"


def report(folders: dict[str, Path]) -> Report:
    """Yield whether statements foot and pooling conserves, program by program.

    folders : the run of each scenario of the package, by name
    """
    for name in NAMES:
        yield from _statements(name, ledger(folders[name]))
        yield _pooling(name)


def _statements(name: str, table: pd.DataFrame) -> Iterator[Check]:
    foots = table.loc[table["kind"] == "foots"]
    misses = table.loc[table["kind"] == "misses", "most"]
    sums = foots["name"].nunique()
    least = float(foots["mean"].min()) if sums else 0.0
    yield judged(
        GROUP,
        f"{name.upper()}: waterfalls stand on their changes, and lines are the sums that they say",
        f"{sums} sums, met in {least:.2%} of trials at least; largest miss ${misses.max():.1g}",
        _HALF_A_CENT,
        met=sums > 0 and least == 1.0,
    )
    lines = table.loc[table["kind"] == "line"]
    finite = bool(np.isfinite(lines["mean"]).all())
    yield judged(
        GROUP,
        f"{name.upper()}: every line of every statement is a number, and settles again as stored",
        f"{lines['name'].nunique()} lines, {'all' if finite else 'not all'} of them finite",
        "all",
        met=finite,
    )


def _pooling(name: str) -> Check:
    """Return whether segments pooled into enrolment types hold the same people and dollars."""
    case = cases(scenario(name))[0]
    world = drawn(case, tracks(case), range(_POOLED))
    pooled = benchmark.pool(world, by="entitlement")
    held = [amount for amount in _AMOUNTS if amount in world]
    apart = [abs(float(_kept(pooled, of) / _kept(world, of)) - 1.0) for of in held]
    return judged(
        GROUP,
        f"{name.upper()}: segments pooled into enrolment types keep people and dollars",
        f"{_POOLED} trials; the largest relative difference is {max(apart):.1g}",
        f"at most {_ROUNDING:g}",
        met=max(apart) <= _ROUNDING,
    )


def _kept(world: xr.Dataset, of: str) -> xr.DataArray:
    """Return all person-years of a world, or all dollars of an amount per person-year."""
    people = world["person_years"]
    return people.sum() if of == "person_years" else (people * world[of]).sum()
