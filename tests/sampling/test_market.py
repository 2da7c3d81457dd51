"""Laws of the market: one draw a year for all, errors that add up, regions that share."""

import numpy as np
import pytest

from simulator.sampling import market
from simulator.sampling.block import Block
from simulator.sampling.streams import Streams
from tests.sampling.people import aco, experience, people

TRIALS = 20_000


def block(*years: int, **regions: str) -> Block:
    acos = {name: aco(region=region) for name, region in regions.items()} or {"a": aco()}
    return Block(people(acos, years), experience(), Streams(3), range(TRIALS))


def test_a_year_that_the_market_gives_has_one_years_error() -> None:
    found = np.log(market.national(block(2022))[:, 0])
    assert found.std() == pytest.approx(0.016, rel=0.02)


def test_errors_add_up_after_the_last_year_given() -> None:
    drawn = block(2023, 2026)
    found = np.log(market.national(drawn)[:, [drawn.years.index(y) for y in (2023, 2026)]])
    assert found.std(axis=0) == pytest.approx([0.016, 0.016 * 2.0], rel=0.02)
    step = found[:, 1] - found[:, 0]
    assert abs(np.corrcoef(step, found[:, 0])[0, 1]) < 4.0 / np.sqrt(TRIALS)


def test_years_before_the_first_performance_year_are_history_as_far_as_the_market_gives() -> None:
    drawn = block(2024, 2025)
    found = market.national(drawn)
    assert drawn.years == (2022, 2023, 2024, 2025)
    assert np.array_equal(found[:, 0], np.ones(TRIALS))
    assert np.log(found[:, 1:]).std(axis=0) == pytest.approx(
        0.016 * np.sqrt([1.0, 2.0, 3.0]), rel=0.02
    )


def test_revenue_moves_with_the_market_and_the_region() -> None:
    drawn = block(2022)
    nation, region = market.national(drawn), market.regional(drawn)
    revenue = market.draw(drawn, nation, region)["revenue_usd"][1][:, -1, 0]
    projected = drawn.people.revenue_usd.values[-1, 0]
    assert np.allclose(revenue / projected, nation[:, 0] * region[:, 0, 0])


def test_regions_stray_from_the_last_base_year_on() -> None:
    found = np.log(market.regional(block(2022))[:, 0, 0])
    assert found.std() == pytest.approx(0.011 * 2.0, rel=0.02)


def test_acos_of_one_region_share_it_and_others_do_not() -> None:
    """Trap: shocks drawn apart for ACOs that overlap in their region."""
    found = market.regional(block(2022, a="north", b="north", c="south"))[:, 0]
    assert np.array_equal(found[:, 0], found[:, 1])
    assert abs(np.corrcoef(found[:, 0], found[:, 2])[0, 1]) < 4.0 / np.sqrt(TRIALS)


def test_national_and_regional_levels_both_move_with_the_market() -> None:
    drawn = block(2022)
    nation, region = market.national(drawn), market.regional(drawn)
    arrays = market.draw(drawn, nation, region)
    levels, regions = arrays["national_ppy"][1][:, -1], arrays["regional_ppy"][1][:, -1, 0]
    assert np.allclose(regions / levels, region[:, 0])
