"""Parquet files within bounds: what they hold is known before it is laid out in memory.

A parquet file keeps equal values once: a few kilobytes may be millions of rows, or of megabytes.
"""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from simulator.errors import ScenarioError

__all__ = ["bounded"]

_MOST_COLUMNS = 2_000


def bounded(file: Path, most_rows: int, most_bytes: int, most_cells: int) -> Any:
    """Return a parquet file's table, its columns plain.

    Raises ScenarioError for one with too many rows, cells or bytes, or with lists in its cells.
    """
    stored = pq.ParquetFile(file)
    held = stored.metadata
    groups = [held.row_group(at) for at in range(held.num_row_groups)]
    rows, columns = held.num_rows, held.num_columns
    _least(file, rows, most_rows, "rows")
    _least(file, columns, _MOST_COLUMNS, "columns")
    _least(file, rows * columns, most_cells, "cells")
    _least(file, sum(group.total_byte_size for group in groups), most_bytes, "bytes unpacked")
    schema = stored.schema_arrow
    for column in schema:
        if pa.types.is_nested(column.type):
            raise ScenarioError(
                f"{file}: column {column.name[:40]!r} holds {str(column.type)[:40]}; must hold"
                " text or numbers"
            )
    # Each text is kept once, until it is known how long all of them are.
    texts = [column.name for column in schema if _is_text(column.type)]
    table = pq.ParquetFile(file, read_dictionary=texts).read(use_threads=False)
    _least(file, sum(map(_unpacked, table.columns)), most_bytes, "bytes unpacked")
    return pa.table([_plain(column) for column in table.columns], names=table.column_names)


def _least(file: Path, found: int, most: int, what: str) -> None:
    if found > most:
        raise ScenarioError(
            f"{file}: holds {found:,} {what}; at most {most:,} are allowed (keep one row for each"
            " person or group of people, year and type, and the columns that are read)"
        )


def _is_text(kind: Any) -> bool:
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary)
    return any(test(kind) for test in tests)


def _unpacked(column: Any) -> int:
    """Return how many bytes a column takes when each cell is laid out."""
    total = 0
    for piece in column.chunks:
        if not pa.types.is_dictionary(piece.type):
            total += piece.nbytes
        elif pa.types.is_primitive(piece.type.value_type):
            total += 8 * len(piece)
        elif len(piece.dictionary):
            sizes = pc.binary_length(piece.dictionary).cast(pa.int64())
            total += pc.sum(pc.take(sizes, piece.indices)).as_py() or 0
    return total


def _plain(column: Any) -> Any:
    kind = column.type
    return column.cast(kind.value_type) if pa.types.is_dictionary(kind) else column
