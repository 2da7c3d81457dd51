"""Run scenarios in blocks, on threads, processes or a cluster: the one module that knows dask."""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

import xarray as xr

from simulator import results
from simulator.engine import ClusterError
from simulator.engine.batch import Crew, Outcome, Progress, complete
from simulator.engine.checking import check
from simulator.engine.plan import Plan, plan
from simulator.scenario.schema import Scenario

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

__all__ = ["Where", "execute", "execute_all", "run"]

_PATIENCE = 60.0
_CONNECT = 15.0
_REFRESH = 2.0
_AGAIN = 0.1


class Where(NamedTuple):
    """What computes a run.

    scheduler : ``threads``, ``processes``, the address of a dask scheduler, or a client; by
        default the client in force, else threads
    workers : threads or processes; by default as many as there are processors
    patience : seconds to wait for a scheduler that does not answer, or has no workers
    """

    scheduler: "str | Client | None" = None
    workers: int | None = None
    patience: float = _PATIENCE


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

    It is what `open_run` gives: (case, trial, year, aco, contract), USD.

    Parameters
    ----------
    scenario : Scenario, or the path of a file
    out : folder that holds runs
    scheduler : ``threads``, ``processes``, the address of a dask scheduler, or a client
        By default the client in force, else threads.
    workers : threads or processes; by default as many as there are processors
    block : trials a block; it affects speed only, never results
    progress : called with a `Tally`: the blocks done and in all, the work done and left

    Raises
    ------
    ScenarioError, RulesError
        For a scenario or contracts that are wrong.
    ResultsError
        For a folder that is not this run's, or that another process holds.
    PartlyDoneError
        If some blocks cannot be computed; the others are saved.
    ClusterError
        If the scheduler or its workers are gone, or a block ends every worker that takes it.
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
    where = Where(scheduler, workers)
    for _ in execute_all([planned], where, progress, keep_going=False):
        pass
    return results.open_run(planned.folder)


def execute_all(
    plans: Sequence[Plan], where: Where, progress: Progress | None = None, *, keep_going: bool
) -> Iterator[Outcome]:
    """Yield several plans' runs as they end, computed by one crew.

    Raises as `run` does; of what concerns one run alone, only unless `keep_going`.
    """
    with _crew(where) as crew:
        yield from complete(plans, crew, progress, keep_going=keep_going)


def _crew(where: Where) -> AbstractContextManager[Crew]:
    """Return the client given or in force, else threads or processes of our own."""
    chosen = _in_force() if where.scheduler is None else where.scheduler
    workers = where.workers or os.cpu_count() or 1
    if chosen is None or chosen == "threads":
        return _threads(workers)
    if chosen == "processes":
        return _processes(workers, where.patience)
    if isinstance(chosen, str):
        return _connected(chosen, where.patience)
    return _remote(chosen, where.patience)


@contextmanager
def _threads(workers: int) -> Iterator[Crew]:
    pool = ThreadPoolExecutor(workers)
    try:
        yield Crew(pool, lambda: workers)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _processes(workers: int, patience: float) -> Iterator[Crew]:
    """Start processes of our own, on loopback and without a dashboard, and end them."""
    from distributed import Client

    with ThreadPoolExecutor(1, initializer=_uninterrupted) as starter:
        cluster = starter.submit(_local_cluster, workers).result()
    with cluster, Client(cluster) as client, _remote(client, patience) as crew:
        yield crew


def _uninterrupted() -> None:
    """Keep Ctrl-C from this thread and all that it starts: it is for the main thread to end us."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _local_cluster(workers: int) -> "LocalCluster":
    from distributed import LocalCluster

    # After an interrupt Python's tracker frees the processes' semaphores: it need not say so.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker")
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
        silence_logs=logging.CRITICAL,
    )


@contextmanager
def _connected(address: str, patience: float) -> Iterator[Crew]:
    from distributed import Client
    from distributed.utils import silence_logging_cmgr

    # What dask logs of a lost scheduler is long; the ClusterError says it in a line.
    with silence_logging_cmgr(logging.CRITICAL):
        try:
            client = _soon(lambda: Client(address, timeout=_CONNECT), max(patience, _CONNECT))
        except (OSError, ValueError, TypeError, AssertionError) as error:
            said = str(error) or "it does not answer; more time: --patience"
            raise ClusterError(f"scheduler {address} cannot be reached: {said}") from error
        with client, _remote(client, patience) as crew:
            yield crew


def _soon(connect: "Callable[[], Client]", seconds: float) -> "Client":
    """Return a client, or raise TimeoutError: dask waits for ever on who accepts and is silent.

    Where dask itself gives up on such a one, it is asked again until the time is over; so it is
    where a scheduler's greeting comes together with news, of a worker that died, say: dask
    asserts that it comes alone.
    """
    found: Future[Client] = Future()
    deadline = time.monotonic() + seconds

    def connected() -> None:
        try:
            while True:
                try:
                    return found.set_result(connect())
                except (TimeoutError, AssertionError):
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(_AGAIN)
        except Exception as error:
            found.set_exception(error)

    Thread(target=connected, daemon=True).start()
    return found.result(timeout=seconds)


@contextmanager
def _remote(client: "Client", patience: float) -> Iterator[Crew]:
    """Give a client's workers; what becomes of them is a ClusterError, and it is not closed."""
    from distributed import KilledWorker
    from distributed.client import ClosedClientError
    from distributed.comm.core import CommClosedError

    executor = client.get_executor(pure=False, retries=3)
    watch = _Watch(client, patience)
    gone = (CommClosedError, ClosedClientError, CancelledError, TimeoutError)
    try:
        yield Crew(executor, watch.workers, watch.check, (KilledWorker,))
    except gone as error:
        raise _lost(error) from error
    finally:
        # Who is gone cannot be told that what was asked of it is no longer wanted.
        with suppress(*gone):
            executor.shutdown(wait=False)


def _lost(error: BaseException) -> ClusterError:
    said = " ".join(str(error).split()) or "it does not answer"
    return ClusterError(f"the scheduler was lost: {said}")


class _Watch:
    """Whether a scheduler answers, and how many workers it has."""

    def __init__(self, client: "Client", patience: float) -> None:
        self._client, self._patience = client, patience
        self._seen, self._asked, self._threads = time.monotonic(), -_REFRESH, 0

    def workers(self) -> int:
        """Return how many blocks can be computed at a time, asked every few seconds."""
        if time.monotonic() - self._asked > _REFRESH:
            self._ask()
        return max(self._threads, 1)

    def check(self) -> None:
        """Raise ClusterError if the scheduler is silent, or without workers, for too long."""
        self._ask()
        alone = time.monotonic() - self._seen
        if alone > self._patience:
            raise ClusterError(
                f"the scheduler has no workers for {alone:,.0f} s; more time: --patience"
            )

    def _ask(self) -> None:
        try:
            cores = self._client.nthreads(callback_timeout=self._patience)
        except TimeoutError as error:
            said = f"the scheduler has not answered for {self._patience:,.0f} s"
            raise ClusterError(f"{said}; more time: --patience") from error
        except OSError as error:
            raise _lost(error) from error
        self._asked, self._threads = time.monotonic(), sum(cores.values())
        if self._threads:
            self._seen = self._asked


def _in_force() -> "Client | None":
    """Return the client that the caller has made current, without importing dask for it."""
    if "distributed" not in sys.modules:
        return None
    from distributed import Client

    try:
        return Client.current(allow_global=True)
    except ValueError:
        return None
