"""Scenarios to start from, of REACH's public-use file: with the terms and levels of its years."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from simulator import programs
from simulator.errors import RulesError, ScenarioError
from simulator.loading import Document, at
from simulator.population.draft import Draft
from simulator.population.draft_reach import TYPES, Terms, draft_reach
from simulator.population.published import Published, every_year
from simulator.programs.reach import Reach

__all__ = ["drafted", "drafts", "years_of"]


def years_of(path: str | Path, year: int | None, aco_id: str | None) -> tuple[Published, ...]:
    """Return a file by performance year: those that hold an ACO, if one is named.

    Raises ScenarioError if the file cannot be used, or has the ACO in several years.
    """
    found = every_year("reach", path, year)
    if aco_id is None:
        return found
    holding = tuple(published for published in found if aco_id in published.places)
    if len(holding) > 1:
        when = " and ".join(str(published.year) for published in holding)
        raise ScenarioError(f"{path}: {aco_id} is there in {when}; say which with --year")
    return holding or found[-1:]


def drafted(published: Published, aco_id: str, base: Document, extends: str) -> Draft:
    """Return the scenario of one ACO of a year, laid on a shipped file of levels.

    Raises ScenarioError if its row says too little; RulesError if the year has no rules.
    """
    options = published.places.get(aco_id, ())
    option = published.options[options[0]] if options else ""
    plain = draft_reach(published, aco_id, _terms(published.year, option or "global", base))
    return replace(plain, tree={"extends": extends, **plain.tree})


def _terms(year: int, option: str, base: Document) -> Terms:
    contract = programs.contract("reach", year, option)
    if not isinstance(contract, Reach):
        raise RulesError(f"reach {year}: is no contract of REACH")
    return Terms(
        months=contract.performance_months,
        discount=contract.discount,
        quality_withhold=contract.quality_withhold,
        retention_withhold=contract.retention_withhold,
        equity_pbpm=(contract.equity_top, contract.equity_bottom),
        anchor=year - int(contract.trend_anchor_years),
        history={kind: _years(contract, kind, "expenditure_ppy") for kind in TYPES},
        scores={kind: _years(contract, kind, "risk_score") for kind in TYPES},
        uspcc_ppy=_levels(base),
    )


def _years(contract: Reach, kind: str, field: str) -> tuple[int, ...]:
    """Return the years of a figure that a type of ACO is asked for, if aligned by claims."""
    needs = contract.history({"reach": {"type": kind}})
    return tuple(
        sorted(
            {
                year
                for need in needs
                if field in need.fields and (not need.channels or "claims" in need.channels)
                for year in need.years
            }
        )
    )


def _levels(base: Document) -> Mapping[str, Mapping[int, float]]:
    held: Any = at(base.value, ("market", "uspcc_ppy"))
    return {
        str(category): {int(year): float(level) for year, level in levels.items()}
        for category, levels in held.items()
    }


def drafts(
    path: str | Path, year: int | None, base: Document, extends: str
) -> Iterator[tuple[str, Draft | None, tuple[str, ...]]]:
    """Yield every ACO-year of a file: its scenario, or why it has none."""
    for published in years_of(path, year, None):
        for aco_id in published.places:
            try:
                yield aco_id, drafted(published, aco_id, base, extends), ()
            except ScenarioError as error:
                yield aco_id, None, error.messages
