"""Scenarios run together: read before any is computed, one bar for all, and what came out."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from simulator.cli import answers
from simulator.cli.terminal import bar, grid, say, width
from simulator.errors import ScenarioError, SimulatorError
from simulator.timing import lap

if TYPE_CHECKING:
    from simulator.analysis.precision import Reached, Target
    from simulator.engine.plan import Plan
    from simulator.engine.run import Where

__all__ = ["Asked", "blocks", "dry", "planned", "plans", "run", "target"]

_PILOT = 100
_MEASURES = ("mean", "p5", "p95", "P(owes) %")


class Asked(NamedTuple):
    """What is asked of a batch: its scenarios, and how each is to be run."""

    files: Sequence[Path]
    overrides: Sequence[str]
    out: Path
    block: int | None
    part: range | None
    keep_going: bool
    target: "Target | None" = None


class _Failure(NamedTuple):
    """What could not be run, and why."""

    what: str
    error: SimulatorError


def blocks(said: str | None) -> range | None:
    """Return the numbers that ``0:500`` stands for."""
    if said is None:
        return None
    found = re.fullmatch(r"(\d+):(\d+)", said)
    if found is None:
        raise typer.BadParameter(f"{said!r} is no span of blocks such as 0:500")
    return range(int(found[1]), int(found[2]))


def target(said: str | None, of: str | None, most: int) -> "Target | None":
    """Return what ``50000`` or ``1%`` asks for."""
    from simulator.analysis.precision import target as asked

    if said is None:
        if of is not None:
            raise typer.BadParameter("--of says whose --target-se; give that, too")
        return None
    return asked(said, of, most)


def planned(file: Path, asked: Asked) -> "Plan":
    """Return the plan of one scenario."""
    from simulator.engine.checking import check
    from simulator.engine.plan import part, plan

    found = plan(check(file, asked.overrides), asked.out, asked.block)
    return found if asked.part is None else part(found, asked.part)


def plans(asked: Asked) -> "tuple[list[Plan], list[_Failure]]":
    """Return the plan of every scenario, and those that are wrong.

    Raises every mistake of all as one, unless the others are to be run all the same.
    """
    found: dict[Path, Plan] = {}
    failures: list[_Failure] = []
    for file in asked.files:
        try:
            one = planned(file, asked)
            if one.folder in found:
                raise ScenarioError(f"{file}: its run is {one.folder}, as another's is; name one")
            found[one.folder] = one
        except SimulatorError as error:
            if len(asked.files) == 1:
                raise
            failures.append(_Failure(str(file), error))
    if failures and not asked.keep_going:
        raise _together(failures)
    return list(found.values()), failures


def _together(failures: "list[_Failure]") -> SimulatorError:
    """Return all failures as one: of a damaged run, if any is, else of a mistaken scenario."""
    errors = [failure.error for failure in failures]
    worst = next((error for error in errors if not isinstance(error, ScenarioError)), errors[0])
    return type(worst)("\n".join(map(str, errors)))


def dry(asked: Asked, workers: int | None, *, as_json: bool) -> None:
    """Show what a batch comes to. Raises PartlyDoneError for scenarios that cannot be run."""
    every, failures = plans(asked)
    _tell_of_others(every)
    _tell_of_small_cells(every)
    answers.plans(every, workers, as_json=as_json)
    if failures:
        raise _partly(failures, f"{len(every)} of {len(asked.files)} can be run")


def _tell_of_others(every: "list[Plan]") -> None:
    """Say which runs that are there will not go on, as another version of acosim made them."""
    from simulator.results import others

    for one in every:
        for other in others(one.folder, one.scenario):
            has = f"has {other.done:,} of {other.blocks:,} blocks"
            said = f"{other.run}, made by acosim {other.version}, {has}; this is another run"
            typer.echo(f"{said}: {one.folder}", err=True)


def _tell_of_small_cells(every: "list[Plan]") -> None:
    """Say whose figures by segment are withheld, and that a run's folder holds them."""
    from simulator.results import few, told

    for one in every:
        if names := few(one.cases):
            guard = (
                "its folder holds what they follow from: keep it as you keep the file of people"
            )
            typer.echo(f"{one.scenario.name}: {told(names)}; {guard}", err=True)


def _partly(failures: "list[_Failure]", counted: str) -> SimulatorError:
    from simulator.engine import PartlyDoneError

    return PartlyDoneError("\n".join([*(str(failure.error) for failure in failures), counted]))


def run(asked: Asked, where: "Where", *, as_json: bool) -> None:
    """Run every scenario and show what came out.

    Raises PartlyDoneError if some could not be run and the others were.
    """
    with lap("start-up"):
        every, failures = plans(asked)
        _tell_of_others(every)
        _tell_of_small_cells(every)
    done: list[Plan] = []
    todo, precise = _begun(every, asked), dict[Path, "Reached"]()
    while todo:
        longer: list[Plan] = []
        for one in _executed(todo, asked, where, failures):
            more = one if asked.target is None else _extended(one, asked, precise)
            (done if more is one else longer).append(more)
            if more is one and len(every) > 1 and asked.part is None:
                _write(one)
        todo = longer
    with lap("showing"):
        if asked.part is not None:
            _parts(done)
        elif len(asked.files) == 1:
            _one(done, as_json=as_json)
        else:
            _several(done, failures, as_json=as_json)
        failures += [*_unmet(done, precise)]
    if failures:
        raise _partly(failures, f"{len(done)} of {len(asked.files)} were run")


