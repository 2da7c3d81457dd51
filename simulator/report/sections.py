"""What the page says of one ACO, or of all together, in one case: words, tables and pictures."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from simulator.analysis.columns import held
from simulator.report import capital, comparison, plots, sentences, sweep, tables, waterfall
from simulator.report.findings import Findings
from simulator.report.plots import Axes
from simulator.report.sensitivity import Sensed, sampled
from simulator.report.tables import TOTAL, Panel, Table
from simulator.report.waterfall import Place

__all__ = ["INKS", "MOST", "Picture", "Section", "best", "convergence", "picture", "places"]
__all__ += ["sections", "sensed", "tornado"]

INKS = {plots.INK: "currentColor", plots.PAPER: "var(--paper)"}
_WIDE, _NARROW, _HEIGHT = 9.4, 3.9, 4.5
MOST = 12
_ROOM, _LAST = 900_000, 1_300_000


class Picture(NamedTuple):
    """One picture for a wide and for a narrow screen, in words too."""

    wide: str
    narrow: str
    alt: str
    caption: str


class Section(NamedTuple):
    """What the page says of one ACO (or all together) in one case."""

    title: str
    answer: str
    downside: str
    happened: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]
    differences: Panel
    pictures: Mapping[str, Picture]
    waterfalls: tuple[tuple[Panel, Panel], ...]
    limits: tuple[tuple[Panel, Panel, tuple[str, ...]], ...]
    capital: tuple[Panel, ...]


def sections(found: Findings, ledger: pd.DataFrame | None) -> Iterator[Section]:
    """Yield the sections of a page, at most twelve; pictures until they fill it.

    The first has every picture; a later one only its curves once there is little room left, and
    none where the page would be too large.
    """
    run, used = found.run, 0
    for number, (case, aco) in enumerate(places(run)[:MOST]):
        part = _part(run, case, aco)
        place = Place(case, _year(part), aco)
        shown = tuple(tables.tables(_rows(found.summary, case, aco)))
        whole = (run, ledger, place)
        made = _section((part, shown), whole, number, full=used < _ROOM)
        made = made if used < _LAST else made._replace(pictures={})
        used += sum(len(each.wide) + len(each.narrow) for each in made.pictures.values())
        yield made


def places(run: xr.Dataset) -> list[tuple[int, str]]:
    """Return the cases and ACOs in the order of the page, all ACOs together first."""
    acos = [str(aco) for aco in run["aco"].values]
    together = [TOTAL] if len(acos) > 1 else []
    cases = 1 if sampled(run) else run.sizes["case"]
    return [(case, aco) for case in range(cases) for aco in (*together, *acos)]


_Whole = tuple[xr.Dataset, pd.DataFrame | None, Place]


def _rows(summary: pd.DataFrame, case: int, aco: str) -> pd.DataFrame:
    """Return the rows of a summary for one case, by its place, and one ACO or all added."""
    every = summary.index.get_level_values("case")
    here = every == every.unique()[case]
    return summary[here & (summary.index.get_level_values("aco") == aco)]


def _year(part: xr.Dataset) -> str:
    """Return the year of a part, or what stands for all of its years added."""
    return str(part["year"].values[0]) if part.sizes["year"] == 1 else TOTAL


def _part(run: xr.Dataset, case: int, aco: str) -> xr.Dataset:
    """Return one case of one ACO, or of all ACOs added, in memory if small; the dims stay."""
    part = run[["settlement_usd"]].isel(case=[case])
    if aco != TOTAL:
        alone = part.sel(aco=[aco])
        return alone.assign(settlement_usd=held(alone["settlement_usd"]))
    total = tables.added(part["settlement_usd"]).expand_dims(aco=[TOTAL])
    return xr.Dataset({"settlement_usd": total}, attrs=run.attrs)


def _section(
    of: tuple[xr.Dataset, tuple[Table, ...]], whole: _Whole, number: int, *, full: bool
) -> Section:
    (part, shown), (run, ledger, place) = of, whole
    total = part["settlement_usd"].astype(np.float64).isel(case=0, aco=0).sum("year", skipna=False)
    best = comparison.ranked(total)[0]
    known = waterfall.at(ledger, place) if full and ledger is not None else None
    return Section(
        title=_title(part),
        answer=sentences.answer(total),
        downside=sentences.downside(total, best),
        happened=tuple(_happened(part)),
        tables=shown,
        differences=comparison.panel(comparison.against(total, best), f"{best} against"),
        pictures=dict(_pictures(part, (run, known, place), (best, shown), (number, full))),
        waterfalls=() if known is None else tuple(waterfall.panels(known, run, place)),
        limits=() if known is None else tuple(waterfall.limits(known, run, place)),
        capital=tuple(_capital(total, whole)) if full else (),
    )


def _title(part: xr.Dataset) -> str:
    aco, years = str(part["aco"].values[0]), [str(year) for year in part["year"].values]
    who = "All ACOs together" if aco == TOTAL else aco
    span = years[0] if len(years) == 1 else f"{years[0]} to {years[-1]}"
    swept = [name for name in part.coords if part[name].dims == ("case",) and name != "case"]
    said = {"list": "case"}  # a named case stands for what it sets
    named = (f"{said.get(str(name), name)} {part[name].values[0]}" for name in swept)
    return ", ".join([who, span, *named])


def _happened(part: xr.Dataset) -> Iterator[tuple[str, str]]:
    for _, row in tables.observed(part).iterrows():
        if row["aco"] in part["aco"].values:
            yield sentences.what_happened(row), str(row["source"])


def _capital(total: xr.DataArray, whole: _Whole) -> Iterator[Panel]:
    run, ledger, place = whole
    held = {} if ledger is None else capital.surety(ledger, run, place)
    labels = [str(label) for label in run["contract"].values]
    yield from capital.panels(capital.figures(total), held, labels)


def _pictures(
    part: xr.Dataset, whole: _Whole, of: tuple[str, Sequence[Table]], at: tuple[int, bool]
) -> Iterator[tuple[str, Picture]]:
    """Yield the pictures of a section by name: all that there are, or only the curves."""
    (run, ledger, place), (best, shown), (number, full) = whole, of, at
    chances = _alt(shown[0])
    yield (
        "exceedance",
        picture(
            lambda ax: plots.exceedance(part, ax),
            f"curves{number}-",
            (f"Curves of the chance that the settlement exceeds an amount. {chances}", _CURVES),
        ),
    )
    if not full:
        return
    yield (
        "histogram",
        picture(
            lambda ax: plots.histogram(part, best, ax),
            f"histogram{number}-",
            (
                f"Histogram of the settlement under {best}, with mean and value at risk.",
                _HISTOGRAM,
            ),
        ),
    )
    if part.sizes["year"] > 1:
        yield (
            "fan",
            picture(
                lambda ax: plots.fan(part, ax),
                f"fan{number}-",
                ("Median and 90% range of the settlement by year and contract.", _FAN),
            ),
        )
    if ledger is not None:
        yield from _ledger_pictures(run, ledger, place, (best, number))


def _ledger_pictures(
    run: xr.Dataset, ledger: pd.DataFrame, place: Place, at: tuple[str, int]
) -> Iterator[tuple[str, Picture]]:
    """Yield the waterfall of the best contract in two parts, and what limits are worth."""
    best, number = at
    shown = waterfall.bars(ledger, run, place, best)
    colour = plots.colours(run)[best]
    moving = [bar for bar in shown if bar.kind == "level" or bar.mean != 0.0]
    for name, part in zip(("spending", "savings"), waterfall.split(moving), strict=True):
        if part:
            words = "; ".join(f"{bar.text} {bar.mean / 1e6:,.3g}" for bar in part)
            yield (
                name,
                picture(
                    _waterfall(part, colour),
                    f"{name}{number}-",
                    (f"Waterfall of {best}, means in millions of dollars: {words}.", _WATERFALL),
                    0.46 * len(part) + 1.0,
                ),
            )
    costs = _visible(waterfall.worth(ledger, run, place))
    if len(costs):
        rows = costs["name"].nunique()
        yield (
            "limits",
            picture(
                lambda ax: plots.limits(costs, run, ax),
                f"limits{number}-",
                ("Bars of what each limit is worth on average, by contract.", _LIMITS),
                0.75 + (0.26 + 0.08 * costs["contract"].nunique()) * rows,
            ),
        )


def _visible(costs: pd.DataFrame) -> pd.DataFrame:
    """Return the limits with a bar that can be seen: a two-hundredth of the longest at least."""
    reach = costs["mean"].abs().groupby(costs["name"]).transform("max")
    return costs[reach >= 0.005 * reach.max()] if len(costs) else costs


def tornado(found: Findings) -> Picture | None:
    """Return what the cases of a sweep change, the largest first; None without a sweep."""
    run, table = found.run, sweep.bars(found.run, found.effects)
    if table.empty:
        return None
    rows, contracts = table["name"].nunique(), table["contract"].nunique()
    return picture(
        lambda ax: plots.limits(table, run, ax),
        "tornado-",
        ("Bars of what each case of the sweep changes, by contract, the largest first.", _TORNADO),
        0.95 + (0.26 + 0.08 * contracts) * rows,
    )


def best(found: Findings) -> str:
    """Return the contract of the highest mean of the first case, years and ACOs added."""
    return comparison.ranked(found.total)[0]


def sensed(found: Sensed, colours: Mapping[str, str]) -> Picture:
    """Return the tornado or the Sobol' indices of one contract."""
    colour, paths = colours[found.contract], found.table["path"].nunique()
    draw = plots.tornado if found.kind == "tornado" else plots.indices
    what = "Tornado" if found.kind == "tornado" else "Sobol' indices"
    words = "; ".join(dict.fromkeys(str(path) for path in found.table["path"]))
    return picture(
        lambda ax: draw(found.table, colour, ax),
        "tornado-",
        (f"{what} of {found.contract}, widest first: {words}.", _SENSED[found.kind]),
        1.15 + 0.62 * paths,
    )


