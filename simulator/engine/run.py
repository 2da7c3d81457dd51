"""Run a scenario in blocks, on threads, processes or a cluster: the one module that knows dask."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    CancelledError,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import xarray as xr

from simulator import results
from simulator.engine import ClusterError
from simulator.engine.checking import check
from simulator.engine.plan import Plan, plan
from simulator.engine.simulate import lines
from simulator.engine.tracks import Track
from simulator.scenario.schema import Case, Scenario

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Progress", "execute", "run"]

Progress: TypeAlias = Callable[[int, int], None]
_EACH = 3
_PATIENCE = "15s"


def run(
    scenario: Scenario | Path | str,
    out: Path | str = "results",
    *,
    scheduler: "str | Client | None" = None,
    workers: int | None = None,
    block: int | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return a scenario's run, computed or completed in a folder under `out`.

    Parameters
    ----------
    scenario : Scenario, or the path of a file
    out : folder that holds runs
    scheduler : ``threads``, ``processes``, the address of a dask scheduler, or a client; by
        default the client in force, else threads
    workers : threads or processes; by default as many as there are processors
    block : trials a block; it affects speed only, never results
    progress : called with the blocks done and the blocks to do

    Raises
    ------
    ScenarioError, RulesError
        For a scenario or contracts that are wrong.
    ResultsError
        For a folder that is not this run's.
    ClusterError
        If the scheduler cannot be reached, or workers died.
    """
    whole = scenario if isinstance(scenario, Scenario) else check(scenario)
    planned = plan(whole, Path(out), block)
    return execute(planned, scheduler=scheduler, workers=workers, progress=progress)


def execute(
    planned: Plan,
    *,
    scheduler: "str | Client | None" = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return a plan's run: its folder made ready, the blocks that lack computed, then opened."""
    began, folder = datetime.now(UTC), planned.folder.resolve()
    with results.held(folder):
        _complete(planned, folder, began, (scheduler, workers), progress)
    return results.open_run(planned.folder)


def _complete(
    planned: Plan,
    folder: Path,
    began: datetime,
    where: "tuple[str | Client | None, int | None]",
    progress: Progress | None,
) -> None:
    """Compute the blocks that a run lacks, and close it."""
    scheduler, workers = where
    results.prepare(folder, planned.scenario, planned.rules, planned.pin, planned.samples)
    todo = sorted(results.unsound(folder, planned.blocks))
    done, total = len(planned.blocks) - len(todo), len(planned.blocks)
    _report(progress, done, total)
    with _crew(scheduler, workers or os.cpu_count() or 1) as crew:
        for entry in _computed(crew, planned, folder, todo):
            results.commit(folder, entry)
            done += 1
            _report(progress, done, total)
    if todo or not results.closed(folder):
        results.close(folder, began, len(todo), planned.notices)


def _report(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)


def _computed(
    crew: "_Crew", planned: Plan, folder: Path, todo: Sequence[results.Block]
) -> Iterator[results.Entry]:
    """Yield blocks as they are written; only a few a worker are ever under way."""
    pending: dict[Future[str], results.Block] = {}
    for block in todo:
        case, tracks = planned.cases[block.case], planned.tracks[block.case]
        future = crew.executor.submit(_compute, folder, planned.pin.code, case, tracks, block)
        pending[future] = block
        if len(pending) >= _EACH * crew.workers:
            yield from _finished(pending)
    while pending:
        yield from _finished(pending)


def _finished(pending: dict[Future[str], results.Block]) -> Iterator[results.Entry]:
    done, _ = wait(pending, return_when=FIRST_COMPLETED)
    for future in done:
        yield results.Entry(pending.pop(future), future.result())


def _compute(
    folder: Path, code: str, case: Case, tracks: Sequence[Track], block: results.Block
) -> str:
    """Simulate, settle and write one block; return the sha256 of its values."""
    if results.code_version() != code:
        raise ClusterError(f"a worker has acosim {results.code_version()}; the run has {code}")
    return results.Store(folder).write(block, lines(case, tracks, block.range))


class _Crew(NamedTuple):
    """What computes blocks, and how many at a time."""

    executor: Executor
    workers: int


def _crew(scheduler: "str | Client | None", workers: int) -> AbstractContextManager[_Crew]:
    """Return the client given or in force, else threads or processes of our own."""
    chosen = _in_force() if scheduler is None else scheduler
    if chosen is None or chosen == "threads":
        return _threads(workers)
    if chosen == "processes":
        return _processes(workers)
    return _connected(chosen) if isinstance(chosen, str) else _remote(chosen)


@contextmanager
def _threads(workers: int) -> Iterator[_Crew]:
    pool = ThreadPoolExecutor(workers)
    try:
        yield _Crew(pool, workers)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _processes(workers: int) -> Iterator[_Crew]:
    """Start processes of our own, on loopback and without a dashboard, and end them."""
    from distributed import Client, LocalCluster

    with _uninterrupted():
        cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
            silence_logs=logging.CRITICAL,
        )
    with cluster, Client(cluster) as client, _remote(client) as crew:
        yield crew


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let processes that are started here ignore Ctrl-C: it is ours to end them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _connected(address: str) -> Iterator[_Crew]:
    from distributed import Client

    try:
        client = Client(address, timeout=_PATIENCE)
    except (OSError, ValueError) as error:
        raise ClusterError(f"scheduler {address} cannot be reached: {error}") from error
    with client, _remote(client) as crew:
        yield crew


@contextmanager
def _remote(client: "Client") -> Iterator[_Crew]:
    """Give a client's workers; their death is a ClusterError, and we never close the client."""
    from distributed import KilledWorker
    from distributed.comm.core import CommClosedError

    executor = client.get_executor(pure=False, retries=3)
    try:
        yield _Crew(executor, max(sum(client.nthreads().values()), 1))
    except (KilledWorker, CommClosedError, CancelledError) as error:
        raise ClusterError(f"workers were lost: {error}") from error
    finally:
        executor.shutdown(wait=False)


def _in_force() -> "Client | None":
    """Return the client that the caller has made current, without importing dask for it."""
    if "distributed" not in sys.modules:
        return None
    from distributed import Client

    try:
        return Client.current(allow_global=True)
    except ValueError:
        return None
