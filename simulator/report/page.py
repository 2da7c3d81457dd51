"""The page of a run: one self-contained HTML file that a browser, a phone and a printer show."""

import re
from pathlib import Path

import jinja2
import numpy as np
import pandas as pd
import xarray as xr

from simulator.report import (
    capital,
    convergence,
    grounds,
    mattering,
    plots,
    provenance,
    quality,
    sections,
    sensitivity,
    sentences,
    sweep,
    waterfall,
)
from simulator.report.findings import Findings, findings

__all__ = ["environment", "write"]

_LABELS = {
    "mean": "Mean",
    "sd": "Standard deviation",
    "p1": "1st percentile",
    **{f"p{n}": f"{n}th percentile" for n in (5, 25, 50, 75, 95, 99)},
    "P(earns) %": "Chance of earning, %",
    "P(owes) %": "Chance of owing, %",
    "worst 5%": "Mean of the worst 5%",
    "worst 1%": "Mean of the worst 1%",
    **{status: f"{status.capitalize()} terms" for status in grounds.STATUSES},
}


def write(
    run: xr.Dataset,
    path: Path | str,
    ledger: pd.DataFrame | None = None,
    ranking: pd.DataFrame | None = None,
    found: Findings | None = None,
) -> Path:
    """Write the page of `run` to the file `path` and return it.

    The page holds text, tables and inlined pictures, no script, and asks no network.

    Parameters
    ----------
    ledger : what the run's lines come to, as `engine.ledger` gives it; without it the page says
        how to add waterfall and limits
    ranking : how far rival values move each contract, as `mattering.rank` gives it; without it
        terms are in the order of their status, and the page says how to rank them
    found : what the run comes to, where that is shown elsewhere too
    """
    found = found or findings(run)
    run = found.run
    page = (
        environment()
        .get_template("page.html.jinja")
        .render(
            run=run.attrs,
            sections=list(sections.sections(found, ledger)),
            hidden=max(len(sections.places(run)) - sections.MOST, 0),
            labels=_LABELS,
            colours=plots.colours(run),
            nothing=sentences.nothing_in(run.sizes["trial"]),
            **_sensitivity(found),
            **_convergence(found),
            cash=_cash(found),
            footing=None if ledger is None else _footing(ledger),
            values=grounds.values(run),
            terms=_terms(run, ranking),
            documents=grounds.documents(run),
            ranked=ranking is not None,
            years=run.sizes["year"],
            unranked=ranking is not None and ranking.empty,
            reliances=grounds.reliances(run),
            quality=quality.rows(run, ledger),
            files=quality.files(run),
            limitations=provenance.limitations(run),
            use=provenance.use(run),
            provenance=provenance.facts(run),
            command=provenance.command(run),
        )
    )
    Path(path).write_text(page, encoding="utf-8", newline="\n")
    return Path(path)


def environment() -> jinja2.Environment:
    """Return what pages are made with; what a scenario says stays text."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("simulator.report", ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["typeset"] = _typeset
    return made


def _typeset(text: str) -> str:
    """Return text with a minus sign before digits and dollars, and errors kept at their value."""
    return re.sub(r"-(?=[$\d])", "\u2212", text).replace(" ±", "\u00a0±")


def _cash(found: Findings) -> dict[str, object]:
    """Return cash by quarter for reading, and what it assumes of the calendar."""
    panel = capital.cash_panel(found.cash, found.run)
    return {"panel": panel, "calendar": capital.calendar(found.run)}


def _sensitivity(found: Findings) -> dict[str, object]:
    """Return what a sweep moves, in a picture of the best contract and tables of all."""
    run, every, best = found.run, found.sensed, sections.best(found)
    shown = next((one for one in every if one.contract == best), every[0] if every else None)
    colours = plots.colours(run)
    picture = sections.tornado(found) if shown is None else sections.sensed(shown, colours)
    whole = sensitivity.every(run, every)
    cases = () if whole else sweep.panels(run, found.effects, best)
    cuts = (sensitivity.cut(every), "" if whole else sweep.cut(found.effects, best))
    return {
        "cuts": [said for said in cuts if said],
        "sensitivity": (*sensitivity.panels(every), *cases),
        "tornado": picture,
        "sensitivity_of": shown,
        "asking": found.asking,
        "sampled": run.sizes["case"] if sensitivity.sampled(run) else 0,
    }


def _convergence(found: Findings) -> dict[str, object]:
    """Return how sure the means are, against trials, and intervals: of the first case."""
    return {
        "convergence": sections.convergence(found.errors, found.run),
        "intervals": convergence.panel(found.intervals),
    }


def _terms(run: xr.Dataset, ranking: pd.DataFrame | None) -> list[grounds.Term]:
    """Return the terms behind the contracts, what moves them most first where that is known."""
    found = grounds.terms(run)
    return found if ranking is None else mattering.ordered(found, ranking)


def _footing(ledger: pd.DataFrame) -> str:
    """Return in how many trials the statements foot, and the largest miss."""
    least, most = waterfall.footed(ledger)
    if np.isnan(least):
        return "The programs of this run declare no sums to check."
    sums = ledger.loc[ledger["kind"] == "foots", "name"].nunique()
    return (
        f"{sums} sums of lines were checked in every trial, year and ACO, in float64: each is met "
        f"to half a cent in {100.0 * least:g}% of trials; the largest miss is ${most:.1e}."
    )