def convergence(errors: pd.DataFrame, run: xr.Dataset) -> Picture:
    """Return the standard error of each contract's mean against trials."""
    last = errors[errors["trials"] == errors["trials"].max()]
    words = ", ".join(f"{r.contract} ${r.mean_error_usd:,.0f}" for r in last.itertuples())
    alt = f"Standard errors of means against trials; at {errors['trials'].max():,}: {words}."
    return picture(
        lambda ax: plots.convergence(errors, run, ax), "convergence-", (alt, _CONVERGENCE)
    )


def _waterfall(part: Sequence[waterfall.Bar], colour: str) -> Callable[[Axes], Axes]:
    return lambda ax: plots.waterfall(part, colour, ax)


def picture(
    draw: Callable[[Axes], Axes], prefix: str, words: tuple[str, str], height: float = _HEIGHT
) -> Picture:
    """Return what `draw` draws for a wide and for a narrow screen, its words and caption."""
    tall = height * (1.3 if height != _HEIGHT else 1.0)
    wide = plots.heightened(draw(plots.canvas(_WIDE, height)))
    narrow = plots.heightened(draw(plots.canvas(_NARROW, tall)))
    return Picture(
        plots.svg(wide, INKS, f"w-{prefix}"), plots.svg(narrow, INKS, f"n-{prefix}"), *words
    )


