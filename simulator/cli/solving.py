"""The answer that says at which value of a parameter a goal is met."""

import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from simulator.analysis.answers import Asked, Vary, answer
from simulator.analysis.breakeven import Goal, Root, Tried, scan, solve
from simulator.analysis.convergence import Measure
from simulator.cli.terminal import grid, say, width
from simulator.errors import SimulatorError

if TYPE_CHECKING:
    import xarray as xr

    from simulator.scenario.schema import Scenario

__all__ = ["Problem", "goal", "listed", "parsed", "within"]


class Problem(NamedTuple):
    """What is asked of a scenario: which contract's pay, meeting what, on how many trials."""

    scenario: "Scenario"
    asked: Asked
    goal: Goal
    vary: Vary
    trials: int

    def ask(self) -> "Callable[[float | str], xr.DataArray]":
        """Return the answer as a function of the value, drawn alike at every value."""
        return lambda value: answer(self.vary.at(self.scenario, value), self.asked, self.trials)


def goal(
    asked: Asked,
    mean: float | None,
    wins: float | None,
    owes: float | None,
    percentile: tuple[float, float] | None,
) -> Goal:
    """Return the one goal that is given; between two contracts an even chance by default.

    Raises SimulatorError for none, or several, or a chance that is none.
    """
    given = {"--mean": mean, "--wins": wins, "--owes": owes, "--percentile": percentile}
    named = [name for name, value in given.items() if value is not None]
    if not named and asked.against is not None:
        wins = 0.5
    elif len(named) != 1:
        said = " and ".join(named) or "none"
        raise SimulatorError(f"one goal is needed of {', '.join(given)}; there is {said}")
    for name, share in (("--wins", wins), ("--owes", owes)):
        if share is not None and not 0.0 < share < 1.0:
            raise SimulatorError(f"{name} {share:g} is no chance to meet; it lies between 0 and 1")
    if percentile is not None:
        if not 0.0 < percentile[0] < 100.0:
            raise SimulatorError(f"--percentile {percentile[0]:g} does not lie between 0 and 100")
        return Goal(Measure("quantile", percentile[0] / 100.0), percentile[1])
    if wins is not None:
        return Goal(Measure("above"), wins)
    return Goal(Measure("below"), owes) if owes is not None else Goal(Measure("mean"), mean or 0.0)


def parsed(values: str) -> list[float | str]:
    """Return a list of values as it is typed.

    >>> parsed("0,0.005,variable")
    [0.0, 0.005, 'variable']
    """
    return [_value(text.strip()) for text in values.split(",")]


def _value(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def within(problem: Problem, interval: tuple[float, float], steps: int, *, as_json: bool) -> None:
    """Find and print every value between two at which the goal is met."""
    ask = problem.ask()
    found = solve(ask, problem.goal, *interval, steps)
    if as_json:
        roots = [root._asdict() for root in found.roots]
        say(json.dumps({**_facts(problem, found.tried), "roots": roots}, indent=1))
        return
    _head(problem, found.tried)
    say()
    for root in found.roots:
        say(_said(problem, root))
    if found.roots[1:]:
        say(f"the goal is met {len(found.roots)} times in this interval")
    say(_notes(problem))


def listed(problem: Problem, values: Sequence[float | str], *, as_json: bool) -> None:
    """Print the measure at each of some values, and which of them is nearest to the goal."""
    ask, at = problem.ask(), [float(n) for n in range(len(values))]
    names = [f"{value:g}" if isinstance(value, float) else value for value in values]
    found = scan(lambda n: ask(values[int(n)]), problem.goal, at)
    if as_json:
        tried = [one._asdict() | {"value": values[n]} for n, one in enumerate(found)]
        say(json.dumps({**_facts(problem, ()), "tried": tried}, indent=1, default=str))
        return
    _head(problem, found, names)
    say()
    nearest = min(found, key=lambda one: abs(one.found - problem.goal.target))
    off = abs(nearest.found - problem.goal.target)
    near = "meets it within its noise" if off <= 2.0 * nearest.error else "does not meet it"
    say(f"nearest to the goal is {names[int(nearest.value)]}, which {near}")
    for one, other in pairwise(found):
        if (one.found - problem.goal.target) * (other.found - problem.goal.target) < 0.0:
            between = f"{names[int(one.value)]} and {names[int(other.value)]}"
            say(f"the goal lies between {between}")
    say(_notes(problem))


def _facts(problem: Problem, tried: Sequence[Tried]) -> dict[str, object]:
    measure = problem.goal.measure
    return {
        "scenario": problem.scenario.name,
        "answer": str(problem.asked),
        "goal": {**measure._asdict(), "target": problem.goal.target},
        "vary": list(problem.vary.paths),
        "act": problem.vary.act,
        "trials": problem.trials,
        "tried": [one._asdict() for one in tried],
    }


def _head(problem: Problem, tried: Sequence[Tried], names: Sequence[str] = ()) -> None:
    """Print what was asked, and the measure at each value."""
    from simulator.report.rounding import figure, scale

    unit = scale(max(abs(one.found) for one in tried))
    size, name = (unit.size, f"$ {unit.name}".strip()) if _money(problem) else (0.01, "%")
    value = "present value" if problem.scenario.valuation is not None else "settlement"
    say(
        f"{problem.scenario.name}: {value} of {problem.asked}, years and ACOs added, "
        f"{problem.trials:,} trials"
    )
    say()
    rows = [
        [names[n] if names else f"{one.value:.6g}", str(figure(one.found, one.error, size))]
        for n, one in enumerate(tried)
    ]
    for line in grid([_path(problem), f"{_measured(problem)}, {name}"], rows, width()):
        say(line)


def _path(problem: Problem) -> str:
    act = {"set": "", "times": " times", "plus": " plus"}[problem.vary.act]
    return " and ".join(problem.vary.paths) + act


def _money(problem: Problem) -> bool:
    return problem.goal.measure.kind not in ("above", "below")


def _measured(problem: Problem) -> str:
    """Return the measure in words."""
    measure, asked = problem.goal.measure, problem.asked
    if measure.kind == "above":
        one = "pays more" if asked.against is None else f"beats {asked.against}"
        return f"P({asked.contract} {one if asked.against else 'earns'})"
    if measure.kind == "below":
        return f"P({asked} below 0)" if asked.against else f"P({asked.contract} owes)"
    return "mean" if measure.kind == "mean" else f"p{100.0 * measure.at:g}"


def _said(problem: Problem, root: Root) -> str:
    """Return a root in a sentence, to no more digits than it has."""
    from simulator.report.rounding import figure

    target = problem.goal.target
    met = f"${target:,.0f}".replace("$-", "-$") if _money(problem) else f"{100.0 * target:g}%"
    what, path = f"{_measured(problem)} = {met}", _path(problem)
    if root.kind == "jumps":
        return (
            f"{_measured(problem)} jumps over {met} at {path} {root.value:.6g}: no value meets it"
        )
    if root.kind == "holds":
        return f"{what} at every value of {path} tried from {root.low:g} to {root.high:g}"
    if root.vague:
        return (
            f"{what} near {path} {root.value:.3g}, but the answer hardly moves with it: from "
            f"{root.low:.3g} to {root.high:.3g} or wider it is within noise; more --trials tell"
        )
    return f"{what} at {path} {figure(root.value, root.error)}"


def _notes(problem: Problem) -> str:
    drawn = "the same draws at every value; ± is the Monte Carlo standard error"
    if problem.asked.against is not None and not _money(problem):
        return f"{drawn}; a trial in which both pay the same is won by neither"
    return drawn
