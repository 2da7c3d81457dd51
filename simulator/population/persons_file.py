"""A file of beneficiaries, opened: columns checked, cells turned into arrays, nobody quoted.

What stands in such a file is about persons. No message quotes a cell of it, and nothing of it but
sums over eleven persons or more leaves this module's callers.
"""

from codecs import getincrementaldecoder
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from simulator.errors import ScenarioError
from simulator.loading import Mistake, Place, near
from simulator.population.columns import key
from simulator.population.data_quality import Given
from simulator.population.identifiers import named, patterns, spelt
from simulator.population.parquet import bounded
from simulator.population.segment_tables import TYPES

__all__ = ["KINDS", "Persons", "opened"]

KINDS = tuple(dict.fromkeys(TYPES.values()))
_NEEDED = ("row_key", "year", "enrollment_type", "months", "paid_usd", "risk_score", "tin_group")
_MORE = ("died",)
_NO_HEADER = f"has no header; must name its columns, {', '.join(_NEEDED)} among them"
# An ACO of 300,000 people over four years, a third of them in two types, has 1.6 million rows.
_MOST_ROWS = 2_000_000
_MOST_COLUMNS = 2_000
_LARGEST = 2**28
_BLOCK = 2**24
_YEARS = (2008.0, 2060.0)
_MOST_PAID = 1e8
_NUMBER = r"^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,2})?$"
_DIED = {"": 0.0, "0": 0.0, "1": 1.0, "false": 0.0, "true": 1.0, "no": 0.0, "yes": 1.0}


class Persons(NamedTuple):
    """One row a person, year and enrolment type; `kind` and `group` are places in lists."""

    person: np.ndarray
    year: np.ndarray
    kind: np.ndarray
    months: np.ndarray
    paid_usd: np.ndarray
    risk_score: np.ndarray
    group: np.ndarray
    died: np.ndarray
    groups: tuple[str, ...]


class _Table(NamedTuple):
    """Columns by key, trimmed text or numbers as stored, and the line of each row."""

    names: Mapping[str, str]
    columns: Mapping[str, Any]
    lines: np.ndarray


def opened(file: Path, given: Given) -> Persons | None:
    """Return the persons of a file, or none with every mistake in it noted.

    Raises ScenarioError for a file that is no table at all.
    """
    table = _table(file)
    given.rows = len(table.lines)
    if not _headed(table, given):
        return None
    for column in table.columns:
        _identifying(table, column, given)
    if given.mistakes:
        return None
    found = {column: _numbers(table, column, given) for column in _RANGES}
    kinds = [TYPES.get(key(word), "") for word in _words(table, "enrollmenttype")[0]]
    kind = np.array([KINDS.index(k) if k else -1 for k in kinds])[
        _words(table, "enrollmenttype")[1]
    ]
    _note(table, given, "enrollmenttype", kind < 0, "ESRD, DIS, AGDU, AGND or HN")
    keys, person = _words(table, "rowkey")
    empty = np.array([not word for word in keys], dtype=bool)
    _note(table, given, "rowkey", empty[person], "an opaque key, the same in every year")
    groups, group = _words(table, "tingroup")
    return Persons(
        person,
        found["year"],
        kind,
        found["months"],
        found["paidusd"],
        found["riskscore"],
        group,
        _died(table, given),
        tuple(groups),
    )


_RANGES: Mapping[str, tuple[float, float, bool, str]] = {
    "year": (*_YEARS, True, "a calendar year, 2008 to 2060"),
    "months": (1.0, 12.0, True, "a whole number, 1 to 12"),
    "paidusd": (-_MOST_PAID, _MOST_PAID, False, "dollars, such as 1234.56"),
    "riskscore": (0.0, 40.0, False, "a risk score above 0"),
}


