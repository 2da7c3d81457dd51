"""How a verb ends: foreseen errors are lines on stderr and an exit code, never a traceback."""

import os
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import ParamSpec

import typer

from simulator.errors import SimulatorError

__all__ = ["CODES", "aside", "guarded", "interruptible"]

CODES = {"AddressError": 2, "PartlyDoneError": 4, "ClusterError": 6, "ResultsError": 7}
_USERS_FILE, _DISK = 3, 5

_asides: set[str] = set()

P = ParamSpec("P")


def guarded(verb: Callable[P, None]) -> Callable[P, None]:
    """Return a verb that ends with a message and its exit code where an error was foreseen."""

    @wraps(verb)
    def ended(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            verb(*args, **kwargs)
        except BrokenPipeError:
            raise
        except SimulatorError as error:
            raise _stop(str(error), CODES.get(type(error).__name__, _USERS_FILE)) from error
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise _stop(f"{where}{error.strerror or error}", _DISK) from error

    return ended


def _stop(message: str, code: int) -> typer.Exit:
    if message:
        typer.echo(message, err=True)
    return typer.Exit(code)


@contextmanager
def aside() -> Iterator[Path]:
    """Give a folder for what is not kept; it goes with its verb, and with an interrupt."""
    with TemporaryDirectory(prefix="acosim-", ignore_cleanup_errors=True) as folder:
        _asides.add(folder)
        try:
            yield Path(folder)
        finally:
            _asides.discard(folder)


def interruptible() -> None:
    """Let SIGINT and SIGTERM end the process at once, saying how to go on.

    Nothing need be undone: a block that is not committed is computed again, the lock of a run's
    folder dies with its process, and so do processes of our own.
    """
    signal.signal(signal.SIGINT, _interrupted)
    signal.signal(signal.SIGTERM, _interrupted)


def _interrupted(number: int, frame: FrameType | None) -> None:
    # A bar may have hidden the cursor and left half a line.
    clear = "\r\x1b[2K\x1b[?25h" if os.isatty(2) else ""
    typed = shlex.join(["acosim", *sys.argv[1:]])
    said = f"{clear}interrupted; what is computed is saved. To go on:\n{typed}\n"
    with suppress(OSError):
        os.write(2, said.encode())
    for folder in tuple(_asides):
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(128 + number)
