"""Pictures of a run: each function takes an Axes (or makes one) and returns it."""

import io
import json
import math
import re
import textwrap
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, PercentFormatter, StrMethodFormatter

from simulator.analysis.columns import gathered
from simulator.analysis.convergence import Measure, estimate, standard_error
from simulator.analysis.tail import quantiles
from simulator.report.rounding import figure
from simulator.report.tables import added

__all__ = [
    "INK",
    "PALETTE",
    "PAPER",
    "Axes",
    "attributed",
    "canvas",
    "colours",
    "convergence",
    "exceedance",
    "fan",
    "heightened",
    "histogram",
    "indices",
    "kept",
    "limits",
    "save",
    "svg",
    "tornado",
    "values",
]

# Six hues that stand out on white and on black (contrast 3 at least) and stay apart for readers
# who do not see red or green; a seventh contract takes the first hue again, dashed.
PALETTE = ("#0256FB", "#FC6106", "#41A583", "#C073E5", "#C4252A", "#366B81")
# A page puts its own text and paper colours in the place of these; no contract has them.
INK, PAPER = "#5A5A5B", "#FEFEFD"
_DASHES = ("solid", (0, (3, 3)), (0, (1, 2)), (0, (6, 3, 1, 3)))
_POINTS = 320
# Bars of less than half a cent are none.
_SMALL, _MILLION = 0.005, 1e6
# Inches that a row of a legend takes.
_LEGEND_ROW = 0.24

Step: TypeAlias = tuple[str, str, float, float]


def colours(run: xr.Dataset | xr.DataArray) -> dict[str, str]:
    """Return each contract's colour, by its place in the run: the same in every picture."""
    labels = (str(label) for label in run["contract"].values)
    return dict(zip(labels, cycle(PALETTE), strict=False))


