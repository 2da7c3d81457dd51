"""What losses, layers, accruals and cash come to, contract by contract."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from simulator.analysis.accrual import accrual
from simulator.analysis.capital import LEVELS, Layer, at_risk, layer_price
from simulator.analysis.cash import by_quarter
from simulator.analysis.columns import gathered
from simulator.analysis.convergence import Measure, estimate, standard_error
from simulator.programs import PROGRAMS
from simulator.programs.calendar import payments
from simulator.report.rounding import Figure, figure, scale
from simulator.report.tables import TOTAL, Panel, Row, added
from simulator.report.waterfall import Place, program

__all__ = ["CONFIDENCE", "calendar", "cash", "cash_panel", "figures", "layer", "panels", "surety"]

CONFIDENCE = 0.75

_CASH = {
    "mean": Measure("mean"),
    "p5": Measure("quantile", 0.05),
    "p95": Measure("quantile", 0.95),
}


def figures(
    total: xr.DataArray, confidence: float = CONFIDENCE, layered: Layer | None = None
) -> pd.DataFrame:
    """Return each contract's capital and accrual: rows `name`, columns contract, value, error.

    Parameters
    ----------
    total : DataArray (trial, contract), USD, years added
    confidence : of what may be booked
    layered : aggregate stop-loss to price; by default that of `layer`
    """
    return pd.DataFrame(list(_rows(total, confidence, layered or layer(total))))


def layer(total: xr.DataArray) -> Layer | None:
    """Return a layer to look at, its premium nothing yet; None if nobody loses so much.

    It begins at the largest 95% value at risk of any contract and ends at the largest 99.5% one,
    each rounded.
    """
    risks = at_risk(total).value_at_risk_usd.max("contract", skipna=False)
    low, high = max(float(risks.sel(level=0.95)), 0.0), float(risks.sel(level=0.995))
    # To two digits: more are noise, and nobody buys such a layer.
    start, limit = (float(f"{amount:.2g}") for amount in (low, high - low))
    return Layer(start, limit, 0.0) if limit > 1.0 else None


def cash(run: xr.Dataset, case: int = 0) -> pd.DataFrame:
    """Return what each contract is paid or pays by calendar quarter, ACOs added, of one case."""
    settlement = run["settlement_usd"]
    settlement = settlement.isel(case=case, drop=True) if "case" in settlement.dims else settlement
    labels = [str(label) for label in run["contract"].values]
    moved = by_quarter(
        added(settlement), {label: payments(program(run, label, case)) for label in labels}
    )
    rows = [
        {
            "quarter": str(quarter),
            "contract": label,
            "name": name,
            "value": float(estimate(here, measure)),
            "error": float(standard_error(here, measure)),
        }
        for quarter in moved["quarter"].values
        for label in labels
        for here in [gathered(moved.sel(quarter=quarter, contract=label))]
        for name, measure in _CASH.items()
    ]
    return pd.DataFrame(rows)


def cash_panel(table: pd.DataFrame, run: xr.Dataset) -> Panel:
    """Return cash by quarter for reading: the mean, and what is reached in 95 of 100 trials."""
    labels = [str(label) for label in run["contract"].values]
    unit = scale(float(table["value"].abs().max()) or 1.0)
    texts = {"mean": "mean", "p5": "5th percentile"}
    held = {
        (row["quarter"], row["name"], row["contract"]): row for row in table.to_dict("records")
    }
    rows = [
        Row(
            f"{quarter}, {text}",
            tuple(
                figure(row["value"], row["error"], unit.size)
                for row in (held[quarter, name, label] for label in labels)
            ),
        )
        for quarter in table["quarter"].unique()
        for name, text in texts.items()
    ]
    return Panel("Cash by calendar quarter", f"$ {unit.name}".strip(), tuple(labels), tuple(rows))


def calendar(run: xr.Dataset) -> list[tuple[str, str]]:
    """Return what is assumed of when each program's money moves: its name and the words."""
    said = []
    for name in sorted({str(name) for name in run["program"].values.flat}):
        when = payments(name)
        for what, due in (("earned", when.earned), ("owed", when.owed)):
            after = {0: "the same year", 1: "the next year"}.get(
                due.years_after, f"year {due.years_after} after"
            )
            said.append((name, f"what is {what}: quarter {due.quarter} of {after}; {due.cite}"))
    return said


