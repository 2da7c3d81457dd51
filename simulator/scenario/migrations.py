"""Scenarios of earlier versions of the schema, read for ever: a step from each to the next.

A field that is renamed, moved or given another unit makes a new version: raise `CURRENT`, let
`Scenario.schema_version` say so, and add to `STEPS` under the old number a function that returns
a document of the old version as one of the next (`moved` serves for a field with another name or
place; a document that lacks the field passes unchanged). A scenario of the old version goes under
tests/golden/scenarios, where it must load for ever. A field that is only added, with a default
that changes no number, needs no new version. Steps are never taken away.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from simulator.loading import Document, Keys, Value, assign, at, merge, split, targets

__all__ = ["CURRENT", "STEPS", "Step", "migrated", "moved"]

CURRENT = 1
Step: TypeAlias = Callable[[Document], Document]
STEPS: Mapping[int, Step] = {}
_VERSION: Keys = ("schema_version",)


def migrated(
    document: Document, steps: Mapping[int, Step] = STEPS, current: int = CURRENT
) -> Document:
    """Return one file's document as one of the current version; a file that says none is of 1.

    A newer version, or one that no step leads from, is one mistake: nothing else is judged.
    """
    version = at(document.value, _VERSION)
    number = 1 if version is None else version
    if type(number) is not int or number < 1:
        return document
    if number > current:
        text = (
            f"is {number}; this acosim reads versions up to {current}: a newer acosim wrote this"
            " scenario and is needed to read it"
        )
        return _refused(document, text)
    lacking = [earlier for earlier in range(number, current) if earlier not in steps]
    if lacking:
        text = (
            f"is {number}; this acosim has no step from version {lacking[0]} to the next: read it"
            f" with an acosim of its time, and write it as version {current}"
        )
        return _refused(document, text)
    for earlier in range(number, current):
        document = steps[earlier](document)
    if version is None or number == current:
        return document
    return assign(document, _VERSION, current, document.place(_VERSION))


def _refused(document: Document, text: str) -> Document:
    mistakes = (*document.mistakes, document.mistake(_VERSION, text))
    return replace(document, value={}, mistakes=mistakes, unread=frozenset({()}))


def moved(document: Document, old: str, new: str) -> Document:
    """Return a document with what stands at one path at another; ``*`` stands for every key.

    Both paths have the same stars; values keep their places, so that mistakes are told where the
    user wrote.

    >>> moved(Document({"a": {"x": {"b": 1}}}, {}), "a.*.b", "a.*.c").value
    {'a': {'x': {'c': 1}}}
    """
    for keys in targets(document.value, old):
        value = at(document.value, keys)
        if value is None:
            continue
        stars = iter([key for key, part in zip(keys, split(old), strict=True) if part == "*"])
        place = document.place(keys)
        target = tuple(next(stars) if part == "*" else part for part in split(new))
        document = assign(_removed(document, keys), target, value, place)
    return document


def _removed(document: Document, keys: Keys) -> Document:
    over: Value = None
    for key in reversed(keys):
        over = {key: over}
    return merge(document, Document(over, {}))
