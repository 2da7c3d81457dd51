"""Laws of the roster: what is expected stays, spreads are as stated, noise follows size."""

import numpy as np
import pytest
import xarray as xr

from simulator.sampling import aggregate, claims, design, membership, persons, world
from simulator.sampling.block import Block
from simulator.sampling.severity import standard
from simulator.sampling.streams import Streams
from tests.sampling.people import STILL, aco, experience, people

TRIALS = 20_000
NEEDS = frozenset(
    {"person_years", "persons", "assigned_share", "revenue_usd", "truncated_expenditure_ppy"}
)
LEAVES = {"clinic": {"aco": "a", "year": 2023, "chance": 0.5, "share": 0.3}}
DIE = {"die": {"share": {"esrd": 0.15, "aged_nondual": 0.04}, "months": 6, "spending_factor": 4.0}}
EVERYTHING = {
    "membership": {"growth_sd": 0.05, "mix_sd": 0.02, "turnover": True, "departures": LEAVES},
    "severity": {"noise": True, "partial_years": DIE},
}


def block(*years: int, trials: int = TRIALS, size: float = 10_000.0, **groups: object) -> Block:
    acos = {"a": aco(size, churn=groups.pop("churn", 0.0), elections=groups.pop("elections", {}))}
    could = experience(STILL, **groups)
    return Block(people(acos, years or (2022,)), could, Streams(5), range(trials))


def drawn(found: Block, needs: frozenset[str] = NEEDS) -> xr.Dataset:
    return world.draw(found.people, found.experience, found.streams, found.trials, needs)


def test_without_spreads_the_roster_is_as_projected() -> None:
    still = block(trials=5)
    assert membership.roster(still) is None
    assert drawn(still).person_years.dims == ("year", "aco", "segment")


def test_growth_has_its_spread_and_no_mean() -> None:
    found = drawn(block(2022, 2024, membership={"growth_sd": 0.05})).person_years.sum("segment")
    ratio = found.sel(year=[2022, 2024], aco="a") / found.sel(year=2018, aco="a")
    expected = block(2022, 2024).people.person_years.sum("segment")
    level = (expected / expected.sel(year=2018)).sel(year=[2022, 2024], aco="a")
    assert (ratio / level).mean("trial").values == pytest.approx([1.0, 1.0], abs=0.002)
    spread = np.log(ratio).std("trial").values
    assert spread == pytest.approx([0.05, 0.05 * np.sqrt(3.0)], rel=0.02)


def test_prospective_assignment_knows_the_first_years_roster() -> None:
    law = {"membership": {"growth_sd": 0.05}}
    late = block(2022, 2023, elections={"assignment": "prospective"}, **law)
    found = drawn(late).person_years.sum("segment").sel(aco="a")
    spread = np.log(found / found.sel(year=2018)).std("trial")
    assert float(spread.sel(year=2022)) < 1e-9
    assert float(spread.sel(year=2023)) == pytest.approx(0.05, rel=0.02)


def test_turnover_scatters_as_people_come_and_go_one_by_one() -> None:
    churned = block(churn=0.2, membership={"turnover": True})
    found = drawn(churned).person_years.sel(year=2022, aco="a", segment="aged_nondual")
    assert float(found.std("trial")) == pytest.approx(np.sqrt(2 * 0.2 * 9_900), rel=0.03)


def test_a_group_that_leaves_takes_its_people_and_what_they_cost() -> None:
    costly = {"clinic": LEAVES["clinic"] | {"spending_factor": 1.5}}
    found = drawn(block(2022, 2023, membership={"departures": costly})).sel(aco="a")
    people_ = found.person_years.sum("segment")
    gone = people_.sel(year=2023) < 0.9 * people_.sel(year=2022)
    assert float(gone.mean()) == pytest.approx(0.5, abs=4.0 * 0.5 / np.sqrt(TRIALS))
    left = (people_.sel(year=2023) / people_.sel(year=2022)).where(gone)
    assert float(left.max()) == pytest.approx(0.7, rel=1e-3)
    spent = found.truncated_expenditure_ppy.sel(segment="aged_nondual", year=2023)
    ratio = float(spent.where(gone).mean() / spent.where(~gone).mean())
    assert ratio == pytest.approx((1.0 - 0.3 * 1.5) / 0.7, rel=1e-6)
    revenue = found.revenue_usd.sel(year=2023)
    assert float(revenue.where(gone).mean() / revenue.where(~gone).mean()) == pytest.approx(0.7)


def test_heads_and_the_regions_share_move_with_person_years() -> None:
    found = drawn(block(membership={"growth_sd": 0.05})).sel(year=2022, aco="a")
    factor = found.person_years.sum("segment") / found.person_years.sum("segment").mean("trial")
    heads = found.persons / found.persons.mean("trial")
    assert np.allclose(heads, factor)
    assert float(found.assigned_share.max()) <= 1.0


