"""The whole model on one page: people, a world, contracts, statements. Pure."""

from collections.abc import Collection, Iterable, Sequence

import xarray as xr

from simulator import population
from simulator.engine.tracks import Track
from simulator.participation import Leaving, stays
from simulator.programs import Contract
from simulator.results import kept
from simulator.sampling import claims, design
from simulator.sampling import world as sampling
from simulator.sampling.block import Block
from simulator.sampling.streams import Streams
from simulator.scenario.schema import Case, Scenario
from simulator.timing import lap

__all__ = ["by_person", "drawn", "lines", "needs", "settle", "simulate"]

_RESULT = "economic_result_usd"
_PEOPLE = "total_person_years"


def simulate(
    case: Case, tracks: Sequence[Track], trials: range, only: Collection[str] | None = None
) -> dict[str, xr.Dataset]:
    """Return every track's statement, (trial, year, aco), for one block of trials.

    only : the lines to return, if not all
    """
    with lap("sampling"):
        world = drawn(case, tracks, trials)
    with lap("settlement"):
        return {track.name: settle(track, world, only) for track in tracks}


def drawn(case: Case, tracks: Sequence[Track], trials: range) -> xr.Dataset:
    """Return the world of one block of trials, with all that the tracks read."""
    scenario, experience = case.scenario, case.scenario.experience
    people = population.project(
        scenario.population, scenario.market, scenario.years, experience.trend.mean
    )
    scheme, replicates = scenario.sampling.scheme, scenario.sampling.replicates
    streams = design.streams(scenario.seed, scheme, replicates, people)
    return sampling.draw(people, experience, streams, trials, needs(tracks))


def by_person(scenario: Scenario) -> tuple[str, ...]:
    """Return the ACOs of fewer than 1,000 people, who are drawn one by one."""
    people = population.project(
        scenario.population, scenario.market, scenario.years, scenario.experience.trend.mean
    )
    few = claims.by_person(Block(people, scenario.experience, Streams(scenario.seed), range(1)))
    return tuple(name for name in scenario.population if name in few)


def settle(track: Track, world: xr.Dataset, only: Collection[str] | None = None) -> xr.Dataset:
    """Return one track's statements, year by year; no contract sees a later year.

    only : the lines to return, if not all
    """
    past: list[xr.Dataset] = []
    for contract in track.contracts:
        seen = world.sel(year=slice(None, contract.year))
        settled = contract.settle(seen, past)
        settled = settled if track.leaving is None else _left(settled, past, track.leaving)
        past.append(settled if only is None else settled[_known(settled, only, contract)])
    shared = [line for line in _shared(past) if only is None or line in only]
    if len(past) == 1:
        return past[0][shared].expand_dims("year")
    return xr.concat([year[shared] for year in past], dim="year", data_vars="all")


def _known(statement: xr.Dataset, only: Collection[str], contract: Contract) -> list[str]:
    """Return the lines to keep of a year: those asked for, and those that later years read."""
    wanted = {*only, *contract.remembers, "settlement_usd", "benchmark_usd", "participates"}
    return [str(line) for line in statement.data_vars if line in wanted]


def lines(case: Case, tracks: Sequence[Track], trials: range) -> dict[str, xr.Dataset]:
    """Return what is stored of every track's statement: the lines the scenario keeps."""
    keep = case.scenario.keep
    statements = simulate(case, tracks, trials, {*keep, _RESULT, "settlement_usd"})
    if case.scenario.valuation is not None:
        keep = (*keep, _RESULT)
        statements = {name: _valued(whole) for name, whole in statements.items()}
    with lap("storing"):
        return {name: kept(whole, keep, trials) for name, whole in statements.items()}


def _valued(statement: xr.Dataset) -> xr.Dataset:
    """Return a statement with what a year is worth; the settlement, if a program says no more."""
    if _RESULT in statement:
        return statement
    return statement.assign({_RESULT: statement.settlement_usd})


def _left(settled: xr.Dataset, past: Sequence[xr.Dataset], rule: Leaving) -> xr.Dataset:
    """Return a year's statement, without people and dollars where the ACO has left before it."""
    goes_on = stays(
        [year.settlement_usd.variable for year in past],
        [year.benchmark_usd.variable for year in past],
        rule,
    )
    there = past[-1].participates.variable if past else 1.0
    there = there * xr.ones_like(settled.settlement_usd) * goes_on
    emptied = [n for n in settled.data_vars if str(n).endswith("_usd") or n == _PEOPLE]
    gone = {name: settled[name] * there for name in emptied}
    return settled.assign({**gone, "participates": there})


def needs(tracks: Iterable[Track]) -> frozenset[str]:
    """Return the variables of a world that the tracks read."""
    contracts = (contract for track in tracks for contract in track.contracts)
    return frozenset[str]().union(*(contract.needs for contract in contracts))


def _shared(statements: Sequence[xr.Dataset]) -> list[str]:
    """Return the lines that all years have, in order; a line of some years would have gaps."""
    first, *others = statements
    return [str(line) for line in first.data_vars if all(line in other for other in others)]
