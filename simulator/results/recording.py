"""A run, recorded: its folder made ready, each block committed, the whole closed."""

import os
import platform
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple, Self

import xarray as xr

from simulator.results.folder import RULES, SCENARIO, run_rules, run_scenario, terms, was_run
from simulator.results.manifest import entries, rewrite
from simulator.results.opening import digest, unsound
from simulator.results.sealing import forget_shown, is_sealed, seal, strangers
from simulator.results.store import Pin, Store
from simulator.results.writing import is_aside, write_text
from simulator.scenario import reading
from simulator.scenario.schema import Scenario

__all__ = ["Beginning", "close", "closed", "made_with", "prepare", "statuses"]

_DECIDE = ("numpy", "scipy", "numba", "xarray", "pydantic", "zarr", "dask")


def prepare(
    folder: Path, scenario: Scenario, rules: str, pin: Pin, samples: Mapping[str, xr.Dataset]
) -> None:
    """Make a run's folder ready for blocks up to its trials: created, mended or extended.

    What is committed stays; a block that was altered since, or is another run's, is no longer
    committed, and what only describes the run is written again. Raises ScenarioError for a
    scenario made in Python that would not be read back.
    """
    folder.mkdir(parents=True, exist_ok=True)
    forget_shown(folder)
    write_text(folder / RULES, rules)
    write_text(folder / SCENARIO, reading.canonical(scenario))
    reading.read(folder / SCENARIO)
    Store.lay(folder, pin, samples, scenario.trials)
    _forget_altered(folder, pin)
    # As long as what is committed, if a shorter run is asked for now.
    ends = [entry.block.range.stop for entry in entries(folder).values()]
    Store.lay(folder, pin, samples, max([scenario.trials, *ends]))
    _sweep(folder)


def _forget_altered(folder: Path, pin: Pin) -> None:
    committed = entries(folder).values()
    bad = unsound(folder, [entry.block for entry in committed])
    rewrite(folder, [e for e in committed if e.block not in bad and e.block.belongs(pin)])


def _sweep(folder: Path) -> None:
    """Remove what killed processes left: files half written, and blocks not committed."""
    for path in folder.rglob(".*"):
        if path.is_file() and is_aside(path):
            path.unlink(missing_ok=True)
    for name in strangers(folder):
        (folder / name).unlink(missing_ok=True)


class Beginning(NamedTuple):
    """When a run began: by the calendar, and by a clock that nobody sets back."""

    date: datetime
    seconds: float

    @classmethod
    def now(cls) -> Self:
        """Return this moment."""
        return cls(datetime.now(UTC), time.monotonic())


def close(folder: Path, began: Beginning, computed: int, notices: Sequence[str] = ()) -> None:
    """Write `run.json`, the last file of a run: what it is, what made it, how long it took."""
    _sweep(folder)
    scenario, pin = run_scenario(folder), Store(folder).pin
    facts = {
        **pin._asdict(),
        "name": scenario.name,
        "seed": scenario.seed,
        "trials": scenario.trials,
        "sha256": digest(folder),
        "terms": statuses(run_rules(folder)),
        **made_with()._asdict(),
        "began": began.date.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - began.seconds, 3),
        "blocks_computed": computed,
        "notices": list(notices),
    }
    seal(folder, facts)


class Made(NamedTuple):
    """What decides the last bits of a number: the versions of what computes, and the machine."""

    versions: dict[str, str]
    machine: str


def made_with() -> Made:
    """Return what computes here."""
    versions = {"python": platform.python_version(), **{name: version(name) for name in _DECIDE}}
    return Made(versions, f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors")


def closed(folder: Path, pin: Pin, trials: int) -> bool:
    """Return whether this run, of so many trials, is finished and every number as written."""
    if not is_sealed(folder) or run_scenario(folder).trials != trials:
        return False
    if Store(folder).pin != pin or not was_run(folder, pin.digest, pin.code):
        return False
    return not unsound(folder, [entry.block for entry in entries(folder).values()])


def statuses(rules: str) -> dict[str, dict[str, int]]:
    """Return how many terms each contract has of each status, and how many are disputed."""
    counts: dict[str, Counter[str]] = {}
    for row in terms(rules):
        kinds = [str(row["status"]), *(["disputed"] if row.get("also") else [])]
        counts.setdefault(str(row["contract"]), Counter()).update(kinds)
    return {label: dict(sorted(count.items())) for label, count in counts.items()}
