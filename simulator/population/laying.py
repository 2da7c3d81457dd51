"""What files give of people, laid under what a scenario says itself: before it is checked."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from simulator.errors import ScenarioError
from simulator.loading import Document, Key, Keys, Mistake, Place, Value, at, merge, shown
from simulator.population.data_quality import Asked, Given, sha
from simulator.population.segment_tables import segment_table
from simulator.population.tables import located

__all__ = ["laid"]

_MOST_NOTED = 12
_Reader = Callable[[str, Path, Asked], Given]


def _beneficiaries(name: str, folder: Path, asked: Asked) -> Given:
    # Imported here, for pyarrow takes a fifth of a second and most scenarios name no such file.
    from simulator.population.beneficiaries import beneficiaries  # noqa: PLC0415

    return beneficiaries(name, folder, asked)


_READERS: Mapping[str, _Reader] = {
    "segment_table": segment_table,
    "beneficiaries": _beneficiaries,
}


def laid(document: Document, folder: Path) -> Document:
    """Return a document with the figures of the files of people that it names.

    What is typed in the document stands before what a segment table gives, and that before what
    is counted from a file of beneficiaries. Each figure has the file and line that it stands in,
    so that whatever is wrong with it is said there.
    """
    acos = at(document.value, ("population",))
    for aco in acos if isinstance(acos, dict) else ():
        for field, reader in _READERS.items():
            keys: Keys = ("population", aco, field)
            name = at(document.value, keys)
            if isinstance(name, str) and name:
                document = _with(document, keys, (reader, name, folder))
    return document


def _with(document: Document, keys: Keys, what: tuple[_Reader, str, Path]) -> Document:
    """Return the document laid on what one file gives; its mistakes come with it."""
    reader, name, folder = what
    asked = _asked(document, str(keys[1]))
    if asked is None:
        text = f"is {shown(name)}; its periods need the ACO's agreement.start, and years"
        return _failed(document, keys, [document.mistake(keys, text)])
    try:
        file = located(name, folder)
        given = reader(name, folder, asked)
    except ScenarioError as error:
        said = [f"is {shown(name)}: {message}" for message in error.messages]
        return _failed(document, keys, [document.mistake(keys, text) for text in said])
    if given.mistakes:
        return _failed(document, keys, given.mistakes)
    _stand(document, given)
    under = Document(_nested(given), {k: place for k, (_, place) in given.values.items()})
    whole = _in_order(merge(under, _without(document, keys)), document)
    record: dict[Key, Value] = {
        "file": given.file,
        "aco": str(keys[1]),
        "sha256": sha(file),
        "rows": given.rows,
    }
    return _recorded(whole, record, given)


def _stand(document: Document, given: Given) -> None:
    """Note the figures of a file that give way to others, typed in or of a file read before."""
    held = {keys: at(document.value, keys) for keys in given.values}
    other = {
        keys: value
        for keys, (value, _) in given.values.items()
        if isinstance(held[keys], int | float) and held[keys] != value
    }
    for keys in list(other)[:_MOST_NOTED]:
        name, stands = ".".join(map(str, keys[1:])), held[keys]
        given.note(name, f"{other[keys]} here; {stands} stands")
    if len(other) > _MOST_NOTED:
        given.note("figures that others stand before", f"{len(other):,} in all")


def _asked(document: Document, aco: str) -> Asked | None:
    own: Keys = ("population", aco)
    start, years = at(document.value, (*own, "agreement", "start")), at(document.value, ("years",))
    first = years[0] if isinstance(years, list) and years else None
    if type(start) is not int or type(first) is not int:
        return None
    named = at(document.value, (*own, "aco_id"))
    thresholds = at(document.value, ("market", "truncation_usd"))
    return Asked(
        aco,
        named if isinstance(named, str) else aco,
        start,
        first,
        dict(_thresholds(thresholds)),
    )


def _thresholds(held: Value) -> Iterator[tuple[str, dict[int, float]]]:
    for kind, years in held.items() if isinstance(held, dict) else ():
        if isinstance(years, dict):
            figures = {y: v for y, v in years.items() if isinstance(v, int | float)}
            yield str(kind), {y: float(v) for y, v in figures.items() if isinstance(y, int)}


def _failed(document: Document, keys: Keys, mistakes: list[Mistake]) -> Document:
    """Return the document with mistakes, and nothing said of the people that are not read."""
    unread = document.unread | {(*keys[:2], "segments")}
    return replace(document, mistakes=(*document.mistakes, *mistakes), unread=unread)


def _nested(given: Given) -> Value:
    found: dict[Key, Value] = {}
    for keys, (value, _) in given.values.items():
        held = found
        for key in keys[:-1]:
            inner = held.setdefault(key, {})
            held = inner if isinstance(inner, dict) else {}
        held[keys[-1]] = value
    return found


def _without(document: Document, keys: Keys) -> Document:
    """Return the document without the name of a file that has been read."""
    over: Value = None
    for key in reversed(keys):
        over = {key: over}
    return merge(document, Document(over, {}))


def _in_order(merged: Document, like: Document) -> Document:
    """Return a merged document with its keys in the order of the one that was laid on."""
    return replace(merged, value=_ordered(merged.value, like.value))


def _ordered(value: Value, like: Value) -> Value:
    if not isinstance(value, dict) or not isinstance(like, dict):
        return value
    keys = [*(key for key in like if key in value), *(key for key in value if key not in like)]
    return {key: _ordered(value[key], like.get(key)) for key in keys}


def _recorded(document: Document, record: dict[Key, Value], given: Given) -> Document:
    """Return the document with what was found in a file among its data quality."""
    place = Place(given.file)
    held = at(document.value, ("data_quality",))
    before = held if isinstance(held, dict) else {}
    more: dict[Key, list[Value]] = {
        "files": [record],
        "findings": [*given.findings],
        "cells": [*given.cells],
        "warnings": [*given.warnings],
    }
    joined: Value = {name: [*_listed(before.get(name)), *new] for name, new in more.items()}
    value = document.value if isinstance(document.value, dict) else {}
    places = {**document.places, ("data_quality",): place}
    return replace(document, value={**value, "data_quality": joined}, places=places)


def _listed(held: Value) -> list[Value]:
    return held if isinstance(held, list) else []
