"""The answer of each verb, for people as plain text or for machines as JSON."""

import json
import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from simulator.cli.memory import frugal
from simulator.cli.terminal import amount, grid, listing, say, width
from simulator.timing import listening

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from simulator.engine.plan import Estimate, Plan
    from simulator.programs.worksheet import Check, Row, Settled
    from simulator.report.findings import Findings
    from simulator.scenario.schema import Cell, DataQuality, Scenario

__all__ = [
    "files",
    "opened",
    "plan",
    "plans",
    "profiled",
    "settled",
    "show",
    "sound",
    "statements",
]

_MOST_TABLES = 12
_SHORT = 40
_MOST_CELLS = 40
_STATUSES = ("assumed", "reported", "proposed", "disputed")


def sound(scenarios: Mapping[str, "Scenario"], mistakes: Sequence[str], *, as_json: bool) -> None:
    """Print of each scenario that can run what it comes to, and what its files and figures are."""
    from simulator.scenario.sweep import cases

    counts = {file: (len(cases(one)), len(one.contracts)) for file, one in scenarios.items()}
    if as_json:
        facts = [
            {"file": file, "cases": counts[file][0], "contracts": counts[file][1]}
            | {"trials": one.trials, "data_quality": one.data_quality.model_dump()}
            for file, one in scenarios.items()
        ]
        say(json.dumps({"sound": facts, "mistakes": list(mistakes)}, indent=1))
        return
    for file, one in scenarios.items():
        said = [
            _count(n, noun) for n, noun in zip(counts[file], ("case", "contract"), strict=True)
        ]
        say(f"{file}: sound; {', '.join(said)}, {one.trials:,} trials")
        _quality(one.data_quality)


def _quality(found: "DataQuality") -> None:
    """Print what was found in the files of people: checks, control totals, what is doubted."""
    for checked in found.findings:
        if checked.holds:
            say(f"{checked.file}: {checked.check}: {checked.found}")
    if found.cells:
        say()
        head = ["people", "persons", "person-years", "USD each", "USD"]
        rows = [[c.group, c.persons, *_figures(c)] for c in found.cells[:_MOST_CELLS]]
        for line in grid(head, rows, width()):
            say(line)
        more = len(found.cells) - _MOST_CELLS
        say(f"and {more:,} more: see --json\n" if more > 0 else "")
    for line in _doubts(found.warnings):
        say(line)


def _figures(cell: "Cell") -> list[str]:
    return [cell.person_years, cell.expenditure_ppy, cell.expenditure_usd]


def _doubts(warnings: Sequence[str]) -> list[str]:
    """Return warnings as lines, each marked as one."""
    return [f"warning: {warning}" for warning in warnings]


