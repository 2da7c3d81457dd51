"""Where the time of a run goes: laps by part, measured only while somebody listens."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["PARTS", "Laps", "lap", "listening"]

PARTS = ("start-up", "sampling", "settlement", "storing", "showing")


class Laps:
    """Seconds by part, added up over threads."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(PARTS, 0.0)
        self._lock = threading.Lock()

    def add(self, part: str, seconds: float) -> None:
        """Add a lap to a part."""
        with self._lock:
            self.seconds[part] += seconds


_listeners: list[Laps] = []
_thread = threading.local()


@contextmanager
def lap(part: str) -> Iterator[None]:
    """Count what happens here towards a part of the run; a lap inside another is the outer's."""
    if not _listeners or getattr(_thread, "inside", False):
        yield
        return
    _thread.inside, began = True, time.perf_counter()
    try:
        yield
    finally:
        _thread.inside = False
        for laps in _listeners:
            laps.add(part, time.perf_counter() - began)


@contextmanager
def listening() -> Iterator[Laps]:
    """Give the laps of what happens here, in this process.

    >>> with listening() as laps, lap("settlement"):
    ...     pass
    >>> laps.seconds["settlement"] > 0.0 == laps.seconds["storing"]
    True
    """
    laps = Laps()
    _listeners.append(laps)
    try:
        yield laps
    finally:
        _listeners.remove(laps)
