"""The answer that says whether the model does what it says on this machine."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from simulator.cli.terminal import say

if TYPE_CHECKING:
    from simulator.validation.checks import Check

__all__ = ["show"]


def show(files: Sequence[Path], out: Path, *, as_json: bool) -> bool:
    """Print each check as it ends, write page and figures, and return whether none failed."""
    from simulator.report import validation as page
    from simulator.validation.evaluation import validate

    found = validate(files, None if as_json else _told)
    written, figures = page.write(found, out)
    if as_json:
        say(page.facts(found))
    else:
        say(f"\n{found.verdict}")
        say(f"page      {written}, to print and sign")
        say(f"figures   {figures}")
    return not found.count("failed")


def _told(check: "Check") -> None:
    say(f"{check.outcome:>8}  {check.group}: {check.what}\n{'':10}{check.figure}")
    if check.outcome == "failed":
        typer.echo(f"failed: {check.what}: {check.figure}; allowed: {check.limit}", err=True)
