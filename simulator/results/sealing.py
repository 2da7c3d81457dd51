"""What a finished run consists of: the sha256 of each file, in `run.json`, which has a seal."""

import json
import shutil
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from simulator.errors import ResultsError, disk_failed
from simulator.results.folder import RULES, RUN, SCENARIO
from simulator.results.manifest import MANIFEST, entries
from simulator.results.store import STORE, Store
from simulator.results.writing import is_aside, write_text

__all__ = ["Flaw", "facts", "flaws", "flaws_shown", "is_sealed", "record", "seal", "shown"]
__all__ += ["READY", "forget_shown", "pending", "strangers"]

_DECIDING = (SCENARIO, RULES, MANIFEST)
# What shows a run, written whole and entered in `run.json`, on its way to its place.
READY = ".shown.ready"
_BEFORE = f".{RUN}.before"


class Flaw(NamedTuple):
    """A file of a run's folder that is not as it was written."""

    file: str
    what: str

    def __str__(self) -> str:
        """Return the sentence."""
        return f"{self.file} {self.what}"


def seal(folder: Path, facts: Mapping[str, object]) -> None:
    """Write `run.json`: facts of a run, every file that a number comes from, and a seal."""
    _write(folder, {**facts, "files": _hashed(folder, core(folder)), "shown": {}})


def record(folder: Path, aside: Path | None = None) -> None:
    """Enter into `run.json` what was written to show a run: its table, pictures and page.

    What lies in the folder `aside` is entered in the place of what it is about to replace.
    """
    coming = [] if aside is None else shown(aside)
    staying = [name for name in shown(folder) if name not in coming]
    sums = _hashed(folder, staying) | ({} if aside is None else _hashed(aside, coming))
    _write(folder, {**facts(folder), "shown": dict(sorted(sums.items()))})


def facts(folder: Path) -> dict[str, object]:
    """Return what `run.json` says. Raises ResultsError if it is gone, or its seal is broken."""
    path = folder / RUN
    try:
        text = path.read_bytes().decode("utf-8")
        held = json.loads(text)
        found = {key: value for key, value in held.items() if key != "seal"}
    except FileNotFoundError:
        raise ResultsError(f"{folder} is not finished: it holds no {RUN}") from None
    except (ValueError, AttributeError, RecursionError, IsADirectoryError):
        raise ResultsError(f"{path} is altered: it is not what acosim writes") from None
    if _text(found) != text:
        raise ResultsError(f"{path} is altered: its seal is broken")
    foreign = next(_foreign(found), "")
    if foreign:
        raise ResultsError(f"{path} is altered: {foreign}")
    return found


def _foreign(held: Mapping[str, object]) -> Iterator[str]:
    """Yield what no run's seal says: whoever seals by hand moves and removes nothing elsewhere."""
    if type(held.get("trials", 0)) is not int:
        yield f"trials is {held.get('trials')!r}; must be a whole number"
    for kind, may in (("files", _is_core), ("shown", _is_plain)):
        names = held.get(kind)
        if not isinstance(names, dict):
            yield f"{kind} is no list of files with their sha256"
            continue
        for name in names:
            if not may(name):
                yield f"{kind} names {name!r}, which is no file of this run's folder"
    files = held.get("files")
    lacking = {*_DECIDING} - {*files} if isinstance(files, dict) else ()
    yield from (f"files lacks {name}" for name in sorted(lacking))


def _is_plain(name: str) -> bool:
    """Return whether a file may be one that shows a run: a plain name of its folder."""
    own = name in (*_DECIDING, RUN) or name.startswith(".")
    return bool(name) and Path(name).name == name and "\0" not in name and not own


def _is_core(name: str) -> bool:
    path = Path(name)
    inside = path.parts[:1] == (STORE,) and ".." not in path.parts and "\0" not in name
    return name in _DECIDING or inside


def is_sealed(folder: Path) -> bool:
    """Return whether a run was finished, and what it consists of is as it was written."""
    if not (folder / RUN).is_file():
        return False
    try:
        return not any(flaws(folder, facts(folder)))
    except ResultsError:
        return False


