"""How runs stand: finished, under way, stopped or not ours to read, and how to go on."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from simulator.errors import ResultsError
from simulator.results.folder import RUN, SCENARIO, code_version, run_scenario
from simulator.results.holding import is_held
from simulator.results.manifest import entries
from simulator.results.opening import found
from simulator.results.sealing import facts, pending
from simulator.results.store import Store, blocks
from simulator.scenario import reading
from simulator.scenario.schema import Scenario

__all__ = ["PART", "Standing", "others", "standing", "standings"]

PART = re.compile(r"(?P<run>.+)\.part-(?P<start>\d+)-(?P<stop>\d+)$")

_State: TypeAlias = Literal["finished", "running", "stopped", "part", "unreadable"]


class Standing(NamedTuple):
    """How a run stands, by its manifest; its checksums are for `verify`.

    `lacks` is what would show it and is not in its place: of a finished run, all of it, or what a
    process that was killed left to be put there.
    """

    run: str
    state: _State
    done: int = 0
    blocks: int = 0
    trials: int = 0
    version: str = ""
    began: str = ""
    next: str = ""
    lacks: tuple[str, ...] = ()


def standings(out: Path) -> Iterator[Standing]:
    """Yield how each run in a folder of runs stands, by name."""
    for path in sorted(out.glob(f"*/{SCENARIO}")) if out.is_dir() else ():
        yield standing(path.parent)


def others(folder: Path, scenario: Scenario) -> Iterator[Standing]:
    """Yield what other versions of acosim made of a scenario, beside a run that is yet to begin.

    Those of its name that were stopped, and those finished of the very same scenario. An edit of
    a scenario makes another run, too, but its user knows.
    """
    if folder.exists():
        return
    of_name = re.compile(re.escape(scenario.name) + "-[0-9a-f]{8}")
    for path in sorted(folder.parent.glob(f"*/{SCENARIO}")):
        one = standing(path.parent) if of_name.fullmatch(path.parent.name) else None
        if one is None or one.version in ("", code_version()):
            continue
        if one.state in ("stopped", "running") or _is_of(path.parent, scenario):
            yield one


def _is_of(folder: Path, scenario: Scenario) -> bool:
    return reading.digest(run_scenario(folder)) == reading.digest(scenario)


def standing(path: str | Path) -> Standing:
    """Return how a run stands. Raises ResultsError for a folder that is not there."""
    folder = found(path)
    try:
        return _read(folder)
    except ResultsError as error:
        return Standing(str(folder), "unreadable", next=str(error))
    except OSError as error:
        what = f"{error.filename or folder}: {error.strerror or error}"
        return Standing(str(folder), "unreadable", next=what)


def _read(folder: Path) -> Standing:
    scenario, pin = run_scenario(folder), Store(folder).pin
    wanted = list(blocks(pin.cases, scenario.trials, pin.block))
    part = PART.match(folder.name)
    if part:
        wanted = wanted[int(part["start"]) : int(part["stop"])]
    committed = {entry.block for entry in entries(folder).values()}
    done = sum(block in committed for block in wanted)
    held = facts(folder) if (folder / RUN).is_file() else {}
    state = _state(folder, whole=done == len(wanted), sealed=bool(held), part=bool(part))
    lacks = _lacks(folder, held) if state == "finished" else ()
    return Standing(
        str(folder),
        state,
        done,
        len(wanted),
        scenario.trials,
        pin.code,
        str(held.get("began", "")),
        _by(pin.code, _on(folder, state, lacks, whole=done == len(wanted)), state),
        lacks,
    )


def _lacks(folder: Path, sealed: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(pending(folder)) if sealed.get("shown") else ("its page, table and pictures",)


def _by(code: str, command: str, state: _State) -> str:
    """Return a command with the acosim that it needs: another one would begin another run."""
    if state == "finished" or not command or code == code_version():
        return command
    return f"with acosim {code}: {command} (acosim {code_version()} makes another run)"


def _on(folder: Path, state: _State, lacks: tuple[str, ...], *, whole: bool) -> str:
    """Return the command that goes on, if there is anything left to do."""
    if state == "finished":
        return f"acosim report {folder}" if lacks else ""
    return "" if state == "running" else _next(folder, whole=whole)


def _state(folder: Path, *, whole: bool, sealed: bool, part: bool) -> _State:
    if is_held(folder):
        return "running"
    if sealed and whole:
        return "finished"
    return "part" if part and whole else "stopped"


def _next(folder: Path, *, whole: bool) -> str:
    """Return the command that takes a run on from where it stands."""
    part = PART.match(folder.name)
    if part and whole:
        return f"acosim merge {folder.with_name(part['run'])}"
    only = f" --blocks {part['start']}:{part['stop']}" if part else ""
    return f"acosim run {folder / SCENARIO} --out {folder.parent}{only}"
