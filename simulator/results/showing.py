"""What shows a run, its table, pictures, page and workbook: all in their place, or none."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simulator.results.holding import held
from simulator.results.sealing import record, shown

__all__ = ["showing"]

_ASIDE = ".shown."
_OLD_SECONDS = 3_600.0


@contextmanager
def showing(folder: Path) -> Iterator[Path]:
    """Give a folder aside to write in; then put its files in their place and record them.

    What ends before (a full disk, an interrupt) leaves the run as it was. An OSError names the
    file by its place. Raises ResultsError if another process holds the run.
    """
    _sweep(folder)
    aside, before = folder / f"{_ASIDE}{os.getpid()}", {*shown(folder)}
    try:
        aside.mkdir(exist_ok=True)
        yield aside
        with held(folder):
            record(folder, aside)
            for path in sorted(aside.iterdir()):
                path.replace(folder / path.name)
    except BaseException as error:
        for name in {*shown(folder)} - before:
            (folder / name).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:
            place = str(error.filename or folder).replace(f"{os.sep}{aside.name}", "")
            raise OSError(error.errno, error.strerror or str(error), place) from error
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Remove what killed processes left aside; what is young another may be writing."""
    for left in folder.glob(f"{_ASIDE}*"):
        if time.time() - left.stat().st_mtime > _OLD_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
