"""One process at a time on a run's folder: a lock that dies with its process."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from simulator.errors import ResultsError

try:
    import fcntl
except ImportError:  # Windows has no such lock; there a second process is not refused.
    fcntl = None  # type: ignore[assignment]

__all__ = ["held", "is_held"]

_LOCK = ".lock"
# Who asks whether a run is held has the lock itself for a moment.
_MOMENT = 0.5


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a run's folder while it is written.

    Raises ResultsError if another process holds it, OSError where files cannot be locked.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("w", encoding="utf-8") as file:
        if fcntl is not None:
            _hold(file, folder)
        yield


def _hold(file: TextIO, folder: Path) -> None:
    last = time.monotonic() + _MOMENT
    while not _locked(file, fcntl.LOCK_EX):
        if time.monotonic() > last:
            raise ResultsError(f"{folder} is being written by another process; wait for it to end")
        time.sleep(_MOMENT / 25)


def _locked(file: TextIO, how: int) -> bool:
    """Return whether the lock was to be had. Raises OSError where there are no locks."""
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        why = (
            f"cannot be locked ({error.strerror}); name an --out on a file system that has flock, "
            "or mount this one with it (Lustre: -o flock; NFS: with its lock service)"
        )
        raise OSError(error.errno, why, file.name) from error
    return True


def is_held(folder: Path) -> bool:
    """Return whether a process writes a run's folder now."""
    path = folder / _LOCK
    if fcntl is None or not path.exists():
        return False
    with path.open(encoding="utf-8") as file:
        try:
            return not _locked(file, fcntl.LOCK_SH)
        except OSError:  # Where nothing can be locked, no run is written either.
            return False
