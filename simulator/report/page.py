"""The page of a run: one self-contained HTML file that a browser, a phone and a printer show."""

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import jinja2
import numpy as np
import xarray as xr

from simulator.engine.simulate import by_person
from simulator.programs import PROGRAMS
from simulator.report import grounds, plots, sentences, tables
from simulator.report.tables import TOTAL, Table
from simulator.results import run_scenario
from simulator.results.folder import SCENARIO

__all__ = ["write"]

_MOST = 12
_INKS = {plots.INK: "currentColor", plots.PAPER: "var(--paper)"}
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


class Section(NamedTuple):
    """What the page says of one ACO (or all together) in one case."""

    title: str
    answer: str
    happened: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]
    pictures: tuple[str, str]
    alt: str


def write(run: xr.Dataset, path: Path | str) -> Path:
    """Write the page of `run` to the file `path` and return it.

    The page holds text, tables and inlined pictures, no script, and asks no network.
    """
    run = run if "case" in run.dims else run.expand_dims("case")
    page = _template().render(
        run=run.attrs,
        sections=_sections(run),
        hidden=max(len(_places(run)) - _MOST, 0),
        labels=_LABELS,
        colours=plots.colours(run),
        nothing=sentences.nothing_in(run.sizes["trial"]),
        values=grounds.values(run),
        terms=grounds.terms(run),
        reliances=grounds.reliances(run),
        limitations=_limitations(run),
        provenance=_provenance(run),
    )
    Path(path).write_text(page, encoding="utf-8", newline="\n")
    return Path(path)


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("simulator.report", ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["typeset"] = _typeset
    return environment.get_template("page.html.jinja")


def _typeset(text: str) -> str:
    """Return text with a minus sign before digits and dollars, and errors kept at their value."""
    return re.sub(r"-(?=[$\d])", "\u2212", text).replace(" ±", "\u00a0±")


def _places(run: xr.Dataset) -> list[tuple[int, str]]:
    """Return the cases and ACOs in the order of the page, all ACOs together first."""
    acos = [str(aco) for aco in run["aco"].values]
    together = [TOTAL] if len(acos) > 1 else []
    return [(case, aco) for case in range(run.sizes["case"]) for aco in (*together, *acos)]


def _sections(run: xr.Dataset) -> list[Section]:
    return [
        _section(_part(run, case, aco), place)
        for place, (case, aco) in enumerate(_places(run)[:_MOST])
    ]


def _part(run: xr.Dataset, case: int, aco: str) -> xr.Dataset:
    """Return one case of one ACO, or of all ACOs added, in memory; the dims stay."""
    part = run[["settlement_usd"]].isel(case=[case])
    if aco != TOTAL:
        return part.sel(aco=[aco]).compute()
    return part.astype(np.float64).sum("aco", keep_attrs=True).expand_dims(aco=[TOTAL]).compute()


def _section(part: xr.Dataset, place: int) -> Section:
    total = part["settlement_usd"].astype(np.float64).isel(case=0, aco=0).sum("year")
    shown = tuple(tables.tables(tables.summary(part)))
    return Section(
        title=_title(part),
        answer=sentences.answer(total),
        happened=tuple(_happened(part)),
        tables=shown,
        pictures=_pictures(part, place),
        alt=_alt(shown[0]),
    )


def _title(part: xr.Dataset) -> str:
    aco, years = str(part["aco"].values[0]), [str(year) for year in part["year"].values]
    who = "All ACOs together" if aco == TOTAL else aco
    span = years[0] if len(years) == 1 else f"{years[0]} to {years[-1]}"
    swept = [name for name in part.coords if part[name].dims == ("case",) and name != "case"]
    return ", ".join([who, span, *(f"{name} {part[name].values[0]}" for name in swept)])


def _happened(part: xr.Dataset) -> Iterator[tuple[str, str]]:
    for _, row in tables.observed(part).iterrows():
        if row["aco"] in part["aco"].values:
            yield sentences.what_happened(row), str(row["source"])


def _pictures(part: xr.Dataset, place: int) -> tuple[str, str]:
    """Return the exceedance curves for a wide and for a narrow screen."""
    wide = plots.exceedance(part, plots.canvas(7.6, 4.3))
    narrow = plots.exceedance(part, plots.canvas(3.9, 4.4))
    return (
        plots.svg(wide, _INKS, f"wide{place}-"),
        plots.svg(narrow, _INKS, f"narrow{place}-"),
    )


def _alt(table: Table) -> str:
    chances = next(row.cells for row in table.rows if row.label == "P(earns) %")
    each = ", ".join(f"{c} {p}%" for c, p in zip(table.contracts, chances, strict=True))
    return f"Curves of the chance that the settlement exceeds an amount. Above zero: {each}."


def _limitations(run: xr.Dataset) -> list[str]:
    """Return what the programs do not model, and which contracts are what-ifs."""
    used = {str(program) for program in run.get("program", xr.DataArray([])).values}
    docs = {name: inspect.getdoc(PROGRAMS[name]) or "" for name in sorted(used & set(PROGRAMS))}
    unmodelled = [
        f"{name}: {' '.join(part.split())}"
        for name, doc in docs.items()
        for part in doc.split("\n\n")
        if part.startswith("Not modelled")
    ]
    notices = json.loads(run.attrs.get("notices", "[]"))
    doubts = json.loads(run.attrs.get("data_quality", "{}")).get("warnings", [])
    warned = [f"Warning: {doubt}" for doubt in doubts]
    what_if = [f"What if: {notice}." for notice in notices]
    return warned + unmodelled + what_if + _each_drawn(run)


def _each_drawn(run: xr.Dataset) -> list[str]:
    """Return which ACOs' people were drawn one by one, if the run's folder is there to say."""
    folder = Path(str(run.attrs.get("path", "nowhere")))
    few = by_person(run_scenario(folder)) if (folder / SCENARIO).is_file() else ()
    return [f"Fewer than 1,000 people, each of whom is drawn: {', '.join(few)}."] if few else []


def _record(run: xr.Dataset) -> Mapping[str, object]:
    """Return what `run.json` says of the run."""
    path = Path(str(run.attrs.get("path", ""))) / "run.json"
    held: Mapping[str, object] = (
        json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    )
    return held


def _drawn(run: xr.Dataset) -> str:
    """Return how many trials there are, how they were drawn and what that does to errors."""
    scheme = str(run.attrs.get("scheme", "independent"))
    told = sentences.drawn(run.sizes["trial"], scheme, int(run.attrs.get("replicates", 1)))
    if scheme == "independent":
        return f"{told}, independent"
    return f"{told}; standard errors come from the spread between them"


def _provenance(run: xr.Dataset) -> list[tuple[str, str]]:
    """Return what made the run, when, from which seed, and the digests that prove it."""
    facts = _record(run)
    made_with = facts.get("versions")
    versions = made_with if isinstance(made_with, Mapping) else {}
    told = {
        "Version": run.attrs.get("version"),
        "Seed": run.attrs.get("seed"),
        "Trials": _drawn(run),
        "Scenario, rules and code (sha256)": run.attrs.get("digest"),
        "Trials (sha256)": facts.get("sha256"),
        "Made": facts.get("began"),
        "On": facts.get("machine"),
        "With": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }
    return [(name, str(fact)) for name, fact in told.items() if fact]
