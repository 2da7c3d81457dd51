"""Which blocks of a run are committed: one line each, written after the block itself."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, TypeAlias

from simulator.results.store import Block, Sums
from simulator.results.writing import write_text

__all__ = ["MANIFEST", "Entries", "Entry", "append", "entries", "rewrite"]

MANIFEST = "manifest.jsonl"


class Entry(NamedTuple):
    """A committed block and the sha256 of its values."""

    block: Block
    sums: Sums


Entries: TypeAlias = dict[tuple[int, int], Entry]


def entries(folder: Path) -> Entries:
    """Return the committed blocks by (case, number); a line cut short was never committed."""
    path = folder / MANIFEST
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    found = [_entry(line) for line in text.splitlines(keepends=True)]
    return {(e.block.case, e.block.number): e for e in found if e is not None}


def append(folder: Path, entry: Entry) -> None:
    """Commit a block: its line is on the disk when this returns."""
    with (folder / MANIFEST).open("a", encoding="utf-8", newline="\n") as file:
        file.write(_line(entry))
        file.flush()
        os.fsync(file.fileno())


def rewrite(folder: Path, kept: Iterable[Entry]) -> None:
    """Replace the manifest by these entries."""
    write_text(folder / MANIFEST, "".join(map(_line, kept)))


def _line(entry: Entry) -> str:
    return json.dumps({**entry.block._asdict(), **entry.sums._asdict()}) + "\n"


def _entry(line: str) -> Entry | None:
    """Return a line's entry, or None if the line is torn."""
    try:
        held = json.loads(line)
        block = Block(*(int(held[name]) for name in Block._fields))
        sums = Sums(str(held["sha256"]), tuple(map(str, held["lines"])))
        return Entry(block, sums) if line.endswith("\n") and _is_some(block) else None
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def _is_some(block: Block) -> bool:
    return min(block.case, block.number, block.first) >= 0 < block.trials
