"""Parts of a run, computed apart (an array job, say), put together into the run."""

from pathlib import Path

from simulator import results
from simulator.engine.plan import Plan, plan
from simulator.errors import ResultsError

__all__ = ["merge"]


def merge(run: Path) -> int:
    """Put every part beside a run's folder into it, close it if whole; return how many parts.

    Raises ResultsError for a part that is altered, or of another run or version, for parts of
    different trials, and for blocks that no part has: it names them. What was merged stays.
    """
    parts = _parts(run)
    _refuse_lengths(parts)
    planned = plan(results.run_scenario(parts[0]), run.parent, results.Store(parts[0]).pin.block)
    if planned.folder.name != run.name:
        raise ResultsError(
            f"{parts[0]} was made by acosim {results.Store(parts[0]).pin.code} or other rules; "
            f"this is {planned.pin.code}: compute it again, or merge with the acosim that made it"
        )
    began = results.Beginning.now()
    with results.held(run):
        results.prepare(run, planned.scenario, planned.rules, planned.pin, planned.samples)
        computed = sum(_take(planned, part) for part in parts)
        _refuse_gaps(planned, run)
        results.close(run, began, computed, planned.notices)
    return len(parts)


def _parts(run: Path) -> list[Path]:
    beside = run.parent.glob(f"{run.name}.part-*")
    found = sorted(path for path in beside if results.PART.match(path.name))
    if not found:
        raise ResultsError(
            f"{run} has no parts: folders beside it named {run.name}.part-0-500, as "
            "acosim run --blocks 0:500 makes them"
        )
    return found


def _refuse_lengths(parts: list[Path]) -> None:
    """Refuse parts of runs of different trials: the run would silently be cut to one's."""
    trials = {part: results.run_scenario(part).trials for part in parts}
    if len({*trials.values()}) > 1:
        said = ", ".join(f"{part.name} of {count:,}" for part, count in trials.items())
        raise ResultsError(
            f"{parts[0].parent}: parts of runs of different trials: {said}; remove those of one "
            "length, or compute them again with the same --trials"
        )


def _take(planned: Plan, part: Path) -> int:
    """Copy a part's blocks into the run, each checked as it is read; return how many."""
    with results.held(part):
        source, target = results.Store(part), results.Store(planned.folder)
        if source.pin != planned.pin or [*source.arrays] != [*target.arrays]:
            raise ResultsError(f"{part} is not a part of {planned.folder}, cut as its blocks are")
        committed = results.entries(part).values()
        bad = results.unsound(part, [entry.block for entry in committed])
        if bad:
            block, why = next(iter(bad.items()))
            raise ResultsError(f"{part}: {block} is {why}; compute it again")
        lacking = results.unsound(planned.folder, [entry.block for entry in committed])
        for block in lacking:
            results.commit(
                planned.folder, results.Entry(block, target.write(block, source.read(block)))
            )
    return len(lacking)


def _refuse_gaps(planned: Plan, run: Path) -> None:
    every = planned.blocks
    bad = results.unsound(run, every)
    lacking = [number for number, block in enumerate(every) if block in bad]
    if lacking:
        spans = ", ".join(_spans(lacking))
        raise ResultsError(f"{run} still lacks blocks {spans} of 0:{len(every)} (run --blocks)")


def _spans(numbers: list[int]) -> list[str]:
    """Return numbers as ranges.

    >>> _spans([0, 1, 2, 7])
    ['0:3', '7:8']
    """
    every = {*numbers}
    ends = [n for n in numbers if n + 1 not in every]
    starts = [n for n in numbers if n - 1 not in every]
    return [f"{start}:{end + 1}" for start, end in zip(starts, ends, strict=True)]