def _table(file: Path) -> _Table:
    if file.stat().st_size > _LARGEST:
        raise ScenarioError(
            f"{file}: has {file.stat().st_size:,} bytes; at most {_LARGEST:,} are allowed (keep"
            " the columns that are read only)"
        )
    # What pyarrow says of a broken file may quote it.
    try:
        return _parquet(file) if file.suffix == ".parquet" else _csv(file)
    except (pa.ArrowException, OSError, ValueError):
        kind = "parquet" if file.suffix == ".parquet" else "comma-separated UTF-8 text"
    raise ScenarioError(
        f"{file}: cannot be read; must be {kind} with a row for each person and year"
    )


def _parquet(file: Path) -> _Table:
    table = bounded(file, _MOST_ROWS, _LARGEST, 12 * _MOST_ROWS)
    _refuse_alike(file, table.column_names)
    return _Table(*_keyed(table), np.arange(table.num_rows) + 2)


def _csv(file: Path) -> _Table:
    _refuse_bytes(file)
    wrong: list[tuple[int, bool]] = []

    def skip(row: Any) -> str:
        wrong.append((row.number, not row.text.strip()))
        return "skip"

    with file.open("rb") as opened_file:
        first = opened_file.readline(_BLOCK).decode("utf-8-sig").rstrip("\r\n")
    names = [name.strip().strip('"') for name in first.split(",")]
    _refuse_alike(file, names)
    table = pacsv.read_csv(
        file,
        read_options=pacsv.ReadOptions(
            use_threads=False, block_size=_BLOCK, column_names=names, skip_rows=1
        ),
        parse_options=pacsv.ParseOptions(invalid_row_handler=skip, ignore_empty_lines=False),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    )
    ragged = [number for number, blank in wrong if not blank]
    if ragged:
        raise ScenarioError(
            f"{file}:{ragged[0]}: has not as many cells as the header ({len(ragged):,} such rows);"
            f" must have {len(names)}"
        )
    whole = np.arange(2, table.num_rows + len(wrong) + 2)
    lines = np.setdiff1d(whole, [number for number, _ in wrong])
    names_by_key, columns = _keyed(table)
    blank = np.ones(len(lines), dtype=bool)
    for column in columns.values():
        blank &= pc.equal(column, "").to_numpy(zero_copy_only=False)
    kept = {name: column.filter(pa.array(~blank)) for name, column in columns.items()}
    return _Table(names_by_key, kept, lines[~blank])


def _refuse_alike(file: Path, names: Sequence[str]) -> None:
    """Raise for columns that read alike, without case, spaces and signs: one would be lost."""
    if len(names) > _MOST_COLUMNS:
        raise ScenarioError(
            f"{file}:1: has {len(names):,} columns; at most {_MOST_COLUMNS:,} are allowed"
        )
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(key(name), []).append(name)
    texts = [
        f"{file}:1: has columns that read alike, {_titles(same)}; one of them is allowed (names"
        " are compared without case, spaces and signs)"
        for same in alike.values()
        if len(same) > 1
    ]
    if texts and 2 * sum(key(column) in alike for column in _NEEDED) < len(_NEEDED):
        raise ScenarioError(f"{file}:1: {_NO_HEADER}")
    if texts:
        raise ScenarioError(texts[:20])


def _titles(same: Sequence[str]) -> str:
    return " and ".join(repr(name[:40]) for name in same[:5])


def _refuse_bytes(file: Path) -> None:
    """Raise for a file that is not UTF-8 text, with the line: pyarrow would print the row."""
    decoder, line = getincrementaldecoder("utf-8")(), 1
    with file.open("rb") as opened_file:
        while piece := opened_file.read(_BLOCK):
            try:
                decoder.decode(piece)
            except UnicodeDecodeError as error:
                line += piece.count(b"\n", 0, error.start)
                raise ScenarioError(f"{file}:{line}: is not UTF-8 text; must be") from None
            line += piece.count(b"\n")
            if line > _MOST_ROWS + 1:
                raise ScenarioError(
                    f"{file}:{line}: holds more than {_MOST_ROWS:,} rows; at most so many are"
                    " allowed (keep one row for each person, year and type)"
                )