def _count(number: object, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def plans(every: Sequence["Plan"], workers: int | None, *, as_json: bool) -> None:
    """Print what runs come to, each and, if there are several, together."""
    from simulator.engine.plan import estimate

    costs = [estimate(planned, workers or os.cpu_count() or 1) for planned in every]
    if as_json:
        facts = [_facts(planned, cost) for planned, cost in zip(every, costs, strict=True)]
        say(json.dumps(facts[0] if len(facts) == 1 else facts, indent=1))
        return
    for planned, cost in zip(every, costs, strict=True):
        plan(planned, cost)
        say()
    if costs[1:]:
        disk, seconds = sum(c.disk_bytes for c in costs), sum(c.seconds for c in costs)
        blocks = sum(c.blocks - c.committed for c in costs)
        say(f"together: {blocks:,} blocks to do, {disk / 1e6:,.1f} MB, about {seconds:,.0f} s")


def _facts(planned: "Plan", cost: "Estimate") -> dict[str, object]:
    from simulator.results import others, statuses

    beside = others(planned.folder, planned.scenario)
    return {
        "run": str(planned.folder),
        **planned.pin._asdict(),
        **vars(cost),
        "terms": statuses(planned.rules),
        "trials": planned.scenario.trials,
        "notices": list(planned.notices),
        "others": [{"run": one.run, "made_by": one.version} for one in beside],
        "warnings": list(planned.scenario.data_quality.warnings),
    }


def plan(planned: "Plan", cost: "Estimate") -> None:
    """Print what a run comes to."""
    from simulator.results import statuses

    counts = statuses(planned.rules)
    for line in listing([*_costs(planned, cost).items()]):
        say(line)
    say()
    rows = [[name, *(str(n.get(kind, 0)) for kind in _STATUSES)] for name, n in counts.items()]
    for line in grid(["terms", *_STATUSES], rows, width()):
        say(line)
    for notice in planned.notices:
        say(f"what if: {notice}")
    if planned.by_person:
        say(f"fewer than 1,000 people, each drawn: {', '.join(planned.by_person)}")
    for line in _doubts(planned.scenario.data_quality.warnings):
        say(line)


def _costs(planned: "Plan", cost: "Estimate") -> dict[str, str]:
    trials, size = planned.scenario.trials, planned.pin.block
    return {
        "run": str(planned.folder),
        "cases": f"{planned.pin.cases:,}, each of {trials:,} trials",
        "blocks": f"{cost.blocks:,}, each of {size:,} trials; {cost.committed:,} are done",
        "memory": f"about {cost.memory_bytes / 1e6:,.0f} MB beside Python's own 0.3 GB",
        "disk": f"{cost.disk_bytes / 1e6:,.1f} MB",
        "time": f"about {cost.seconds:,.0f} s",
    }


def opened(path: Path) -> "xr.Dataset":
    """Return a run to be shown: in pieces, so that not all of its trials need be in memory."""
    from simulator.analysis.columns import PIECE
    from simulator.results import open_run

    frugal()
    return open_run(path, piece=PIECE)


def show(run: "xr.Dataset", *, as_json: bool, known: "Findings | None" = None) -> None:
    """Print what each contract earns or owes; what is worked out already is `known`."""
    from simulator.report import sentences, tables
    from simulator.report.findings import findings

    known = known or findings(run)
    if as_json:
        told = tables.as_json(run, known.summary, known.observed)
        say(json.dumps({**told, **_waterfall(run)}, indent=1))
        return
    attrs = run.attrs
    how = sentences.drawn(attrs["trials"], attrs["scheme"], attrs["replicates"])
    say(f"{attrs['name']}: {how}, seed {attrs['seed']}")
    for table in islice(tables.tables(known.summary), _MOST_TABLES):
        say()
        case = f"case {table.case}, " if "case" in run.dims else ""
        say(f"{case}{table.year}, {table.aco}; {table.unit}, plus: the ACO earns")
        rows = [[row.label, *map(str, row.cells)] for row in table.rows]
        for line in grid(["", *table.contracts], rows, width()):
            say(line)
    hidden = len(known.summary.index.droplevel("contract").unique()) - _MOST_TABLES
    if hidden > 0:
        say(f"\nand {hidden:,} more tables: see --json or summary.parquet")
    _worth(run)
    for _, row in known.observed.iterrows():
        say(f"\n{sentences.what_happened(row)}.")
    for notice in json.loads(attrs.get("notices", "[]")):
        say(f"what if: {notice}")
    for line in _doubts(json.loads(attrs.get("data_quality", "{}")).get("warnings", [])):
        say(line)


def _waterfall(run: "xr.Dataset") -> dict[str, object]:
    """Return the waterfall of a run that has been settled again, else how to have it."""
    from simulator.engine.ledger import kept
    from simulator.report import tables, waterfall

    table = kept(run.attrs["path"])
    if table is None:
        return {"waterfall": None, "waterfall_by": f"acosim report {run.attrs['path']}"}
    return {"waterfall": tables.as_records(waterfall.records(table, run))}


def _valued(run: "xr.Dataset") -> bool:
    """Return whether the run's scenario asks for present values."""
    from simulator.results import written

    return isinstance(written(str(run.attrs["scenario"])).get("valuation"), dict)


def _worth(run: "xr.Dataset") -> None:
    """Print what contracts are worth over all years, if that is asked, and which is worth more."""
    if not _valued(run):
        return
    from simulator.analysis.choices import duels, worth
    from simulator.report import tables
    from simulator.report.rounding import figure, scale

    table, counts = worth(run), tables.unsettled(run)
    unit = scale(float(table.p95_usd.abs().max()))
    say(f"\npresent value of all years, first case; $ {unit.name}, plus: the ACO earns")
    labels = {
        "mean_usd": "mean",
        "sd_usd": "sd",
        "p5_usd": "p5",
        "p50_usd": "p50",
        "p95_usd": "p95",
        "gains_share": "P(above 0) %",
        "worst_mean_usd": "lowest position, mean",
        "worst_p5_usd": "lowest position, p5",
    }
    rows = []
    for name, label in labels.items():
        what, kind = name.rsplit("_", 1)
        size = unit.size if kind == "usd" else 0.01
        errors = table[f"{what}_error_{kind}"]
        cells = [figure(v, e, size) for v, e in zip(table[name], errors, strict=True)]
        rows.append([label, *map(str, cells)])
    rows += [[name, *map(str, row)] for name, row in counts.items()]
    for line in grid(["", *map(str, table.index)], rows, width()):
        say(line)
    say()
    for duel in duels(run).itertuples():
        wins = figure(duel.wins_share, duel.wins_error_share, 0.01)
        mean = figure(duel.mean_usd, duel.mean_error_usd, unit.size)
        say(f"{duel.a} is worth more than {duel.b} in {wins} %; on average {mean} {unit.name}")


def _pictures(run: "xr.Dataset", aside: Path) -> dict[str, Path]:
    """Write the pictures that a run has and return where each is."""
    from simulator.analysis.choices import present
    from simulator.analysis.kept import EFFECT, kept
    from simulator.report import plots

    written = {"picture": plots.save(plots.exceedance(run), aside / "exceedance.png")}
    if run.sizes["year"] > 1:
        written["by year"] = plots.save(plots.fan(run), aside / "by_year.png")
    if _valued(run):
        written["values"] = plots.save(plots.values(present(run)), aside / "values.png")
    if EFFECT in run.coords and float(run[EFFECT].values[0]) == 0.0:
        written["kept"] = plots.save(plots.kept(kept(run)), aside / "kept.png")
    return written


def files(
    run: "xr.Dataset",
    folder: Path,
    *,
    quiet: bool,
    again: bool = False,
    ranked: int = 0,
    known: "Findings | None" = None,
) -> None:
    """Write a run's table, pictures, page and workbook into its folder, and say where they are.

    Waterfall and limits are in them if it is settled `again`, or if that takes seconds only;
    terms are ranked anew by what their rivals move on `ranked` trials, if that is not 0. What
    is worked out already is `known`.
    """
    from simulator.engine.ledger import ledger, quick
    from simulator.report import mattering, page, workbook
    from simulator.report.findings import findings
    from simulator.results import showing

    known = known or findings(run)

    with showing(folder) as aside:
        settled = ledger(folder, aside) if again or quick(run) else None
        frugal()
        known.summary.to_parquet(aside / "summary.parquet")
        written = {"run": folder, **_pictures(run, aside)}
        ranking = mattering.rank(folder, ranked, aside) if ranked else mattering.kept(folder)
        written["page"] = page.write(run, aside / "report.html", settled, ranking, known)
        written["workbook"] = workbook.write(run, aside / "report.xlsx", settled, ranking, known)
    places = {
        name: folder / path.name if path.parent == aside else path
        for name, path in written.items()
    }
    if not quiet:
        say()
        for line in listing([(name, str(path)) for name, path in places.items()]):
            say(line)


@contextmanager
def profiled(*, as_json: bool) -> Iterator[None]:
    """Say on stderr, after what happens here, where the time went; start-up since the process's.

    What no part counts (waiting, what lies between) is `other`.
    """
    before, began = time.process_time(), time.perf_counter()
    with listening() as laps:
        laps.add("start-up", before)
        yield
    whole = before + time.perf_counter() - began
    parts = laps.seconds | {"other": max(whole - sum(laps.seconds.values()), 0.0)}
    if as_json:
        typer.echo(json.dumps({"profile": parts, "seconds": whole}), err=True)
        return
    rows = [[name, f"{one:.2f}", f"{one / whole:.0%}"] for name, one in parts.items()]
    for line in grid(["", "seconds", "share"], [*rows, ["all", f"{whole:.2f}", ""]], width()):
        typer.echo(line, err=True)


def statements(found: Sequence[tuple[str, Iterable["Row"]]], *, as_json: bool) -> None:
    """Print statements line by line, each with its unit, its sentence and what it rests on."""
    if as_json:
        told = [{"title": title, "lines": [_known(r) for r in rows]} for title, rows in found]
        say(json.dumps(told[0] if len(told) == 1 else told, indent=1))
        return
    for title, rows in found:
        say(title)
        say()
        for line in _lines(list(rows)):
            say(line)
        say()


def _known(row: "Row") -> dict[str, object]:
    return {**row._asdict(), "value": None if math.isnan(row.value) else row.value}


def _lines(rows: Sequence["Row"]) -> Iterator[str]:
    """Yield a statement: figures right, each line's sentence and grounds once, under its name."""
    figures = ["suppressed" if math.isnan(r.value) else amount(r.value, r.unit) for r in rows]
    wide = max(map(len, figures))
    above = ""
    for row, figure in zip(rows, figures, strict=True):
        name = f"{row.line}.{row.segment}" if row.segment else row.line
        if row.line == above:
            yield f"{figure.rjust(wide)}  {name}"
            continue
        yield f"{figure.rjust(wide)}  {name}: {row.text}"
        yield from (f"{'':{wide}}      {cite}" for cite in row.cites)
        above = row.line


def ranking(now: "pd.DataFrame", ranked: "pd.DataFrame", most: int, *, as_json: bool) -> None:
    """Print what contracts are worth, and the rival values that move it, most first."""
    if as_json:
        told = {"answers": now.to_dict("records"), "rivals": ranked.to_dict("records")}
        say(json.dumps(told, indent=1, default=str))
        return
    from simulator.report.rounding import figure, scale

    unit = scale(float(now.mean_usd.abs().max()))
    head = f"$ {unit.name}".strip()
    rows = [
        [
            r.answer,
            str(figure(r.mean_usd, r.mean_error_usd, unit.size)),
            f"{r.above_zero_share:.0%}",
        ]
        for r in now.itertuples()
    ]
    for line in grid(["answer", head, "above 0"], rows, width()):
        say(line)
    say()
    cells = [
        (
            str(figure(r.change_usd, r.change_error_usd, unit.size)),
            r.answer,
            f"{r.program} {r.term}",
            f"{_short(r.now)} -> {_short(r.value)}",
            r.status,
            f"then {r.then_usd / unit.size:,.1f}, above 0: {r.then_above_zero_share:.0%}",
            r.cite,
        )
        for r in ranked.head(most).itertuples()
    ]
    say(f"change of the mean, {head} ± its standard error on the same draws, most first")
    for line in listing(cells):
        say(line)
    if len(ranked) > most:
        say(f"and {len(ranked) - most:,} more: --most, or --json for all")


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 3]}..."


def settled(sheet: "Settled", *, as_json: bool) -> bool:
    """Print a worksheet's statement and its expected lines; return whether all are met."""
    asked = sheet.worksheet
    title = f"{asked.program} {asked.year} {asked.option}".strip()
    checks = sheet.checks
    if as_json:
        lines = [row._asdict() for row in sheet.rows]
        expected = [{**check._asdict(), "met": check.met} for check in checks]
        told = {"title": title, "lines": lines, "remarks": sheet.remarks, "expected": expected}
        say(json.dumps(told, indent=1))
    else:
        statements([(title, sheet.rows)], as_json=False)
        for remark in sheet.remarks:
            say(f"note: {remark}")
        _expected(checks)
    return all(check.met for check in checks)


def _expected(checks: Sequence["Check"]) -> None:
    if not checks:
        return
    rows = [
        [
            c.line,
            f"{c.expected:,}",
            f"{c.found:,.6f}",
            f"{c.within:g}",
            "met" if c.met else "NOT MET",
        ]
        for c in checks
    ]
    say()
    for line in grid(["expected", "", "found", "within", ""], rows, width()):
        say(line)
