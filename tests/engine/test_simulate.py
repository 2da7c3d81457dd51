from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import xarray as xr

from simulator.engine.checking import check
from simulator.engine.history import covers
from simulator.engine.simulate import drawn, needs, settle, simulate
from simulator.engine.tracks import Track, tracks
from simulator.programs import Contract
from simulator.scenario.sweep import cases
from tests.runs import small

SCENARIOS = Path(__file__).parents[2] / "scenarios"


class Remembers(Contract):
    """A contract that pays one dollar for each year it is shown, and how many came before."""

    program: ClassVar[str] = "remembers"
    needs: ClassVar[frozenset[str]] = frozenset({"persons"})

    def settle(self, world, past=()):
        seen = world.persons.sizes["year"] + 100.0 * len(past)
        paid = xr.full_like(world.persons.isel(year=0, drop=True), seen)
        return xr.Dataset({"settlement_usd": paid}).assign_coords(year=self.year)


def world(years):
    persons = np.ones((3, len(years), 2))
    coords = {"trial": range(3), "year": years, "aco": ["a", "b"]}
    return xr.Dataset({"persons": (("trial", "year", "aco"), persons)}, coords)


def test_no_contract_sees_a_later_year_and_each_is_told_the_past():
    contracts = tuple(Remembers(year=year, option="x") for year in (2024, 2025))
    statement = settle(Track("t", contracts), world([2023, 2024, 2025]))
    assert statement.settlement_usd.sel(year=2024).values.tolist() == [[2.0, 2.0]] * 3
    assert statement.settlement_usd.sel(year=2025).values.tolist() == [[103.0, 103.0]] * 3


def test_a_world_holds_what_any_contract_needs():
    track = Track("t", (Remembers(year=2024, option="x"),))
    assert needs([track]) == {"persons"}


def test_contracts_are_settled_on_the_same_world_side_by_side():
    """Trap: a shock drawn anew for each contract; all settle the same futures."""
    (case,) = cases(small())
    statements = simulate(case, tracks(case), range(50, 60))
    assert list(statements) == ["level_e", "enhanced"]
    spent = [statement.expenditure_usd for statement in statements.values()]
    assert np.array_equal(spent[0], spent[1])


def test_a_trial_is_the_same_alone_and_among_others():
    (case,) = cases(small())
    among = simulate(case, tracks(case), range(50))["enhanced"].isel(trial=[17], drop=False)
    alone = simulate(case, tracks(case), range(17, 18))["enhanced"]
    for name in among.data_vars:
        assert np.array_equal(among[name], alone[name]), name


def test_the_cap_on_risk_binds_where_spending_is_high():
    """Trap: risk scores as noise of their own, so that the cap costs the same in every future."""
    (case,) = cases(small())
    found = simulate(case, tracks(case), range(4_000))["level_e"].isel(aco=0, year=0)
    people = found.sel(segment="aged_nondual")
    binds = people.risk_ratio_factor < people.risk_growth_factor
    assert 0.1 < float(binds.mean()) < 0.9
    high, low = (found.total_expenditure_ppy.where(marked) for marked in (binds, ~binds))
    gap = float(high.mean() - low.mean())
    error = float(np.hypot(*(x.std() / np.sqrt(x.count()) for x in (high, low))))
    assert gap > 4.0 * error


def test_a_what_if_is_about_one_program_year_and_option():
    own = ["mssp", "2022", "ENHANCED"]
    assert covers("mssp.2022.enhanced.sharing_rate", own)
    assert covers("mssp.*.*.sharing_rate", own)
    assert not covers("mssp.2022.E.sharing_rate", own)


@pytest.mark.parametrize("file", ["rebasing", "lead_or_mssp"])
def test_later_years_settle_alike_whatever_is_kept_of_the_earlier(file):
    scenario = check(SCENARIOS / f"{file}.yaml")
    case = cases(scenario)[0]
    world = drawn(case, tracks(case), range(3))
    for track in tracks(case):
        whole = settle(track, world).settlement_usd
        assert settle(track, world, {"settlement_usd"}).settlement_usd.identical(whole)
