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
from typing import NoReturn, ParamSpec

import typer

from simulator.errors import SimulatorError

__all__ = ["CODES", "aside", "guarded", "interruptible", "unkept"]

CODES = {"AddressError": 2, "PartlyDoneError": 4, "ClusterError": 6, "ResultsError": 7}
_USERS_FILE, _MACHINE = 3, 5
# How other errors than MemoryError end where there is no memory for a thread or a library.
_ENDINGS = ("can't start new thread", "failed to map segment from shared object")
_NO_MEMORY = "memory ran out, or room for threads; what is computed is saved. With more of it:"

_asides: set[Path] = set()

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
            raise _stop(f"{where}{error.strerror or error}", _MACHINE) from error
        except (MemoryError, RuntimeError, ImportError) as error:
            if not _of_memory(error):
                raise
            _go(_NO_MEMORY, _MACHINE)

    return ended


def _of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or str(error).endswith(_ENDINGS)


def _stop(message: str, code: int) -> typer.Exit:
    if message:
        typer.echo(message, err=True)
    return typer.Exit(code)


@contextmanager
def aside() -> Iterator[Path]:
    """Give a folder for what is not kept; it goes with its verb, and with an interrupt."""
    scratch = TemporaryDirectory(prefix="acosim-", ignore_cleanup_errors=True)
    with scratch as folder, unkept(Path(folder)):
        yield Path(folder)


@contextmanager
def unkept(path: Path) -> Iterator[None]:
    """Let an interrupt remove a folder, or a file, that is not kept unless its verb ends."""
    _asides.add(path)
    try:
        yield
    finally:
        _asides.discard(path)


def interruptible() -> None:
    """Let SIGINT and SIGTERM end the process at once, saying how to go on.

    Nothing need be undone: a block that is not committed is computed again, the lock of a run's
    folder dies with its process, and so do processes of our own.
    """
    signal.signal(signal.SIGINT, _interrupted)
    signal.signal(signal.SIGTERM, _interrupted)


def _interrupted(number: int, frame: FrameType | None) -> None:
    _go("interrupted; what is computed is saved. To go on:", 128 + number)


def _go(why: str, code: int) -> NoReturn:
    """End the process at once, saying how to go on: what threads do is not waited for."""
    # A bar may have hidden the cursor and left half a line.
    clear = "\r\x1b[2K\x1b[?25h" if os.isatty(2) else ""
    typed = shlex.join(["acosim", *sys.argv[1:]])
    with suppress(OSError):
        os.write(2, f"{clear}{why}\n{typed}\n".encode())
    for path in tuple(_asides):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()
    _end_ours()
    os._exit(code)


def _end_ours() -> None:
    """End the processes that we have begun: one that is not yet told what to do would complain."""
    # Dask, which begins them, imports psutil before; while it does there are none.
    if not hasattr(sys.modules.get("psutil"), "Process"):
        return
    import psutil

    with suppress(Exception):  # whatever happens, we end
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                # Python's tracker outlives us to clean up, and is missed at once.
                if "resource_tracker" not in " ".join(child.cmdline()):
                    child.kill()