def test_claims_noise_follows_each_trials_own_number_of_people() -> None:
    """Where half of the people may leave, the noise of those left is that of half as many."""
    leave = {"clinic": {"aco": "a", "year": 2022, "chance": 0.5, "share": 0.5}}
    found = drawn(block(severity={"noise": True}, membership={"departures": leave}))
    spent = found.truncated_expenditure_ppy.sel(year=2022, aco="a", segment="aged_nondual")
    gone = found.person_years.sel(year=2022, aco="a", segment="aged_nondual") < 6_000.0
    ratio = float(spent.where(gone).std() / spent.where(~gone).std())
    assert ratio == pytest.approx(np.sqrt(2.0), rel=4.0 / np.sqrt(TRIALS))
    assert float(spent.where(gone).mean() / spent.where(~gone).mean()) == pytest.approx(
        1, abs=2e-3
    )


def test_deaths_take_months_and_cost_more_and_the_level_stays() -> None:
    found = drawn(block(severity={"noise": True, "partial_years": DIE}))
    expected = block().people.sel(year=2022, aco="a")
    held = found.sel(year=2022, aco="a")
    lived, spent = held.person_years, held.truncated_expenditure_ppy
    dollars = (lived * spent).mean("trial") / (expected.person_years * expected.expenditure_ppy)
    error = (lived * spent).std("trial") / (lived * spent).mean("trial") / np.sqrt(TRIALS)
    assert bool((abs(dollars - 1.0) < 4.0 * error).all())
    # Binomial deaths, each of which leaves half a year less.
    heads = 9_900.0 / (0.96 + 0.04 * 0.5)
    spread = 0.5 * np.sqrt(heads * 0.04 * 0.96) / (0.96 + 0.04 * 0.5) * 0.98
    found_sd = float(lived.sel(segment="aged_nondual").std("trial"))
    assert found_sd == pytest.approx(spread, rel=0.03)


def test_who_is_there_half_the_year_spends_half_with_half_the_spread() -> None:
    one = standard("aged_nondual", 10_500.0)
    point = float(one.exceeded(0.01))
    whole, half = (aggregate.Cell(500, one, point, exposure) for exposure in (1.0, 0.5))
    u = Streams(1).uniform("a", "b", range(500), (1, 3))
    for draw in (lambda c: aggregate.totals(aggregate.book([c]), u), _persons):
        for full, part in zip(draw(whole), draw(half), strict=True):
            assert np.allclose(part, 0.5 * full, rtol=1e-12)
    assert half.means == pytest.approx([0.5 * mean for mean in whole.means])
    assert half.sds == pytest.approx([0.5 * sd for sd in whole.sds])


def _persons(cell: aggregate.Cell) -> tuple[np.ndarray, np.ndarray]:
    return persons.totals([cell], Streams(1), "x", range(50))


@pytest.mark.parametrize("size", [10_000.0, 600.0])
def test_a_roster_that_does_not_vary_changes_no_claims(size: float) -> None:
    """Counts given by trial, all alike, give what counts given once do."""
    one = block(trials=300, size=size, severity={"noise": True})
    people_ = np.maximum(np.rint(one.expected("person_years")), 1.0)
    counts = np.broadcast_to(people_, (300, *people_.shape))
    alike = membership.Roster(counts, (counts,), np.ones((300, *people_.shape[:2])))
    alone, varied = claims.draw(one), claims.draw(one, alike)
    assert np.allclose(varied.truncated, alone.truncated, rtol=1e-12)
    assert np.allclose(varied.excess, alone.excess, rtol=1e-12, atol=1e-6)


def test_a_small_spread_moves_each_trial_a_little() -> None:
    """The same draws: a spread of growth swept from zero leaves the futures as they were."""
    still, moved = (
        drawn(block(trials=500, severity={"noise": True}, membership={"growth_sd": sd}))
        for sd in (0.0, 1e-6)
    )
    ratio = moved.truncated_expenditure_ppy / still.truncated_expenditure_ppy
    assert float(abs(ratio - 1.0).max()) < 1e-3


@pytest.mark.parametrize("scheme", ["independent", "antithetic", "sobol"])
@pytest.mark.parametrize("cut", [1, 137])
def test_blocks_change_no_roster(cut: int, scheme: str) -> None:
    expected = people({"a": aco(), "b": aco(600, churn=0.2)}, (2022, 2023))
    could = experience(**EVERYTHING, persistence={"claims": 0.6})
    streams = design.streams(7, scheme, 16, expected)
    ranges = (range(300), range(cut), range(cut, 300))
    whole, *parts = (world.draw(expected, could, streams, trials, NEEDS) for trials in ranges)
    cut_up = xr.concat(
        parts, dim="trial", data_vars="minimal", coords="minimal", compat="override"
    )
    assert cut_up.identical(whole)


def test_another_aco_changes_no_roster() -> None:
    could = experience(**EVERYTHING)
    alone = people({"a": aco(churn=0.2)}, (2022, 2023))
    many = people({"b": aco(3_000), "a": aco(churn=0.2)}, (2022, 2023))
    first, second = (
        world.draw(one, could, Streams(7), range(200), NEEDS).sel(aco=["a"])
        for one in (alone, many)
    )
    for name in NEEDS:
        assert np.array_equal(first[name], second[name]), name
