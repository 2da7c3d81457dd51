"""CSV files that a scenario names: where they may lie, and what each cell says, with its place."""

import csv
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from simulator.errors import ScenarioError
from simulator.loading import near
from simulator.population.cells import blank, number
from simulator.population.columns import key

__all__ = ["PUBLIC", "Row", "read"]

PUBLIC = "ACOSIM_PUBLIC_DATA"  # the folder of public-use files, beside the scenario's own
_LARGEST = 64 * 2**20


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
    file = _located(name, folder)
    numbered = list(_lines(file))
    if len(numbered) < 2:
        raise ScenarioError(f"{file}: holds no rows; a header and a row or more are needed")
    (line, header), *rows = numbered
    names = {key(title): title for title in header}
    lacking = [column for column in columns if key(column) not in names]
    if lacking:
        said = [f"has no column {c}{near(c, header)}" for c in lacking]
        raise ScenarioError([f"{file}:{line}: {text}" for text in said])
    return [
        Row(str(file), at, names, dict(zip(map(key, header), row, strict=False)))
        for at, row in rows
    ]


def _located(name: str, folder: Path) -> Path:
    """Return the file: in the scenario's folder tree, or in that of public-use files."""
    roots = [folder, *(Path(root) for root in [os.environ.get(PUBLIC)] if root)]
    for root in roots:
        file = root / name
        if file.resolve().is_relative_to(root.resolve()) and file.is_file():
            return file
    allowed = f"allowed is a file in the scenario's folder, or in {PUBLIC}"
    raise ScenarioError(f"{name!r} is not found; {allowed}")


def _lines(file: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that holds anything, with the line on which it ends."""
    try:
        if file.stat().st_size > _LARGEST:
            raise ScenarioError(f"{file}: is larger than {_LARGEST:,} bytes; allowed is less")
        reader = csv.reader(StringIO(_text(file.read_bytes()), newline=""))
        for row in reader:
            stripped = [cell.strip() for cell in row]
            if any(stripped):
                yield reader.line_num, stripped
    except OSError as error:
        raise ScenarioError(f"{file}: cannot be read: {error.strerror}") from error
    except csv.Error as error:
        raise ScenarioError(f"{file}: is no comma-separated text: {error}") from error


def _text(content: bytes) -> str:
    """Return a file's text: UTF-8, or as Excel on Windows writes it."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")
