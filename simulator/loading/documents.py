"""What was read, and where each value stands: documents, places and mistakes."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import NamedTuple, TypeAlias

__all__ = [
    "Document",
    "Key",
    "Keys",
    "Mistake",
    "Place",
    "Value",
    "assign",
    "at",
    "dotted",
    "merge",
    "near",
    "plain",
    "shown",
    "split",
    "targets",
]

Key: TypeAlias = str | int
Keys: TypeAlias = tuple[Key, ...]
Value: TypeAlias = "dict[Key, Value] | list[Value] | str | int | float | bool | None"

LONGEST_SHOWN = 60


class Place(NamedTuple):
    """Where something was written; line 0 means that the source has no lines."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Return ``file:line``, or the file alone."""
        return f"{self.file}:{self.line}" if self.line else self.file


class Mistake(NamedTuple):
    """One thing to put right, on one line."""

    place: Place | None
    path: str
    text: str

    def __str__(self) -> str:
        """Return ``file:line: path what was found; what is allowed; did you mean x?``.

        >>> str(Mistake(Place("x.yaml", 14), "years", "is 2026; must be a list"))
        'x.yaml:14: years is 2026; must be a list'
        """
        said = f"{self.path} {self.text}" if self.path else self.text
        return said if self.place is None else f"{self.place}: {said}"


@dataclass(frozen=True)
class Document:
    """Plain values, the place of each, and the mistakes met while reading them."""

    value: Value
    places: Mapping[Keys, Place]
    mistakes: tuple[Mistake, ...] = ()
    unread: frozenset[Keys] = frozenset()

    def place(self, keys: Keys) -> Place | None:
        """Return where `keys` stands, or its nearest parent that stands anywhere."""
        places = (self.places.get(keys[:n]) for n in range(len(keys), -1, -1))
        return next((place for place in places if place is not None), None)

    def mistake(self, keys: Keys, text: str) -> Mistake:
        """Return a mistake about the value at `keys`."""
        return Mistake(self.place(keys), dotted(keys), text)


def merge(base: Document, over: Document) -> Document:
    """Return `over` laid on `base`: mappings merge, all else is replaced, null deletes.

    >>> at = {(): Place("x.yaml", 1)}
    >>> merge(Document({"a": {"b": 1, "c": 2}}, at), Document({"a": {"b": None}}, at)).value
    {'a': {'c': 2}}
    """
    return Document(
        _merged(base.value, over.value, (), over.unread),
        {**base.places, **over.places},
        base.mistakes + over.mistakes,
        base.unread | over.unread,
    )


def _merged(base: Value, over: Value, keys: Keys, unread: Set[Keys]) -> Value:
    if not isinstance(base, dict) or not isinstance(over, dict):
        return base if keys in unread else over
    merged = dict(base)
    for key, value in over.items():
        inner = (*keys, key)
        if key not in base:
            merged[key] = value
        elif value is None and inner not in unread:
            del merged[key]
        else:
            merged[key] = _merged(base[key], value, inner, unread)
    return merged


def assign(
    document: Document, path: str | Sequence[Key], value: Value, place: Place | None
) -> Document:
    """Return the document with `value` at `path`; ``*`` stands for every key of a mapping.

    >>> document = Document({"a": {"x": {"c": 1}, "y": {"c": 2}}}, {})
    >>> assign(document, "a.*.c", 3, None).value
    {'a': {'x': {'c': 3}, 'y': {'c': 3}}}
    """
    written = path if isinstance(path, str) else dotted(tuple(path))
    found = targets(document.value, path)
    if not found:
        text = "names nothing: a '*' stands for the keys of a mapping, and here is none"
        return replace(document, mistakes=(*document.mistakes, Mistake(place, written, text)))
    for keys in found:
        document = _assigned(document, keys, value, place)
    return document


def targets(value: Value, path: str | Sequence[Key]) -> list[Keys]:
    """Return the keys that a path names, whether something stands there yet or not.

    >>> targets({"a": {"x": {}, "y": {}}}, "a.*.c")
    [('a', 'x', 'c'), ('a', 'y', 'c')]
    """
    parts = split(path) if isinstance(path, str) else tuple(path)
    return list(_targets(value, parts, ()))


def _targets(value: Value, parts: Keys, keys: Keys) -> Iterator[Keys]:
    if not parts:
        yield keys
    elif parts[0] == "*":
        for key in value if isinstance(value, dict) else ():
            yield from _targets(at(value, (key,)), parts[1:], (*keys, key))
    else:
        key, rest = _next_key(value, parts)
        yield from _targets(at(value, (key,)), rest, (*keys, key))


