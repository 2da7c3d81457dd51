"""Segment tables: an ACO's years by enrolment type, as CMS's reports of spending print them."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from simulator.loading import Keys, Mistake, Place, near
from simulator.population.cells import blank, number
from simulator.population.columns import key
from simulator.population.data_quality import Asked, Control, Given, cells, compared
from simulator.population.identifiers import named
from simulator.population.suppression import SUPPRESSED, betrays, small
from simulator.population.tables import Row, read

__all__ = ["TYPES", "period_year", "segment_table"]

TYPES: Mapping[str, str] = {
    key(word): segment
    for segment, words in {
        "esrd": ("ESRD",),
        "disabled": ("DIS", "Disabled"),
        "aged_dual": ("AGDU", "Aged/Dual", "Aged Dual"),
        "aged_nondual": ("AGND", "Aged/Non-Dual", "Aged Non-Dual"),
        "high_needs": ("HN", "High Needs"),
    }.items()
    for word in words
}
"""The segment of each word for an enrolment type, as `columns.key` compares words."""

_TOTALS = {"total", "all", "totals", "alltypes"}
_WORDS = "ESRD, DIS, AGDU, AGND, HN (or TOTAL for control totals)"
_NEEDED = ("aco_id", "period", "enrollment_type", "person_years", "pbpy_usd", "risk_score")
_MORE = (
    "cv",
    "truncation_usd",
    "regional_pbpy_usd",
    "regional_risk",
    "completion_factor",
    "total_usd",
    "demographic_score",
    "assigned_share",
    "churn_share",
    "growth_share",
)
_BY_YEAR = ("risk_score", "demographic_score", "assigned_share")
_PERIOD = re.compile(r"(?P<kind>BY|PY|CY)? ?(?P<number>\d{1,2}|20\d\d)?", re.IGNORECASE)
_BASE_YEARS = 3
_DECIMAL_COMMA = re.compile(r"-?\d+,\d{1,2}|-?\d+,\d{4,}")


class _Line(NamedTuple):
    """One row of the table, understood: whose year of which type, and its figures."""

    row: Row
    year: int
    segment: str
    figures: Mapping[str, float]

    @property
    def place(self) -> Place:
        """Return where the row stands."""
        return Place(self.row.file, self.row.line)

    @property
    def completed_ppy(self) -> float:
        """Return per capita expenditure, completed."""
        return self.figures["pbpy_usd"] * self.figures.get("completion_factor", 1.0)


def period_year(text: str, start: int, first: int) -> int | None:
    """Return the calendar year of a period; none if it is no period.

    ``BY1`` to ``BY3`` are the three years before the agreement starts, ``PY1`` its first year,
    ``PY`` the scenario's first performance year; ``2022`` and ``PY2022`` are themselves.

    >>> [period_year(text, 2019, 2022) for text in ("BY1", "by3", "PY4", "PY", "PY2022", "Q1")]
    [2016, 2018, 2022, 2022, 2022, None]
    """
    found = _PERIOD.fullmatch(text.strip())
    kind, digits = (found["kind"] or "", found["number"]) if found else ("", None)
    number = int(digits or 0)
    if number > 99 or (kind.upper() == "PY" and not digits):
        return number or first
    if kind.upper() == "BY" and 1 <= number <= _BASE_YEARS:
        return start - _BASE_YEARS - 1 + number
    return start - 1 + number if kind.upper() == "PY" and number >= 1 else None


def segment_table(name: str, folder: Path, asked: Asked) -> Given:
    """Return what a segment table gives of one ACO, checked cell by cell.

    Raises ScenarioError for a file that cannot be read as a table.
    """
    rows = read(name, folder, _NEEDED)
    given = Given(rows[0].file if rows else name)
    refused = [title for title in rows[0].names.values() if named(title)] if rows else []
    if refused:
        text = f"{', '.join(refused)} look like what identifies people; must be left out"
        given.mistakes.append(Mistake(Place(given.file, 1), "", text))
        return given
    own = [row for row in rows if row.text("aco_id").casefold() == asked.aco_id.casefold()]
    given.rows = len(own)
    if not own:
        ids = list(dict.fromkeys(row.text("aco_id") for row in rows))
        text = f"has no row of {asked.aco_id!r}; it has {_few(ids)}{near(asked.aco_id, ids[:500])}"
        given.mistakes.append(Mistake(Place(given.file), "aco_id", text))
    lines = [line for row in own if (line := _line(row, asked, given)) is not None]
    kinds = [line for line in lines if line.segment != "total"]
    _twice(lines, given)
    for line in kinds:
        _put(line, asked, given)
    _control(lines, kinds, given)
    _judge(rows[0] if rows else None, kinds, given)
    return given


def _few(words: Sequence[str]) -> str:
    shown = ", ".join(repr(word[:40]) for word in words[:8])
    return f"{shown} and {len(words) - 8} more" if len(words) > 8 else shown


def _line(row: Row, asked: Asked, given: Given) -> _Line | None:
    """Return a row understood, or none with its mistakes noted."""
    before = len(given.mistakes)
    year = period_year(row.text("period"), asked.start, asked.first)
    segment = _segment(row)
    if year is None:
        allowed = "must be BY1 to BY3, PY1 and on, or a calendar year"
        _wrong(given, row, "period", f"is {row.text('period')[:40]!r}; {allowed}")
    if not segment:
        _wrong(
            given,
            row,
            "enrollment_type",
            f"is {row.text('enrollment_type')[:40]!r}; must be one of {_WORDS}",
        )
    figures = dict(_figures(row, given))
    if year is None or len(given.mistakes) > before:
        return None
    return _Line(row, year, segment, figures)


def _segment(row: Row) -> str:
    word = key(row.text("enrollment_type"))
    return "total" if word in _TOTALS else TYPES.get(word, "")


def _wrong(given: Given, row: Row, column: str, text: str) -> None:
    given.mistakes.append(
        Mistake(Place(row.file, row.line), row.names.get(key(column), column), text)
    )


def _figures(row: Row, given: Given) -> Iterator[tuple[str, float]]:
    """Yield the figures of a row; what is needed and is none is noted."""
    people = number(row.text("person_years"))
    for column in (*_NEEDED[3:], *(c for c in _MORE if key(c) in row.names)):
        text = row.text(column)
        if blank(text):
            spared = people == 0.0 or column in _MORE or _segment(row) == "total"
            if not (spared and column != "person_years"):
                _wrong(given, row, column, "is empty; must be a number")
            continue
        figure = number(text)
        if text.startswith("*"):
            said = (
                "is suppressed; must be a number (leave the row out, or type it in the scenario)"
            )
            _wrong(given, row, column, said)
        elif not math.isfinite(figure) or "%" in text:
            _wrong(given, row, column, f"is {text[:40]!r}; must be a number{_written(text)}")
        elif figure < 0.0 and column != "growth_share":
            _wrong(given, row, column, f"is {figure:g}; must be at least 0")
        else:
            yield column, figure


def _written(text: str) -> str:
    if text.endswith("%") and math.isfinite(number(text)):
        return f" ({text[:20]} is written {number(text) / 100.0:g})"
    if _DECIMAL_COMMA.fullmatch(text):
        return f" (written {text.replace(',', '.')})"
    return ""


def _twice(lines: Sequence[_Line], given: Given) -> None:
    """Note rows that stand for the same type and year."""
    first: dict[tuple[int, str], int] = {}
    for line in lines:
        earlier = first.setdefault((line.year, line.segment), line.row.line)
        if earlier != line.row.line:
            what = line.row.text("enrollment_type")
            text = f"is {what} of {line.year} again, first in line {earlier}; once is allowed"
            _wrong(given, line.row, "enrollment_type", text)


def _put(line: _Line, asked: Asked, given: Given) -> None:
    """Put a row's figures where a scenario has them; nobody's year gives person-years alone."""
    figures, year, kind = line.figures, line.year, line.segment
    own: Keys = ("population", asked.aco, "segments", kind)
    given.put((*own, "person_years", year), figures["person_years"], line.place)
    if figures["person_years"] == 0.0:
        return
    given.put((*own, "expenditure_ppy", year), line.completed_ppy, line.place)
    if "regional_pbpy_usd" in figures:
        level = figures["regional_pbpy_usd"] / (figures.get("regional_risk") or 1.0)
        given.put((*own, "regional_ppy", year), level, line.place)
    places: dict[str, Keys] = {
        **{name: (*own, name, year) for name in _BY_YEAR},
        **{name: (*own, name) for name in ("churn_share", "growth_share")},
        "truncation_usd": ("market", "truncation_usd", kind, year),
        "cv": ("experience", "severity", "cv", kind),
    }
    if kind == "high_needs":
        given.put((*own, "high_needs"), True, line.place)
        places = {name: keys for name, keys in places.items() if keys[0] == "population"}
    for name, keys in places.items():
        if name in figures:
            given.put(keys, figures[name], line.place)


def _control(lines: Sequence[_Line], kinds: Sequence[_Line], given: Given) -> None:
    """Check the rows against the totals that the file itself gives, and keep its cells."""
    for line in kinds:
        if "total_usd" in line.figures:
            made = line.figures["person_years"] * line.figures["pbpy_usd"]
            what = f"{line.row.text('enrollment_type')} {line.year}, person-years x per capita"
            hide = small(line.figures["person_years"])
            _against(given, line, what, (made, line.figures["total_usd"]), hide=hide)
    for total in (line for line in lines if line.segment == "total"):
        same = [line for line in kinds if line.year == total.year and line.segment != "high_needs"]
        people = sum(line.figures["person_years"] for line in same)
        spent = sum(
            line.figures["person_years"] * line.figures.get("pbpy_usd", 0.0) for line in same
        )
        hide = betrays([line.figures["person_years"] for line in same])
        pairs = {"person-years": (people, total.figures["person_years"])}
        if "pbpy_usd" in total.figures:
            pairs["dollars"] = spent, total.figures["person_years"] * total.figures["pbpy_usd"]
        for what, pair in pairs.items():
            _against(given, total, f"{total.year}, {what} of all types", pair, hide=hide)
    controls = [
        Control(
            line.segment,
            str(line.year),
            math.nan,
            line.figures["person_years"],
            line.figures.get("pbpy_usd", 0.0),
        )
        for line in kinds
    ]
    given.cells += cells(given.file, controls, counted=False)


def _against(
    given: Given, line: _Line, what: str, pair: tuple[float, float], *, hide: bool
) -> None:
    """Note a sum against its control total; one that is off by more than 0.1% is a mistake.

    hide : whether the sum is, or gives away, a count of 1 to 10 people
    """
    words, holds = compared(*pair)
    words = SUPPRESSED if hide else words
    if holds:
        given.note(what, words)
    else:
        _wrong(given, line.row, "", f"{what}: {words}; must be within 0.1%")


def _judge(example: Row | None, kinds: Sequence[_Line], given: Given) -> None:
    """Note gaps, averages over the threshold, and columns that are not read."""
    for line in kinds:
        cap = line.figures.get("truncation_usd")
        if cap is not None and line.figures.get("pbpy_usd", 0.0) > cap:
            text = f"is over truncation_usd, {cap:,.2f}; a truncated average lies below"
            _wrong(given, line.row, "pbpy_usd", text)
    years = sorted({line.year for line in kinds})
    for segment in dict.fromkeys(line.segment for line in kinds):
        held = {line.year for line in kinds if line.segment == segment}
        lacks = [str(year) for year in years if year not in held]
        if lacks:
            given.note(f"years of {segment}", f"lacks {', '.join(lacks)}", holds=False)
    given.note("rows", f"{given.rows} of this ACO, years {_span(years)}")
    known = {key(column) for column in (*_NEEDED, *_MORE)}
    unread = [t for k, t in (example.names if example else {}).items() if k not in known]
    if unread:
        given.note("columns not read", _few(unread), holds=False)


def _span(years: Sequence[int]) -> str:
    return ", ".join(map(str, years)) or "none"
