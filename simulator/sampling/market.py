"""What moves everybody: the nation's spending, and each region's against the nation."""

import numpy as np

from simulator.sampling.block import Arrays, Block, mean_one, walked

__all__ = ["draw", "national", "regional"]


def national(block: Block) -> np.ndarray:
    """Return the market's factor on what is expected, mean one: (trial, year).

    One draw a year, shared by all ACOs and enrolment types. After the last year that the market
    gives, errors add up from year to year; a year that it gives has an error of its own, unless
    it lies before the first performance year and is history.
    """
    last = int(block.people.last_given_year)
    # min: a given year's span is that year alone
    spans = [range(min(last + 1, year), year + 1) for year in block.years]
    scores = walked(block, "market/trend", "national", spans)
    moved = mean_one(scores, block.experience.trend.sd, np.array([len(span) for span in spans]))
    moved[:, ~_moves(block)[block.simulated]] = 1.0
    return moved


def _moves(block: Block) -> np.ndarray:
    """Return in which years the nation is drawn: (year,)."""
    beyond = block.people.year.values > int(block.people.last_given_year)
    return block.ahead | block.based.any(axis=1) | beyond


def regional(block: Block) -> np.ndarray:
    """Return each ACO's region against the market, mean one: (trial, year, aco).

    Errors add up from the last base year; ACOs of one region share them.
    """
    out = np.ones(block.shape)
    sd = block.experience.trend.regional_sd
    for i, region in enumerate(block.people.region.values):
        walk = block.walk("market/region", str(region), i)
        out[:, :, i] = mean_one(walk.scores, sd, walk.counts)
    return out


def draw(block: Block, nation: np.ndarray, region: np.ndarray) -> Arrays:
    """Return what the market moves: national_ppy, regional_ppy and revenue_usd."""
    people, factor = block.people, nation[:, :, None] * region
    levels = {
        "national_ppy": (nation[:, :, None], _moves(block)),
        "regional_ppy": (factor[..., None], block.drawn),
        "revenue_usd": (factor, block.drawn),
    }
    return {
        name: (
            ("trial", *map(str, people[name].dims)),
            block.whole(people[name].values, block.expected(name) * moved, where),
        )
        for name, (moved, where) in levels.items()
    }