def _next_key(value: Value, parts: Keys) -> tuple[Key, Keys]:
    """Return the key that the first parts name (a key may itself hold dots) and the rest."""
    known = {str(key): key for key in value} if isinstance(value, dict) else {}
    for n in range(len(parts), 0, -1):
        joined = ".".join(map(str, parts[:n]))
        if joined in known:
            return known[joined], parts[n:]
    first = parts[0]
    number = isinstance(first, str) and first.isascii() and first.isdigit() and len(first) < 20
    return int(first) if number else first, parts[1:]


def _assigned(document: Document, keys: Keys, value: Value, place: Place | None) -> Document:
    blocked = _blocked(document.value, keys)
    if blocked is not None:
        held = shown(at(document.value, blocked))
        text = f"cannot be set: {dotted(blocked) or 'the document'} is {held}, not a mapping"
        mistake = Mistake(place, dotted(keys), text)
        return replace(document, mistakes=(*document.mistakes, mistake))
    places = dict(document.places)
    if place is not None:
        places |= {(*keys, *inner): place for inner in _inside(value)}
        places |= {keys[:n]: place for n in range(1, len(keys)) if keys[:n] not in places}
    unread = frozenset(inner for inner in document.unread if inner[: len(keys)] != keys)
    return replace(document, value=_put(document.value, keys, value), places=places, unread=unread)


def _blocked(value: Value, keys: Keys) -> Keys | None:
    for n in range(len(keys)):
        parent = at(value, keys[:n])
        known = isinstance(parent, list) and keys[n] in range(len(parent))
        if not (known or isinstance(parent, dict) or (parent is None and n)):
            return keys[:n]
    return None


def _put(value: Value, keys: Keys, new: Value) -> Value:
    if not keys:
        return new
    if isinstance(value, list) and isinstance(keys[0], int):
        index = keys[0]
        return [*value[:index], _put(value[index], keys[1:], new), *value[index + 1 :]]
    held = value if isinstance(value, dict) else {}
    return {**held, keys[0]: _put(held.get(keys[0]), keys[1:], new)}


def _inside(value: Value) -> Iterator[Keys]:
    yield ()
    for key, item in _items(value):
        yield from ((key, *inner) for inner in _inside(item))


def _items(value: Value) -> list[tuple[Key, Value]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def at(value: Value, keys: Keys) -> Value:
    """Return what stands at `keys`, or None.

    >>> at({"a": [{"b": 1}]}, ("a", 0, "b"))
    1
    """
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and isinstance(key, int) and 0 <= key < len(value):
            value = value[key]
        else:
            return None
    return value


def plain(value: object) -> Value:
    """Return a value as a document holds it: mappings, lists, words and numbers.

    >>> plain({"years": (2022, 2023)})
    {'years': [2022, 2023]}
    """
    if isinstance(value, Mapping):
        return {key if isinstance(key, int) else str(key): plain(value[key]) for key in value}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def split(path: str) -> Keys:
    """Return the parts of a dotted path; double quotes keep the dots of one part.

    >>> split('rules."lead.2028.discount".value')
    ('rules', 'lead.2028.discount', 'value')
    """
    outside = path.split('"')[::2]
    quoted = iter(path.split('"')[1::2])
    marked = "\0".join(outside)
    return tuple(
        part.replace("\0", next(quoted, "")) if "\0" in part else part
        for part in marked.split(".")
    )


def dotted(keys: Keys) -> str:
    """Return keys as one path; a key that no one would type plainly is quoted.

    >>> dotted(("population", "x", 2022))
    'population.x.2022'
    """
    return ".".join(_typed(str(key)) for key in keys)


def _typed(key: str) -> str:
    plain = key.isprintable() and key.strip() == key != "" and len(key) <= LONGEST_SHOWN
    return key if plain else shown(key)


def shown(value: Value) -> str:
    """Return a value as a message quotes it, shortened.

    >>> shown(True), shown("no"), shown([1])
    ('true', "'no'", 'a list of 1')
    """
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    if value is None or isinstance(value, bool):
        return {None: "empty", True: "true", False: "false"}[value]
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 4]}...{text[-1]}"


def near(word: object, known: Sequence[str]) -> str:
    """Return ``; did you mean x?`` for the nearest known word, or nothing.

    >>> near("person_year", ["person_years", "risk_score"])
    '; did you mean person_years?'
    """
    names = {name.lower(): name for name in known if name.isprintable()}
    found = get_close_matches(str(word).lower()[:80], list(names), n=1, cutoff=0.6)
    return f"; did you mean {names[found[0]]}?" if found else ""