def _alt(shown: Table) -> str:
    chances = next(row.cells for row in shown.rows if row.label == "P(earns) %")
    each = ", ".join(f"{c} {p}%" for c, p in zip(shown.contracts, chances, strict=True))
    return f"Above zero: {each}."


_CURVES = (
    "How likely each contract pays the ACO more than an amount. Higher is better; left of zero "
    "the ACO owes. Rings are what is reached in 95 and in 99 of 100 trials: less a sign, the "
    "value at risk. Where curves coincide, dashes show both."
)
_HISTOGRAM = "How often the settlement lies in each range; the outermost hold what lies beyond."
_FAN = "The line is the median of each year, the band what 90 of 100 trials span."
_WATERFALL = (
    "Means over all trials, with standard errors; grey takes away, an outlined bar is smaller "
    "than its noise. Lines span two standard errors either side."
)
_TORNADO = (
    "What each case changes against the first on the same draws, the largest first. Lines span "
    "two standard errors either side; an outlined bar is smaller than its noise."
)
_SENSED = {
    "tornado": (
        "What each end of each swept path changes against the first case on the same draws, the "
        "widest path first; grey takes away. Lines span two standard errors either side; an "
        "outlined bar is smaller than its noise."
    ),
    "indices": (
        "What share of the variance of the mean settlement, over the sampled ranges, each path "
        "makes alone (filled) and with all that it does together with others (outlined). Lines "
        "are what 95 of 100 resamples of points and trials span."
    ),
}
_CONVERGENCE = (
    "The standard error of each contract's mean after the first trials. The thin lines fall as "
    "one over the root of the trials: four times the trials halve the error. Where dots leave "
    "them, rare outcomes still change the spread, and the error is not yet sure itself."
)
_LIMITS = (
    "Plus is what a limit spares the ACO, minus what it costs it, as a mean over all trials. "
    "Lines span two standard errors either side; an outlined bar is smaller than its noise. "
    "Limits in the benchmark, whose dollars are not the settlement's, and limits too small to be "
    "seen beside the others stand in the tables alone."
)
