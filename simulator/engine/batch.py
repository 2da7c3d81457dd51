"""Runs completed together, block by block: what is committed stays, what fails is named."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeAlias

from simulator import results
from simulator.engine import ClusterError, PartlyDoneError
from simulator.engine.plan import Plan
from simulator.engine.simulate import lines
from simulator.engine.tracks import Track
from simulator.engine.weighing import Weighed, Weights, weighed
from simulator.errors import ResultsError, SimulatorError
from simulator.scenario.schema import Case
from simulator.timing import lap

__all__ = ["Crew", "Outcome", "Progress", "Tally", "complete"]

_EACH = 3
_PULSE = 5.0


class Tally(NamedTuple):
    """How far a batch is: blocks done and in all; blocks and work since it began; work left."""

    done: int
    total: int
    blocks: int
    worked: float
    left: float


class Crew(NamedTuple):
    """What computes blocks, how many at a time, and how to tell that it is gone."""

    executor: Executor
    workers: Callable[[], int]
    check: Callable[[], None] = lambda: None
    killed: tuple[type[BaseException], ...] = ()


class Outcome(NamedTuple):
    """A run, and why it is not whole, if so."""

    plan: Plan
    error: SimulatorError | None = None


Progress: TypeAlias = Callable[[Tally], None]


def complete(
    plans: Sequence[Plan], crew: Crew, progress: Progress | None = None, *, keep_going: bool
) -> Iterator[Outcome]:
    """Yield each run when it is as whole as it can be: all its blocks computed and committed.

    Blocks of the next run are computed while the last ones of a run are. Raises OSError if the
    disk refuses and ClusterError if nobody is left to compute; what is committed stays. A run
    that fails for reasons of its own raises too, unless `keep_going`.
    """
    with ExitStack() as held:
        yield from _Batch(plans, crew, progress, keep_going=keep_going).outcomes(held)


@dataclass
class _Work:
    """A run under way: what it lacks, and what of it has failed."""

    plan: Plan
    folder: Path
    began: results.Beginning
    left: int = 0
    computed: int = 0
    failed: dict[results.Block, str] = field(default_factory=dict)
    killed: int = 0
    hold: ExitStack = field(default_factory=ExitStack)


_Task: TypeAlias = tuple[_Work, results.Block]


class _Batch:
    """Runs that are completed with one crew, a bounded number of blocks under way."""

    def __init__(
        self, plans: Sequence[Plan], crew: Crew, progress: Progress | None, *, keep_going: bool
    ) -> None:
        self._plans, self._crew, self._progress = plans, crew, progress
        self._keep_going = keep_going
        self._pending: dict[Future[results.Sums], _Task] = {}
        self._suspects: list[_Task] = []
        self._ended: list[Outcome] = []
        self._done, self._spent = 0, 0.0
        self._todo_of = {plan.folder: len(plan.blocks) for plan in plans}
        self._done_of = dict.fromkeys(self._todo_of, 0)
        self._total = sum(self._todo_of.values())
        self._weights = Weights(plans)
        self._timed: dict[Future[Weighed], Plan] = {}

    def outcomes(self, held: ExitStack) -> Iterator[Outcome]:
        """Yield runs as they end."""
        self._weigh()
        for task in self._tasks(held):
            self._submit(task)
            while len(self._pending) >= _EACH * self._crew.workers():
                self._collect()
            yield from self._ready()
        while self._pending:
            self._collect()
            yield from self._ready()
        # Who dies with a block takes the blocks beside it along: each alone tells which it is.
        while self._suspects:
            task = self._suspects.pop()
            self._submit(task)
            while self._pending:
                self._collect(alone=True)
            yield from self._ready()
        yield from self._ready()

    def _tasks(self, held: ExitStack) -> Iterator[_Task]:
        """Yield the blocks that runs lack; a run's folder is held from its first to its last."""
        for plan in self._plans:
            work = _Work(plan, plan.folder.resolve(), results.Beginning.now())
            held.enter_context(work.hold)
            todo = self._todo(work)
            self._passed(plan, len(plan.blocks) - len(todo))
            work.left = len(todo)
            yield from ((work, block) for block in todo)

    def _todo(self, work: _Work) -> list[results.Block]:
        """Return what a run lacks, its folder made ready; a run that cannot begin has ended."""
        plan = work.plan
        try:
            if plan.part is None and results.closed(work.folder, plan.pin, plan.scenario.trials):
                self._ended.append(Outcome(plan))
                return []
            work.hold.enter_context(results.held(work.folder))
            with lap("start-up"):
                results.prepare(work.folder, plan.scenario, plan.rules, plan.pin, plan.samples)
        except SimulatorError as error:
            self._end(work, error)
            return []
        todo = sorted(results.unsound(work.folder, plan.blocks))
        if not todo:
            self._close(work)
        return todo

    def _submit(self, task: _Task) -> None:
        work, block = task
        plan = work.plan
        case, tracks = plan.cases[block.case], plan.tracks[block.case]
        job = self._crew.executor.submit(_compute, work.folder, plan.pin.code, case, tracks, block)
        self._pending[job] = task

    def _collect(self, *, alone: bool = False) -> None:
        """Take in the blocks that end next; ask now and then whether anybody still computes."""
        ended, _ = wait(self._pending, timeout=_PULSE, return_when=FIRST_COMPLETED)
        if not ended:
            self._crew.check()
        for job in ended:
            task = self._pending.pop(job)
            error = job.exception()
            if isinstance(error, self._crew.killed) and not alone:
                self._suspects.append(task)
            else:
                self._take(task, job, error)

    def _take(self, task: _Task, job: Future[results.Sums], error: BaseException | None) -> None:
        work, block = task
        if isinstance(error, OSError | ResultsError | ClusterError):
            raise error
        if error is None:
            with lap("storing"):
                results.commit(work.folder, results.Entry(block, job.result()))
            work.computed += 1
        else:
            killed = isinstance(error, self._crew.killed)
            work.killed += killed
            work.failed[block] = "ended every worker that took it" if killed else _said(error)
        work.left -= 1
        self._done_of[work.plan.folder] += 1
        self._passed(work.plan, 1)
        if not work.left:
            self._close(work)

    def _weigh(self) -> None:
        """Let a block of each kind be timed beside the others, if somebody watches."""
        for plan in self._weights.worth_while(self._plans) if self._progress else ():
            job = (plan.cases[0], plan.tracks[0], range(plan.pin.block))
            self._timed[self._crew.executor.submit(weighed, *job)] = plan

    def _passed(self, plan: Plan, blocks: int) -> None:
        """Tell how far the batch is, after blocks that are there already or have just ended."""
        self._done, self._todo_of[plan.folder] = (
            self._done + blocks,
            self._todo_of[plan.folder] - blocks,
        )
        if self._progress is not None:
            self._progress(self._tally())

    def _tally(self) -> Tally:
        for job in [job for job in self._timed if job.done()]:
            plan = self._timed.pop(job)
            # A block that fails here says so where it counts.
            if job.exception() is None:
                seconds, spent = job.result()
                self._weights.take(plan, seconds)
                self._spent += spent
        each = {plan.folder: self._weights.of(plan) for plan in self._plans}
        worked = self._spent + sum(each[name] * n for name, n in self._done_of.items())
        left = sum(each[name] * n for name, n in self._todo_of.items())
        return Tally(self._done, self._total, sum(self._done_of.values()), worked, left)

    def _close(self, work: _Work) -> None:
        """End a run: closed if it has all its blocks, else with what failed."""
        if work.failed:
            self._end(work, _failure(work))
            return
        if gone := results.Store(work.folder).lacks(work.plan.blocks):
            self._end(work, _unshared(work, gone))
            return
        if work.plan.part is None:
            with lap("storing"):
                results.close(work.folder, work.began, work.computed, work.plan.notices)
        work.hold.close()
        self._ended.append(Outcome(work.plan))

    def _end(self, work: _Work, error: SimulatorError) -> None:
        work.hold.close()
        if not self._keep_going:
            raise error
        self._ended.append(Outcome(work.plan, error))

    def _ready(self) -> Iterator[Outcome]:
        while self._ended:
            yield self._ended.pop(0)