def exceedance(run: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Return the chance that each contract's settlement exceeds an amount, years and ACOs added.

    Where curves coincide the later one is dashed, so that both show. Rings are the value at risk
    at 95 and 99%; a diamond shows an observed result if a single ACO and year is drawn. Amounts
    are in millions of dollars.

    Parameters
    ----------
    run : Dataset (case, trial, year, aco, contract); of a sweep the first case is drawn
    ax : where to draw; by default on a figure of its own
    """
    ax = ax or canvas(7.2, 4.4)
    settlement = _total(run)
    _curves(ax, settlement)
    _mark(ax, run, settlement)
    ax.set(xlabel=_amount(run))
    return _dressed(ax, settlement)


def _curves(ax: Axes, amounts: xr.DataArray) -> None:
    """Draw the chance of more than each amount, in millions: ``(trial, contract)``."""
    for label, colour in colours(amounts).items():
        dashes = _DASHES[_covered(amounts, label) % len(_DASHES)]
        draws = _ordered(amounts, label)
        amount, chance = _curve(draws)
        ax.step(amount, chance, where="post", color=colour, lw=2.4, ls=dashes, label=label)
        ax.plot(
            np.quantile(draws, [0.05, 0.01]),
            [0.95, 0.99],
            "o",
            ms=5,
            mfc=PAPER,
            mec=colour,
            mew=1.6,
            zorder=7,
        )
    ax.set(ylim=(0, 1.02), ylabel="chance of more than that")
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))


def histogram(run: xr.Dataset, contract: str, ax: Axes | None = None) -> Axes:
    """Return how often one contract's settlement falls in each of some forty ranges.

    Zero is in the middle of its own; the outermost hold what lies beyond. Lines mark the mean
    and the value at risk at 95 and 99%.
    """
    ax = ax or canvas(7.2, 4.4)
    settlement = _total(run)
    low, high = _range(settlement)
    width = (high - low) / 40.0
    edges = ((np.arange(low // width - 1.0, high // width + 2.0) + 0.5) * width).tolist()
    draws = settlement.sel(contract=contract)
    own = gathered(draws).values
    often, _ = np.histogram(np.clip(own, edges[0], edges[-1]), edges)
    shares = often / own.size
    ax.hist(edges[:-1], edges, weights=shares, color=colours(run)[contract], label=contract)
    marks = {
        "mean": Measure("mean"),
        "p5 (VaR 95%)": Measure("quantile", 0.05),
        "p1 (VaR 99%)": Measure("quantile", 0.01),
    }
    for row, (name, measure) in enumerate(marks.items()):
        amount, error = (float(of(draws, measure)) for of in (estimate, standard_error))
        said = f"{name} {figure(amount, error)}".replace("-", "\u2212")
        ax.axvline(amount, color=INK, lw=1.4, ls=_DASHES[row], zorder=5, label=said)
    ax.set(xlabel=_amount(run), ylabel="share of trials")
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    return _dressed(ax, settlement)


def waterfall(bars: Sequence[Step], colour: str, ax: Axes | None = None) -> Axes:
    """Return a contract's bars from the top down, in millions, each with its standard error.

    Levels are in the contract's colour, what adds to them lighter, what takes away in grey; a
    change that its noise hides (within two standard errors of nothing) is only outlined. Bars
    that begin with a change are of spending, far from nothing: the axis begins near them, and a
    change that takes most of a level away is drawn as an amount beside it.

    Parameters
    ----------
    bars : of (text, kind, mean, error) in dollars, kind ``level`` or ``change``
    """
    ax = ax or canvas(7.2, 0.42 * len(bars) + 0.8)
    spans = _spans(bars)
    levels = [span.end for span in spans if span.kind != "change"]
    low = min([0.0, *(min(span.start, span.end) for span in spans)])
    if bars[0][1] == "change" and levels and min(levels) > 0.3 * max(levels):
        edges = [edge for span in spans for edge in (span.start, span.end) if edge > 0.0]
        low = min(edges) - 0.25 * (max(edges) - min(edges))
    for row, span in enumerate(spans):
        left = max(span.start, low) if span.kind == "change" else low if low > 0.0 else 0.0
        style = _bar_style(span, colour)
        ax.barh(row, span.end - left, left=left, height=0.66, **style)
        if span.error > 0.0:
            ax.errorbar(span.end, row, xerr=2.0 * span.error, fmt="none", ecolor=INK, lw=1.0)
    _bar_labels(ax, spans, low)
    ax.set_xlabel("$ million" + (", axis not from zero" if low > 0.0 else ""))
    return _rows(ax, [span.text for span in spans])


class Span(NamedTuple):
    """Where a bar starts and ends, in millions."""

    text: str
    kind: str
    start: float
    end: float
    value: float
    error: float


def _spans(bars: Sequence[Step]) -> list[Span]:
    """Return bars where they stand; a change that takes most of a level is an amount."""
    standing, spans = 0.0, list[Span]()
    spending = bars[0][1] == "change"
    for text, kind, dollars, spread in bars:
        mean, error = dollars / 1e6, spread / 1e6
        if kind == "level":
            standing = mean
            spans.append(Span(text, kind, 0.0, mean, mean, error))
        elif not spans or (spending and standing > 0.0 and -mean > 0.5 * standing):
            spans.append(Span(text, "amount", 0.0, abs(mean), mean, error))
            standing += mean
        else:
            spans.append(Span(text, kind, standing, standing + mean, mean, error))
            standing += mean
    return spans


def _bar_style(span: Span, colour: str) -> dict[str, Any]:
    if span.kind == "change" and abs(span.value) <= 2.0 * span.error:
        return {"fc": "none", "ec": INK, "alpha": 0.5, "lw": 0.8, "ls": (0, (2, 2))}
    if span.kind == "level":
        return {"fc": colour, "ec": colour, "lw": 0.8}
    shade = colour if span.value > 0.0 else INK
    # The edge is not lightened: on dark paper it is what tells the bar from it.
    return {"fc": (shade, 0.5), "ec": shade, "lw": 0.8}


def _bar_labels(ax: Axes, spans: Sequence[Span], low: float) -> None:
    """Write each value at the right of the picture, so that they stand in one column."""
    high = max(max(span.start, span.end) for span in spans)
    wide = (high - low) or 1.0
    room = 0.9 if _narrow(ax) else 0.34
    ax.set_xlim(low - 0.02 * wide * (low < 0.0), high + room * wide)
    for row, span in enumerate(spans):
        said = str(figure(span.value, span.error)).replace("-", "\u2212")
        weight = "bold" if span.kind == "level" else "normal"
        ax.text(
            1.0,
            row,
            said,
            ha="right",
            va="center",
            color=INK,
            weight=weight,
            transform=ax.get_yaxis_transform(),
            bbox={"fc": PAPER, "ec": "none", "pad": 1.0},
        )


def _rows(ax: Axes, texts: Sequence[str]) -> Axes:
    """Return the Axes with words for rows, from the top down."""
    room = 17 if _narrow(ax) else 30
    ax.set_yticks(range(len(texts)), [textwrap.fill(text, room) for text in texts])
    ax.set_ylim(len(texts) - 0.4, -0.6)
    ax.grid(axis="x", color=INK, alpha=0.15, lw=0.8)
    ax.set_axisbelow(True)
    ax.tick_params(colors=INK, labelcolor=INK, length=0)
    _below(ax)
    ax.spines[:].set_visible(False)
    for name in ax.get_yticklabels():
        name.set_parse_math(False)
    return ax


def limits(worth: pd.DataFrame, run: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Return what each limit is worth on average, contract by contract, in millions.

    Lines span two standard errors either side; a bar shorter than that is only outlined.

    Parameters
    ----------
    worth : rows of name, contract, mean and error, in dollars, in order
    run : for the colours of its contracts
    """
    names = [*dict.fromkeys(worth["name"])]
    ax = ax or canvas(7.2, 0.3 + 0.62 * len(names))
    labels = [*dict.fromkeys(worth["contract"])]
    high, shades = 0.8 / len(labels), colours(run)
    for row in worth.itertuples():
        at = names.index(row.name) + (labels.index(row.contract) + 0.5) * high - 0.4
        hidden = abs(row.mean) <= 2.0 * row.error
        face = {"fc": "none", "ec": INK, "alpha": 0.5} if hidden else {"fc": shades[row.contract]}
        ax.barh(at, row.mean / 1e6, height=0.9 * high, **face)
        if row.error > 0.0:
            ax.errorbar(row.mean / 1e6, at, xerr=2e-6 * row.error, fmt="none", ecolor=INK, lw=1.0)
    for label in labels:
        ax.barh(0.0, 0.0, color=shades[label], label=label)
    ax.axvline(0.0, color=INK, lw=1.0, alpha=0.6, zorder=0)
    ax.set_xlabel("$ million to the ACO, mean over all trials")
    _rows(ax, names)
    _legend(ax)
    return ax


def fan(run: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Return each contract's settlement by year: its median, and what 90 in 100 trials span."""
    ax = ax or canvas(7.2, 4.4)
    amounts = _by_year(run)
    years = amounts["year"].values
    for label, colour in colours(run).items():
        low, middle, high = quantiles(amounts.sel(contract=label), [0.05, 0.5, 0.95]).values
        ax.fill_between(years, low, high, color=colour, alpha=0.14, lw=0)
        ax.plot(years, middle, "o-", color=colour, lw=2.2, ms=4, label=label)
    ax.axhline(0.0, color=INK, lw=1.0, alpha=0.6, zorder=0)
    ax.set(xlabel="performance year", ylabel="settlement to the ACO, $ million")
    return _quiet(ax, years)


def values(present: xr.DataArray, ax: Axes | None = None) -> Axes:
    """Return the chance that each contract's present value, (trial, contract), beats an amount."""
    ax, amounts = ax or canvas(7.2, 4.4), present / 1e6
    _curves(ax, amounts)
    ax.set(xlabel="present value to the ACO, $ million, all years")
    return _dressed(ax, amounts)


def kept(shares: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Return what is left of an effect by year, as `analysis.kept` gives it, with its error."""
    ax = ax or canvas(7.2, 4.4)
    share, error = (
        shares[name].mean("aco", skipna=False) for name in ("kept_share", "kept_error_share")
    )
    years = share["year"].values
    for label, colour in colours(shares).items():
        middle, wide = share.sel(contract=label).values, 2.0 * error.sel(contract=label).values
        ax.errorbar(years, middle, wide, fmt="o-", color=colour, lw=2.2, ms=4, label=label)
    ax.set(ylim=(0, 1.08), xlabel="performance year", ylabel="savings left of what is saved")
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    return _quiet(ax, years)


def attributed(
    first: tuple[str, float], steps: Mapping[str, float], last: tuple[str, float]
) -> Axes:
    """Return the way from one contract's mean to another's: a bar a change, in turn, USD.

    Parameters
    ----------
    first, last : label and mean settlement of each contract
    steps : what each change adds to those before it, by its name
    """
    moving = {name: usd for name, usd in steps.items() if abs(usd) >= _SMALL}
    ax = canvas(7.2, 1.2 + 0.42 * (len(moving) + 2))
    names = [first[0], *moving, last[0]]
    start = first[1] / _MILLION
    for place, usd in enumerate(moving.values(), 1):
        step = usd / _MILLION
        ax.barh(place, step, left=start, color=PALETTE[2] if step > 0 else PALETTE[4], height=0.6)
        end = start + step
        ax.text(max(start, end), place, f" {step:+.2f}", va="center", color=INK, fontsize=9)
        start = end
    for place, usd in ((0, first[1]), (len(moving) + 1, last[1])):
        ax.barh(place, usd / _MILLION, color=PALETTE[0], height=0.6)
        ax.text(
            usd / _MILLION, place, f" {usd / _MILLION:.2f}", va="center", color=INK, fontsize=9
        )
    ax.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    ax.invert_yaxis()
    ax.set_xlabel("mean settlement, $ million")
    ax.margins(x=0.12)
    return _bare(ax)


def tornado(table: pd.DataFrame, colour: str, ax: Axes | None = None) -> Axes:
    """Return how far each path's ends move a mean, in millions: the widest path on top.

    What takes away is grey; a bar that its noise hides (within two standard errors of nothing)
    is only outlined. Lines span two standard errors either side.

    Parameters
    ----------
    table : of path, end, value, change_usd, change_error_usd and noise, as
        `analysis.sensitivity.tornado` gives it
    """
    paths = [*dict.fromkeys(table["path"])]
    ax = ax or canvas(7.2, 0.8 + 0.55 * len(paths))
    for row in table.itertuples():
        at, change, error = (
            paths.index(row.path),
            row.change_usd / _MILLION,
            row.change_error_usd / _MILLION,
        )
        shade = colour if change > 0.0 else INK
        plain: dict[str, Any] = {"fc": shade, "ec": shade, "alpha": 0.8}
        hidden: dict[str, Any] = {"fc": "none", "ec": INK, "alpha": 0.5, "ls": (0, (2, 2))}
        ax.barh(at, change, height=0.6, lw=0.8, **(hidden if row.noise else plain))
        if error > 0.0:
            ax.errorbar(change, at, xerr=2.0 * error, fmt="none", ecolor=INK, lw=1.0)
        side = 1.0 if change > 0.0 else -1.0
        named = textwrap.shorten(str(row.value), 18, placeholder="\u2026")
        where: dict[str, Any] = {
            "ha": "left" if side > 0.0 else "right",
            "va": "center",
            "color": INK,
        }
        ax.text(change + 2.0 * side * error, at, f" {named} ", parse_math=False, **where)
    ax.margins(x=0.2)
    ax.axvline(0.0, color=INK, lw=1.0, alpha=0.6, zorder=0)
    ax.set_xlabel("change of the mean settlement, $ million")
    return _rows(ax, paths)


def indices(table: pd.DataFrame, colour: str, ax: Axes | None = None) -> Axes:
    """Return Sobol' indices with their intervals: each path alone, and with all others.

    Parameters
    ----------
    table : of path and first_share, total_share with their low and high ends, as
        `analysis.sensitivity.sobol` gives it
    """
    table = table.sort_values("total_share", ascending=False, kind="stable")
    ax = ax or canvas(7.2, 1.1 + 0.7 * len(table))
    looks = {"first": (colour, "alone"), "total": ("none", "with all others")}
    for place, (kind, (face, label)) in enumerate(looks.items()):
        at = np.arange(len(table)) + 0.36 * place - 0.18
        shares = table[f"{kind}_share"].to_numpy()
        ends = table[[f"{kind}_low_share", f"{kind}_high_share"]].to_numpy().T
        ax.barh(at, shares, height=0.32, fc=face, ec=colour, lw=1.4, label=label)
        ax.hlines(at, *ends, color=INK, lw=1.0)
    ax.axvline(0.0, color=INK, lw=1.0, alpha=0.6, zorder=0)
    ax.set_xlabel("share of the variance of the mean settlement")
    ax.xaxis.set_major_formatter(PercentFormatter(1.0))
    _rows(ax, [str(path) for path in table["path"]])
    _legend(ax)
    return ax


def convergence(errors: pd.DataFrame, run: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Return the standard error of each contract's mean against trials, both in doublings.

    Thin lines fall as one over the root of the trials does, from the first standard error on.

    Parameters
    ----------
    errors : rows of trials, contract and mean_error_usd, as `report.convergence.errors` has them
    run : for the colours of its contracts
    """
    ax = ax or canvas(7.2, 3.6)
    for place, (label, colour) in enumerate(colours(run).items()):
        own = errors[(errors["contract"] == label) & (errors["mean_error_usd"] > 0.0)]
        if own.empty:
            continue
        trials, error = own["trials"].to_numpy(), own["mean_error_usd"].to_numpy() / _MILLION
        dashes = _DASHES[place % len(_DASHES)]
        ax.plot(trials, error, "o", ls=dashes, color=colour, lw=2.0, ms=5, label=label)
        ax.plot(trials, error[-1] * np.sqrt(trials[-1] / trials), color=INK, lw=0.8, alpha=0.5)
    ax.set(xscale="log", yscale="log", xlabel="trials")
    ax.set_ylabel("standard error of the mean, $ million")
    marks = sorted(set(errors["trials"]))
    ax.set_xticks(marks[:: 2 if _narrow(ax) else 1], minor=False)
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:.3g}"))
    ax.yaxis.set_minor_formatter(StrMethodFormatter("{x:.2g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.tick_params(axis="y", which="minor", labelcolor=INK, length=0)
    return _bare(ax)


def canvas(width: float, height: float) -> Axes:
    """Return empty axes on a figure of so many inches."""
    return Figure(figsize=(width, height), layout="constrained").add_subplot()


def heightened(ax: Axes) -> Axes:
    """Return the Axes on a figure with room for the rows of its legend beyond the third."""
    _, labels = ax.get_legend_handles_labels()
    if ax.get_legend() is not None:
        figure = _figure(ax)
        more = max(_legend_rows(ax, labels) - 3, 0)
        figure.set_figheight(figure.get_figheight() + _LEGEND_ROW * more)
    return ax


def save(ax: Axes, path: Path | str) -> Path:
    """Write a picture in the format that the path's ending names, PNG or SVG among them."""
    with _any_glyph():
        _figure(ax).savefig(path, dpi=200)
    return Path(path)


@contextmanager
def _any_glyph() -> Iterator[None]:
    """Draw a label that has a sign which no font holds: as a box, and without a word."""
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="Glyph .* missing from font", category=UserWarning
        )
        yield


def svg(ax: Axes, inks: Mapping[str, str], prefix: str) -> str:
    """Return a picture as an SVG element to put into a page.

    Parameters
    ----------
    inks : mapping
        What takes the place of a colour: ``{INK: "currentColor"}``.
    prefix : str
        What its ids start with, so that several elements do not meet in one page.
    """
    text = io.StringIO()
    figure = _figure(ax)
    for patch in (figure.patch, ax.patch):
        patch.set_alpha(0.0)
    with mpl.rc_context({"svg.hashsalt": "acosim", "svg.fonttype": "path"}), _any_glyph():
        # Not savefig, which draws everything twice: the layout is found in the one drawing, too.
        FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None})
    element = re.sub("<!--.*?-->|<metadata>.*?</metadata>", "", text.getvalue(), flags=re.DOTALL)
    element = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}", element)
    for colour, ink in inks.items():
        element = re.sub(colour, ink, element, flags=re.IGNORECASE)
    return element[element.index("<svg") :]


