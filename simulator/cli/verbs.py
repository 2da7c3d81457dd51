"""The verbs. What a verb needs is imported in it, so that the others start quickly."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli import answers, batches, folders
from simulator.cli.guard import guarded
from simulator.cli.terminal import say
from simulator.errors import RulesError, ScenarioError
from simulator.timing import lap

if TYPE_CHECKING:
    from simulator.engine.run import Where
    from simulator.scenario.schema import Case, Scenario

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The distribution of what a Medicare ACO earns or owes, contract by contract, on the "
    "same futures.",
)

_Files = Annotated[list[Path], typer.Argument(metavar="SCENARIO...", help="YAML files.")]
_Run = Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
_Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Set a value; repeatable.")
]
_Trials = Annotated[int | None, typer.Option(min=1, help="Instead of the scenario's own.")]
_Out = Annotated[Path, typer.Option(help="The folder that holds runs.")]
_Block = Annotated[int | None, typer.Option(min=1, help="Trials a block; affects speed only.")]
_Workers = Annotated[int | None, typer.Option(min=1, help="By default one a processor.")]
_Scheduler = Annotated[
    str | None, typer.Option(help="threads, processes, or a dask scheduler: tcp://host:8786.")
]


class Act(StrEnum):
    """How a value acts on what a path holds."""

    set = "set"
    times = "times"
    plus = "plus"


@app.command()
@guarded
def init(
    path: Annotated[Path, typer.Argument(help="The file to write.")] = Path("my_aco.yaml"),
    aco_id: Annotated[str | None, typer.Argument(help="Of the public-use file.")] = None,
    name: Annotated[str, typer.Option(help="The scenario's name.")] = "my-aco",
    *,
    from_published: Annotated[
        str | None,
        typer.Option(metavar="PROGRAM", help="PATH is a public-use file of this program."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every ACO of the file.")] = False,
    together: Annotated[
        bool, typer.Option("--together", help="With --all: one scenario that holds them all.")
    ] = False,
    year: Annotated[int | None, typer.Option(help="If the file does not say it.")] = None,
    out: Annotated[Path, typer.Option(help="Where scenarios of a file go.")] = Path(),
) -> None:
    """Write a commented scenario: to fill in, or of one ACO (or all) of a public-use file."""
    from simulator.cli import published
    from simulator.scenario.template import template

    if from_published is not None:
        if every == (aco_id is not None):
            raise typer.BadParameter("name one ACO of the file, or say --all")
        if together and not every:
            raise typer.BadParameter("--together goes with --all")
        out.mkdir(parents=True, exist_ok=True)
        if together:
            published.together((from_published, path, year), out)
        else:
            published.drafts((from_published, path, year), aco_id, out)
        return
    if path.exists():
        raise typer.BadParameter(f"{path} is there already; name another file")
    path.write_text(template(name), encoding="utf-8", newline="\n")
    say(f"wrote {path}; put in your own figures, then: acosim check {path}; acosim run {path}")


@app.command()
@guarded
def check(
    files: _Files,
    set_: _Set = None,
    as_json: _Json = False,
) -> None:
    """Read and validate scenarios: every mistake at once, each on its own line."""
    mistakes: list[str] = []
    sound: dict[str, Scenario] = {}
    for file in files:
        try:
            sound[str(file)] = _read(file, set_)
        except ScenarioError as error:
            mistakes += error.messages
    answers.sound(sound, mistakes, as_json=as_json)
    if mistakes:
        raise ScenarioError([] if as_json else mistakes)


@app.command()
@guarded
def plan(
    files: _Files,
    *,
    set_: _Set = None,
    trials: _Trials = None,
    out: _Out = Path("results"),
    workers: _Workers = None,
    block: _Block = None,
    as_json: _Json = False,
) -> None:
    """Say what a run comes to: cases, blocks, memory, disk, time, assumed terms."""
    asked = batches.Asked(files, _with(set_, trials), out, block, None, keep_going=False)
    batches.dry(asked, workers, as_json=as_json)


@app.command()
@guarded
def run(
    files: _Files,
    *,
    set_: _Set = None,
    trials: _Trials = None,
    out: _Out = Path("results"),
    workers: _Workers = None,
    scheduler: _Scheduler = None,
    patience: Annotated[
        float,
        typer.Option(min=1, help="Seconds to wait for a scheduler or workers that are gone."),
    ] = 60.0,
    block: _Block = None,
    blocks: Annotated[
        str | None,
        typer.Option(metavar="A:B", help="Only these blocks, in a folder of their own to merge."),
    ] = None,
    target_se: Annotated[
        str | None,
        typer.Option(metavar="USD|SHARE%", help="Go on until mean settlements are as sure."),
    ] = None,
    of: Annotated[str | None, typer.Option(metavar="A", help="Of this contract alone.")] = None,
    most_trials: Annotated[
        int, typer.Option(min=1, help="But never to more trials than that.")
    ] = 1_000_000,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Run the others if a scenario cannot be.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="The same as plan.")] = False,
    profile: Annotated[
        bool, typer.Option("--profile", help="Say where the time went, on one thread.")
    ] = False,
    as_json: _Json = False,
) -> None:
    """Run scenarios, or complete or extend runs of them, and show what came out."""
    part, precise = batches.blocks(blocks), batches.target(target_se, of, most_trials)
    if part is not None and precise is not None:
        raise typer.BadParameter("--target-se is of a whole run; it does not go with --blocks")
    asked = batches.Asked(files, _with(set_, trials), out, block, part, keep_going, precise)
    if dry_run:
        batches.dry(asked, workers, as_json=as_json)
        return
    if profile and scheduler not in (None, "threads"):
        raise typer.BadParameter(f"--profile is of threads here, not of {scheduler}")
    if not profile:
        batches.run(asked, _where(scheduler, workers, patience), as_json=as_json)
        return
    with answers.profiled(as_json=as_json):
        batches.run(asked, _where("threads", workers or 1, patience), as_json=as_json)


@app.command()
@guarded
def show(path: _Run, as_json: _Json = False) -> None:
    """Show a run: what each contract earns or owes, each figure with its standard error."""
    answers.show(answers.opened(path), as_json=as_json)


@app.command()
@guarded
def compare(
    path: Annotated[Path, typer.Argument(metavar="RUN|SCENARIO", help="A run, or a scenario.")],
    other: Annotated[str, typer.Argument(metavar="CONTRACT|RUN", help="What to compare.")],
    second: Annotated[
        str | None, typer.Argument(metavar="[CONTRACT]", help="With what, if not two runs.")
    ] = None,
    *,
    by_term: Annotated[
        bool, typer.Option("--by-term", help="Which term makes how much of the difference.")
    ] = False,
    trials: _Trials = None,
    set_: _Set = None,
    out: Annotated[Path | None, typer.Option(help="Where the picture goes, a .png.")] = None,
    as_json: _Json = False,
) -> None:
    """Compare two contracts of a run, or two runs, on the same draws; of a scenario by term."""
    if not by_term:
        _compared(path, other, second, as_json=as_json)
        return
    from simulator.cli import attributions
    from simulator.engine.attribution import attribution

    if second is None:
        raise typer.BadParameter("--by-term takes two contracts of a scenario")
    found = attribution(_read(path, _with(set_, trials)), other, second)
    attributions.show(found, out, as_json=as_json)


def _compared(path: Path, other: str, second: str | None, *, as_json: bool) -> None:
    if path.is_file():
        raise typer.BadParameter("two contracts of a scenario are compared with --by-term")
    from simulator.cli import comparing

    if second is None:
        comparing.runs(path, Path(other), as_json=as_json)
    else:
        comparing.contracts(answers.opened(path), other, second, as_json=as_json)


@app.command()
@guarded
def capital(
    path: _Run,
    *,
    attachment: Annotated[
        float | None, typer.Option(min=0.0, help="Loss from which a layer pays, USD.")
    ] = None,
    limit: Annotated[float | None, typer.Option(min=1.0, help="The most it pays, USD.")] = None,
    premium: Annotated[float, typer.Option(min=0.0, help="What it costs, USD.")] = 0.0,
    confidence: Annotated[
        float, typer.Option(min=0.51, max=0.999, help="Of what may be booked.")
    ] = 0.75,
    case: Annotated[int, typer.Option(min=0, help="Of a sweep.")] = 0,
    as_json: _Json = False,
) -> None:
    """Show value at risk, a layer of aggregate stop-loss, what may be booked, and cash."""
    from simulator.analysis.capital import Layer
    from simulator.cli import comparing

    if (attachment is None) != (limit is None):
        raise typer.BadParameter("a layer has an --attachment and a --limit")
    run = answers.opened(path)
    if case >= run.sizes.get("case", 1):
        raise typer.BadParameter(
            f"case {case} is not in the run; it has {run.sizes.get('case', 1)}"
        )
    asked = None if attachment is None else Layer(attachment, limit or 0.0, premium)
    comparing.capital(run, asked, confidence, case=case, as_json=as_json)


@app.command()
@guarded
def report(
    path: _Run,
    *,
    what_matters: Annotated[
        bool, typer.Option("--what-matters", help="Order terms by what their rivals move.")
    ] = False,
    trials: Annotated[int, typer.Option(min=2, help="Of what matters.")] = 1_000,
) -> None:
    """Settle a run again and write its page, workbook, pictures and table."""
    ranked = trials if what_matters else 0
    answers.files(answers.opened(path), path, quiet=False, again=True, ranked=ranked)


@app.command("what-matters")
@guarded
def what_matters(
    path: Annotated[Path, typer.Argument(metavar="RUN|SCENARIO", help="A run, or a scenario.")],
    contracts: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="A B", help="Ask for what A is worth less what B is worth."),
    ] = None,
    *,
    case: Annotated[int, typer.Option(min=0, help="Of a sweep.")] = 0,
    trials: Annotated[int, typer.Option(min=2, help="The first of the scenario's.")] = 2_000,
    most: Annotated[int, typer.Option(min=1, help="Rows to print.")] = 25,
    set_: _Set = None,
    as_json: _Json = False,
) -> None:
    """Rank assumed and disputed terms by how far their rival values move the answer."""
    from simulator.analysis.rivals import what_matters

    point = _point(path, case, set_)
    answers.ranking(*what_matters(point, trials, contracts), most, as_json=as_json)


@app.command()
@guarded
def solve(
    path: Annotated[Path, typer.Argument(metavar="RUN|SCENARIO", help="A run, or a scenario.")],
    contract: Annotated[str, typer.Option(metavar="A", help="Ask for what A pays.")],
    vary: Annotated[
        list[str], typer.Option(metavar="PATH", help="What takes the value; several together.")
    ],
    *,
    against: Annotated[str | None, typer.Option(metavar="B", help="Less what B pays.")] = None,
    low: Annotated[float | None, typer.Option("--from", help="Where to begin.")] = None,
    high: Annotated[float | None, typer.Option("--to", help="Where to end.")] = None,
    values: Annotated[
        str | None, typer.Option(metavar="V,V,...", help="Only these, where there are few.")
    ] = None,
    act: Annotated[Act, typer.Option("--by", help="How a value acts on a path.")] = Act.set,
    mean: Annotated[float | None, typer.Option(help="Goal: the mean is this, USD.")] = None,
    wins: Annotated[
        float | None, typer.Option(help="Goal: the chance that A pays more (than B, or than 0).")
    ] = None,
    owes: Annotated[float | None, typer.Option(help="Goal: the chance to be below 0.")] = None,
    percentile: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="P USD", help="Goal: this percentile is this amount."),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Parts of the interval looked at.")] = 8,
    case: Annotated[int, typer.Option(min=0, help="Of a sweep.")] = 0,
    trials: Annotated[int, typer.Option(min=2, help="The first of the scenario's.")] = 2_000,
    set_: _Set = None,
    as_json: _Json = False,
) -> None:
    """Find the value at which a goal is met: A beats B as often as not, a mean, a chance."""
    from simulator.analysis.answers import Asked, Vary
    from simulator.cli import solving

    if (values is None) == (low is None or high is None):
        raise typer.BadParameter("give an interval, --from and --to, or --values")
    asked = Asked(contract, against)
    scenario = _point(path, case, set_).scenario
    meet = solving.goal(asked, mean, wins, owes, percentile)
    problem = solving.Problem(scenario, asked, meet, Vary(tuple(vary), act.value), trials)
    if values is not None:
        solving.listed(problem, solving.parsed(values), as_json=as_json)
    else:
        solving.within(problem, (low or 0.0, high or 0.0), steps, as_json=as_json)


@app.command()
@guarded
def sensitivity(
    path: _Run,
    contract: Annotated[str, typer.Option(metavar="A", help="Ask for what A pays.")],
    *,
    against: Annotated[
        str | None, typer.Option(metavar="B", help="Less what B pays, on the same draws.")
    ] = None,
    base: Annotated[int, typer.Option(min=0, help="The case that others are held against.")] = 0,
    as_json: _Json = False,
) -> None:
    """Say how far a sweep's values move the answer: a tornado, or Sobol' indices (saltelli)."""
    from simulator.cli import sensitivities
    from simulator.results import run_scenario

    run = answers.opened(path)
    if base >= run.sizes.get("case", 1):
        raise typer.BadParameter(f"--base {base}: there are {run.sizes.get('case', 1)} cases")
    sensitivities.show(run, run_scenario(path), (contract, against), base, as_json=as_json)


@app.command()
@guarded
def rules(
    program: Annotated[str | None, typer.Argument(help="By default all programs.")] = None,
    year: Annotated[int | None, typer.Argument(help="A performance year.")] = None,
    other: Annotated[
        str | None, typer.Argument(metavar="[OPTION|YEAR]", help="One option, or a second year.")
    ] = None,
    assumed: Annotated[
        bool, typer.Option("--assumed", help="Only what CMS's own text does not settle.")
    ] = False,
    variant: Annotated[str | None, typer.Option(help="A proposal beside the law.")] = None,
    as_json: _Json = False,
) -> None:
    """Print a program's terms with status and citation, or how two years differ."""
    from simulator.cli import law

    try:
        if program is None or year is None:
            law.index(program)
        else:
            found = law.rows(law.Asked(program, year, variant), other)
            law.show([row for row in found if row.unsettled or not assumed], as_json=as_json)
    except RulesError as error:
        raise typer.BadParameter(str(error)) from error


