"""What running a scenario comes to, before it runs: cases, blocks, contracts, folder, cost."""

import time
import tracemalloc
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import xarray as xr

from simulator import results
from simulator.engine import AddressError
from simulator.engine.simulate import by_person, lines
from simulator.engine.tracks import Track, notices, tracks
from simulator.errors import ResultsError
from simulator.scenario.schema import Case, Scenario
from simulator.scenario.sweep import cases

__all__ = ["Estimate", "Plan", "estimate", "part", "plan"]

# An ACO's year under a contract costs as much once as it does in 400 trials, and a trial of it
# holds half a kilobyte: a million are a few seconds of work and half a gigabyte.
_ELEMENTS = 1_000_000
_MOST_ELEMENTS = 2_000_000
_WORTH_WHILE = 400
_LARGEST = 5_000
_PROBE = 256


@dataclass(frozen=True)
class Plan:
    """A scenario made ready to run: every contract loaded, every block known."""

    scenario: Scenario
    folder: Path
    cases: tuple[Case, ...]
    tracks: tuple[tuple[Track, ...], ...]
    rules: str
    pin: results.Pin
    part: range | None = None

    @property
    def blocks(self) -> list[results.Block]:
        """Return every block of every case, or those of the part that is to be computed."""
        every = list(results.blocks(self.pin.cases, self.scenario.trials, self.pin.block))
        return every if self.part is None else every[self.part.start : self.part.stop]

    @property
    def weight(self) -> float:
        """Return how much work a block is, next to those of other scenarios."""
        return float(self.pin.block * _width(self.scenario))

    @cached_property
    def notices(self) -> tuple[str, ...]:
        """Return which contracts the ACOs could not really sign: they are what-ifs."""
        return notices(self.cases[0], self.tracks[0])

    @cached_property
    def by_person(self) -> tuple[str, ...]:
        """Return the ACOs so small that their people are drawn one by one."""
        return by_person(self.cases[0].scenario)

    @cached_property
    def samples(self) -> dict[str, xr.Dataset]:
        """Return the lines to store of the first trial: that the model runs, and their shapes."""
        return lines(self.cases[0], self.tracks[0], range(1))


@dataclass(frozen=True)
class Estimate:
    """What a run will take, from a few trials of its first case."""

    memory_bytes: int
    disk_bytes: int
    seconds: float
    blocks: int
    committed: int


def plan(scenario: Scenario, out: Path, block: int | None = None) -> Plan:
    """Return what running a scenario into a folder under `out` comes to.

    A run that is already there goes on in blocks of its own size. Raises RulesError for contracts
    that no program has, ResultsError for another size of block than the run's own.
    """
    every = cases(scenario)
    loaded = [tracks(case) for case in every]
    by_label = [{track.name: track.contracts for track in case} for case in loaded]
    rules = results.rules_text(by_label)
    code = results.code_version()
    digest = results.identity(scenario, rules, code)
    folder = out / f"{scenario.name}-{digest[:8]}"
    size = _pinned(folder, block) or block or _size(scenario)
    pin = results.Pin(digest, code, size, len(every))
    return Plan(scenario, folder, every, tuple(loaded), rules, pin)


def _pinned(folder: Path, block: int | None) -> int | None:
    """Return the size of blocks of a run that is already there."""
    size = _held(folder)
    if size is not None and block not in (None, size):
        raise ResultsError(
            f"{folder} is in blocks of {size} trials, not {block}; leave --block out"
        )
    return size


def _held(folder: Path) -> int | None:
    """Return the size of the blocks that a folder holds: by its store or, without, its manifest.

    A run that stopped before its store was described, or that lost that, is run again.
    """
    if not folder.exists():
        return None
    try:
        return results.Store(folder).pin.block
    except ResultsError:
        sizes = {entry.block.trials for entry in results.entries(folder).values()}
        return min(sizes) if len(sizes) == 1 and min(sizes) > 0 else None


def part(planned: Plan, asked: range) -> Plan:
    """Return the plan of some of a run's blocks, by number, in a folder beside the run's own.

    Raises AddressError for blocks that the run does not have.
    """
    every = len(planned.blocks)
    if not 0 <= asked.start < asked.stop <= every:
        raise AddressError(
            f"blocks {asked.start}:{asked.stop} are not in the run; it has 0:{every}"
        )
    name = f"{planned.folder.name}.part-{asked.start}-{asked.stop}"
    return replace(planned, folder=planned.folder.with_name(name), part=asked)


def _width(scenario: Scenario) -> int:
    return len(scenario.population) * len(scenario.years) * len(scenario.contracts)


def _size(scenario: Scenario) -> int:
    """Return how many trials make a block: a bounded number of elements, whatever the trials.

    The memory that a run takes does not grow with them. Where many ACOs leave few, as many as are
    worth what a block costs.
    """
    width = _width(scenario)
    most = min(_LARGEST, _ELEMENTS // width)
    return max(most, min(_MOST_ELEMENTS // width, _WORTH_WHILE), 1)


def estimate(planned: Plan, workers: int) -> Estimate:
    """Return memory, disk and time of a run, measured on a few trials of its first case."""
    samples = planned.samples.values()
    lines_kept = (line for sample in samples for line in sample.data_vars.values())
    bytes_a_trial = sum(line.nbytes for line in lines_kept)
    todo = len(planned.blocks)
    committed = todo - _lacking(planned)
    held, seconds = _cost(planned)
    return Estimate(
        memory_bytes=int(held) * workers,
        disk_bytes=bytes_a_trial * planned.pin.block * todo,
        seconds=seconds * (todo - committed) / max(min(workers, todo - committed), 1),
        blocks=todo,
        committed=committed,
    )


def _lacking(planned: Plan) -> int:
    """Return how many blocks are to be computed: all of them where no store of the run is."""
    try:
        if results.Store(planned.folder).pin == planned.pin:
            return len(results.unsound(planned.folder, planned.blocks))
    except ResultsError:
        pass
    return len(planned.blocks)


def _cost(planned: Plan) -> tuple[float, float]:
    """Return bytes and seconds of a block, on a line through one trial and a few hundred."""
    few, many = _measured(planned, 1), _measured(planned, _PROBE)
    steps = (planned.pin.block - 1) / (_PROBE - 1)
    memory, seconds = (
        low + steps * max(high - low, 0.0) for low, high in zip(few, many, strict=True)
    )
    return memory, seconds


def _measured(planned: Plan, trials: int) -> tuple[float, float]:
    """Return the most bytes held and the seconds taken; each in a run of its own."""
    start = time.perf_counter()
    lines(planned.cases[0], planned.tracks[0], range(trials))
    seconds = time.perf_counter() - start
    tracemalloc.start()
    lines(planned.cases[0], planned.tracks[0], range(trials))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return float(most), seconds
