"""What a run rests on: the scenario's values with their sources, and the contracts' terms."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import xarray as xr

from simulator.population.suppression import SUPPRESSED, small
from simulator.programs import rulebook
from simulator.results import written

__all__ = ["STATUSES", "Term", "Value", "documents", "reliances", "terms", "values"]

STATUSES = ("disputed", "assumed", "proposed", "reported", "published")
_FEW = 8
# What the reading of rules puts before the note of a term that a later year carries.
_CARRIED = re.compile(r"^carried from \d{4}(: )?")
# Where the scenario's own sources say nothing of what it has by default.
_ASSUMED: Mapping[str, str] = {
    "population.*.stop_loss.prediction_cv": "Assumed: how widely people's predictions spread is "
    "not published, nor how CMS predicts; payouts fall as it rises.",
    "population.*.stop_loss.prediction_correlation": "Assumed, as the spread of predictions: "
    "how well they foretell what a person spends is not published.",
    "population.*.stop_loss.neutrality_factor": "Assumed: CMS's factor is known after the year; "
    "those seen lie between 0.4 and 2.0.",
    "population.*.reach.equity": "Assumed: shares of months by equity decile; by default as if "
    "the ACO's people lived as the nation's do.",
}


class Value(NamedTuple):
    """Values of a scenario that one source stands for."""

    path: str
    value: str
    source: str


class Term(NamedTuple):
    """A term of the law as one or more contracts have it."""

    kind: str
    term: str
    value: str
    contracts: tuple[str, ...]
    cite: str
    note: str
    also: str
    moves: str = ""
    years: str = ""


def values(run: xr.Dataset) -> list[Value]:
    """Return what the scenario assumes of people and years, with sources: assumed values first.

    Every value of ``experience`` is among them, with or without a source, and everything else
    that the scenario gives a source for, or that is known to have none.
    """
    scenario = written(str(run.attrs.get("scenario", "")))
    sources = _mapping(scenario.get("sources"))
    found: dict[str, list[tuple[str, object]]] = {key: [] for key in sources}
    given, assumed = _finder(sources), _finder(_ASSUMED)
    for keys, value in _leaves(scenario, ()):
        source = given(keys) or assumed(keys)
        if source or keys[0] == "experience":
            found.setdefault(source or ".".join(keys), []).append((".".join(keys), value))
    said = {**_ASSUMED, **sources}
    wary = {_whose(key) for held in found.values() for key, x in held if _small(key, x)}
    rows = [
        Value(path, _list(path, held, wary), " ".join(str(said.get(path, "no source")).split()))
        for path, held in found.items()
    ]
    return sorted(rows, key=lambda row: not row.source.lower().startswith(("assumed", "no ")))


def terms(run: xr.Dataset) -> list[Term]:
    """Return the terms behind the contracts, disputed and assumed ones first.

    A term that several contracts share, or that later years carry, appears once.
    """
    shared: dict[str, list[Mapping[str, object]]] = {}
    for row in json.loads(run.attrs.get("terms", "[]")):
        bare = _CARRIED.sub("", str(row.get("note") or ""))
        same = json.dumps({**row, "contract": None, "years": None, "note": bare}, sort_keys=True)
        shared.setdefault(same, []).append(row)
    return sorted(map(_term, shared.values()), key=lambda row: STATUSES.index(row.kind))


def documents(run: xr.Dataset) -> dict[str, str]:
    """Return what the short names in the citations of a run's terms stand for, by those names."""
    found: dict[str, str] = {}
    for row in json.loads(run.attrs.get("terms", "[]")):
        cited = set(re.findall(r"\w+", f"{row.get('cite')} {_plain(row.get('also') or [])}"))
        for name, told in _named(str(row.get("program", "")), row.get("years") or []).items():
            if name in cited:
                found.setdefault(f"{row['program']}: {name}", told)
    return dict(sorted(found.items()))


def _named(program: str, years: Sequence[int]) -> dict[str, str]:
    """Return the documents that a program's rules cite in some years, and where they are."""
    there = set(rulebook.years(program)) & set(years)
    held = [rulebook.book(program, year).sources for year in sorted(there)]
    return {
        name: ", ".join(filter(None, (one.title, one.url or one.via)))
        for sources in held
        for name, one in sources.items()
    }


def reliances(run: xr.Dataset) -> list[str]:
    """Return whose work the scenario says it relies on."""
    named = written(str(run.attrs.get("scenario", ""))).get("reliances")
    return [str(text) for text in named] if isinstance(named, Sequence) else []


