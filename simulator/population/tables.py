"""Tables that a scenario names, CSV or parquet: where they may lie, and what each cell says."""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulator.errors import ScenarioError
from simulator.loading import near
from simulator.population.cells import blank, number
from simulator.population.columns import key
from simulator.population.rows import csv_rows

__all__ = ["PUBLIC", "Row", "located", "read"]

PUBLIC = "ACOSIM_PUBLIC_DATA"  # the folder of public-use files, beside the scenario's own
_LARGEST = 16 * 2**20
_MOST_ROWS = 500_000
_MOST_COLUMNS = 2_000
_MOST_CELLS = 4_000_000  # of a parquet file: a county table of ten years has a million
_UNPACKED = 2**26
_SEPARATORS = (";", "\t", "|")


@dataclass(frozen=True)
class Row:
    """A row of a file: where it stands, and the text in each column, by the column's key."""

    file: str
    line: int
    names: Mapping[str, str]
    texts: Mapping[str, str]

    def mistake(self, column: str, text: str) -> str:
        """Return a mistake: file, line, column, what was found and what is allowed."""
        name = self.names.get(key(column), column)
        return f"{self.file}:{self.line}: {name}: {text}"

    def text(self, column: str) -> str:
        """Return what stands in a column; empty if the row ends before it."""
        return self.texts.get(key(column), "")

    def number(self, column: str) -> float:
        """Return a column's figure; not a number where it is blank or suppressed.

        Raises ScenarioError for anything else that is no number of 0 or more.
        """
        text = self.text(column)
        figure = number(text)
        if blank(text) or text.startswith("*"):
            return math.nan
        if not figure >= 0.0:
            raise ScenarioError(
                self.mistake(column, f"is {text[:40]!r}; must be a number, 0 or more")
            )
        return figure


def read(name: str, folder: Path, columns: Sequence[str]) -> list[Row]:
    """Return the rows of a file that a scenario names, which must have the given columns.

    Parameters
    ----------
    name : relative to the scenario's folder, or to the folder of public-use files
    folder : the scenario's
    columns : names, compared without case, spaces and signs
    """
    file = located(name, folder)
    numbered = (
        _rows_of_parquet(file) if file.suffix == ".parquet" else list(csv_rows(file, _LARGEST))
    )
    if len(numbered) < 2:
        raise ScenarioError(f"{file}: holds no rows; a header and a row or more are needed")
    (line, header), *rows = numbered
    mistakes = [f"{file}:{line}: {text}" for text in _heading(header, columns)]
    mistakes += [f"{file}:{at}: {text}" for at, row in rows for text in _ragged(row, header)]
    if mistakes:
        raise ScenarioError(mistakes)
    names = {key(title): title for title in header}
    return [
        Row(str(file), at, names, dict(zip(map(key, header), row, strict=False)))
        for at, row in rows
    ]


def _heading(header: Sequence[str], columns: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with the names of columns."""
    if len(header) > _MOST_COLUMNS:
        yield f"has {len(header):,} columns; at most {_MOST_COLUMNS:,} are read"
        return
    names = [key(title) for title in header]
    known = [c for c in columns if key(c) in names]
    parted = next((sign for sign in _SEPARATORS if sign in header[0]), "")
    if not known and parted:
        yield f"is parted by {parted!r}; must be parted by commas"
        return
    for column in columns:
        if names.count(key(column)) > 1:
            yield f"has {names.count(key(column))} columns {column}; one is allowed"
        elif column not in known:
            yield f"has no column {column}{near(column, header)}"


def _ragged(row: Sequence[str], header: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with a row that is longer than its header."""
    if any(row[len(header) :]):
        yield (
            f"has {len(row)} cells and the header {len(header)}; must be as many (a number with"
            " commas goes in quotes)"
        )


def located(name: str, folder: Path) -> Path:
    """Return a file that a scenario names: in the scenario's folder tree, or in public data.

    Raises ScenarioError for one that is not there, or that a ``..`` or a link leads out.
    """
    roots = [folder, *(Path(root) for root in [os.environ.get(PUBLIC)] if root)]
    for root in roots if "\0" not in name else ():
        file = root / name
        try:
            if file.resolve().is_relative_to(root.resolve()) and file.is_file():
                return file
        except (OSError, RuntimeError):  # RuntimeError: links that lead in a circle
            continue
    allowed = f"allowed is a file in the scenario's folder, or in {PUBLIC}"
    what = "is an address of the network" if "://" in name else "is not found"
    raise ScenarioError(f"{name[:200]!r} {what}; {allowed}")


def _rows_of_parquet(file: Path) -> list[tuple[int, list[str]]]:
    """Return a parquet file's rows as text, its header first, numbered as in a CSV file."""
    # Imported here, for it takes a fifth of a second and most scenarios name no such file.
    import pyarrow as pa  # noqa: PLC0415

    from simulator.population.parquet import bounded  # noqa: PLC0415

    try:
        table = bounded(file, _MOST_ROWS, _UNPACKED, _MOST_CELLS)
        columns = [[_cell(value) for value in column.to_pylist()] for column in table.columns]
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ScenarioError(
            f"{file}: cannot be read as parquet; must be a parquet file"
        ) from error
    rows = [list(row) for row in zip(*columns, strict=True)]
    return list(enumerate([[str(name) for name in table.column_names], *rows], 1))


def _cell(value: object) -> str:
    return "" if value is None else str(value).strip()
