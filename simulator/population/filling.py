"""A scenario that stands alone: what it names in other files is put in as figures."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from simulator.errors import ScenarioError
from simulator.population.quality_scores import graded
from simulator.population.regions import placed, tables
from simulator.population.runout import completing
from simulator.scenario.schema import Aco, Experience, Scenario

__all__ = ["filled"]

T = TypeVar("T")


def filled(scenario: Scenario, folder: Path) -> Scenario:
    """Return a scenario with the figures of the files that it names, so that it stands alone.

    Regions come from county tables, quality from measures and their benchmarks, completion from
    factors by months. Raises ScenarioError with every mistake in them.

    Parameters
    ----------
    folder : the scenario's, in whose tree (or in that of public-use files) the files lie
    """
    mistakes: list[str] = []
    population = _population(scenario, folder, mistakes)
    experience = _known(scenario.experience, folder, mistakes)
    if mistakes:
        raise ScenarioError(mistakes)
    market = scenario.market.model_copy(update={"counties": ()})
    changed = {"population": population, "experience": experience, "market": market}
    return scenario.model_copy(update=changed)


def _population(scenario: Scenario, folder: Path, mistakes: list[str]) -> dict[str, Aco]:
    """Return the ACOs, each with the figures of its region."""
    acos = dict(scenario.population)
    if not any(aco.counties for aco in acos.values()):
        return acos
    try:
        counties = tables(scenario.market.counties, folder)
    except ScenarioError as error:
        mistakes.extend(error.messages)
        return acos
    return {
        name: _tried(partial(placed, name, aco, counties, folder), aco, mistakes)
        for name, aco in acos.items()
    }


def _known(experience: Experience, folder: Path, mistakes: list[str]) -> Experience:
    law, run_out = experience.quality, experience.run_out
    quality = _tried(partial(graded, law, folder), law, mistakes)
    if run_out is not None:
        run_out = _tried(partial(completing, run_out), run_out, mistakes)
    return experience.model_copy(update={"quality": quality, "run_out": run_out})


def _tried(step: Callable[[], T], otherwise: T, mistakes: list[str]) -> T:
    """Return what a step returns; where it raises, keep its mistakes and go on without it."""
    try:
        return step()
    except ScenarioError as error:
        mistakes.extend(error.messages)
        return otherwise