def _term(rows: Sequence[Mapping[str, object]]) -> Term:
    """Return one term of the rows of its contracts and years, in the words of the first."""
    row = rows[0]
    also = row.get("also") or []
    contracts = [str(each["contract"]) for each in rows]
    held = (each.get("years") for each in rows)
    years = sorted({int(year) for some in held if isinstance(some, list) for year in some})
    return Term(
        kind="disputed" if also else str(row["status"]),
        term=f"{row['program']}.{row['term']}" if "program" in row else str(row["term"]),
        value=f"{_plain(row['value'])} {row.get('unit') or ''}".strip(),
        contracts=tuple(dict.fromkeys(contracts)),
        cite=str(row.get("cite") or ""),
        note=str(row.get("note") or ""),
        also="; ".join(map(_rival, also)) if isinstance(also, list) else _plain(also),
        years=_span(years),
    )


def _rival(reading: object) -> str:
    """Return a rival reading as a sentence has it: where it holds, its value, who says so.

    >>> _rival({"value": "each_year", "cite": "us 3.3", "at": "renewing"})
    'renewing: each_year (us 3.3)'
    """
    if not isinstance(reading, Mapping) or "value" not in reading:
        return _plain(reading)
    at = f"{_plain(reading['at'])}: " if reading.get("at") else ""
    cite = f" ({reading['cite']})" if reading.get("cite") else ""
    return f"{at}{_plain(reading['value'])}{cite}"


def _span(years: Sequence[int]) -> str:
    """Return years in order, runs of them by their ends.

    >>> _span([2027, 2029, 2030, 2031])
    '2027, 2029 to 2031'
    """
    runs: list[list[int]] = []
    for year in years:
        if runs and year == runs[-1][-1] + 1:
            runs[-1].append(year)
        else:
            runs.append([year])
    return ", ".join(str(r[0]) if len(r) == 1 else f"{r[0]} to {r[-1]}" for r in runs)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _leaves(value: object, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*keys, str(key)))
    else:
        yield keys, value


def _finder(paths: Iterable[str]) -> Callable[[Sequence[str]], str]:
    """Return what finds the longest of `paths` that is at `keys` or above; ``*`` is any key.

    Of equally long ones the first; nothing if none leads there. Paths of one shape (where ``*``
    stands) are looked up, not tried one by one: a scenario of many ACOs has thousands.

    >>> found = _finder(["aco", "aco.*.share"])
    >>> found(["aco", "x", "share", "2018"]), found(["aco", "x"]), found(["year"])
    ('aco.*.share', 'aco', '')
    """
    places = {tuple(path.split(".")): place for place, path in enumerate(paths)}
    shapes = {tuple(part == "*" for part in path) for path in places}

    def find(keys: Sequence[str]) -> str:
        fitting: list[tuple[str, ...]] = []
        for shape in shapes:
            pairs = zip(shape, keys, strict=False)
            path = tuple("*" if free else key for free, key in pairs)
            fitting += [path] if len(path) == len(shape) and path in places else []
        best = max(fitting, key=lambda path: (len(path), -places[path]), default=("",))
        return ".".join(best)

    return find


def _list(path: str, held: Sequence[tuple[str, object]], wary: Collection[str]) -> str:
    """Return values as a reader would write them; counts are left out of an ACO with a small one.

    All of its counts, for the small one would follow from the others and a control total.
    """
    if any(_counts(key) and _whose(key) in wary for key, _ in held):
        return f"{len(held)} values, {SUPPRESSED}: counts of an ACO where one is 1 to 10"
    if len(held) > _FEW:
        return f"{len(held)} values"
    depth = path.count(".") + 1
    named = ((".".join(key.split(".")[depth:]), _plain(value)) for key, value in held)
    return ", ".join(dict.fromkeys(f"{name} {value}".strip() for name, value in named))


def _small(key: str, value: object) -> bool:
    return _counts(key) and isinstance(value, int | float) and small(float(value))


def _counts(key: str) -> bool:
    """Return whether a path leads to a count of people."""
    return any(part in ("person_years", "persons") for part in key.split("."))


def _whose(key: str) -> str:
    """Return whom a path speaks of: an ACO, or a part of the scenario.

    >>> _whose("population.lakeside.segments.esrd.person_years.2021")
    'population.lakeside'
    """
    return ".".join(key.split(".")[:2])


def _plain(value: object) -> str:
    """Return a value as a reader would write it.

    >>> _plain({"low": 0.5, "high": [True, 3600.0]})
    'low 0.5, high [yes, 3,600]'
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return f"[{', '.join(_plain(inner) for inner in value)}]"
    if isinstance(value, float) and value.is_integer():
        return f"{int(value):,}"
    return "none" if value is None else str(value)
