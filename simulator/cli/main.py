"""The command line, from the first word typed to the exit code."""

import os
import shlex
import sys
import traceback
from pathlib import Path
from types import TracebackType

import typer

from simulator.cli.guard import interruptible
from simulator.cli.verbs import app

__all__ = ["main"]


def main() -> None:
    """Run the command line; what we did not foresee is our mistake, said in one line."""
    sys.excepthook = _our_mistake
    interruptible()
    # Not app(), which would put a traceback of its own in the place of our line.
    typer.main.get_command(app)()


def _our_mistake(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if "ACOSIM_TRACEBACK" in os.environ:
        traceback.print_exception(kind, error, trace)
    last = traceback.extract_tb(trace)[-1]
    where = f"{Path(last.filename).name}:{last.lineno}"
    said = " ".join(str(error).split())[:200]
    typer.echo(
        f"acosim failed in {where} ({kind.__name__}: {said}); this is our mistake, please report "
        f"it with the command: {shlex.join(['acosim', *sys.argv[1:]])}",
        err=True,
    )
