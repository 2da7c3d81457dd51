"""Data quality: what the scenario gives of each ACO, and control totals against what is known."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import pandas as pd
import xarray as xr

from simulator.population.suppression import SUPPRESSED, betrays
from simulator.report.rounding import dollars
from simulator.results import written

__all__ = ["Check", "Files", "files", "rows"]

_TOTALS = ("benchmark_usd", "expenditure_usd")


class Check(NamedTuple):
    """What was looked at, for which ACO, and what was found."""

    aco: str
    what: str
    found: str


def rows(run: xr.Dataset, ledger: pd.DataFrame | None) -> list[Check]:
    """Return what the data of each ACO hold, and how simulated totals meet published ones."""
    people = _mapping(written(str(run.attrs.get("scenario", ""))).get("population"))
    found = []
    simulated = {} if ledger is None else _simulated(ledger)
    for name, given in people.items():
        aco = _mapping(given)
        found += list(_given(str(name), _mapping(aco.get("segments"))))
        found += list(_head_counts(str(name), aco))
        if str(name) in simulated:
            known = _mapping(aco.get("observed"))
            found += list(_controls(str(name), known, simulated[str(name)]))
    return found


class Files(NamedTuple):
    """What was found in the files of people of a run, each row by its column's name."""

    files: Sequence[Mapping[str, object]]
    checks: Sequence[Mapping[str, object]]
    cells: Sequence[Mapping[str, object]]


def files(run: xr.Dataset) -> Files:
    """Return which files of people a run was given, what was checked of them, and their cells.

    All of it is in the run's own scenario, so that the files are not needed again. Nothing is of
    one person; counts of 1 to 10 people are not shown, and what would give them away neither.
    """
    held = json.loads(run.attrs.get("data_quality", "{}"))
    given = [
        {"file": row["file"], "aco": row["aco"], "rows": row["rows"], "sha256": row["sha256"]}
        for row in held.get("files", ())
    ]
    checks = [
        {**row, "holds": "yes" if row["holds"] else "no"} for row in held.get("findings", ())
    ]
    return Files(given, checks, held.get("cells", ()))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _numbers(value: object) -> dict[str, float]:
    """Return the figures of a table by year that are there."""
    return {str(key): float(x) for key, x in _mapping(value).items() if isinstance(x, int | float)}


def _given(aco: str, segments: Mapping[str, object]) -> Iterator[Check]:
    """Yield which years are given for every segment, and the control totals of each."""
    lines = {name: _mapping(segment) for name, segment in segments.items()}
    years = [set(_numbers(line.get("expenditure_ppy"))) for line in lines.values()]
    common = sorted(set.intersection(*years)) if years else []
    some = sorted(set.union(*years) - set(common)) if years else []
    yield Check(aco, "Segments", f"{len(lines)}: {', '.join(map(str, lines))}")
    yield Check(aco, "Years with expenditure in every segment", ", ".join(common) or "none")
    if some:
        yield Check(aco, "Years with expenditure in some segments only", ", ".join(some))
    for year in common:
        people = {
            name: _numbers(line.get("person_years")).get(year, 0.0) for name, line in lines.items()
        }
        spent = {
            name: _numbers(line.get("expenditure_ppy")).get(year, 0.0)
            for name, line in lines.items()
        }
        total = sum(people.values())
        if total > 0.0:
            mean = sum(people[name] * spent[name] for name in lines) / total
            said = f"{total:,.1f} person-years at ${mean:,.2f} a person-year, "
            said = f"{said}${total * mean:,.0f} in all"
            shown = SUPPRESSED if betrays([*people.values()]) else said
            yield Check(aco, f"Control total {year}", shown)


def _head_counts(aco: str, given: Mapping[str, object]) -> Iterator[Check]:
    """Yield person-years over head-counts, where both are given: below 1, and not by much."""
    segments = [_mapping(segment) for segment in _mapping(given.get("segments")).values()]
    for year, persons in _numbers(given.get("persons")).items():
        counts = [_numbers(s.get("person_years")).get(year, 0.0) for s in segments]
        people = sum(counts)
        if people > 0.0 and persons > 0.0:
            share = people / persons
            usual = "as usual" if 0.9 <= share <= 1.0 else "UNUSUAL: 0.90 to 1.00 is usual"
            said = SUPPRESSED if betrays(counts) else f"{share:.3f} ({usual})"
            yield Check(aco, f"Person-years over head-count {year}", said)


def _simulated(ledger: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
    """Return the simulated totals of the first case, by ACO."""
    lines = ledger["name"].isin(_TOTALS) & (ledger["kind"] == "line") & (ledger["case"] == 0)
    return {str(aco): part for aco, part in ledger[lines].groupby("aco", sort=False)}


def _controls(aco: str, observed: Mapping[str, object], lines: pd.DataFrame) -> Iterator[Check]:
    """Yield published totals of a simulated year beside their simulated means."""
    for line in _TOTALS:
        known = observed.get(line)
        if not isinstance(known, int | float):
            continue
        here = lines[(lines["name"] == line) & (lines["year"] == str(observed.get("year")))]
        for row in here[here["contract"] == observed.get("contract")].to_dict("records"):
            mean = float(row["mean"])
            said = f"published ${known:,.0f}, simulated {dollars(mean, float(row['error']))}"
            name = line.removesuffix("_usd").capitalize()
            yield Check(aco, f"{name} {row['year']}", f"{said}: {mean / known - 1.0:+.1%}")