def _begun(every: "list[Plan]", asked: Asked) -> "list[Plan]":
    """Return the plans to run first; for a target, refuse too few trials to tell their spread."""
    if asked.target is not None and any(one.scenario.trials < _PILOT for one in every):
        raise typer.BadParameter(f"--target-se needs {_PILOT} trials or more to begin with")
    return every


def _executed(
    todo: "list[Plan]", asked: Asked, where: "Where", failures: list[_Failure]
) -> "Iterator[Plan]":
    """Yield the plans whose runs are whole, as they end; of the others, why they are not."""
    from simulator.engine.run import execute_all

    label = todo[0].scenario.name if len(todo) == 1 else f"{len(todo)} scenarios"
    with bar(label, where.workers) as progress:
        for outcome in execute_all(todo, where, progress, keep_going=asked.keep_going):
            if outcome.error is None:
                yield outcome.plan
            else:
                failures.append(_Failure(str(outcome.plan.folder), outcome.error))


def _extended(planned: "Plan", asked: Asked, precise: "dict[Path, Reached]") -> "Plan":
    """Return the plan of as many trials as the target takes; the plan itself if it has them."""
    from simulator.analysis.precision import further, reached
    from simulator.engine.plan import plan

    if asked.target is None:
        return planned
    scenario = planned.scenario
    seen = precise[planned.folder] = reached(answers.opened(planned.folder), asked.target)
    size, scheme = planned.pin.block, scenario.sampling.scheme
    trials = further(scenario.trials, seen, asked.target, size, scheme)
    if trials == scenario.trials:
        return planned
    return plan(scenario.model_copy(update={"trials": trials}), asked.out, asked.block)


def _unmet(done: "list[Plan]", precise: "dict[Path, Reached]") -> Iterator[_Failure]:
    """Say of each run how sure its means are; yield those that are not as sure as was asked."""
    for planned in done:
        if (seen := precise.get(planned.folder)) is None:
            continue
        said = (
            f"{planned.folder}: the standard error of the mean settlement of {seen.contract} is "
            f"${seen.error_usd:,.0f} at {planned.scenario.trials:,} trials"
        )
        if seen.met:
            typer.echo(f"{said}, at most the ${seen.allowed_usd:,.0f} asked for", err=True)
            continue
        more = planned.scenario.trials * (seen.error_usd / max(seen.allowed_usd, 1.0)) ** 2
        need = f"about {float(f'{more:.2g}'):,.0f} trials, and --most-trials allows no more"
        why = f"above the ${seen.allowed_usd:,.0f} asked for, which takes {need}"
        yield _Failure(str(planned.folder), SimulatorError(f"{said}, {why}"))


def _write(planned: "Plan") -> None:
    answers.files(answers.opened(planned.folder), planned.folder, quiet=True)


def _one(done: "list[Plan]", *, as_json: bool) -> None:
    from simulator.report.findings import findings

    for planned in done:
        opened = answers.opened(planned.folder)
        known = findings(opened)
        answers.show(opened, as_json=as_json, known=known)
        answers.files(opened, planned.folder, quiet=as_json, known=known)


def _several(done: "list[Plan]", failures: list[_Failure], *, as_json: bool) -> None:
    from simulator.report import tables

    if as_json:
        runs = [{"run": str(p.folder), **tables.as_json(answers.opened(p.folder))} for p in done]
        failed = [{"what": failure.what, "why": str(failure.error)} for failure in failures]
        say(json.dumps({"runs": runs, "failed": failed}, indent=1))
        return
    rows = [row for planned in done for row in _rows(planned)]
    if rows:
        head = ["run", "contract", "year", "ACO", *_MEASURES, "in"]
        for line in grid(head, rows, width()):
            say(line)
        say(f"\neach in full: acosim show {done[0].folder}")


def _rows(planned: "Plan") -> Iterator[list[str]]:
    """Yield what each contract of a run earns or owes, all years and ACOs together."""
    from simulator.report import tables

    table = next(tables.tables(tables.summary(answers.opened(planned.folder))))
    cells = {row.label: row.cells for row in table.rows}
    for at, contract in enumerate(table.contracts):
        figures = [str(cells[label][at]) for label in _MEASURES]
        yield [planned.folder.name, contract, table.year, table.aco, *figures, table.unit]


def _parts(done: "list[Plan]") -> None:
    for planned in done:
        whole = planned.folder.with_name(planned.folder.name.partition(".part-")[0])
        say(f"{planned.folder} holds its blocks; with the other parts: acosim merge {whole}")
