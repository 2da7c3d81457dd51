"""One process at a time on a run's folder: a lock that dies with its process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simulator.errors import ResultsError

try:
    import fcntl
except ImportError:  # Windows has no such lock; there a second process is not refused.
    fcntl = None  # type: ignore[assignment]

__all__ = ["held", "is_held"]

_LOCK = ".lock"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a run's folder while it is written.

    Raises ResultsError if another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("w", encoding="utf-8") as file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ResultsError(
                    f"{folder} is being written by another process; wait for it to end"
                ) from error
        yield


def is_held(folder: Path) -> bool:
    """Return whether a process writes a run's folder now."""
    path = folder / _LOCK
    if fcntl is None or not path.exists():
        return False
    with path.open(encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
