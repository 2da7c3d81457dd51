"""CMS's public-use files of results, of any vintage: every row, and every figure that is read."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from itertools import takewhile
from pathlib import Path

import numpy as np

from simulator.errors import ScenarioError
from simulator.population import cells
from simulator.population.columns import LAYOUTS, Layout, key
from simulator.population.rows import csv_rows

__all__ = ["Published", "every_year", "read"]

_ABSENT = {"flag": 0.0}
_TRIPLE = 3
_TITLE = 2
_ROUNDING = 1.0
# The year of a date, such as that of a revision, is not the year of the results.
_YEAR_IN_NAME = re.compile(r"(?<!\d)(20[0-3]\d)(?!\d)(?![-_ .]\d\d[-_ .]\d\d(?!\d))")
_YEAR_AFTER_PY = re.compile(r"py_?(20[0-3]\d)(?!\d)", re.IGNORECASE)
_YEAR_COUNTED = re.compile(r"(?<![a-z])py_?([1-9])(?!\d)", re.IGNORECASE)


@dataclass(frozen=True)
class _Cells:
    """A column as the file prints it: its own name, and its text in every row."""

    name: str
    kind: str
    texts: tuple[str, ...]

    def only(self, rows: Sequence[int]) -> "_Cells":
        """Return the column in some rows; figures are scaled by the column as a whole."""
        if len(rows) == len(self.texts):
            return self
        part = _Cells(self.name, self.kind, tuple(self.texts[row] for row in rows))
        part.__dict__["figures"] = self.figures[list(rows)]
        return part

    @cached_property
    def figures(self) -> np.ndarray:
        """Return the figures, shares as fractions; not a number where there is none."""
        match self.kind:
            case "share" | "rate":
                return cells.scaled(self.texts, self.kind)
            case "flag":
                return np.array([cells.flag(text) for text in self.texts])
        return np.array([cells.number(text) for text in self.texts])


@dataclass(frozen=True)
class Published:
    """The rows of one performance year's file, in its order; none is ever left out."""

    file: str
    year: int
    lines: tuple[int, ...]
    columns: Mapping[str, _Cells]
    ragged: Mapping[int, str]
    layout: Layout

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.lines)

    def has(self, field: str) -> bool:
        """Return whether the file has a column for a figure."""
        return field in self.columns

    def name(self, field: str) -> str:
        """Return the file's own name for a column, or the one that it would have today."""
        return self.columns[field].name if self.has(field) else self.layout.columns[field].names[0]

    def texts(self, field: str) -> tuple[str, ...]:
        """Return a column as printed; blank in every row if the file has none."""
        return self.columns[field].texts if self.has(field) else ("",) * len(self)

    def figures(self, field: str) -> np.ndarray:
        """Return a column's figures by row, shares as fractions; not a number where none is.

        A flag for which the file has no column is 0.
        """
        if not self.has(field):
            kind = self.layout.columns[field].kind
            return np.array([_ABSENT.get(kind, math.nan)] * len(self))
        return self.columns[field].figures.copy()

    def amounts(self, field: str) -> np.ndarray:
        """Return a column's figures where blank means none: 0."""
        figures = self.figures(field)
        figures[[cells.blank(text) for text in self.texts(field)]] = 0.0
        return figures

    def fault(self, field: str, row: int) -> str:
        """Return what is wrong with a figure that is needed: column, what was found, allowed."""
        if not self.has(field):
            return f"{self.name(field)} is not in the file; {self.layout.columns[field].needs}"
        text = self.texts(field)[row]
        found = "blank" if not text else f"{text[:40]!r}"
        masked = " (suppressed)" if text.startswith("*") else ""
        return f"{self.name(field)} is {found}{masked}; {self.layout.columns[field].needs}"

    @property
    def aco_ids(self) -> tuple[str, ...]:
        """Return the identifier in every row, as printed."""
        return self.texts("aco_id")

    @cached_property
    def places(self) -> Mapping[str, tuple[int, ...]]:
        """Return the rows of each identifier: one, unless the file has it twice."""
        found: dict[str, tuple[int, ...]] = {}
        for row, aco_id in enumerate(self.aco_ids):
            found[aco_id] = (*found.get(aco_id, ()), row)
        return found

    @cached_property
    def starts(self) -> np.ndarray:
        """Return the calendar year in which each agreement started."""
        return np.array([cells.year(text) for text in self.texts("start")])

    @property
    def paid(self) -> str:
        """Return the figure that says what was paid: the settlement, else savings as shared."""
        known = self.has("settlement_usd") or "shared_savings_usd" not in self.layout.columns
        return "settlement_usd" if known else "shared_savings_usd"

    @cached_property
    def settlement_usd(self) -> np.ndarray:
        """Return what each ACO was paid (plus) or owes (minus): in PY2013 in two columns.

        A blank cell is nothing; a suppressed one is not a number.
        """
        paid = self.amounts(self.paid)
        if not self.has("shared_losses_usd"):
            return paid
        return paid + np.nan_to_num(self.figures("shared_losses_usd"))

    @cached_property
    def options(self) -> tuple[str, ...]:
        """Return each row's option; empty where the file does not name exactly one."""
        if self.has("level"):
            return tuple(self.layout.levels.get(key(text), "") for text in self.texts("level"))
        tracks = self.layout.tracks
        flags = {option: self.figures(option) for option in tracks if self.has(option)}
        # PY2013 flags Track 2 only: the other of the two tracks of that year is Track 1.
        if set(flags) == {"TRACK2"}:
            flags["TRACK1"] = 1.0 - flags["TRACK2"]
        return tuple(
            _single([option for option, column in flags.items() if column[row] == 1.0])
            for row in range(len(self))
        )

    def option_fault(self, row: int) -> str:
        """Return why a row's option is not known."""
        if self.has("level"):
            return self.fault("level", row)
        flags = [option for option in self.layout.tracks if self.has(option)]
        found = [self.name(option) for option in flags if self.figures(option)[row] == 1.0]
        among = f"{self.name(flags[0])} to {self.name(flags[-1])}" if flags else "the tracks"
        return f"{', '.join(found) or 'none'} of {among} is 1; exactly one is needed"


