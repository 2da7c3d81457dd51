"""A small run of the real ACO, shared by the tests of what computes, stores and shows it."""

from collections.abc import Sequence
from pathlib import Path

from distributed import LocalCluster

from simulator.engine.checking import check
from simulator.scenario.schema import Scenario

QUICKSTART = Path(__file__).parents[1] / "scenarios" / "quickstart.yaml"


def small(trials: int = 300, contracts: Sequence[str] = ("level_e", "enhanced")) -> Scenario:
    """Return the quickstart with fewer trials and contracts."""
    whole = check(QUICKSTART)
    kept = {label: whole.contracts[label] for label in contracts}
    return whole.model_copy(update={"trials": trials, "contracts": kept})


def local_cluster(workers: int = 2, threads: int = 1, *, processes: bool = True) -> LocalCluster:
    """Return a cluster without a dashboard, whose port two tests at a time would fight for."""
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=threads,
        processes=processes,
        dashboard_address=None,
        scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
    )
