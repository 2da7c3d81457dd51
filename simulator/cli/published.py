"""The answers about public-use files: a replay, and scenarios drafted from their rows."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from simulator.cli.terminal import say
from simulator.errors import ScenarioError

if TYPE_CHECKING:
    from simulator.engine.initial import Initial
    from simulator.engine.reconciliation import Replay

__all__ = ["drafts", "replayed", "together"]


def replayed(found: "Replay", out: Path | None, *, as_json: bool) -> None:
    """Print each row that is not met, with its note, and last the totals; write all to `out`."""
    if out is not None:
        out.write_text(found.csv(), encoding="utf-8", newline="\n")
    if as_json:
        facts = {"program": found.program, "year": found.year, "totals": found.totals._asdict()}
        say(json.dumps({**facts, "rows": [row._asdict() for row in found.rows]}, indent=1))
        return
    for row in found.rows:
        if row.verdict != "within":
            say(f"{row.aco_id}: {row.note}")
    for line in found.lines():
        say(line)


def drafts(file: tuple[str, Path, int | None], aco_id: str | None, folder: Path) -> None:
    """Write the scenario of one ACO of a program's file and year, or of every one of them."""
    from simulator.engine.initial import Initial, initial, initials

    program, path, year = file
    if aco_id is None:
        found = initials(program, path, year)
    else:
        found = iter([Initial(aco_id, initial(program, path, aco_id, year), ())])
    mistakes = [message for each in found for message in _written(each, folder)]
    if mistakes:
        raise ScenarioError(mistakes)


def together(file: tuple[str, Path, int | None], folder: Path) -> None:
    """Write one scenario of every ACO of a file: in parts, and last what extends them."""
    from simulator.engine.combining import combined

    program, path, year = file
    whole = combined(program, path, year)
    if there := [name for name in whole.files if (folder / name).exists()]:
        raise ScenarioError(
            f"{folder / there[0]} is there already; name another folder with --out"
        )
    for name, text in whole.files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    say(f"wrote {folder / [*whole.files][-1]}: {whole.acos} ACOs, in the parts beside it")
    for warning in whole.warnings:
        typer.echo(warning, err=True)
    if whole.mistakes:
        raise ScenarioError(whole.mistakes)


def _written(each: "Initial", folder: Path) -> tuple[str, ...]:
    """Write one scenario; return why there is none, if so."""
    if each.draft is None:
        return each.mistakes
    path = folder / f"{each.draft.name}.yaml"
    if path.exists():
        return (f"{path} is there already; name another folder with --out",)
    path.write_text(each.draft.text(), encoding="utf-8", newline="\n")
    say(f"wrote {path}")
    for warning in each.draft.warnings:
        typer.echo(f"{path}: {warning}", err=True)
    return ()