def flaws(folder: Path, sealed: Mapping[str, object]) -> Iterator[Flaw]:
    """Yield the files that numbers come from and that are not as they were written."""
    differing = list(_differing(folder, sealed, "files"))
    yield from differing
    for name in () if differing else strangers(folder):
        yield Flaw(name, "is not of this run")


def flaws_shown(folder: Path, sealed: Mapping[str, object]) -> Iterator[Flaw]:
    """Yield what shows a run and is not as it was written, and what else lies in its folder."""
    coming = {*pending(folder)}
    yield from (f for f in _differing(folder, sealed, "shown") if f.file not in coming)
    known = sealed.get("shown")
    for name in shown(folder):
        if not (isinstance(known, dict) and name in known):
            yield Flaw(name, "is not of this run")


def pending(folder: Path) -> list[str]:
    """Return what shows a run, is as `run.json` has it, and waits for its place.

    A process that was killed while it put things there leaves it.
    """
    known, ready = facts(folder).get("shown"), folder / READY
    here = ready.is_dir() and not ready.is_symlink()
    names = known.items() if isinstance(known, dict) and here else ()
    return [n for n, sums in names if _is_own(ready / n) and _hash(ready / n) == sums]


def _is_own(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def forget_shown(folder: Path) -> None:
    """Remove the seal of a run that goes on, and what showed it as it was."""
    refuse_link(folder)
    # The seal goes first, by another name: who is killed here leaves no page of another run.
    before = folder / _BEFORE
    if (folder / RUN).exists():
        (folder / RUN).replace(before)
    for name in _listed(before):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / READY, ignore_errors=True)
    before.unlink(missing_ok=True)


def refuse_link(folder: Path) -> None:
    """Refuse a store that is a link: what a run sweeps away lies in its own folder."""
    if (folder / STORE).is_symlink():
        raise ResultsError(f"{folder / STORE} is a link; must be a folder of the run's own")


def _listed(path: Path) -> list[str]:
    """Return the files that a seal enters as showing a run, by plain names."""
    try:
        known = json.loads(path.read_text(encoding="utf-8"))["shown"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        if disk_failed(error):
            raise
        return []
    names = known if isinstance(known, dict) else {}
    return [n for n in names if _is_plain(n) and (path.parent / n).is_file()]


def shown(folder: Path) -> list[str]:
    """Return what was written to show a run, and whatever else lies in its folder."""
    found = (path.name for path in folder.iterdir() if path.is_file())
    return sorted(n for n in found if n not in (*_DECIDING, RUN) and not n.startswith("."))


def core(folder: Path) -> list[str]:
    """Return the files that numbers come from, but for those of values, which have a manifest."""
    return [*_DECIDING, *(f"{STORE}/{name}" for name in Store(folder).describing())]


def strangers(folder: Path) -> list[str]:
    """Return the files of the store that are neither core nor of a committed block."""
    refuse_link(folder)
    store = Store(folder)
    committed = (entry.block for entry in entries(folder).values())
    values = {f"{STORE}/{name}" for block in committed for name in store.files(block)}
    every = (folder / STORE).rglob("*")
    held = {
        path.relative_to(folder).as_posix()
        for path in every
        if path.is_symlink() or not path.is_dir()
    }
    # What a killed process left aside, or one at work is writing, is read by nobody.
    return sorted(n for n in held - values - {*core(folder)} if not is_aside(Path(n)))


def _differing(folder: Path, sealed: Mapping[str, object], kind: str) -> Iterator[Flaw]:
    held = sealed.get(kind)
    for name, sums in held.items() if isinstance(held, dict) else ():
        path = folder / name
        if not path.is_file():
            yield Flaw(name, "is missing")
        elif _hash(path) != sums:
            yield Flaw(name, "is altered")


def _hashed(folder: Path, names: list[str]) -> dict[str, str]:
    return {name: _hash(folder / name) for name in names}


def _hash(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def _write(folder: Path, held: Mapping[str, object]) -> None:
    write_text(folder / RUN, _text(held))


def _text(held: Mapping[str, object]) -> str:
    """Return the text of `run.json`: one way to write it, and the sha256 of all but the seal."""
    mark = sha256(json.dumps(held).encode()).hexdigest()
    return json.dumps({**held, "seal": mark}, indent=1) + "\n"
