"""The command line, from the first word typed to the exit code."""

import os
import shlex
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType, TracebackType

import typer

from simulator.cli.guard import INTERRUPTED, Terminated
from simulator.cli.verbs import app

__all__ = ["main"]


def main() -> None:
    """Run the command line; what we did not foresee is our mistake, said in one line."""
    sys.excepthook = _our_mistake
    signal.signal(signal.SIGTERM, _ended)
    try:
        # Not app(), which would put a traceback of its own in the place of our line.
        typer.main.get_command(app)()
    except SystemExit as end:
        if end.code in INTERRUPTED:
            _leave(int(end.code))
        raise


def _leave(code: int) -> None:
    """End at once: blocks that threads still compute are not committed, so nothing is lost."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


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


def _ended(number: int, frame: FrameType | None) -> None:
    raise Terminated
