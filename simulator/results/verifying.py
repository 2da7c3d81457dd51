"""Whether a run's folder is as it was written: every checksum, and the name of what is wrong."""

from pathlib import Path
from typing import NamedTuple

from simulator.errors import ResultsError
from simulator.results.folder import RUN, code_version, reads_as_run, run_scenario, was_run
from simulator.results.manifest import entries
from simulator.results.opening import found, unsound
from simulator.results.sealing import Flaw, facts, flaws, flaws_shown, pending
from simulator.results.store import Store

__all__ = ["Verified", "verify"]


class Verified(NamedTuple):
    """What was checked of a run: files, blocks and the digest of its values; and what is wrong.

    `made_by` is the version that made it, if another than this; `reads_same`, whether this one
    reads its scenario as that one did; `pending`, what shows it and is not in its place yet.
    """

    files: int
    blocks: int
    sha256: str
    flaws: tuple[Flaw, ...]
    made_by: str = ""
    reads_same: bool = True
    pending: tuple[str, ...] = ()


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
    files, sums = sum(map(len, listed)) + 1, str(sealed.get("sha256"))
    return Verified(files, committed, sums, tuple(wrong), *_made(folder, wrong))


def _made(folder: Path, wrong: list[Flaw]) -> tuple[str, bool, tuple[str, ...]]:
    """Return what else there is to say of a run that is as it was written."""
    if wrong:
        return "", True, ()
    pin = Store(folder).pin
    same = reads_as_run(folder, pin.digest, pin.code)
    made_by = "" if pin.code == code_version() and same else pin.code
    return made_by, same, tuple(pending(folder))


def _values(folder: Path) -> list[Flaw]:
    committed = [entry.block for entry in entries(folder).values()]
    return [
        Flaw(name, f"is altered or missing ({block})")
        for block, why in unsound(folder, committed).items()
        for name in why.removeprefix("altered: ").split(", ")
    ]


def _whole(folder: Path, sealed: dict[str, object]) -> list[Flaw]:
    """Return what is wrong although every file is as it was sealed: another run's, or a part."""
    store = Store(folder)
    if not was_run(folder, store.pin.digest, store.pin.code):
        return [Flaw(RUN, "seals a scenario or rules that are not what was run")]
    trials = run_scenario(folder).trials
    if sealed.get("trials") != trials or store.digest(trials) != sealed.get("sha256"):
        return [Flaw(RUN, "seals other values than those that are there")]
    return []
