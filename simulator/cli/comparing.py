"""The answers about differences and capital: contracts or runs compared, a layer priced."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.cli import answers
from simulator.cli.terminal import grid, say, width

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from simulator.analysis.capital import Layer
    from simulator.report.tables import Panel

__all__ = ["capital", "contracts", "runs"]


def contracts(run: "xr.Dataset", a: str, b: str, *, as_json: bool) -> None:
    """Print what contract `a` pays more than `b`, by case, year and ACO."""
    from simulator.report import comparison

    table = comparison.compared(run, a, b)
    if as_json:
        told = {"run": run.attrs["path"], "a": a, "b": b}
        say(json.dumps({**told, "differences": comparison.as_json(table)}, indent=1))
        return
    say(f"{run.attrs['name']}: {a} less {b}, trial by trial on {run.sizes['trial']:,} draws")
    _differences(table.droplevel(["a", "b"]))


def runs(one: Path, other: Path, *, as_json: bool) -> None:
    """Print what one run pays more than another, contract by contract on the same draws."""
    from simulator.report import comparison

    first, second = answers.opened(one), answers.opened(other)
    table = comparison.across(first, second)
    if as_json:
        told = {"a": str(one), "b": str(other)}
        say(json.dumps({**told, "differences": comparison.as_json(table)}, indent=1))
        return
    trials = min(first.sizes["trial"], second.sizes["trial"])
    say(f"{one} less {other}, trial by trial on {trials:,} draws")
    _differences(table)


def _differences(table: "pd.DataFrame") -> None:
    from simulator.report import comparison

    cases = table.index.get_level_values("case").unique()
    named = [level for level in table.index.names if level != "case" or len(cases) > 1]
    labels = [", ".join(map(str, at)) for at in table.reset_index()[named].to_numpy()]
    shown = comparison.panel(table.set_axis(labels), ", ".join(map(str, named)))
    say()
    _panel(shown)


def capital(
    run: "xr.Dataset", layer: "Layer | None", confidence: float, *, case: int, as_json: bool
) -> None:
    """Print capital, accrual and cash of a run, years and ACOs added."""
    import numpy as np

    from simulator.report import capital as held

    settlement = run["settlement_usd"]
    settlement = settlement.isel(case=case) if "case" in settlement.dims else settlement
    total = settlement.astype(np.float64).sum(["year", "aco"], skipna=False)
    table, cash = held.figures(total, confidence, layer), held.cash(run, case)
    if as_json:
        said = {"capital": _records(table), "cash": _records(cash)}
        told = {"run": run.attrs["path"], "case": case, "calendar": dict(held.calendar(run))}
        say(json.dumps({**told, **said}, indent=1))
        return
    labels = [str(label) for label in run["contract"].values]
    say(f"{run.attrs['name']}: {run.sizes['trial']:,} trials, years and ACOs added")
    for panel in [*held.panels(table, {}, labels), held.cash_panel(cash, run)]:
        say(f"\n{panel.title}, {panel.unit}")
        _panel(panel._replace(title=""))
    for program, words in held.calendar(run):
        say(f"assumed: {program}, {words}")


def _panel(panel: "Panel") -> None:
    rows: Sequence[list[str]] = [[row.label, *map(str, row.cells)] for row in panel.rows]
    for line in grid([panel.title, *panel.columns], rows, width()):
        say(line)


def _records(table: "pd.DataFrame") -> object:
    from simulator.report.tables import as_records

    return as_records(table)
