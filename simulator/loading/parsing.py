"""YAML 1.2 text into documents: the only module that knows ruamel.yaml."""

import math
import re
import sys
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
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

from simulator.errors import ScenarioError, disk_failed
from simulator.loading.documents import Document, Key, Keys, Mistake, Place, Value, dotted, shown
from simulator.loading.mending import Break, best, mends

__all__ = ["DEEPEST", "LARGEST", "parse", "parse_text", "scan", "scan_text"]

LARGEST = 256_000
_TABLES = (".csv", ".tsv", ".parquet", ".xlsx", ".xls")
DEEPEST = 64
LONGEST_NAME = 300
LONGEST_NUMBER = 40
MOST_BROKEN = 50
MOST_REREAD = 300_000

_DIGITS = "[0-9]+(?:_[0-9]+)*"
_INTEGER = re.compile(rf"[-+]?{_DIGITS}")
_RADIX = re.compile("0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(rf"[-+]?(?:\.{_DIGITS}|{_DIGITS}(?:\.(?:{_DIGITS})?)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
_NUMERIC = re.compile(f"{_NOT_FINITE}|{_INTEGER.pattern}|{_FLOAT.pattern}")
_WORDS: dict[str, bool | None] = {
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# Beyond YAML's own list: the characters that some readers, but no editor, count as line ends.
_FORBIDDEN = re.compile(
    "[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)

_SURROGATE = re.compile("[\ud800-\udfff]")
_NO_CHARACTER = re.compile(r"\\U(?!000|0010)[0-9a-fA-F]{8}")
_EMPTY = "is empty; give a value (after ': '), or ~ for none"


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


def scan(path: Path | str, largest: int = LARGEST) -> Document:
    """Return a file's document together with the mistakes found while reading it.

    A disk that fails is no mistake of the file: OSError.

    largest : the most bytes that are read of it
    """
    name = str(path)
    name = name[:LONGEST_NAME] if name.isprintable() else repr(name[:LONGEST_NAME])
    path = Path(path)
    try:
        reason = _refusal(path, largest)
        raw = b"" if reason else _start(path, largest)
    except (OSError, ValueError) as error:
        if disk_failed(error):
            raise
        reason = f"cannot be read: {getattr(error, 'strerror', None) or error}"
    if not reason and len(raw) > largest:
        reason = _too_large("more than that", largest)
    return _nothing(Place(name), reason) if reason else _decoded(raw, name)


def _start(path: Path, largest: int) -> bytes:
    """Return a file's bytes, but no more than tell that it is too large."""
    with path.open("rb") as file:
        return file.read(largest + 1)


def _too_large(size: str, largest: int) -> str:
    return f"holds {size}; at most {largest:,} bytes are read (give large tables as CSV)"


def _refusal(path: Path, largest: int) -> str:
    if not path.exists():
        return "was not found"
    if not path.is_file():
        return "is not a file" if not path.is_dir() else "is a folder; must be a YAML file"
    if path.suffix.lower() in _TABLES:
        # What stands in a table may be about persons: no message quotes it.
        return "is a table; must be a YAML file, which may name tables"
    size = path.stat().st_size
    if size > largest:
        return _too_large(f"{size:,} bytes", largest)
    return ""


def _decoded(raw: bytes, name: str) -> Document:
    zero = raw.find(b"\0")
    try:
        text = raw.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        zero = error.start if zero < 0 else min(zero, error.start)
    if zero >= 0:
        place = Place(name, raw.count(b"\n", 0, zero) + 1)
        return _nothing(place, f"byte {raw[zero]:#04x} at offset {zero} is not UTF-8 text")
    return scan_text(text, name)


def _nothing(place: Place, text: str) -> Document:
    return Document({}, {(): place}, (Mistake(place, "", text),), frozenset({()}))


def scan_text(text: str, name: str) -> Document:
    """Return a text's document together with the mistakes found while reading it.

    >>> scan_text("a: [1, 1e-2, no, 10_000, 010]", "x.yaml").value
    {'a': [1, 0.01, 'no', 10000, 10]}
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    odd = {text.count("\n", 0, found.start()) + 1: found[0] for found in _FORBIDDEN.finditer(text)}
    if odd:
        notes = [
            Mistake(Place(name, line), "", f"holds {character!r}, which is not allowed in YAML")
            for line, character in list(odd.items())[:MOST_BROKEN]
        ]
        return Document({}, {(): Place(name, 1)}, tuple(notes), frozenset({()}))
    return _mended(text.split("\n"), name)


def _mended(lines: list[str], name: str) -> Document:
    """Return what can be read: each line that is not YAML is noted, patched and passed over."""
    notes: list[Mistake] = []
    blamed: set[int] = set()
    patched: set[int] = set()
    budget = MOST_REREAD
    reader = _Reader(lines, name)
    document = reader.document()
    while reader.broken is not None:
        tries = mends(lines, reader.broken)
        mend, readings = best(tries, lambda tried: _Reader(tried, name).reach())
        budget -= readings * sum(map(len, lines))
        new = [line for line in mend.blamed if line not in blamed]
        notes += [Mistake(Place(name, line), "", mend.text) for line in new]
        blamed |= set(new)
        patched |= mend.patched | ({0} if mend.lost else set())
        if budget < 0 or mend.lines == lines:
            notes.append(
                Mistake(Place(name), "", "is read no further; put these lines right first")
            )
            return Document({}, {(): Place(name, 1)}, tuple(notes), frozenset({()}))
        lines = mend.lines
        reader = _Reader(lines, name)
        document = reader.document()
    return _patched(document, patched, notes)


def _patched(document: Document, patched: Set[int], notes: Sequence[Mistake]) -> Document:
    """Return the document with nothing said about patched lines but why they were patched."""
    unread = {keys for keys, place in document.places.items() if place.line in patched}
    kept = [m for m in document.mistakes if m.place is None or m.place.line not in patched]
    unread = (unread - {()}) | ({()} if 0 in patched else set())
    return replace(document, mistakes=(*notes, *kept), unread=document.unread | unread)


class _Refused(Exception):
    """Reading stops here."""


class _Reader:
    """Builds one document from ruamel's events, noting mistakes as it goes."""

    def __init__(self, lines: Sequence[str], name: str) -> None:
        self._events = _events("\n".join(lines))
        self._lines = lines
        self._name = name
        self.broken: Break | None = None
        self._places: dict[Keys, Place] = {}
        self._mistakes: list[Mistake] = []
        self._unread: set[Keys] = set()
        self._anchored: set[int] = set()

    def document(self) -> Document:
        """Return what was read until the end, a refusal or a break."""
        value: Value = {}
        try:
            value = self._root()
        except _Refused:
            self._unread.add(())
        except MarkedYAMLError as error:
            self.broken = _break(error)
        except (YAMLError, ValueError, OverflowError):
            self._unread.add(())
            place = next(self._escapes(), Place(self._name))
            self._mistakes.append(Mistake(place, "", "holds an escape that is no character"))
        places = {(): Place(self._name, 1, 1), **self._places}
        return Document(value, places, tuple(self._mistakes), frozenset(self._unread))

    def _escapes(self) -> Iterator[Place]:
        """Yield the lines with an escape that is no character; ruamel gives no place for them."""
        for number, line in enumerate(self._lines, 1):
            if _NO_CHARACTER.search(line):
                yield Place(self._name, number)

    def reach(self) -> int:
        """Return the line at which reading breaks, or one beyond any."""
        self.document()
        return self.broken.line if self.broken else sys.maxsize

    def _root(self) -> Value:
        next(self._events)
        event = next(self._events)
        if isinstance(event, StreamEndEvent):
            self._mistakes.append(Mistake(Place(self._name, 1), "", "is empty; must be a mapping"))
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
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if anchor is not None and event.start_mark.line not in self._anchored:
            self._anchored.add(event.start_mark.line)
            name = ("*" if isinstance(event, AliasEvent) else "&") + str(anchor)
            self._note(keys, event, f"uses {shown(name)}; anchors and aliases are not allowed")
        if isinstance(event, AliasEvent):
            self._unread.add(keys)
        if tag is not None:
            self._note(keys, event, f"has a tag, {shown(str(tag))}; tags are not allowed")
            self._unread.add(keys)
        if len(keys) > DEEPEST:
            self._note(keys[:4], event, f"is nested more than {DEEPEST} deep")
            raise _Refused

    def _mapping(self, keys: Keys) -> Value:
        held: dict[Key, Value] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._key(event, keys)
            inner = (*keys, key)
            place = self._place(event)
            if key in held:
                text = f"is given twice, first in line {self._places[inner].line}"
                self._mistakes.append(Mistake(place, dotted(inner), f"{text}; once is allowed"))
                self._value(next(self._events), (*inner, "(again)"))
                continue
            self._places[inner] = place
            held[key] = self._value(next(self._events), inner)
        return held

    def _key(self, event: Event, keys: Keys) -> Key:
        """Return a key; one that is neither a word nor a whole number is noted."""
        text = getattr(event, "value", "?")
        value = _plain(text) if getattr(event, "style", None) is None else text
        if not isinstance(event, ScalarEvent):
            self._value(event, (*keys, "?"))
            value = None
        if isinstance(value, str) or type(value) is int:
            return value
        self._note(keys, event, f"has {shown(text)} as a key; must be a word or a whole number")
        self._unread.add((*keys, text))
        return text

    def _sequence(self, keys: Keys) -> Value:
        held: list[Value] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            held.append(self._value(event, (*keys, len(held))))
        return held

    def _scalar(self, event: ScalarEvent, keys: Keys) -> Value:
        text: str = event.value
        if event.style is not None:
            if not _SURROGATE.search(text):
                return text
            self._note(keys, event, "holds half a character")
        elif text == "":
            self._mistakes.append(Mistake(self._places[keys], dotted(keys), _EMPTY))
        elif _NUMERIC.fullmatch(text) and isinstance(_plain(text), str):
            self._note(keys, event, f"is {shown(text)}; must be a finite number")
        else:
            return _plain(text)
        self._unread.add(keys)
        return None

    def _place(self, event: Event) -> Place:
        mark = event.start_mark
        return Place(self._name, mark.line + 1, mark.column + 1)

    def _note(self, keys: Keys, event: Event, text: str) -> None:
        self._mistakes.append(Mistake(self._place(event), dotted(keys), text))


def _events(text: str) -> Iterator[Event]:
    yield from YAML(typ="safe", pure=True).parse(text)


def _plain(text: str) -> str | int | float | bool | None:
    """Return an unquoted scalar by the core rules of YAML 1.2; digits may be grouped by ``_``."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > LONGEST_NUMBER:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _RADIX.fullmatch(text):
        return int(text, 0)
    number = float(text) if _FLOAT.fullmatch(text) else math.inf
    return number if math.isfinite(number) else text


def _break(error: MarkedYAMLError) -> Break:
    mark, context = error.problem_mark or error.context_mark, error.context_mark
    line = mark.line + 1 if mark else 1
    since = context.line + 1 if context else 0
    problem = f"{error.problem or ''} {error.context or ''}".strip()
    return Break(line, mark.column + 1 if mark else 1, since, problem)
