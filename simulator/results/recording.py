"""A run, recorded: its folder made ready, each block committed, the whole closed."""

import json
import os
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import xarray as xr

from simulator.results.folder import (
    RULES,
    RUN,
    SCENARIO,
    run_rules,
    run_scenario,
    terms,
    write_text,
)
from simulator.results.manifest import entries, rewrite
from simulator.results.opening import digest, unsound
from simulator.results.store import STORE, Pin, Store
from simulator.scenario import reading
from simulator.scenario.schema import Scenario

__all__ = ["close", "closed", "prepare", "statuses"]

_DECIDE = ("numpy", "scipy", "numba", "xarray", "pydantic", "zarr", "dask")


def prepare(
    folder: Path, scenario: Scenario, rules: str, pin: Pin, samples: Mapping[str, xr.Dataset]
) -> None:
    """Make a run's folder ready for blocks up to its trials: created, or extended.

    What is committed stays; a block that was altered since is no longer committed. Raises
    ScenarioError for a scenario made in Python that would not be read back.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / RULES, rules)
    write_text(folder / SCENARIO, reading.canonical(scenario))
    run_scenario(folder)
    if not (folder / STORE).exists():
        Store.create(folder, pin, samples)
        rewrite(folder, [])
    Store(folder).extend(scenario.trials)
    _forget_altered(folder)


def _forget_altered(folder: Path) -> None:
    committed = entries(folder).values()
    bad = unsound(folder, [entry.block for entry in committed])
    rewrite(folder, [entry for entry in committed if entry.block not in bad])


def close(folder: Path, began: datetime, computed: int, notices: Sequence[str] = ()) -> None:
    """Write `run.json`, the last file of a run: what it is, what made it, how long it took."""
    scenario, pin = run_scenario(folder), Store(folder).pin
    now = datetime.now(UTC)
    facts = {
        **pin._asdict(),
        "name": scenario.name,
        "seed": scenario.seed,
        "trials": scenario.trials,
        "sha256": digest(folder),
        "terms": statuses(run_rules(folder)),
        "versions": {"python": platform.python_version(), **{n: version(n) for n in _DECIDE}},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "began": began.isoformat(timespec="seconds"),
        "seconds": round((now - began).total_seconds(), 3),
        "blocks_computed": computed,
        "notices": list(notices),
    }
    write_text(folder / RUN, json.dumps(facts, indent=1) + "\n")


def closed(folder: Path) -> bool:
    """Return whether `run.json` is about the trials that the scenario asks for."""
    path = folder / RUN
    held = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return bool(held.get("trials") == run_scenario(folder).trials)


def statuses(rules: str) -> dict[str, dict[str, int]]:
    """Return how many terms each contract has of each status, and how many are disputed."""
    counts: dict[str, Counter[str]] = {}
    for row in terms(rules):
        kinds = [str(row["status"]), *(["disputed"] if row.get("also") else [])]
        counts.setdefault(str(row["contract"]), Counter()).update(kinds)
    return {label: dict(sorted(count.items())) for label, count in counts.items()}
