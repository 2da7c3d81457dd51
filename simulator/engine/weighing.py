"""How much work the blocks of a batch are, next to each other: a block of each kind, timed."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from simulator import results
from simulator.engine.plan import Plan
from simulator.engine.simulate import lines
from simulator.engine.tracks import Track
from simulator.scenario.schema import Case

__all__ = ["Weighed", "Weights", "weighed"]

# A block is timed where it stands for so many: a few hundredths of their work at most.
_WORTH_WHILE = 40

Kind: TypeAlias = tuple[object, ...]
Weighed: TypeAlias = tuple[float, float]


def weighed(case: Case, tracks: Sequence[Track], trials: range) -> Weighed:
    """Return the seconds that a block takes, and all that were spent to find out.

    What is read and compiled the first time is not the block's.
    """
    start = time.perf_counter()
    lines(case, tracks, trials[:1])
    ready = time.perf_counter()
    lines(case, tracks, trials)
    end = time.perf_counter()
    return end - ready, end - start


class Weights:
    """How much work a block of each plan is: as planned, until one of its kind is timed."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        self._kinds = {plan.folder: _kind(plan) for plan in plans}
        self._planned = {self._kinds[plan.folder]: plan.weight for plan in plans}
        self._seconds: dict[Kind, float] = {}

    def of(self, plan: Plan) -> float:
        """Return the work of a plan's block: seconds as soon as any kind is timed."""
        seconds = self._seconds.get(self._kinds[plan.folder])
        return plan.weight * self._rate() if seconds is None else seconds

    def _rate(self) -> float:
        planned = sum(self._planned[kind] for kind in self._seconds)
        return sum(self._seconds.values()) / planned if planned else 1.0

    def take(self, plan: Plan, seconds: float) -> None:
        """Take in what a block of a plan's kind took."""
        self._seconds[self._kinds[plan.folder]] = seconds

    def worth_while(self, plans: Sequence[Plan]) -> Iterator[Plan]:
        """Yield a plan of each kind of which so much is to be done that timing it costs little.

        None if all are of one kind: then nobody need know what a block is.
        """
        todo = Counter[Kind]()
        for plan in plans:
            todo[self._kinds[plan.folder]] += _lacking(plan)
        first = {self._kinds[plan.folder]: plan for plan in reversed(plans)}
        for kind, count in todo.items() if len(first) > 1 else ():
            if count >= _WORTH_WHILE:
                yield first[kind]


def _lacking(plan: Plan) -> int:
    """Return how many blocks a run lacks by its manifest, which it may not yet have."""
    held = results.entries(plan.folder) if plan.folder.is_dir() else ()
    return max(len(plan.blocks) - len(held), 0)


def _kind(plan: Plan) -> Kind:
    """Return what the blocks of plans that take as long have in common."""
    scenario = plan.scenario
    signed = ((c.program, c.year) for track in plan.tracks[0] for c in track.contracts)
    drawn = frozenset(scenario.experience.model_fields_set)
    return (plan.pin.block, len(scenario.population), scenario.sampling.scheme, drawn, *signed)
