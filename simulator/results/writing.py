"""Files that are whole or not there: what a killed process leaves is never half a file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["is_aside", "write_bytes", "write_text"]


def write_text(path: Path, text: str) -> None:
    """Write a text so that it is whole or not there, on the disk when this returns."""
    with _aside(path) as file:
        file.write(text.encode("utf-8"))
        file.flush()
        os.fsync(file.fileno())


def write_bytes(path: Path, held: bytes) -> None:
    """Write a file so that it is whole or not there, however the process ends."""
    with _aside(path) as file:
        file.write(held)


@contextmanager
def _aside(path: Path) -> Iterator[BinaryIO]:
    """Give a file beside `path` that takes its place; an OSError names the place."""
    # Two threads, or two machines, may write the same block: each has a file of its own.
    aside = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    try:
        with aside.open("wb") as file:
            yield file
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error


def is_aside(path: Path) -> bool:
    """Return whether a file is what a killed process left of one that it was writing."""
    mark = path.name.rpartition(".")[2]
    return path.name.startswith(".") and len(mark) == 16 and set(mark) <= set("0123456789abcdef")
