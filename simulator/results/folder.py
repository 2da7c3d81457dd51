"""A run's folder: its name, what was run, and what it rests on."""

import importlib.metadata
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from simulator.errors import ResultsError, ScenarioError
from simulator.loading import at, dump, parse_text
from simulator.programs import Contract
from simulator.programs.rulebook import Source
from simulator.scenario import reading
from simulator.scenario.schema import Scenario

__all__ = ["LAYOUT", "RULES", "RUN", "SCENARIO", "code_version", "identity", "rules_text"]
__all__ += ["reads_as_run", "run_rules", "run_scenario", "terms", "version", "was_run"]
__all__ += ["written"]

SCENARIO, RULES, RUN = "scenario.yaml", "rules.yaml", "run.json"
# How a run is laid out on the disk. Another number is another folder; an older one is refused.
LAYOUT = 3

_PACKAGE = Path(__file__).parents[1]
# The modules that decide a run's numbers; the rules themselves are in `rules.yaml`.
_DECIDES = (
    "*.py",
    "loading/*.py",
    "scenario/schema.py",
    "scenario/sweep.py",
    "population/*.py",
    "sampling/*.py",
    "programs/*.py",
    "engine/history.py",
    "engine/tracks.py",
    "engine/simulate.py",
    "results/store.py",
)
_SHOWS = {_PACKAGE / name for name in ("__init__.py", "__main__.py", "errors.py")}
# What decides the last bits: blocks computed with other versions of these are another run's.
_COMPUTES = ("numpy", "scipy", "numba")


def version() -> str:
    """Return the version of acosim that is installed."""
    return importlib.metadata.version("acosim")


@cache
def code_version() -> str:
    """Return the version with a digest of what decides a run's numbers: modules and libraries."""
    versions = [importlib.metadata.version(name) for name in _COMPUTES]
    sums = sha256(json.dumps(versions).encode())
    for pattern in _DECIDES:
        for path in sorted(_PACKAGE.glob(pattern)):
            if path not in _SHOWS:
                sums.update(path.relative_to(_PACKAGE).as_posix().encode() + path.read_bytes())
    return f"{version()}+{sums.hexdigest()[:8]}"


def identity(scenario: Scenario, rules: str, code: str) -> str:
    """Return the sha256 of everything that decides a run's numbers but how many trials."""
    return _named(reading.digest(scenario), rules, code)


def _named(scenario: str, rules: str, code: str) -> str:
    parts = [LAYOUT, scenario, sha256(rules.encode()).hexdigest(), code]
    return sha256(json.dumps(parts).encode()).hexdigest()


def reads_as_run(folder: Path, digest: str, code: str) -> bool:
    """Return whether this acosim reads a run's scenario as the one that ran it."""
    try:
        return identity(run_scenario(folder), run_rules(folder), code) == digest
    except ResultsError:
        return False


def was_run(folder: Path, digest: str, code: str) -> bool:
    """Return whether a folder holds the scenario and rules that were run, whatever ran them.

    A scenario of an older schema is taken as it stands in its file: a field that came later, with
    its default, makes it no other scenario.
    """
    if reads_as_run(folder, digest, code):
        return True
    try:
        written = reading.recorded(_held(folder, SCENARIO))
    except ScenarioError:
        return False
    return _named(written, run_rules(folder), code) == digest


def run_scenario(folder: Path) -> Scenario:
    """Return the scenario that was run. Raises ResultsError for a folder that is no run."""
    path = _held(folder, SCENARIO)
    try:
        return _read(path, path.read_bytes())
    except ScenarioError as error:
        raise ResultsError(f"{folder / SCENARIO} is altered: {error.messages[0]}") from error


@lru_cache(maxsize=4)
def _read(path: Path, held: bytes) -> Scenario:
    """Return the scenario of a file that holds these bytes; a large one takes seconds to read."""
    return reading.read(path)


@lru_cache(maxsize=4)
def written(scenario: str) -> Mapping[str, object]:
    """Return what a run's `scenario.yaml` says, as plain values; nothing where it says nothing.

    Read once, however many parts of a page ask: of hundreds of ACOs it takes half a minute.
    """
    held = parse_text(scenario or "{}", SCENARIO).value
    return {str(key): value for key, value in held.items()} if isinstance(held, dict) else {}


def run_rules(folder: Path) -> str:
    """Return the `rules.yaml` of a run. Raises ResultsError if it is gone, or no text."""
    path = _held(folder, RULES)
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ResultsError(
            f"{path} is altered: byte {error.start:,} is not UTF-8, as all of it must be"
        ) from None


def _held(folder: Path, name: str) -> Path:
    if not (folder / name).is_file():
        raise ResultsError(f"{folder} is no run, or is damaged: it holds no {name}")
    return folder / name


def rules_text(cases: Iterable[Mapping[str, Sequence[Contract]]]) -> str:
    """Return every term that the contracts of every case use, as YAML, a line each.

    A line says which contracts have the term in which years.
    """
    found: dict[str, _Used] = {}
    for contracts in cases:
        for label, years in contracts.items():
            for contract in years:
                _add(found, label, contract)
    used = [{**row.record, "used": row.used} for row in found.values()]
    return dump({"terms": used})


class _Used(NamedTuple):
    record: dict[str, object]
    used: dict[str, list[int]]


def _add(found: dict[str, _Used], label: str, contract: Contract) -> None:
    for term, source in contract.sources.items():
        record = {"program": contract.program, "term": term, **_record(source)}
        years = found.setdefault(repr(record), _Used(record, {})).used.setdefault(label, [])
        if contract.year not in years:
            years.append(contract.year)


def _record(source: Source) -> dict[str, object]:
    """Return a term's source in plain values, without what is not said."""
    also = [rival.model_dump(exclude_none=True) for rival in source.also]
    said = {"note": source.note, "also": also}
    return {
        "value": source.value,
        "unit": source.unit,
        "status": source.status,
        "cite": source.cite,
        **{key: value for key, value in said.items() if value},
    }


def terms(rules: str) -> list[dict[str, object]]:
    """Return the terms of a `rules.yaml`, a row for each contract that has one."""
    return [dict(row) for row in _rows(rules)]


@lru_cache(maxsize=4)
def _rows(rules: str) -> list[dict[str, object]]:
    """Return the same, read once however often a run is opened."""
    held = at(parse_text(rules, RULES).value, ("terms",))
    rows: list[dict[str, object]] = []
    for record in held if isinstance(held, list) else ():
        said = (
            {str(key): value for key, value in record.items()} if isinstance(record, dict) else {}
        )
        used = said.pop("used", None)
        for label, years in used.items() if isinstance(used, dict) else ():
            rows.append({"contract": label, "years": years, **said})
    return rows
