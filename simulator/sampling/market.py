"""What moves everybody: the nation's spending, and each region's against the nation."""

import numpy as np

from simulator.sampling.block import Arrays, Block, mean_one, walked

__all__ = ["draw", "national", "regional"]


def national(block: Block) -> np.ndarray:
    """Return the market's factor on what is expected, mean one: (trial, year).

    One draw a year, shared by all ACOs and enrolment types. After the last year that the market
    gives, errors add up from year to year; a year that it gives has an error of its own.
    """
    last = int(block.people.last_given_year)
    # min: a given year's span is that year alone
    spans = [range(min(last + 1, year), year + 1) for year in block.years]
    scores = walked(block, "market/trend", "national", spans)
    return mean_one(scores, block.experience.trend.sd, np.array([len(span) for span in spans]))


def regional(block: Block) -> np.ndarray:
    """Return each ACO's region against the market, mean one: (trial, year, aco).

    Errors add up from the last base year; ACOs of one region share them.
    """
    out = np.ones(block.shape)
    sd = block.experience.trend.regional_sd
    for i, region in enumerate(block.people.region.values):
        spans = block.since_base(i)
        scores = walked(block, "market/region", str(region), spans)
        out[:, :, i] = mean_one(scores, sd, np.array([len(span) for span in spans]))
    return out


def draw(block: Block, nation: np.ndarray, region: np.ndarray) -> Arrays:
    """Return national_ppy and regional_ppy, both moved by the market."""
    by_segment = block.expected("national_ppy") * nation[:, :, None]
    of_region = block.expected("regional_ppy") * (nation[:, :, None] * region)[..., None]
    people = block.people
    return {
        "national_ppy": (
            ("trial", "year", "segment"),
            block.whole(people.national_ppy.values, by_segment),
        ),
        "regional_ppy": (
            ("trial", "year", "aco", "segment"),
            block.whole(people.regional_ppy.values, of_region),
        ),
    }
