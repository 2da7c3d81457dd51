"""YAML 1.2 text into documents: the only module that knows ruamel.yaml."""

import re
from collections.abc import Iterator
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from simulator.errors import ScenarioError
from simulator.loading.documents import Document, Key, Keys, Mistake, Place, Value, dotted, shown

__all__ = ["DEEPEST", "LARGEST", "parse", "parse_text", "scan", "scan_text"]

LARGEST = 256_000
DEEPEST = 64

_DIGITS = "[0-9]+(?:_[0-9]+)*"
_INTEGER = re.compile(rf"[-+]?{_DIGITS}")
_RADIX = re.compile("0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(rf"[-+]?(?:\.{_DIGITS}|{_DIGITS}(?:\.(?:{_DIGITS})?)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS: dict[str, bool | None] = {
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_FORBIDDEN = re.compile("[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parse(path: Path | str) -> Document:
    """Return a file's document, or raise all that hinders reading it."""
    return _sound(scan(path))


def parse_text(text: str, name: str) -> Document:
    """Return a text's document, or raise all that hinders reading it."""
    return _sound(scan_text(text, name))


def _sound(document: Document) -> Document:
    if document.mistakes:
        raise ScenarioError([str(mistake) for mistake in document.mistakes])
    return document


def scan(path: Path | str) -> Document:
    """Return a file's document together with the mistakes found while reading it."""
    path, name = Path(path), str(path)
    try:
        reason = _refusal(path)
        raw = b"" if reason else path.read_bytes()
    except (OSError, ValueError) as error:
        reason = f"cannot be read: {getattr(error, 'strerror', None) or error}"
    if reason:
        return _nothing(Place(name), reason)
    return _decoded(raw, name)


def _refusal(path: Path) -> str:
    if not path.exists():
        return "was not found"
    if not path.is_file():
        return "is not a file" if not path.is_dir() else "is a folder; must be a YAML file"
    size = path.stat().st_size
    if size > LARGEST:
        return f"holds {size:,} bytes; at most {LARGEST:,} are read (give large tables as CSV)"
    return ""


def _decoded(raw: bytes, name: str) -> Document:
    zero = raw.find(b"\0")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        zero = error.start if zero < 0 else min(zero, error.start)
    if zero >= 0:
        place = Place(name, raw.count(b"\n", 0, zero) + 1)
        return _nothing(place, f"byte {raw[zero]:#04x} at offset {zero} is not UTF-8 text")
    return scan_text(text, name)


def _nothing(place: Place, text: str) -> Document:
    return Document({}, {(): place}, (Mistake(place, "", text),), frozenset({()}))


def scan_text(text: str, name: str) -> Document:
    """Return a text's document together with the mistakes found while reading it."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    mistakes = [
        Mistake(Place(name, text.count("\n", 0, odd.start()) + 1), "", f"holds {odd[0]!r}")
        for odd in _FORBIDDEN.finditer(text)
    ]
    if mistakes:
        return Document({}, {(): Place(name, 1)}, tuple(mistakes), frozenset({()}))
    return _Reader(text, name).document()


class _Refused(Exception):
    """Reading stops here."""


class _Reader:
    """Builds one document from ruamel's events, noting mistakes as it goes."""

    def __init__(self, text: str, name: str) -> None:
        self._events = _events(text)
        self._name = name
        self._places: dict[Keys, Place] = {}
        self._mistakes: list[Mistake] = []
        self._unread: set[Keys] = set()

    def document(self) -> Document:
        value: Value = {}
        try:
            value = self._root()
        except _Refused:
            self._unread.add(())
        except MarkedYAMLError as error:
            self._unread.add(())
            self._mistakes.append(_broken(error, self._name))
        except (YAMLError, ValueError, OverflowError) as error:
            self._unread.add(())
            self._mistakes.append(Mistake(Place(self._name), "", f"is not YAML: {error}"))
        places = {(): Place(self._name, 1, 1), **self._places}
        return Document(value, places, tuple(self._mistakes), frozenset(self._unread))

    def _root(self) -> Value:
        next(self._events)
        event = next(self._events)
        if isinstance(event, StreamEndEvent):
            self._note((), event, "is empty; must hold a mapping")
            raise _Refused
        if isinstance(event, DocumentStartEvent) and event.version not in (None, (1, 2)):
            self._note((), event, "asks for another YAML version; must be 1.2")
        value = self._value(next(self._events), ())
        next(self._events)
        if not isinstance(event := next(self._events), StreamEndEvent):
            self._note((), event, "holds a second document; only one is allowed")
            raise _Refused
        return value

    def _value(self, event: Event, keys: Keys) -> Value:
        self._places.setdefault(keys, self._place(event))
        self._check(event, keys)
        if isinstance(event, MappingStartEvent):
            return self._mapping(keys)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(keys)
        return self._scalar(event, keys) if isinstance(event, ScalarEvent) else None

    def _check(self, event: Event, keys: Keys) -> None:
        if isinstance(event, AliasEvent):
            self._note(keys, event, f"is an alias (*{event.anchor}); aliases are not allowed")
            self._unread.add(keys)
            return
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if anchor is not None:
            self._note(keys, event, f"has an anchor (&{anchor}); anchors are not allowed")
        if tag is not None:
            self._note(keys, event, f"has a tag ({tag}); tags are not allowed")
        if len(keys) > DEEPEST:
            self._note(keys[:8], event, f"is nested more than {DEEPEST} deep")
            raise _Refused

    def _mapping(self, keys: Keys) -> Value:
        held: dict[Key, Value] = {}
        first: dict[Key, Place] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._key(event, keys)
            inner = (*keys, key)
            place = self._place(event)
            if key in held:
                text = f"is given twice, first in line {first[key].line}; once is allowed"
                self._mistakes.append(Mistake(place, dotted(inner), text))
                self._value(next(self._events), (*inner, "again"))
                continue
            first[key] = self._places[inner] = place
            held[key] = self._value(next(self._events), inner)
        return held

    def _key(self, event: Event, keys: Keys) -> Key:
        key = self._scalar(event, keys) if isinstance(event, ScalarEvent) else None
        if isinstance(event, ScalarEvent) and event.style is None and event.value == "":
            key = ""
        if isinstance(key, str) or (isinstance(key, int) and not isinstance(key, bool)):
            return key
        self._note(keys, event, f"has {shown(key)} as a key; keys are words or whole numbers")
        raise _Refused

    def _sequence(self, keys: Keys) -> Value:
        held: list[Value] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            held.append(self._value(event, (*keys, len(held))))
        return held

    def _scalar(self, event: ScalarEvent, keys: Keys) -> Value:
        text: str = event.value
        if event.style is not None or event.tag is not None:
            return text
        number = _number(text)
        if number is not None:
            return number
        if _NOT_FINITE.fullmatch(text) or _FLOAT.fullmatch(text) or _INTEGER.fullmatch(text):
            self._note(keys, event, f"is {shown(text)}; must be a finite number")
            self._unread.add(keys)
            return None
        if text == "" and keys:
            text = "~"
        return _WORDS.get(text, text)

    def _place(self, event: Event) -> Place:
        mark = event.start_mark
        return Place(self._name, mark.line + 1, mark.column + 1)

    def _note(self, keys: Keys, event: Event, text: str) -> None:
        self._mistakes.append(Mistake(self._place(event), dotted(keys), text))


def _events(text: str) -> Iterator[Event]:
    yield from YAML(typ="safe", pure=True).parse(text)


def _number(text: str) -> int | float | None:
    if len(text) > 40 or not text:
        return None
    if _INTEGER.fullmatch(text):
        return int(text)
    if _RADIX.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if abs(number) < float("inf") else None
    return None


def _broken(error: MarkedYAMLError, name: str) -> Mistake:
    mark = error.problem_mark or error.context_mark
    place = Place(name, mark.line + 1, mark.column + 1) if mark else Place(name)
    return Mistake(place, "", f"is not YAML: {error.problem or error.context}")
