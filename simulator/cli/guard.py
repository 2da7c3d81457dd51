"""How a verb ends: foreseen errors are lines on stderr and an exit code, never a traceback."""

import shlex
import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import typer

from simulator.errors import SimulatorError

__all__ = ["CODES", "INTERRUPTED", "Terminated", "guarded"]

CODES = {"AddressError": 2, "ResultsError": 7, "ClusterError": 6}
INTERRUPTED = (130, 143)
_USERS_FILE, _DISK = 3, 5

P = ParamSpec("P")


class Terminated(KeyboardInterrupt):
    """The system asks us to end, as a person does with Ctrl-C."""


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
        except KeyboardInterrupt as error:
            code = INTERRUPTED[isinstance(error, Terminated)]
            raise _stop(f"interrupted; to go on: {_typed()}", code) from error

    return ended


def _stop(message: str, code: int) -> typer.Exit:
    if message:
        typer.echo(message, err=True)
    return typer.Exit(code)


def _typed() -> str:
    """Return the command as it was typed."""
    return shlex.join(["acosim", *sys.argv[1:]])