@app.command()
@guarded
def explain(
    path: _Run,
    *,
    trial: Annotated[int, typer.Option(min=0, help="The number of a trial.")],
    contract: Annotated[str, typer.Option(help="The label of a contract.")],
    aco: Annotated[str | None, typer.Option(help="Needed if there are several.")] = None,
    year: Annotated[int | None, typer.Option(help="By default every year in turn.")] = None,
    case: Annotated[int, typer.Option(min=0, help="Of a sweep.")] = 0,
    as_json: _Json = False,
) -> None:
    """Settle one trial again and print its whole statement, line by line with citations."""
    from simulator.engine.replay import Where, replays

    found = replays(path, Where(trial, contract, aco, year, case))
    answers.statements([(one.title, one.rows) for one in found], as_json=as_json)


@app.command()
@guarded
def settle(
    worksheet: Annotated[Path, typer.Argument(metavar="WORKSHEET", help="A worksheet's file.")],
    as_json: _Json = False,
) -> None:
    """Settle a worksheet: inputs in, the statement out, line by line with citations."""
    from simulator.programs.worksheet import settle as settled

    if not answers.settled(settled(worksheet), as_json=as_json):
        raise ScenarioError(f"{worksheet}: not all expected lines are met")


@app.command()
@guarded
def replay(
    program: Annotated[str, typer.Argument(help="The program: mssp or reach.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A public-use file of results.")],
    out: Annotated[Path | None, typer.Option(help="A CSV file for all rows.")] = None,
    year: Annotated[int | None, typer.Option(help="If the file does not say it.")] = None,
    as_json: _Json = False,
) -> None:
    """Recompute a published file of results row by row; what differs says why."""
    from simulator.cli import published
    from simulator.engine.reconciliation import replay as replayed

    published.replayed(replayed(program, file, year), out, as_json=as_json)


