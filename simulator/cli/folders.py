"""The verbs about runs that are there: how they stand, whether they are whole, what else to do."""

import json
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.guard import aside, guarded, unkept
from simulator.cli.terminal import bar, grid, listing, say, width
from simulator.errors import ResultsError

if TYPE_CHECKING:
    from simulator.engine.reproduction import Reproduction
    from simulator.results import Standing, Verified

__all__ = ["app"]

app = typer.Typer()

_Run = Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]


@app.command()
@guarded
def status(
    path: Annotated[Path | None, typer.Argument(metavar="[RUN]", help="By default all.")] = None,
    out: Annotated[Path, typer.Option(help="The folder that holds runs.")] = Path("results"),
    as_json: _Json = False,
) -> None:
    """Say how a run stands, or every run: finished, running or stopped, and how to go on."""
    from simulator.results import standing, standings

    found = list(standings(out)) if path is None else [standing(path)]
    if as_json:
        say(json.dumps([one._asdict() for one in found], indent=1))
        return
    if not found:
        say(f"{out} holds no runs")
    elif path is not None:
        _standing(found[0])
    else:
        rows = [[Path(s.run).name, s.state, _blocks(s), f"{s.trials:,}", s.began] for s in found]
        for line in grid(["run", "state", "blocks", "trials", "began"], rows, width()):
            say(line)
        for one in found:
            if one.next:
                say(f"{Path(one.run).name}: {_why(one)}{one.next}")


def _why(one: "Standing") -> str:
    return f"not in place yet: {', '.join(one.lacks)}; " if one.lacks else ""


def _blocks(one: "Standing") -> str:
    return f"{one.done:,} of {one.blocks:,}"


def _standing(one: "Standing") -> None:
    facts = {
        "run": one.run,
        "state": one.state,
        "blocks": _blocks(one),
        "trials": f"{one.trials:,}",
        "made by": f"acosim {one.version}" if one.version else "",
        "began": one.began,
        "not in place": ", ".join(one.lacks),
        "next": one.next,
    }
    for line in listing([(name, said) for name, said in facts.items() if said]):
        say(line)


@app.command()
@guarded
def verify(path: _Run, as_json: _Json = False) -> None:
    """Check every checksum of a run, page and pictures too; what is wrong is named."""
    from simulator.results import verify as verified

    found = verified(path)
    if as_json:
        facts = {**found._asdict(), "flaws": [flaw._asdict() for flaw in found.flaws]}
        say(json.dumps({"run": str(path), **facts}, indent=1))
    elif not found.flaws:
        said = f"{found.files:,} files and {found.blocks:,} blocks are as they were written"
        say(f"{path}: {said}; sha256 {found.sha256}")
        for line in _made(found):
            say(line)
    if found.flaws:
        raise ResultsError("\n".join(f"{path}/{flaw}" for flaw in found.flaws))


def _made(found: "Verified") -> Iterator[str]:
    """Yield what a sound run was made by, if not by this acosim, and what is left to do."""
    if found.made_by:
        as_then = "the same" if found.reads_same else "differently"
        more = "" if found.reads_same else "; a run of it here is another run"
        yield f"made by acosim {found.made_by}; its scenario reads {as_then} under this one{more}"
    if found.pending:
        yield f"not in place yet: {', '.join(found.pending)}; acosim report puts them there"


@app.command()
@guarded
def reproduce(
    path: _Run,
    *,
    out: Annotated[
        Path | None, typer.Option(help="Keep what is made again here; by default it is not kept.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="By default one a processor.")] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="threads, processes, or a dask scheduler's address.")
    ] = None,
    patience: Annotated[
        float,
        typer.Option(min=1, help="Seconds to wait for a scheduler or workers that are gone."),
    ] = 60.0,
    block: Annotated[int | None, typer.Option(min=1, help="Trials a block.")] = None,
    as_json: _Json = False,
) -> None:
    """Run a run's scenario again elsewhere and say whether every value is the same, to the bit."""
    from simulator.engine.reproduction import reproduce as again
    from simulator.engine.run import Where

    where = Where(scheduler, workers, patience)
    with aside() as scratch:
        with bar("again", workers) as progress:
            found = again(path, out or scratch, where, progress, block)
        _reproduced(found, kept=out is not None, as_json=as_json)


def _reproduced(found: "Reproduction", *, kept: bool, as_json: bool) -> None:
    if as_json:
        say(json.dumps({**found._asdict(), "same": found.same}, indent=1))
    else:
        rows = [
            (found.run, f"acosim {found.version}", found.sha256),
            (
                found.again if kept else "again",
                f"acosim {found.again_version}",
                found.again_sha256,
            ),
        ]
        for line in listing(rows):
            say(line)
        say("every value is the same, to the bit" if found.same else "")
    if not found.same:
        why = "" if found.rules_same else "; the rules have changed since"
        raise ResultsError("\n".join([*found.differences, f"{found.run} is not reproduced{why}"]))


class Format(StrEnum):
    """What a run's trials can be written as."""

    netcdf = "netcdf"
    parquet = "parquet"
    csv = "csv"


@app.command()
@guarded
def export(
    path: _Run,
    to: Annotated[Format, typer.Option("--to")],
    out: Annotated[
        Path | None, typer.Option(help="The file; by default beside the run's folder.")
    ] = None,
) -> None:
    """Write a run's trials for other programs."""
    from simulator.results import export as exported
    from simulator.results import few, run_scenario, told, unfinished
    from simulator.scenario.sweep import cases

    with unkept(unfinished(path, to.value, out)):
        written = exported(path, to.value, out)
    say(f"wrote {written}")
    if names := few(cases(run_scenario(path))):
        typer.echo(told(names), err=True)


@app.command()
@guarded
def merge(path: _Run) -> None:
    """Put the parts that `run --blocks` computed apart into their run, and show it."""
    from simulator.cli import answers
    from simulator.engine.merging import merge as merged
    from simulator.report.findings import findings

    parts = merged(path)
    opened = answers.opened(path)
    known = findings(opened)
    answers.show(opened, as_json=False, known=known)
    answers.files(opened, path, quiet=False, known=known)
    say(f"\n{parts} parts are merged; their folders, {path.name}.part-*, can go")
