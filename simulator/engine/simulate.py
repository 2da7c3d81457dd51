"""The whole model on one page: people, a world, contracts, statements. Pure."""

from collections.abc import Iterable, Sequence

import xarray as xr

from simulator import population
from simulator.engine.tracks import Track
from simulator.results import kept
from simulator.sampling import claims, design
from simulator.sampling import world as sampling
from simulator.sampling.block import Block
from simulator.sampling.streams import Streams
from simulator.scenario.schema import Case, Scenario

__all__ = ["by_person", "lines", "needs", "settle", "simulate"]


def simulate(case: Case, tracks: Sequence[Track], trials: range) -> dict[str, xr.Dataset]:
    """Return every track's statement, (trial, year, aco), for one block of trials."""
    scenario, experience = case.scenario, case.scenario.experience
    people = population.project(
        scenario.population, scenario.market, scenario.years, experience.trend.mean
    )
    scheme, replicates = scenario.sampling.scheme, scenario.sampling.replicates
    streams = design.streams(scenario.seed, scheme, replicates, people)
    world = sampling.draw(people, experience, streams, trials, needs(tracks))
    return {track.name: settle(track, world) for track in tracks}


def by_person(scenario: Scenario) -> tuple[str, ...]:
    """Return the ACOs of fewer than 1,000 people, who are drawn one by one."""
    people = population.project(
        scenario.population, scenario.market, scenario.years, scenario.experience.trend.mean
    )
    few = claims.by_person(Block(people, scenario.experience, Streams(scenario.seed), range(1)))
    return tuple(name for name in scenario.population if name in few)


def settle(track: Track, world: xr.Dataset) -> xr.Dataset:
    """Return one track's statements, year by year; no contract sees a later year."""
    past: list[xr.Dataset] = []
    for contract in track.contracts:
        seen = world.sel(year=slice(None, contract.year))
        past.append(contract.settle(seen, past))
    shared = _shared(past)
    return xr.concat([year[shared] for year in past], dim="year", data_vars="all")


def lines(case: Case, tracks: Sequence[Track], trials: range) -> dict[str, xr.Dataset]:
    """Return what is stored of every track's statement: the lines the scenario keeps."""
    statements = simulate(case, tracks, trials)
    return {name: kept(whole, case.scenario.keep, trials) for name, whole in statements.items()}


def needs(tracks: Iterable[Track]) -> frozenset[str]:
    """Return the variables of a world that the tracks read."""
    contracts = (contract for track in tracks for contract in track.contracts)
    return frozenset[str]().union(*(contract.needs for contract in contracts))


def _shared(statements: Sequence[xr.Dataset]) -> list[str]:
    """Return the lines that all years have, in order; a line of some years would have gaps."""
    first, *others = statements
    return [str(line) for line in first.data_vars if all(line in other for other in others)]