def _single(found: Sequence[str]) -> str:
    return found[0] if len(found) == 1 else ""


def read(program: str, path: str | Path, year: int | None = None) -> Published:
    """Return a public-use file of results, whatever its vintage.

    Parameters
    ----------
    program : the program whose results the file holds
    path : the file, comma-separated
    year : performance year, if neither a column nor the file's name says it

    Raises
    ------
    ScenarioError
        If the file as a whole cannot be used: all that is wrong with it, one line each.
    """
    found = every_year(program, path, year)
    if len(found) > 1:
        name, years = found[0].name("year"), ", ".join(str(each.year) for each in found)
        raise ScenarioError(f"{Path(path)}: {name} holds {years}; one year is needed")
    return found[0]


def every_year(program: str, path: str | Path, year: int | None = None) -> tuple[Published, ...]:
    """Return a file by performance year: one, unless its program's files hold several together.

    A year that is said picks the rows of that year where a column gives a year a row.
    Raises ScenarioError if the file as a whole cannot be used.
    """
    if program not in LAYOUTS:
        allowed = ", ".join(LAYOUTS)
        raise ScenarioError(f"{program!r} has no public-use files that are read; {allowed} has")
    layout, file = LAYOUTS[program], Path(path)
    header, at, rows, lines = _table(file)
    columns = _columns(layout, f"{file}:{at}", header, rows)
    if layout.years == "several" and "year" in columns:
        by_year = _places_by_year(file, layout, columns["year"], year)
    else:
        by_year = {_year(layout, file, columns, year): list(range(len(rows)))}
    return tuple(
        Published(
            str(file),
            when,
            tuple(lines[row] for row in places),
            {field: column.only(places) for field, column in columns.items()},
            _undated(layout, columns, places)
            | _ragged(header, [rows[row] for row in places], [lines[row] for row in places]),
            layout,
        )
        for when, places in by_year.items()
    )


def _undated(
    layout: Layout, columns: Mapping[str, _Cells], places: Sequence[int]
) -> dict[int, str]:
    """Return the rows that do not say their year in a file that may hold several."""
    if layout.years == "one" or "year" not in columns:
        return {}
    column = columns["year"]
    return {
        row: f"{column.name} is {column.texts[place]!r}; {layout.columns['year'].needs}"
        for row, place in enumerate(places)
        if math.isnan(_in_a_column(layout, column.texts[place]))
    }


def _places_by_year(
    file: Path, layout: Layout, column: _Cells, said: int | None
) -> dict[int, list[int]]:
    """Return the rows of each year in the file's order.

    A row that says no year, such as a note, stands with those of the year above it. Raises
    ScenarioError where no row says one, or none the year that is asked for.
    """
    years = [_in_a_column(layout, text) for text in column.texts]
    known = [int(year) for year in years if not math.isnan(year)]
    if not known:
        text = column.texts[0]
        raise ScenarioError(f"{file}: {column.name} is {text!r} in a row; a year is needed")
    found: dict[int, list[int]] = {}
    above = known[0]
    for row, year in enumerate(years):
        above = above if math.isnan(year) else int(year)
        found.setdefault(above, []).append(row)
    if said is None:
        return found
    if said not in found:
        held = ", ".join(map(str, found))
        raise ScenarioError(f"{file}: {column.name} has no {said}; it holds {held}")
    return {said: found[said]}


def _ragged(
    header: Sequence[str], rows: Sequence[Sequence[str]], lines: Sequence[int]
) -> dict[int, str]:
    return {
        row: f"line {line} has {len(cut)} cells; the header has {len(header)}"
        for row, (line, cut) in enumerate(zip(lines, rows, strict=True))
        if len(cut) != len(header)
    }


def _table(file: Path) -> tuple[list[str], int, list[list[str]], tuple[int, ...]]:
    """Return the header and its line, the rows that hold anything, and where each ends."""
    numbered = list(csv_rows(file))
    if len(numbered) < 2:
        raise ScenarioError(f"{file}: holds no rows; a header and a row an ACO are needed")
    (at, header), *rows = numbered[_above(numbered) :]
    return header, at, [row for _, row in rows], tuple(line for line, _ in rows)


