"""The answer that says which terms part two contracts, and by how much."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.cli.terminal import grid, say, width

if TYPE_CHECKING:
    from simulator.engine.attribution import Attribution
    from simulator.report.attribution import Row

__all__ = ["show"]


def show(found: "Attribution", out: Path | None, *, as_json: bool) -> None:
    """Print each change alone and in turn, what has no effect, and write the picture to `out`."""
    from simulator.report import attribution, plots

    alone, in_turn = attribution.rows(found), attribution.sequence(found)
    if out is not None:
        steps = {row.name: row.figures["mean"][0] for row in in_turn}
        ends = [(row.name, row.figures["mean"][0]) for row in (alone[0], alone[-1])]
        plots.save(plots.attributed(ends[0], steps, ends[1]), out)
    if as_json:
        facts = {"contracts": found.labels, "trials": found.first.size}
        kinds = {"alone": alone, "in_turn": in_turn}
        say(
            json.dumps(
                {**facts, **{k: [r._asdict() for r in v] for k, v in kinds.items()}}, indent=1
            )
        )
        return
    trials = f"{found.first.size:,} trials"
    say(f"{found.scenario.name}: {trials}; settlement, years and ACOs added, $ million")
    moving = [row for row in alone if _moves(row)]
    say()
    _grid("each change alone", moving)
    say()
    _grid("each on top of those before", [row for row in in_turn if _moves(row)])
    if still := [row.name for row in in_turn if not _moves(row)]:
        say(f"\nwithout effect here: {'; '.join(still)}")
    say()
    for row in in_turn:
        if _moves(row):
            say(f"{row.name}: {row.old} -> {row.new}")
    if out is not None:
        say(f"\npicture  {out}")


def _moves(row: "Row") -> bool:
    return any(value for value, _ in row.figures.values())


def _grid(title: str, rows: "list[Row]") -> None:
    from simulator.report.attribution import MEASURES

    cells = [[row.name, *(_cell(name, *row.figures[name]) for name in MEASURES)] for row in rows]
    head = [f"{n} %" if n.startswith("P(") else n for n in MEASURES]
    for line in grid([title, *head], cells, width()):
        say(line)


def _cell(measure: str, value: float, error: float) -> str:
    from simulator.report.rounding import figure

    return str(figure(value, error, 0.01 if measure.startswith("P(") else 1e6))