def _compute(
    folder: Path, code: str, case: Case, tracks: Sequence[Track], block: results.Block
) -> results.Sums:
    """Simulate, settle and write one block; return the sha256 of its values.

    What it raises has no traceback: dask's client waits for ever if one cannot be pickled, as
    that of a recursion without end.
    """
    try:
        return _written(folder, code, case, tracks, block)
    except Exception as error:
        error.__cause__ = error.__context__ = None
        raised = error.with_traceback(None)
    raise raised


def _written(
    folder: Path, code: str, case: Case, tracks: Sequence[Track], block: results.Block
) -> results.Sums:
    if results.code_version() != code:
        raise ClusterError(f"a worker has acosim {results.code_version()}; the run has {code}")
    if not (folder / results.STORE).is_dir():
        raise ClusterError(f"a worker does not see {folder}; it must lie on a disk that all share")
    computed = lines(case, tracks, block.range)
    with lap("storing"):
        return results.Store(folder).write(block, computed)


def _said(error: BaseException) -> str:
    said = " ".join(str(error).split())
    return said if isinstance(error, SimulatorError) else f"{type(error).__name__}: {said}"


def _unshared(work: _Work, gone: Sequence[str]) -> ClusterError:
    """Return what to say of a run whose blocks a worker wrote where nobody else sees them."""
    more = f" and {len(gone) - 1} more files" if gone[1:] else ""
    return ClusterError(
        f"{work.plan.folder / results.STORE / gone[0]}{more} were computed but are not there: a "
        "worker's disk is not shared; put the run on a disk that all share, and run it again"
    )


def _failure(work: _Work) -> SimulatorError:
    """Return what to say of a run some of whose blocks cannot be computed."""
    total, failed = len(work.plan.blocks), work.failed
    named = [f"{block}: {why}" for block, why in list(failed.items())[:5]]
    more = f"; and {len(failed) - 5} more" if failed.items() and len(failed) > 5 else ""
    said = (
        f"{work.plan.folder}: {len(failed)} of {total} blocks could not be computed, the others "
        f"are saved: {'; '.join(named)}{more}"
    )
    if work.killed:
        return ClusterError(f"{said}; if memory ran out, give each worker more, or use fewer")
    return PartlyDoneError(said)