def _above(numbered: Sequence[tuple[int, Sequence[str]]]) -> int:
    """Return how many rows stand above the header: titles, which hold a cell or two."""
    titles = takewhile(lambda row: sum(map(bool, row[1])) <= _TITLE, numbered[:-2])
    return sum(1 for _ in titles)


def _columns(
    layout: Layout, at: str, header: Sequence[str], rows: Sequence[Sequence[str]]
) -> dict[str, _Cells]:
    """Return the columns that are known, by our own names. Raises ScenarioError for any lacking.

    Where two columns could serve, the name that stands first in the table decides.
    """
    names = _mended(layout, header, rows)
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        if field := layout.fields.get(key(name)):
            places.setdefault(field, []).append(place)
    if wrong := [*_lacking(layout, places, names), *_twice(places, names)]:
        raise ScenarioError([f"{at}: {message}" for message in wrong])
    chosen = {
        field: min(found, key=lambda place: layout.columns[field].keys.index(key(names[place])))
        for field, found in places.items()
    }
    return {
        field: _Cells(
            cells.one_line(names[place]),
            layout.columns[field].kind,
            tuple(row[place] if place < len(row) else "" for row in rows),
        )
        for field, place in chosen.items()
    }


def _lacking(layout: Layout, places: Mapping[str, object], names: Sequence[str]) -> Iterator[str]:
    """Yield a line for each column without which there are no results."""
    for field in layout.needed:
        if field not in places:
            known = layout.columns[field].names
            close = get_close_matches(known[0], names, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            yield f"has no column {' or '.join(known)}{hint}"
    if layout.tracks and "level" not in places and not places.keys() & layout.tracks.keys():
        yield "has no column Current_Track, nor one a track, such as Current_Track_1"


def _twice(places: Mapping[str, Sequence[int]], names: Sequence[str]) -> Iterator[str]:
    """Yield a line for each name that stands above two columns."""
    for found in places.values():
        first: dict[str, int] = {}
        for place in found:
            other = first.setdefault(key(names[place]), place)
            if other != place:
                where = f"columns {other + 1} and {place + 1}"
                yield f"has {names[place]} twice, in {where}; once is allowed"


def _mended(layout: Layout, header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the header with the name of total expenditures put in where it was left out.

    It was if what stands right of the benchmark, plus what stands right of that, is the
    benchmark: expenditures, then savings. The names after it, as far as they are known, belong
    one column further right.
    """
    fields = [layout.fields.get(key(name)) for name in header]
    if "expenditure_usd" in fields or "benchmark_usd" not in fields:
        return list(header)
    at = fields.index("benchmark_usd") + 1
    triples = [[cells.number(cell) for cell in row[at - 1 : at + 2]] for row in rows]
    whole = [triple for triple in triples if len(triple) == _TRIPLE and _finite(triple)]
    if not whole or not all(_adds_up(*triple) for triple in whole):
        return list(header)
    known = list(takewhile(lambda place: fields[place] is not None, range(at, len(header) - 1)))
    moved = {place + 1: header[place] for place in known}
    moved[at] = layout.columns["expenditure_usd"].names[-1]
    return [moved.get(place, name) for place, name in enumerate(header)]


def _finite(triple: Sequence[float]) -> bool:
    return all(math.isfinite(number) for number in triple)


def _adds_up(benchmark: float, expenditure: float, savings: float) -> bool:
    """Return whether three cells are a benchmark, what was spent, and the difference."""
    return not abs(benchmark - expenditure - savings) > _ROUNDING


def _in_a_column(layout: Layout, text: str) -> float:
    """Return the year that a cell says, counted from the program's first one or in full."""
    counted = _YEAR_COUNTED.fullmatch(text.strip())
    if counted and layout.first_year is not None:
        return float(layout.first_year + int(counted[1]) - 1)
    return cells.year(text)


def _year(layout: Layout, file: Path, columns: Mapping[str, _Cells], said: int | None) -> int:
    """Return the performance year: as said, else as in the column, else as in the name."""
    if said is not None:
        return said
    texts = columns["year"].texts if "year" in columns else ()
    found = sorted({int(year) for text in texts if not math.isnan(year := cells.year(text))})
    if len(found) > 1:
        years = ", ".join(map(str, found))
        raise ScenarioError(f"{file}: {columns['year'].name} holds {years}; one year is needed")
    if found:
        return found[0]
    counted = _YEAR_COUNTED.search(file.stem)
    if counted and layout.first_year is not None:
        return layout.first_year + int(counted[1]) - 1
    named = _YEAR_AFTER_PY.findall(file.stem) or _YEAR_IN_NAME.findall(file.stem)
    if not named:
        raise ScenarioError(
            f"{file}: no column and no file name says the year; say it (year=2022)"
        )
    if len(set(named)) > 1:
        raise ScenarioError(
            f"{file}: its name has {', '.join(named)}; say which is the year (year={named[0]})"
        )
    return int(named[0])
