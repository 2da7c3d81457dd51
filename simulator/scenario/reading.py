"""A scenario from its files and overrides: resolved, checked, written, named."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from hashlib import sha256
from pathlib import Path

from simulator.loading import (
    MOST,
    Document,
    Key,
    Mistake,
    Place,
    Shape,
    Value,
    assign,
    dump,
    merge,
    near,
    ordered,
    scan,
    scan_text,
    shown,
    split,
    stop,
    targets,
    validate,
)
from simulator.loading.parsing import LARGEST
from simulator.scenario.consistency import contradictions
from simulator.scenario.migrations import migrated
from simulator.scenario.schema import DataQuality, Scenario
from simulator.scenario.sweep import mistakes as swept

__all__ = ["canonical", "check", "digest", "document", "read", "recorded", "write"]

MOST_FILES = 20
LONGEST_OVERRIDE = 2_000
# What a run's folder holds beside its own scenario, into which all of its bases have gone.
_RULES, _LARGEST_RESOLVED = "rules.yaml", 16_000_000
_SET = "--set "
_PACKAGE = Path(__file__).resolve().parent.parent


def read(path: str | Path, overrides: Sequence[str] = ()) -> Scenario:
    """Return the scenario of a file and its bases, or raise every mistake in them."""
    scenario, mistakes, _ = check(path, overrides)
    if scenario is None or mistakes:
        raise stop(mistakes)
    return scenario


def check(
    path: str | Path,
    overrides: Sequence[str] = (),
    laid: Callable[[Document, Path], Document] | None = None,
) -> tuple[Scenario | None, list[Mistake], Document]:
    """Return the scenario, if all of it could be read, with every mistake and the document.

    Parameters
    ----------
    laid : puts what files give into the document, before it is checked as one
    """
    found, mistakes = document(path, overrides)
    found = laid(found, Path(path).parent) if laid else found
    scenario, faults = validate(found, Scenario)
    if len(faults) < MOST:
        faults += [*_new(contradictions(found), faults), *swept(found, scenario)]
    return scenario, _once(ordered([*mistakes, *faults])), found


def _new(clashes: Sequence[Mistake], faults: Sequence[Mistake]) -> Iterator[Mistake]:
    """Yield the clashes of fields that are not wrong in themselves, nor below or above."""
    for clash in clashes:
        paths = [fault.path for fault in faults if fault.path]
        apart = (_apart(clash.path, path) for path in paths)
        if all(apart):
            yield clash


def _apart(a: str, b: str) -> bool:
    return not (f"{a}.".startswith(f"{b}.") or f"{b}.".startswith(f"{a}."))


def _once(mistakes: Sequence[Mistake]) -> list[Mistake]:
    """Return one mistake where an override with ``*`` makes the same one at several paths."""
    kept: dict[object, Mistake] = {}
    for mistake in mistakes:
        override = mistake.place is not None and mistake.place.file.startswith(_SET)
        kept.setdefault((mistake.place, mistake.text) if override else mistake, mistake)
    return list(kept.values())


def document(path: str | Path, overrides: Sequence[str] = ()) -> tuple[Document, list[Mistake]]:
    """Return a file laid on its bases, with overrides on top, and the mistakes of reading."""
    path = Path(path)
    found = reduce(merge, _Files(path).layers(path))
    for override in overrides:
        found = _overridden(found, override)
    return found, list(found.mistakes)


class _Files:
    """The files of one scenario: each is read once, and laid on those that it extends."""

    def __init__(self, path: Path) -> None:
        self._folder = path.parent
        self._read: set[Path] = set()

    def layers(self, path: Path, above: tuple[Path, ...] = ()) -> Iterator[Document]:
        """Yield a file's bases, the first one lowest, then the file itself."""
        found = migrated(scan(path, _largest(path)))
        notes: list[Mistake] = []
        if found.value:
            self._read.add(path.resolve())
        for index, name in enumerate(_bases(found)[: MOST_FILES + 1]):
            target, reason = self._base(name, path, (*above, path.resolve()))
            if reason and len(notes) < MOST_FILES:
                mistake = found.mistake(("extends", index), f"is {shown(name)}, which {reason}")
                notes.append(mistake._replace(path="extends"))
            elif not reason and target.resolve() not in self._read:
                yield from self.layers(target, (*above, path.resolve()))
        lost = frozenset({()}) if notes else frozenset()
        yield replace(
            _without_extends(found),
            mistakes=(*found.mistakes, *notes),
            unread=found.unread | lost,
        )

    def _base(self, name: object, path: Path, above: tuple[Path, ...]) -> tuple[Path, str]:
        """Return the file that `extends` names, and why it may not be read, if so."""
        folder = _shipped() if path.parent == _shipped() else self._folder
        target, reason = _named(name, path, folder)
        if not reason and target.resolve() in above:
            reason = "extends itself"
        if not reason and len(self._read) >= MOST_FILES:
            reason = f"is one of more than {MOST_FILES} files"
        return target, reason


def _largest(path: Path) -> int:
    """Return the most bytes that are read of a file: of a run's own scenario, all that went in."""
    return _LARGEST_RESOLVED if (path.parent / _RULES).is_file() else LARGEST


def _bases(found: Document) -> list[Value]:
    named = found.value.get("extends", []) if isinstance(found.value, dict) else []
    return named if isinstance(named, list) else [named]


