"""The design of a run's draws: which of them take the dimensions of Sobol' points, and in order.

The principal draws come first, for the first dimensions spread best: the nation's growth, then
each ACO's own deviation, its claims by how much an enrolment type weighs, its region, quality and
risk. The order follows the people as the scenario lists them, and neither the contracts nor any
assumption: contracts and the cases of a sweep keep their common draws.
"""

from collections.abc import Iterator

import xarray as xr

from simulator.sampling.sobol import DIMENSIONS
from simulator.sampling.streams import Scheme, Streams

__all__ = ["dimensions", "streams"]

_BY_WEIGHT = ("aged_nondual", "disabled", "aged_dual", "esrd")


def streams(seed: int, scheme: Scheme, replicates: int, people: xr.Dataset) -> Streams:
    """Return the streams of a run by its scheme.

    people : Dataset (year, aco, segment), as `population.project` returns them
    """
    if scheme != "sobol":
        return Streams(seed, scheme)
    return Streams(seed, scheme, replicates, dimensions(people))


def dimensions(people: xr.Dataset) -> dict[tuple[str, str], int]:
    """Return the first Sobol' dimension of each principal draw, by its stream and who.

    Draws beyond the last dimension are left out, and so independent.
    """
    found: dict[tuple[str, str], int] = {}
    free = 0
    for stream, who, width in _principal(people):
        if free + width > DIMENSIONS:
            break
        if (stream, who) not in found:
            found[stream, who] = free
            free += width
    return found


def _principal(people: xr.Dataset) -> Iterator[tuple[str, str, int]]:
    """Yield stream, who and number of positions of the draws, the principal ones first."""
    years = [int(year) for year in people.year.values]
    ahead = [int(year) for year in people.year.values[people.performance.values]]
    acos, regions = people.aco.values.tolist(), people.region.values.tolist()
    starts = dict(zip(acos, people.agreement_start.values.tolist(), strict=True))
    yield from (("market/trend", f"national/{year}", 1) for year in reversed(years))
    yield from (("deviation", aco, 1) for aco in acos)
    yield from (("effect", aco, 1) for aco in acos)
    for segment in _by_weight(people):
        yield from (("claims", f"{aco}/{year}/{segment}", 3) for year in ahead for aco in acos)
    since = {aco: [year for year in reversed(years) if year >= starts[aco]] for aco in acos}
    yield from (("deviation/change", f"{aco}/{year}", 1) for aco in acos for year in since[aco])
    for aco, region in zip(acos, regions, strict=True):
        yield from (("market/region", f"{region}/{year}", 1) for year in since[aco])
    yield from (("quality", f"{aco}/{year}", 1) for year in ahead for aco in acos)
    yield from (("risk_score/common", f"{aco}/{year}", 1) for aco in acos for year in since[aco])
    for segment in _by_weight(people):
        for aco in acos:
            yield from (("risk_score", f"{aco}/{segment}/{year}", 1) for year in since[aco])


def _by_weight(people: xr.Dataset) -> list[str]:
    """Return the segments, those of the enrolment types that weigh most in all spending first."""
    kinds = people.entitlement.values.tolist()
    segments = people.segment.values.tolist()
    rank = {kind: place for place, kind in enumerate(_BY_WEIGHT)}
    return sorted(segments, key=lambda name: rank.get(kinds[segments.index(name)], len(rank)))
