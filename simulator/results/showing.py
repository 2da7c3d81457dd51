"""What shows a run, its table, pictures, page and workbook: all in their place, or none."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simulator.errors import ResultsError
from simulator.results.holding import held
from simulator.results.sealing import READY, facts, pending, record, shown

__all__ = ["showing"]

_ASIDE = ".shown."
_OLD_SECONDS = 3_600.0


@contextmanager
def showing(folder: Path) -> Iterator[Path]:
    """Give a folder aside to write in; then put its files in their place and record them.

    What ends before (a full disk, an interrupt) leaves the run as it was; who is killed while the
    files go to their places leaves them ready, and the next one puts them there. An OSError names
    the file by its place. Raises ResultsError if another process holds the run.
    """
    _sweep(folder)
    aside, before = folder / f"{_ASIDE}{os.getpid()}", {*shown(folder)}
    try:
        aside.mkdir(exist_ok=True)
        yield aside
        with held(folder):
            _put(folder)
            aside.replace(folder / READY)
            record(folder, folder / READY)
            _put(folder)
    except BaseException as error:
        for name in {*shown(folder)} - before - _entered(folder):
            (folder / name).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:
            place = str(error.filename or folder).replace(f"{os.sep}{aside.name}", "")
            raise OSError(error.errno, error.strerror or str(error), place) from error
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _put(folder: Path) -> None:
    """Put what is ready and entered in `run.json` in its place; what is not entered goes."""
    for name in pending(folder):
        (folder / READY / name).replace(folder / name)
    if (folder / READY).is_symlink():
        (folder / READY).unlink()
    elif (folder / READY).exists():
        shutil.rmtree(folder / READY)


def _entered(folder: Path) -> set[str]:
    try:
        known = facts(folder).get("shown")
    except ResultsError:
        return set()
    return {*known} if isinstance(known, dict) else set()


def _sweep(folder: Path) -> None:
    """Remove what killed processes left aside; what is young another may be writing."""
    for left in folder.glob(f"{_ASIDE}[0-9]*"):
        if time.time() - left.stat().st_mtime > _OLD_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
