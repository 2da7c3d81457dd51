"""What the values of a sweep move, contract by contract: a tornado, or Sobol' indices."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from simulator.analysis.sensitivity import answer, sobol, tornado
from simulator.errors import ResultsError
from simulator.report.rounding import Figure, figure, scale
from simulator.report.tables import Panel, Row
from simulator.results import written

__all__ = ["Sensed", "cut", "every", "example", "frame", "panels", "sampled", "sensed"]

_MOST = 24


class Sensed(NamedTuple):
    """What a sweep's values move of a contract's mean settlement, years and ACOs added.

    table : as `analysis.sensitivity.tornado` or `sobol` gives it
    """

    contract: str
    kind: Literal["tornado", "indices"]
    table: pd.DataFrame


def sensed(run: xr.Dataset) -> tuple[Sensed, ...]:
    """Return each contract's Sobol' indices of a saltelli sample, else its tornado.

    Nothing without a sweep, nor where no case differs from the first in one path alone; a
    contract whose pay is the same in all cases is left out.
    """
    if run.sizes.get("case", 1) < 2:
        return ()
    found = (_of(run, str(label)) for label in run["contract"].values)
    return tuple(one for one in found if one is not None)


def _of(run: xr.Dataset, contract: str) -> Sensed | None:
    sweep = _sweep(run)
    sample = sweep.get("sample")
    paid = answer(run, contract)
    try:
        if isinstance(sample, Mapping) and sample.get("method") == "saltelli":
            seed = int(run.attrs.get("seed", 0))
            return Sensed(contract, "indices", sobol(paid, [*sample["over"]], seed=seed))
        table = tornado(paid, _settings(run, sweep))
        return Sensed(contract, "tornado", table.assign(value=table["value"].map(said)))
    except ResultsError:
        return None


def _sweep(run: xr.Dataset) -> Mapping[str, object]:
    sweep = written(str(run.attrs.get("scenario", ""))).get("sweep")
    return {str(key): value for key, value in sweep.items()} if isinstance(sweep, dict) else {}


def _settings(run: xr.Dataset, sweep: Mapping[str, object]) -> list[dict[str, object]]:
    """Return what each case sets, by path; a named case of several paths sets its name."""
    named = sweep.get("list")
    if isinstance(named, Mapping):
        return [
            {str(name): f"{len(held)} paths together"} if len(held) > 1 else dict(held)
            for name, held in named.items()
        ]
    paths = [str(name) for name, x in run.coords.items() if x.dims == ("case",) and name != "case"]
    cases = range(run.sizes["case"])
    return [{path: _number(str(run[path].values[case])) for path in paths} for case in cases]


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def every(run: xr.Dataset, found: Sequence[Sensed]) -> bool:
    """Return whether all that a sweep's cases say is in the tables found."""
    return any(one.kind == "indices" or len(one.table) == run.sizes["case"] - 1 for one in found)


def frame(found: Sequence[Sensed], kind: str) -> pd.DataFrame:
    """Return the tables of one kind, one below another, each row with its contract."""
    tables = [one.table.assign(contract=one.contract) for one in found if one.kind == kind]
    if not tables:
        return pd.DataFrame()
    whole = pd.concat(tables, ignore_index=True)
    return whole[["contract", *(name for name in whole.columns if name != "contract")]]


def said(value: object) -> str:
    """Return a swept value as it is read.

    >>> said({"times": 1.03}), said(0.05)
    ('times 1.03', '0.05')
    """
    if isinstance(value, Mapping):
        return ", ".join(f"{act} {x}" for act, x in value.items())
    return str(value)


def panels(found: Sequence[Sensed]) -> tuple[Panel, ...]:
    """Return what moves contracts for reading: paths down, contracts across."""
    indices = [one for one in found if one.kind == "indices"]
    if indices:
        return _shares(indices, "first", "alone"), _shares(indices, "total", "with all others")
    return (_changes(found),) if found else ()


