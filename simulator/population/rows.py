"""Rows of CSV files, however they are stored: every file of a scenario or of CMS is read here."""

import csv
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from simulator.errors import ScenarioError

__all__ = ["csv_rows"]

_LARGEST = 64 * 2**20
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def csv_rows(file: Path, largest: int = _LARGEST) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that holds anything, its cells stripped, with the line on which it ends.

    Raises ScenarioError for a file that cannot be read, is no comma-separated text, or is larger
    than `largest` bytes.
    """
    try:
        if file.stat().st_size > largest:
            raise ScenarioError(f"{file}: is larger than {largest:,} bytes; allowed is less")
        reader = csv.reader(StringIO(_text(file.read_bytes()), newline=""))
        for row in reader:
            stripped = [cell.strip() for cell in row]
            if any(stripped):
                yield reader.line_num, stripped
    except OSError as error:
        raise ScenarioError(f"{file}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ScenarioError(f"{file}: is no comma-separated text: {error}") from error


def _text(content: bytes) -> str:
    """Return a file's text: UTF-8, or as Excel writes it."""
    if content.startswith(_UTF16):
        return content.decode("utf-16")
    if b"\0" in content:
        raise csv.Error("it holds null bytes; save it as CSV (UTF-8)")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")