@app.command()
@guarded
def validate(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="Public-use files of results to settle again."),
    ] = None,
    *,
    out: Annotated[Path, typer.Option(help="Where page and figures go.")] = Path(),
    as_json: _Json = False,
) -> None:
    """Check the model on this machine: replay, tables, conservation, convergence, calibration."""
    from simulator.cli import validations

    if not validations.show(files or [], out, as_json=as_json):
        raise typer.Exit(1)


@app.command()
@guarded
def schema() -> None:
    """Print the JSON Schema of a scenario, for editors."""
    from simulator.scenario.schema import Scenario

    say(json.dumps(Scenario.model_json_schema(), indent=1))


def _point(path: Path, case: int, set_: list[str] | None) -> "Case":
    """Return one case of a run's scenario, or of a file's."""
    from simulator.results import run_scenario
    from simulator.scenario.sweep import cases

    points = cases(run_scenario(path) if path.is_dir() else _read(path, set_))
    if case >= len(points):
        raise typer.BadParameter(f"--case {case}: there are {len(points)}, counted from 0")
    return points[case]


def _with(set_: list[str] | None, trials: int | None) -> list[str]:
    return [*(set_ or []), *([] if trials is None else [f"trials={trials}"])]


def _where(scheduler: str | None, workers: int | None, patience: float) -> "Where":
    with lap("start-up"):
        from simulator.engine.run import Where
    return Where(scheduler, workers, patience)


def _read(file: Path, overrides: list[str] | None) -> "Scenario":
    from simulator.engine.checking import check as checked

    return checked(file, overrides or [])


app.add_typer(folders.app)