def cut(found: Sequence[Sensed]) -> str:
    """Return how many changes the table for reading leaves out; nothing if it shows all."""
    changes = max((len(one.table) for one in found if one.kind == "tornado"), default=0)
    if changes <= _MOST:
        return ""
    return (
        f"The {_MOST} widest of {changes:,} changes of one path; all {changes:,} are in the sheet "
        "Sensitivity of report.xlsx."
    )


def _shares(found: Sequence[Sensed], kind: str, title: str) -> Panel:
    labels = tuple(one.contract for one in found)
    order = found[0].table.sort_values("total_share", ascending=False, kind="stable")
    tables = [one.table.set_index("path") for one in found]
    rows = [
        Row(str(path), tuple(_share(table.loc[path].to_dict(), kind) for table in tables))
        for path in order["path"]
    ]
    return Panel(f"A path {title}", "% of the variance of the mean", labels, tuple(rows))


def _share(row: Mapping[str, float], kind: str) -> Figure:
    """Return an index in percent, with the interval that holds it in 95 of 100 resamples."""
    middle, low, high = (100.0 * row[f"{kind}_{end}share"] for end in ("", "low_", "high_"))
    if high - low < 0.1:
        # Digits below what an interval is shown to say nothing.
        near = abs(middle) < 0.05 and middle != 0.0
        return Figure("about 0" if near else f"{middle:.1f}".removesuffix(".0"), "")
    error = (high - low) / 3.92
    ends = (figure(end, error).value for end in (middle, low, high))
    return Figure("{} ({} to {})".format(*ends), "")


def _changes(found: Sequence[Sensed]) -> Panel:
    """Return the changes of the paths' ends; a row that is noise for every contract is grey."""
    labels = tuple(one.contract for one in found)
    largest = max(float(one.table["change_usd"].abs().max()) for one in found)
    unit = scale(largest or 1.0)
    widest = max(found, key=lambda one: float(one.table["change_usd"].abs().max())).table
    by_case = [one.table.set_index("case") for one in found]
    rows = []
    for at in widest.head(_MOST).itertuples():
        cells = [table.loc[at.case] for table in by_case]
        shown = tuple(figure(c["change_usd"], c["change_error_usd"], unit.size) for c in cells)
        hidden = all(bool(c["noise"]) for c in cells)
        rows.append(Row(f"{at.path} {at.value}", shown, "noise" if hidden else ""))
    return Panel("One path at a time", f"$ {unit.name}".strip(), labels, tuple(rows))


def example(run: xr.Dataset) -> dict[str, str]:
    """Return the commands that say what moves a run without a sweep, by what they answer."""
    folder = run.attrs.get("path", "RUN")
    total = (
        run["settlement_usd"].isel(case=0).astype(np.float64).sum(["year", "aco"], skipna=False)
    )
    means = total.mean("trial", skipna=False).compute()
    best = int(np.argmax(means.values))
    goal = float(f"{max(1.2 * float(means[best]), 0.0):.2g}")
    label = str(run["contract"].values[best])
    sweep = (
        "sweep={list: {as_is: {}, saves: {experience.effect.mean: 0.02}, "
        "trend_up: {experience.trend.mean: {plus: 0.01}}}}"
    )
    return {
        "which of the rules' unsettled terms": f"acosim what-matters {folder}",
        "which values, each beside the run as it is": (
            f"acosim run {folder}/scenario.yaml --set name=moved --set '{sweep}'"
        ),
        f"what must be saved for {label} to pay ${goal:,.0f} on average": (
            f"acosim solve {folder} --contract {label} --mean {goal:.0f} "
            "--vary experience.effect.mean --from -0.1 --to 0.1"
        ),
    }


def sampled(run: xr.Dataset) -> bool:
    """Return whether the cases are points of a sample, of which none means anything alone."""
    return isinstance(_sweep(run).get("sample"), Mapping)