def _without_extends(found: Document) -> Document:
    if not isinstance(found.value, dict):
        return found
    value = {key: held for key, held in found.value.items() if key != "extends"}
    return replace(found, value=value)


def _named(name: object, path: Path, folder: Path) -> tuple[Path, str]:
    """Return the file that `extends` names and why it may not be read, if so."""
    if not isinstance(name, str) or not name or "\0" in name or len(name) > 400:
        return path, "is no file name"
    if "://" in name or Path(name).is_absolute() or "\\" in name:
        return path, "leaves the scenario's folder; must be a path relative to it"
    near_by, shipped = path.parent / name, _shipped() / Path(name).name
    if near_by.is_file():
        inside = near_by.resolve().is_relative_to(folder.resolve())
        return near_by, "" if inside else "leaves the scenario's folder"
    if Path(name) == Path("base") / Path(name).name and shipped.is_file():
        return shipped, ""
    known = [f"base/{file.name}" for file in sorted(_shipped().glob("*.yaml"))]
    return path, f"was not found; shipped are {', '.join(known)}{near(name, known)}"


def _shipped() -> Path:
    """Return the folder of base scenarios: in the wheel, or in a checkout beside the package."""
    inside = _PACKAGE / "base"
    return inside if inside.is_dir() else _PACKAGE.parent / "scenarios" / "base"


def _overridden(found: Document, override: str) -> Document:
    place = Place(f"{_SET}{override[:LONGEST_OVERRIDE]}")
    path, equals, text = override.partition("=")
    path = path.strip()
    if not equals or not path or len(override) > LONGEST_OVERRIDE:
        said = f"is no assignment of the form path=value, of at most {LONGEST_OVERRIDE} characters"
        return replace(found, mistakes=(*found.mistakes, Mistake(place, "", said)))
    value = scan_text(text.strip(), place.file)
    moved = [mistake._replace(place=place, path=path) for mistake in value.mistakes]
    if moved:
        return replace(found, mistakes=(*found.mistakes, *moved))
    if value.value is None:
        return _removed(found, path, place)
    return assign(found, *_what_if(path, value.value), place)


def _removed(found: Document, path: str, place: Place) -> Document:
    """Return the document without what stands at a path: ``--set path=~``, as ~ in a file."""
    for keys in targets(found.value, path):
        if _stands_nowhere(found.value, keys):
            continue
        over: Value = None
        for key in reversed(keys):
            over = {key: over}
        found = merge(found, Document(over, {keys: place}))
    return found


def _stands_nowhere(value: Value, keys: Sequence[Key]) -> bool:
    """Return whether a field has no value anyway; a name that is no field is told as a mistake."""
    shape = Shape.of(Scenario)
    for key in keys[:-1]:
        shape = shape.child(key)
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            return keys[-1] in shape.fields()
        value = value[key]
    return False


def _what_if(path: str, value: Value) -> tuple[Sequence[Key], Value]:
    """Return where and what to assign: a rule's path is one key, its bare value has a reason."""
    parts = split(path)
    if parts[0] != "rules" or len(parts) < 2:
        return parts, value
    last = parts[-1] if parts[-1] in ("value", "why") and len(parts) > 2 else None
    rule = ".".join(map(str, parts[1:-1] if last else parts[1:]))
    if last:
        return ("rules", rule, last), value
    if isinstance(value, dict):
        return ("rules", rule), value
    return ("rules", rule), {"value": value, "why": "set by --set"}


def canonical(scenario: Scenario) -> str:
    """Return the resolved scenario as canonical YAML text, which reads back as itself."""
    return dump(_plain(scenario))


def write(scenario: Scenario, path: str | Path) -> None:
    """Write the resolved scenario in canonical order."""
    Path(path).write_text(canonical(scenario), encoding="utf-8", newline="\n")


def digest(scenario: Scenario, leave_out: Collection[str] = ("trials", "data_quality")) -> str:
    """Return the sha256 of everything that decides the numbers, less the fields left out."""
    return _summed(_plain(scenario), leave_out)


def recorded(path: Path) -> str:
    """Return the same of a resolved scenario's file, as whoever wrote it had it.

    What the schema has gained since, or reads otherwise, does not alter it. Raises ScenarioError
    for a file that is no YAML.
    """
    found = scan(path, _largest(path))
    if found.mistakes:
        raise stop(found.mistakes)
    held = found.value if isinstance(found.value, dict) else {}
    return _summed({str(key): value for key, value in held.items()})


def _summed(
    plain: Mapping[str, object], leave_out: Collection[str] = ("trials", "data_quality")
) -> str:
    kept = {key: value for key, value in plain.items() if key not in leave_out}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return sha256(text.encode()).hexdigest()


def _plain(scenario: Scenario) -> dict[str, object]:
    """Return the values of a scenario; what is empty or not given is left out, but of a sweep."""
    held = scenario.model_dump(exclude_none=True)
    left_out = {"data_quality"} if scenario.data_quality == DataQuality() else set()
    # A named case of a sweep may change nothing: {} says something there.
    return {
        key: value if key == "sweep" else _full(value)
        for key, value in held.items()
        if key not in left_out
    }


def _full(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _full(item) for key, item in value.items() if item != {}}
    return value
