"""Contracts by the year: what an ACO signs over time, with a scenario's what-ifs laid on."""

from collections.abc import Sequence
from dataclasses import dataclass

from simulator import population, programs
from simulator.engine.history import chosen
from simulator.participation import Leaving
from simulator.scenario.schema import Case, ContractChoice, Elections, Exit, Scenario

__all__ = ["Track", "notices", "tracks"]


@dataclass(frozen=True)
class Track:
    """What an ACO signs over time: a contract for each performance year, in order."""

    name: str
    contracts: tuple[programs.Contract, ...]
    leaving: Leaving | None = None


def tracks(case: Case) -> tuple[Track, ...]:
    """Return a case's contracts by the year. Raises RulesError for one that does not exist."""
    scenario = case.scenario
    return tuple(
        Track(
            label,
            tuple(_contract(scenario, choice, year) for year in scenario.years),
            _leaving(choice.exit),
        )
        for label, choice in scenario.contracts.items()
    )


def _leaving(rule: Exit | None) -> Leaving | None:
    if rule is None:
        return None
    return Leaving(rule.losses_in_a_row, rule.cumulative_loss_share, rule.settled_after_years)


def notices(case: Case, signed: Sequence[Track]) -> tuple[str, ...]:
    """Return which of a case's contracts its ACOs could not really sign, and why."""
    scenario = case.scenario
    acos = population.project(
        scenario.population, scenario.market, scenario.years, scenario.experience.trend.mean
    ).reset_coords()
    return tuple(
        f"{track.name}: {notice}"
        for track in signed
        for at, contract in enumerate(track.contracts)
        for notice in contract.notices(acos, track.contracts[:at])
    )


def _contract(scenario: Scenario, choice: ContractChoice, year: int) -> programs.Contract:
    return chosen(scenario, choice, year).contract(_elected(choice.elections))


def _elected(elections: Elections | None) -> dict[str, float]:
    if elections is None:
        return {}
    chosen = elections.minimum_savings
    return {"minimum_savings": -1.0 if chosen == "variable" else float(chosen)}