def surety(ledger: pd.DataFrame, run: xr.Dataset, place: Place) -> dict[str, tuple[float, float]]:
    """Return the most that each contract's ACO must hold in a year, on average, with its error.

    Where ACOs are added their errors are added too, which is the most that they can come to.
    """
    found = {}
    for label in (str(name) for name in run["contract"].values):
        line = PROGRAMS[program(run, label, place.case)].surety
        here = ledger[(ledger["kind"] == "line") & (ledger["name"] == line)]
        here = here[(here["contract"] == label) & (here["case"] == place.case)]
        here = here if place.aco == TOTAL else here[here["aco"] == place.aco]
        if len(here):
            years = here.groupby("year")[["mean", "error"]].sum()
            most = years.loc[years["mean"].idxmax()]
            found[label] = (float(most["mean"]), float(most["error"]))
    return found


def panels(
    table: pd.DataFrame, held: dict[str, tuple[float, float]], labels: Sequence[str]
) -> Iterator[Panel]:
    """Yield capital, the layer and the accrual for reading."""
    amounts = table[table["unit"] == "usd"]["value"].abs()
    unit = scale(float(np.nanmax(amounts)) if len(amounts) else 1.0)
    for title in table["part"].unique():
        part = table[table["part"] == title]
        rows = [
            Row(name, tuple(_cell(part, name, label, unit.size) for label in labels))
            for name in part["name"].unique()
        ]
        if title == "Loss, years added" and held:
            cells = (held.get(label, (0.0, 0.0)) for label in labels)
            rows.append(
                Row("Surety to hold, largest year", tuple(figure(*c, unit.size) for c in cells))
            )
        yield Panel(str(title), f"$ {unit.name}".strip(), tuple(labels), tuple(rows))


def _cell(part: pd.DataFrame, name: str, label: str, size: float) -> Figure:
    row = part[(part["name"] == name) & (part["contract"] == label)].iloc[0]
    unit = {"usd": size, "share": 0.01}[row["unit"]]
    return figure(float(row["value"]), float(row["error"]), unit)


def _rows(
    total: xr.DataArray, confidence: float, layered: Layer | None
) -> Iterator[dict[str, object]]:
    risk, booked = at_risk(total), accrual(total, confidence)
    for label in total["contract"].values:
        here = risk.sel(contract=label)
        for level in LEVELS:
            for what, text in (
                ("value_at_risk", "Value at risk"),
                ("tail_value_at_risk", "Tail value at risk"),
            ):
                at = here.sel(level=level)
                name = f"{text}, {100.0 * level:g}%"
                yield _row("Loss, years added", name, label, at, what, "usd")
    if layered is not None:
        yield from _layer_rows(total, layered)
    yield from _accrual_rows(booked, confidence)


def _layer_rows(total: xr.DataArray, layered: Layer) -> Iterator[dict[str, object]]:
    priced = layer_price(total, layered)
    part = (
        f"Aggregate stop-loss of ${layered.limit_usd:,.0f} beyond ${layered.attachment_usd:,.0f}"
        f", premium ${layered.premium_usd:,.0f}"
    )
    names = {
        "ceded_usd": "Pure premium (expected recovery)",
        "attaches_share": "It pays, % of trials",
        "exhausts_share": "It pays in full, % of trials",
        "net_usd": "Settlement less premium plus recovery",
        "net_sd_usd": "Standard deviation of that",
    }
    for label in total["contract"].values:
        for name, text in names.items():
            what, unit = name.rsplit("_", 1)
            yield _row(part, text, label, priced.sel(contract=label), what, unit)


def _accrual_rows(booked: xr.Dataset, confidence: float) -> Iterator[dict[str, object]]:
    part = f"Accrual (ASC 606-10-32), constrained at {100.0 * confidence:g}%"
    names = {
        "expected_usd": "Expected value",
        "likely_usd": "Most likely amount",
        "likely_share": "Chance of the most likely range or amount, %",
        "exceeded_usd": f"Reached with {100.0 * confidence:g}% confidence",
        "constrained_usd": "Expected value, constrained",
    }
    for label in booked["contract"].values:
        for name, text in names.items():
            what, unit = name.rsplit("_", 1)
            yield _row(part, text, label, booked.sel(contract=label), what, unit)


def _row(
    part: str, name: str, contract: object, said: xr.Dataset, what: str, unit: str
) -> dict[str, object]:
    error = said.get(f"{what}_error_{unit}")
    return {
        "part": part,
        "name": name,
        "contract": str(contract),
        "unit": unit,
        "value": float(said[f"{what}_{unit}"]),
        "error": float("nan") if error is None else float(error),
    }
