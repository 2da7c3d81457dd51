"""The answer that says how far swept values move what a contract pays."""

import json
from typing import TYPE_CHECKING

from simulator.cli.terminal import grid, say, width

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from simulator.scenario.schema import Scenario

__all__ = ["show"]


def show(
    run: "xr.Dataset",
    scenario: "Scenario",
    answer: tuple[str, str | None],
    base: int,
    *,
    as_json: bool,
) -> None:
    """Print Sobol' indices of a saltelli sweep, else a tornado, of a contract's pay.

    answer : the contract, and the one whose pay is taken off
    base : the case that the tornado is held against
    """
    from simulator.analysis import sensitivity
    from simulator.report.tables import as_records

    contract, against = answer
    paid = sensitivity.answer(run, contract, against)
    named = contract if against is None else f"{contract} less {against}"
    sample = scenario.sweep.sample if scenario.sweep else None
    shared = sample is not None and sample.method == "saltelli"
    if sample is not None and shared:
        table = sensitivity.sobol(paid, list(sample.over), seed=scenario.seed)
    else:
        table = sensitivity.tornado(paid, sensitivity.settings(scenario), base)
    if as_json:
        told = {"run": run.attrs["path"], "answer": named, "left_out": table.attrs.get("left_out")}
        told |= {"indices" if shared else "tornado": as_records(table)}
        say(json.dumps(told, indent=1))
        return
    trials = f"{paid.sizes['trial']:,} trials a case"
    say(f"{run.attrs['name']}: {named}, years and ACOs added, {trials}")
    (_indices if shared else _tornado)(table)


def _tornado(table: "pd.DataFrame") -> None:
    from simulator.report.rounding import figure, scale

    unit = scale(float(table.change_usd.abs().max()) or 1.0)
    rows = [
        [
            f"{r.path} {_said(r.value)}",
            r.end,
            str(figure(r.change_usd, r.change_error_usd, unit.size)),
            "within its noise" if r.noise else "",
        ]
        for r in table.itertuples()
    ]
    head = ["against the base case", "end", f"$ {unit.name}".strip(), ""]
    for line in grid(head, rows, width()):
        say(line)
    if table.attrs["left_out"]:
        say(f"{table.attrs['left_out']} cases differ from the base in several paths: not shown")


def _said(value: object) -> str:
    """Return a swept value as it is read.

    >>> _said({"times": 1.03}), _said(0.05)
    ('times 1.03', '0.05')
    """
    if isinstance(value, dict):
        return ", ".join(f"{act} {x}" for act, x in value.items())
    return str(value)


def _indices(table: "pd.DataFrame") -> None:
    rows = [
        [
            r.path,
            f"{r.first_share:.3f}",
            f"{r.first_low_share:.3f} to {r.first_high_share:.3f}",
            f"{r.total_share:.3f}",
            f"{r.total_low_share:.3f} to {r.total_high_share:.3f}",
        ]
        for r in table.itertuples()
    ]
    head = ["share of the mean's variance", "alone", "95 in 100", "with others", "95 in 100"]
    for line in grid(head, rows, width()):
        say(line)