def _narrow(ax: Axes) -> bool:
    """Return whether a picture is for a phone."""
    return bool(_figure(ax).get_figwidth() < 6.0)


def _figure(ax: Axes) -> Figure:
    figure = ax.get_figure(root=True)
    return figure if figure is not None else Figure()


def _total(run: xr.Dataset) -> xr.DataArray:
    """Return settlements in millions, years and ACOs added: ``(trial, contract)``, first case."""
    first = run.isel(case=[0]) if "case" in run.dims else run
    return _by_year(first).sum("year", skipna=False)


def _curve(
    ordered: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return amounts and the share of draws above them, at most some hundred points.

    Left of the lowest draw the chance is one.
    """
    n = len(ordered)
    ranks = np.unique(np.linspace(0, n - 1, min(n, _POINTS)).astype(int))
    above = 1.0 - np.searchsorted(ordered, ordered[ranks], side="right") / n
    return np.append(ordered[0], ordered[ranks]), np.append(1.0, above)


def _by_year(run: xr.Dataset) -> xr.DataArray:
    """Return settlements in millions, ACOs added: ``(trial, year, contract)``, last case."""
    settlement = run["settlement_usd"]
    if "case" in settlement.dims:
        settlement = settlement.isel(case=-1, drop=True)
    for dim in ("year", "aco"):
        if dim not in settlement.dims:
            settlement = settlement.expand_dims(dim)
    return added(settlement) / 1e6


def _ordered(settlement: xr.DataArray, label: str) -> npt.NDArray[np.float64]:
    """Return a contract's draws in order: what is lazy is sorted where it is read to."""
    drawn = settlement.sel(contract=label)
    draws = gathered(drawn).values.reshape(-1) if drawn.chunks else drawn.values.flatten()
    draws.sort()
    return draws


def _range(settlement: xr.DataArray) -> tuple[float, float]:
    """Return the amounts that matter for any contract: all but a thousandth on either side."""
    low, high = _end(settlement), -_end(-settlement)
    return low, max(high, low + 1e-6)


def _end(settlement: xr.DataArray) -> float:
    """Return what a thousandth of all draws lies below, of the lowest of each contract."""
    place = 0.001 * (settlement.size - 1)
    most = int(place) + 2
    ends = [
        # A view would keep all of the draws.
        _ordered(settlement, label)[:most].copy()
        for label in settlement["contract"].values
    ]
    lowest = np.sort(np.concatenate(ends))[:most]
    return float(np.interp(place, np.arange(len(lowest)), lowest))


def _covered(settlement: xr.DataArray, label: str) -> int:
    """Return how many earlier contracts pay the same in a quarter of the trials that pay."""
    labels = [str(other) for other in settlement["contract"].values]
    place = labels.index(label)
    own = gathered(settlement.sel(contract=label)).values
    pays = own != 0.0
    same = [
        int(((gathered(settlement.sel(contract=other)).values == own) & pays).sum())
        for other in labels[:place]
    ]
    covered = sum(4 * many > int(pays.sum()) and many > 0 for many in same)
    return covered + place // len(PALETTE)


def _mark(ax: Axes, run: xr.Dataset, settlement: xr.DataArray) -> None:
    """Mark what was observed, if what is drawn is one ACO in one year."""
    if run["aco"].size != 1 or run["year"].size != 1:
        return
    here = {"aco": str(run["aco"].values.item()), "year": str(run["year"].values.item())}
    for row in json.loads(run.attrs.get("observed", "[]")):
        if row["contract"] in colours(run) and all(str(row[dim]) == here[dim] for dim in here):
            amount = row["settlement_usd"] / 1e6
            chance = float((settlement.sel(contract=row["contract"]) > amount).mean())
            _diamond(ax, amount, chance, colours(run)[row["contract"]])


def _diamond(ax: Axes, amount: float, chance: float, colour: str) -> None:
    ax.plot(amount, chance, "D", ms=9, mfc=colour, mec=INK, mew=1.5, zorder=9)
    ax.annotate(
        "what happened",
        (amount, chance),
        xytext=(9, 9),
        textcoords="offset points",
        color=INK,
        bbox={"fc": PAPER, "ec": "none", "alpha": 0.85, "pad": 1.5},
        zorder=8,
    )


def _amount(run: xr.Dataset) -> str:
    years = np.atleast_1d(run["year"].values)
    span = f"{years[0]}" if years.size == 1 else f"{years[0]} to {years[-1]}, added"
    return f"settlement to the ACO, $ million, {span}"


def _dressed(ax: Axes, settlement: xr.DataArray) -> Axes:
    """Return the Axes with quiet lines, the range that matters and the legend below."""
    low, high = _range(settlement)
    ax.set_xlim(low - 0.03 * (high - low), high + 0.03 * (high - low))
    ax.axvline(0.0, color=INK, lw=1.0, alpha=0.6, zorder=0)
    _sides(ax)
    return _bare(ax)


def _quiet(ax: Axes, years: npt.NDArray[np.int64]) -> Axes:
    """Return the Axes with whole years below and quiet lines."""
    ax.set_xticks(years.tolist()[:: 2 if _narrow(ax) and len(years) > 5 else 1])
    return _bare(ax)


def _bare(ax: Axes) -> Axes:
    ax.grid(color=INK, alpha=0.15, lw=0.8)
    ax.set_axisbelow(True)
    ax.tick_params(colors=INK, labelcolor=INK, length=0)
    _below(ax)
    ax.yaxis.label.set_color(INK)
    ax.spines[:].set_visible(False)
    _legend(ax)
    return ax


def _below(ax: Axes) -> None:
    """Write what the horizontal axis is in the text's colour, in two lines on a phone."""
    ax.set_xlabel(textwrap.fill(ax.get_xlabel(), 34 if _narrow(ax) else 80))
    ax.xaxis.label.set_color(INK)


def _sides(ax: Axes) -> None:
    """Say above the picture which side of zero is whose."""
    where = ax.get_xaxis_transform()
    for text, side in (("owes \u25c2 ", "right"), (" \u25b8 earns", "left")):
        ax.text(0.0, 1.01, text, transform=where, ha=side, va="bottom", color=INK)


def _legend_rows(ax: Axes, labels: Sequence[str]) -> int:
    """Return in how many rows a legend stands below a picture."""
    room = int(_figure(ax).get_figwidth() * 9.0 / (max(len(label) for label in labels) + 5))
    return math.ceil(len(labels) / max(room, 1))


def _legend(ax: Axes) -> None:
    handles, labels = ax.get_legend_handles_labels()
    if not handles:
        return
    rows = _legend_rows(ax, labels)
    legend = ax.legend(
        handles,
        labels,
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        borderaxespad=4.0,
        ncols=math.ceil(len(labels) / rows),
        frameon=False,
        labelcolor=INK,
        handlelength=2.4,
    )
    for name in legend.get_texts():
        name.set_parse_math(False)
