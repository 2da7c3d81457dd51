"""The workbook of a run: values only, named ranges, no macro and no formula."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
import xlsxwriter

from simulator.report import (
    capital,
    comparison,
    grounds,
    mattering,
    provenance,
    quality,
    sections,
    sensitivity,
    tables,
)
from simulator.report import waterfall as falls
from simulator.report.findings import Findings, findings
from simulator.report.tables import MEASURES, TOTAL

__all__ = ["write"]

_FORMATS = {"_usd": "#,##0.00", "_share": "0.0000%", "dollars": "#,##0.00", "share": "0.0000%"}
_PERCENTILES = [name for name in MEASURES if name.startswith("p")]
_WIDEST = 60


class Frame(NamedTuple):
    """A table of a sheet: the name of its range, what stands above it, its rows."""

    name: str
    title: str
    rows: pd.DataFrame


def write(
    run: xr.Dataset,
    path: Path | str,
    ledger: pd.DataFrame | None = None,
    ranking: pd.DataFrame | None = None,
    found: Findings | None = None,
) -> Path:
    """Write the workbook of `run` to the file `path` and return it.

    Every table is a named range; figures have all their digits, and are those of the page and of
    ``acosim show --json``. Text is text, whatever it begins with.

    Parameters
    ----------
    ledger : what the run's lines come to, as `engine.ledger` gives it; without it there are no
        waterfall and no limits
    ranking : how far rival values move each contract, as `mattering.rank` gives it
    found : what the run comes to, where that is shown elsewhere too
    """
    found = found or findings(run)
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(str(path), options)
    # Nothing of the day it is written: the same run gives the same file.
    book.set_properties({"title": str(run.attrs.get("name", "")), "created": _EPOCH})
    for sheet, frames in _sheets(found, ledger, ranking).items():
        _written(book, sheet, frames)
    try:
        book.close()
    except xlsxwriter.exceptions.FileCreateError as error:
        # It hides what the disk said.
        raise error.args[0] if isinstance(error.args[0], OSError) else error from error
    return Path(path)


_MATTERS = "What rival values of terms move, first case, on the same draws: most first"
_EPOCH = pd.Timestamp(2000, 1, 1).to_pydatetime()


def _sheets(
    found: Findings, ledger: pd.DataFrame | None, ranking: pd.DataFrame | None
) -> dict[str, list[Frame]]:
    run, summary = found.run, found.summary.reset_index()
    total = summary["year"].eq(TOTAL) if run.sizes["year"] > 1 else summary["year"].notna()
    return {
        "Summary": _summary(found, summary[total]),
        "Percentiles": [Frame("percentiles", "Percentiles", _columns(summary, _PERCENTILES))],
        "By year": [Frame("by_year", "Every year, ACO and contract", summary)],
        "Waterfall": _waterfall(run, ledger),
        "Limits": _limits(run, ledger),
        "Capital": _capital(found),
        "Sensitivity": _sensitivity(found),
        "Convergence": _convergence(found),
        "Assumptions": _assumptions(run, ranking),
        "Audit": _audit(found, ledger),
    }


_SWEPT = "Each case of the sweep against the first, years and ACOs added; empty without a sweep"
_NO_SWEEP = "This run has one case: no value was varied. What varies them:"


def _sensitivity(found: Findings) -> list[Frame]:
    """Return what a sweep moves; without one, the commands that would say."""
    if found.run.sizes["case"] == 1:
        asking = pd.DataFrame(found.asking.items(), columns=["answers", "command"])
        return [Frame("sensitivity", _NO_SWEEP, asking)]
    titles = {
        "tornado": "One path at a time against the first case: the widest path first",
        "indices": "Sobol' indices of the mean settlement, with 95% intervals",
    }
    told = [
        Frame(kind, title, sensitivity.frame(found.sensed, kind)) for kind, title in titles.items()
    ]
    return [
        *(one for one in told if len(one.rows)),
        Frame("sensitivity", _SWEPT, found.effects),
    ]


def _convergence(found: Findings) -> list[Frame]:
    said = "years and ACOs added, first case"
    return [
        Frame("convergence", f"Means against trials, {said}", found.errors),
        Frame("intervals", f"95% intervals, {said}; USD, or a share", found.intervals),
    ]


def _columns(summary: pd.DataFrame, measures: Sequence[str]) -> pd.DataFrame:
    """Return measures, each followed by its standard error."""
    errors = {name: "_error_".join(name.rsplit("_", 1)) for name in measures}
    wanted = [column for name in measures for column in (name, errors[name])]
    return summary[[*tables.KEYS, *wanted]]


def _summary(found: Findings, summary: pd.DataFrame) -> list[Frame]:
    run = found.run
    about = {name: run.attrs.get(name) for name in ("name", "about", "seed", "trials", "version")}
    plain = [name for name in MEASURES if name not in _PERCENTILES]
    return [
        Frame("run", "Run", _facts(about)),
        Frame("summary", "Settlement, plus: the ACO earns", _columns(summary, plain)),
        Frame(
            "differences",
            "Differences on the same draws: a less b",
            comparison.pairs(_few(run)).reset_index(),
        ),
        Frame("observed", "What happened", found.observed),
    ]


def _few(run: xr.Dataset) -> xr.Dataset:
    """Return the run, its ACOs added if there are more than the page shows."""
    if run.sizes["aco"] <= sections.MOST:
        return run
    total = tables.added(run["settlement_usd"]).expand_dims(aco=[TOTAL])
    return xr.Dataset({"settlement_usd": total}, attrs=run.attrs)


def _waterfall(run: xr.Dataset, ledger: pd.DataFrame | None) -> list[Frame]:
    """Return the bars of every place: mean, error, and in dollars and cents that foot."""
    rows = pd.DataFrame() if ledger is None else falls.records(ledger, run)
    title = "Mean of each bar; changes add up to the levels (to_the_cent_usd: exactly)"
    return [Frame("waterfall", title, rows)]


def _limits(run: xr.Dataset, ledger: pd.DataFrame | None) -> list[Frame]:
    title = "How often each limit binds, and what it is worth to the ACO as a mean of all trials"
    if ledger is None:
        return [Frame("limits", title, pd.DataFrame())]
    keys = ["case", "year", "aco", "contract", "place", "name"]
    parts = {
        kind: ledger[ledger["kind"] == kind].set_index(keys)[["mean", "error"]]
        for kind in ("binds", "worth")
    }
    often = parts["binds"].set_axis(["binds_share", "binds_error_share"], axis=1)
    worth = parts["worth"].set_axis(["worth_usd", "worth_error_usd"], axis=1)
    return [Frame("limits", title, often.join(worth).reset_index().drop(columns="place"))]


def _capital(found: Findings) -> list[Frame]:
    run, parts = found.run, []
    for case in range(run.sizes["case"]):
        total = tables.added(run["settlement_usd"].isel(case=case, drop=True)).sum(
            "year", skipna=False
        )
        parts.append(capital.figures(total).assign(case=case))
    return [
        Frame("capital", "Capital and accrual, years and ACOs added", pd.concat(parts)),
        Frame("cash", "Cash by calendar quarter, ACOs added, first case", found.cash),
        Frame(
            "calendar",
            "What the calendar assumes",
            pd.DataFrame(capital.calendar(run), columns=["program", "assumed"]),
        ),
    ]


def _assumptions(run: xr.Dataset, ranking: pd.DataFrame | None) -> list[Frame]:
    found = grounds.terms(run)
    found = found if ranking is None else mattering.ordered(found, ranking)
    terms = [{**row._asdict(), "contracts": ", ".join(row.contracts)} for row in found]
    values = [row._asdict() for row in grounds.values(run)]
    said = [*provenance.limitations(run), *(f"Reliance: {x}" for x in grounds.reliances(run))]
    return [
        Frame("values", "Values and data about people and years", pd.DataFrame(values)),
        Frame("terms", "Terms behind the contracts", pd.DataFrame(terms)),
        *([] if ranking is None else [Frame("what_matters", _MATTERS, ranking)]),
        Frame("limitations", "Limitations and reliances", pd.DataFrame({"said": said})),
    ]


def _audit(found: Findings, ledger: pd.DataFrame | None) -> list[Frame]:
    run = found.run
    facts = {**dict(provenance.facts(run)), "To reproduce": provenance.command(run)}
    shown = [Frame("provenance", "Provenance", _facts(facts)), *_data(run, ledger)]
    if ledger is None:
        return shown
    keys = ["case", "contract", "name"]
    foots = ledger[ledger["kind"] == "foots"].groupby(keys, sort=False)["mean"].min()
    misses = ledger[ledger["kind"] == "misses"].groupby(keys, sort=False)["most"].max()
    footing = pd.DataFrame({"met_share": foots, "largest_miss_usd": misses}).reset_index()
    shown.append(Frame("footing", "Sums checked in every trial, year and ACO", footing))
    shown.append(Frame("stored", _STORED, _stored(found.summary, ledger)))
    return shown


def _data(run: xr.Dataset, ledger: pd.DataFrame | None) -> list[Frame]:
    """Return the quality of the data: of the scenario, and of the files of people it was given."""
    checks = pd.DataFrame([row._asdict() for row in quality.rows(run, ledger)])
    given = quality.files(run)
    of_files = (
        Frame("data_files", "Files of people", pd.DataFrame(given.files)),
        Frame("data_checks", "Checks of the files of people", pd.DataFrame(given.checks)),
        Frame("data_cells", "What the files of people hold", pd.DataFrame(given.cells)),
    )
    return [Frame("data", "Data quality", checks), *(one for one in of_files if len(one.rows))]


_STORED = "Mean settlement as stored (float32) and as settled again (float64)"


def _stored(summary: pd.DataFrame, ledger: pd.DataFrame) -> pd.DataFrame:
    """Return the mean settlements of both, side by side."""
    keys = [*tables.KEYS]
    lines = ledger[(ledger["kind"] == "line") & (ledger["name"] == "settlement_usd")]
    again = lines.set_index(keys)["mean"]
    stored = summary["mean_usd"]
    both = pd.DataFrame({"stored_usd": stored, "again_usd": again}).dropna()
    return both.assign(gap_usd=both["stored_usd"] - both["again_usd"]).reset_index()


def _facts(facts: Mapping[str, object]) -> pd.DataFrame:
    return pd.DataFrame({"what": [*facts], "is": [*facts.values()]})


def _written(book: xlsxwriter.Workbook, sheet: str, frames: Sequence[Frame]) -> None:
    """Write tables one below another, each under its title, with its range named."""
    page, row = book.add_worksheet(sheet), 0
    styles = _styles(book)
    widths: dict[int, int] = {}
    for frame in frames:
        page.write_string(row, 0, frame.title, styles["title"])
        row = _table(book, page, (sheet, row + 1), frame, widths, styles) + 1
    for column, width in widths.items():
        page.set_column(column, column, min(width + 2, _WIDEST))
    page.freeze_panes(0, 1)


def _styles(book: xlsxwriter.Workbook) -> dict[str, object]:
    numbers = {end: book.add_format({"num_format": text}) for end, text in _FORMATS.items()}
    bold = book.add_format({"bold": True, "bottom": 1})
    return {**numbers, "head": bold, "title": book.add_format({"bold": True, "font_size": 12})}


def _table(
    book: xlsxwriter.Workbook,
    page: xlsxwriter.worksheet.Worksheet,
    at: tuple[str, int],
    frame: Frame,
    widths: dict[int, int],
    styles: Mapping[str, object],
) -> int:
    """Write a table and name its range; return the row after it."""
    sheet, top = at
    rows = frame.rows
    for column, name in enumerate(rows.columns):
        page.write_string(top, column, str(name), styles["head"])
        values = rows[name].tolist()
        style = next((s for end, s in styles.items() if str(name).endswith(end)), None)
        for down, value in enumerate(values, start=1):
            _cell(page, (top + down, column), value, style)
        longest = max((len(_shown(value)) for value in values), default=0)
        widths[column] = max(widths.get(column, 0), longest, len(str(name)))
    if len(rows.columns):
        area = xlsxwriter.utility.xl_range_abs(top, 0, top + len(rows), len(rows.columns) - 1)
        book.define_name(f"{frame.name}_table", f"='{sheet}'!{area}")
    else:
        page.write_string(top, 0, "none")
    return top + max(len(rows), 1) + 1


def _cell(
    page: xlsxwriter.worksheet.Worksheet, at: tuple[int, int], value: object, style: object
) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        page.write_string(*at, _shown(value))
    elif np.isfinite(value):
        page.write_number(*at, value, style)
    else:
        page.write_string(*at, "n/a")


def _shown(value: object) -> str:
    """Return a value as text, as long as a cell may hold."""
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, list | dict | tuple):
        return json.dumps(value, default=str)[:32_000]
    return "" if value is None else str(value)[:32_000]
