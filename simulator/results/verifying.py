"""Whether a run's folder is as it was written: every checksum, and the name of what is wrong."""

from pathlib import Path
from typing import NamedTuple

from simulator.errors import ResultsError
from simulator.results.folder import RUN, identity, run_rules, run_scenario
from simulator.results.manifest import entries
from simulator.results.opening import digest, found, unsound
from simulator.results.sealing import Flaw, facts, flaws, flaws_shown
from simulator.results.store import Store

__all__ = ["Verified", "verify"]


class Verified(NamedTuple):
    """What was checked of a run: files, blocks and the digest of its values; and what is wrong."""

    files: int
    blocks: int
    sha256: str
    flaws: tuple[Flaw, ...]


def verify(path: str | Path) -> Verified:
    """Return whether every file of a finished run is as it was written, page and pictures too.

    Raises ResultsError for a folder that is no run, or not finished.
    """
    folder = found(path)
    if not (folder / RUN).is_file():
        run_scenario(folder)
    try:
        sealed = facts(folder)
    except ResultsError as error:
        if not (folder / RUN).is_file():
            raise
        return Verified(0, 0, "", (Flaw(RUN, str(error).partition(f"{RUN} ")[2]),))
    wrong = list(flaws(folder, sealed))
    wrong += [] if wrong else _values(folder)
    wrong += [] if wrong else _whole(folder, sealed)
    wrong += flaws_shown(folder, sealed)
    listed = [part for part in (sealed["files"], sealed["shown"]) if isinstance(part, dict)]
    committed = len(entries(folder))
    return Verified(sum(map(len, listed)) + 1, committed, str(sealed.get("sha256")), tuple(wrong))


def _values(folder: Path) -> list[Flaw]:
    committed = [entry.block for entry in entries(folder).values()]
    return [
        Flaw(name, f"is altered or missing ({block})")
        for block, why in unsound(folder, committed).items()
        for name in why.removeprefix("altered: ").split(", ")
    ]


def _whole(folder: Path, sealed: dict[str, object]) -> list[Flaw]:
    """Return what is wrong although every file is as it was sealed: another run's, or a part."""
    pin, scenario = Store(folder).pin, run_scenario(folder)
    if identity(scenario, run_rules(folder), pin.code) != pin.digest:
        return [Flaw(RUN, "seals a scenario or rules that are not what was run")]
    if digest(folder) != sealed.get("sha256"):
        return [Flaw(RUN, "seals other values than those that are there")]
    return []
