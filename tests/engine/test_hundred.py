"""A hundred ACOs in five years and 20,000 trials: on this machine, and the same on a cluster."""

import time

import pytest
from dask.distributed import Client

from simulator import results
from simulator.engine.checking import check
from simulator.engine.run import run
from simulator.scenario.schema import Scenario
from tests.runs import QUICKSTART, local_cluster

ACOS, TRIALS, YEARS = 100, 20_000, (2022, 2023, 2024, 2025, 2026)


def hundred() -> Scenario:
    """Return the quickstart's ACO a hundred times, from half its size to twice that."""
    whole = check(QUICKSTART).model_dump()
    covenant = {**whole["population"]["covenant"], "observed": None}
    population = {}
    for n in range(ACOS):
        size = 2.0 ** (2.0 * n / ACOS - 1.0)
        segments = {
            name: {**part, "person_years": {y: size * k for y, k in part["person_years"].items()}}
            for name, part in covenant["segments"].items()
        }
        persons = {year: size * count for year, count in covenant["persons"].items()}
        own = {"segments": segments, "persons": persons, "region": f"region{n % 10}"}
        population[f"a{n}"] = {**covenant, **own}
    changes = {
        "population": population,
        "contracts": {"level_e": whole["contracts"]["level_e"]},
        "years": YEARS,
        "trials": TRIALS,
        "sources": {},
    }
    return Scenario.model_validate({**whole, **changes})


@pytest.mark.slow
def test_a_hundred_acos_are_alike_on_threads_and_on_a_cluster(tmp_path, proof):
    scenario, seconds, digests = hundred(), {}, {}
    with local_cluster() as cluster, Client(cluster) as client:
        client.run(check, QUICKSTART)  # what a worker imports is not the run's
        for way, scheduler in (("threads", "threads"), ("LocalCluster", client)):
            start = time.perf_counter()
            done = run(scenario, tmp_path / way, scheduler=scheduler, workers=2)
            seconds[way] = time.perf_counter() - start
            digests[way] = results.digest(done.attrs["path"])
    (digest,) = set(digests.values())
    proof(
        "100 ACOs, 5 years, 20,000 trials: threads and a cluster give the same trials",
        ", ".join(f"{way} {taken:.1f} s" for way, taken in seconds.items())
        + f"; digest {digest[:12]}",
    )