def _keyed(table: Any) -> tuple[dict[str, str], dict[str, Any]]:
    names = {key(str(name)): str(name) for name in table.column_names}
    return names, {key(str(n)): _plain(table.column(n)) for n in table.column_names}


def _plain(column: Any) -> Any:
    """Return a column of numbers as it is stored, any other one as trimmed text."""
    column = column.combine_chunks()
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return column
    return pc.fill_null(pc.utf8_trim_whitespace(column.cast(pa.string())), "")


def _headed(table: _Table, given: Given) -> bool:
    """Note columns that lack, identify people, or are not read; return if there is a header."""
    line = Place(given.file, 1)
    titles = list(table.names.values())
    lacking = [column for column in _NEEDED if key(column) not in table.names]
    if 2 * len(lacking) > len(_NEEDED):
        # A file without a header begins with a person: not a cell of it is quoted.
        given.mistakes.append(Mistake(line, "", _NO_HEADER))
        return False
    for column in lacking:
        text = f"has no column {column}{near(column, titles[:500])}"
        given.mistakes.append(Mistake(line, "", text))
    for title in titles:
        if named(title):
            text = f"has a column that identifies people, {title[:40]!r}; must be left out"
            given.mistakes.append(Mistake(line, "", text))
    known = {key(column) for column in (*_NEEDED, *_MORE)}
    unread = [title[:40] for name, title in table.names.items() if name not in known]
    if unread:
        given.note("columns not read", ", ".join(map(repr, unread[:20])), holds=False)
    return True


def _identifying(table: _Table, column: str, given: Given) -> None:
    """Note a column whose values look like identifiers."""
    values = table.columns[column]
    if not pa.types.is_string(values.type) and column in _RANGES:
        return
    distinct = pc.unique(values)
    if column in _RANGES:
        distinct = distinct.filter(pc.invert(pc.match_substring_regex(distinct, _NUMBER)))
    distinct = spelt(distinct)
    for what, shape in patterns(column).items():
        if pc.any(pc.match_substring_regex(distinct, shape)).as_py():
            text = f"holds what look like {what}; must be left out, or made opaque"
            given.mistakes.append(Mistake(Place(given.file), table.names[column], text))


def _numbers(table: _Table, column: str, given: Given) -> np.ndarray:
    """Return a column of numbers; rows where it is none, or out of its range, are noted."""
    values = table.columns[column]
    if pa.types.is_string(values.type):
        right = pc.match_substring_regex(values, _NUMBER)
        values = pc.if_else(right, values, None)
    figures = values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    low, high, whole, allowed = _RANGES[column]
    wrong = ~((figures >= low) & (figures <= high))
    wrong |= (figures != np.rint(figures)) if whole else (figures <= low)
    _note(table, given, column, wrong, allowed)
    return figures


def _words(table: _Table, column: str) -> tuple[list[str], np.ndarray]:
    """Return the distinct words of a column, and which one each row has."""
    values = table.columns[column]
    text = values if pa.types.is_string(values.type) else values.cast(pa.string())
    coded = pc.dictionary_encode(pc.fill_null(text, ""))
    return coded.dictionary.to_pylist(), coded.indices.to_numpy(zero_copy_only=False)


def _died(table: _Table, given: Given) -> np.ndarray:
    """Return who died in the year; nobody where the file does not say."""
    if "died" not in table.columns:
        return np.zeros(len(table.lines))
    words, place = _words(table, "died")
    flags = np.array([_DIED.get(word.casefold().removesuffix(".0"), np.nan) for word in words])
    died = flags[place] if len(flags) else np.zeros(0)
    _note(table, given, "died", np.isnan(died), "0 or 1")
    return died


def _note(table: _Table, given: Given, column: str, wrong: np.ndarray, allowed: str) -> None:
    """Note rows with a wrong cell: how many and the first, never what it holds."""
    if wrong.any():
        line = int(table.lines[int(np.argmax(wrong))])
        text = f"is wrong in {int(wrong.sum()):,} rows, this one first; must be {allowed}"
        given.mistakes.append(Mistake(Place(given.file, line), table.names[column], text))
