"""Documents into models: every mistake at once, each in plain words and with its place."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from simulator.errors import ScenarioError
from simulator.loading.documents import Document, Key, Keys, Mistake, Value, at, near, shown
from simulator.loading.parsing import scan
from simulator.loading.shapes import NAMED, Shape

__all__ = ["MOST", "ordered", "read", "stop", "validate"]

MOST = 200
_KEYS = {
    "greater_than_equal": "at least {ge}",
    "int_type": "a whole number, without quotes",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
    "string_pattern_mismatch": NAMED,
    "string_too_long": "text of at most {max_length}",
    "string_type": "text",
}

M = TypeVar("M", bound=BaseModel)


class _Fault(NamedTuple):
    """One error of pydantic's at a path that exists in the document, or just below one."""

    keys: Keys
    kind: str
    message: str


def read(path: Path | str, model: type[M]) -> M:
    """Return a file as a model, or raise all its mistakes."""
    valid, mistakes = validate(scan(path), model)
    if valid is None or mistakes:
        raise stop(mistakes)
    return valid


def stop(mistakes: Sequence[Mistake]) -> ScenarioError:
    """Return the error that lists all mistakes, one a line; a flood of them is cut."""
    lines = [str(mistake) for mistake in mistakes[:MOST]]
    more = len(mistakes) - len(lines)
    return ScenarioError([*lines, f"and {more:,} more mistakes"] if more else lines)


def validate(document: Document, model: type[M]) -> tuple[M | None, list[Mistake]]:
    """Return the model, if all of it could be read, and every mistake of the document."""
    try:
        valid = model.model_validate(document.value)
        found: list[Mistake] = []
    except ValidationError as error:
        valid, found = None, _mistakes(document, Shape.of(model), error)
    return (None if document.unread else valid), ordered([*document.mistakes, *found])


def ordered(mistakes: Iterable[Mistake]) -> list[Mistake]:
    """Return each mistake once, by file and line, those without a line last."""
    return sorted(dict.fromkeys(mistakes), key=_order)


def _order(mistake: Mistake) -> tuple[bool, str, int, int, str]:
    place = mistake.place
    if place is None:
        return True, "", 0, 0, mistake.path
    return place.line == 0 and bool(mistake.path), *place, mistake.path


def _mistakes(document: Document, shape: Shape, error: ValidationError) -> list[Mistake]:
    """Return pydantic's errors as mistakes; beyond the first `MOST` they are only counted."""
    details = error.errors(include_url=False)
    faults = [_fault(document.value, detail) for detail in details]
    faults = [fault for fault in _deepest(faults) if not _hidden(document, fault)]
    faults.sort(key=lambda fault: _order(document.mistake(fault.keys, "")))
    worded = _worded(document, shape, faults[:MOST])
    return [*worded, *(document.mistake(fault.keys, "is wrong") for fault in faults[MOST:])]


def _fault(value: Value, details: ErrorDetails) -> _Fault:
    """Return the error at its path in the document: the tags of unions are no keys."""
    keys: list[Key] = []
    kind = details["type"]
    for key in details["loc"]:
        if _holds(at(value, tuple(keys)), key):
            keys.append(key)
    # A key that may be of several kinds is refused once by each, which is named behind it.
    if "[key]" in details["loc"]:
        return _Fault(tuple(keys), "key", _key_words(details))
    if kind == "missing":
        keys.append(details["loc"][-1])
    return _Fault(tuple(keys), kind, details["msg"])


def _key_words(details: ErrorDetails) -> str:
    """Return what a key must be: JSON Schema tells it of words but not of numbers."""
    return _KEYS.get(details["type"], details["msg"]).format_map(details.get("ctx", {}))


def _holds(value: Value, key: Key) -> bool:
    if isinstance(value, list):
        return isinstance(key, int) and key < len(value)
    return isinstance(value, dict) and key in value


def _deepest(faults: Sequence[_Fault]) -> list[_Fault]:
    """Return one fault a path, and of the branches of a union the one that went furthest."""
    above = {fault.keys[:n] for fault in faults for n in range(len(fault.keys))}
    by_path: dict[Keys, _Fault] = {}
    for fault in faults:
        if fault.keys not in above or fault.kind == "key":
            first = by_path.setdefault(fault.keys, fault)
            if first.kind == fault.kind == "key" and fault.message not in first.message:
                either = f"{first.message} or {fault.message}"
                by_path[fault.keys] = first._replace(message=either)
    return list(by_path.values())


def _hidden(document: Document, fault: _Fault) -> bool:
    """Return whether the fault only follows from something that could not be read."""
    if fault.kind == "missing" and () in document.unread:
        return True
    return any(fault.keys[:n] in document.unread for n in range(1, len(fault.keys) + 1))


def _worded(document: Document, shape: Shape, faults: Sequence[_Fault]) -> Iterator[Mistake]:
    missing: dict[Keys, list[str]] = defaultdict(list)
    for fault in faults:
        if fault.kind == "missing":
            missing[fault.keys[:-1]].append(str(fault.keys[-1]))
    meant: set[Keys] = set()
    for fault in sorted(faults, key=lambda fault: fault.kind != "extra_forbidden"):
        if fault.kind == "extra_forbidden":
            parent = fault.keys[:-1]
            text, name = _unknown(document, shape, fault.keys, missing[parent])
            meant.add((*parent, name))
            yield document.mistake(fault.keys, text)
        elif fault.keys not in meant:
            yield document.mistake(fault.keys, _text(document, shape, fault))


def _unknown(
    document: Document, shape: Shape, keys: Keys, missing: Sequence[str]
) -> tuple[str, str]:
    """Return the text about an unknown field and the field that was probably meant."""
    for key in keys[:-1]:
        shape = shape.child(key)
    fields = shape.fields()
    given = at(document.value, keys[:-1])
    free = [name for name in fields if not isinstance(given, dict) or name not in given]
    for names in (missing, free, fields):
        hint = near(keys[-1], names)
        if hint:
            return f"is not a field{hint}", hint.removeprefix("; did you mean ")[:-1]
    return f"is not a field; allowed are {', '.join(fields)}", ""


def _text(document: Document, shape: Shape, fault: _Fault) -> str:
    for key in fault.keys:
        shape = shape.child(key)
    if fault.kind == "missing":
        return f"is missing; {shape.missed()}"
    if fault.kind == "key":
        hint = near(fault.keys[-1], re.findall(r"'([^']+)'", fault.message))
        return f"is not allowed here; must be {fault.message}{hint}"
    if fault.kind in ("value_error", "assertion_error"):
        return f"is {shown(at(document.value, fault.keys))}; {_lower(fault.message)}"
    value = at(document.value, fault.keys)
    return f"is {shown(value)}; {shape.must(value)}"


def _lower(message: str) -> str:
    message = message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return message[:1].lower() + message[1:]
