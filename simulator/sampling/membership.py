"""Who is counted in each year: the rosters as projected; nothing here is random yet."""

from simulator.sampling.block import Arrays, Block

__all__ = ["draw"]

_PROJECTED = (
    "person_years",
    "persons",
    "assigned_share",
    "prospective_factor",
    "prior_savings_ppy",
    "reconciled_person_years",
    "published_benchmark_ppy",
)


def draw(block: Block) -> Arrays:
    """Return what is taken as projected: counts, shares and published figures.

    Not modelled: who joins, leaves or dies within the year.
    """
    people = block.people
    names = [name for name in _PROJECTED if name in people]
    return {name: (tuple(map(str, people[name].dims)), people[name].values) for name in names}
