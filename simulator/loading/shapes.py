"""What a model allows at a path, in plain words, read from its JSON Schema."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from pydantic import BaseModel

from simulator.loading.documents import Key, Value, near

__all__ = ["NAMED", "Shape"]

Schema = Mapping[str, object]

_NOUNS = {
    "string": "text",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "integer": "a whole number",
    "number": "a number",
}
_TYPED = re.compile(
    r"(?P<sign>[-+]?)\$? ?(?P<grouped>\d{1,3}(?:,\d{3})+)?(?(grouped)|(?P<whole>\d{1,15}))"
    r"(?:[.,](?P<decimals>\d{1,9}))? ?(?P<percent>%?)",
    re.ASCII,
)
# The upper ends of a risk score and of dollars per person-year, as the scenario's schema has them.
_HIGHEST_SCORE, _DEAREST_PPY = 20, 1_000_000
NAMED = "text of letters, digits, '-' and '_'"


@dataclass(frozen=True)
class Shape:
    """The alternatives allowed at one path; ``null`` is left out."""

    alternatives: tuple[Schema, ...]
    root: Schema

    @classmethod
    def of(cls, model: type[BaseModel]) -> "Shape":
        """Return the shape of a whole document."""
        root = _schema(model)
        return cls(tuple(_flat(root, root)), root)

    def child(self, key: Key) -> "Shape":
        """Return the shape of a field, a mapping's value or a list's item."""
        found = [child for schema in self.alternatives for child in _children(schema, key)]
        flat = [alternative for child in found for alternative in _flat(child, self.root)]
        return Shape(tuple(flat), self.root)

    def fields(self) -> list[str]:
        """Return the names of the fields, none for free mappings."""
        return [name for schema in self.alternatives for name in _mapping(schema, "properties")]

    def noun(self) -> str:
        """Return what is allowed, as after ``must be``."""
        nouns = dict.fromkeys(_noun(schema) for schema in self.alternatives)
        return " or ".join(nouns) or "left out"

    def missed(self) -> str:
        """Return what is allowed where there is nothing, and why it is needed, if that is told."""
        told = (str(schema["x-missing"]) for schema in self.alternatives if "x-missing" in schema)
        return "; ".join([f"must be {self.noun()}", *told])

    def must(self, value: Value) -> str:
        """Return what is allowed instead of `value`, with a hint at the likely slip."""
        numbers = [s for s in self.alternatives if s.get("type") in ("number", "integer")]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and len(self.alternatives) == 1 and numbers:
            lacks_bound = numbers[0]["type"] == "integer" and not isinstance(value, int)
            bound = "" if lacks_bound else _bound(numbers[0], "lie between")
            said = f"must {'' if bound.startswith('lie') else 'be '}{bound or self.noun()}"
        else:
            said = f"must be {self.noun()}"
        return said + _hint(value, numbers) + near(value, self._words())

    def _words(self) -> list[str]:
        words = [word for schema in self.alternatives for word in _sequence(schema, "enum")]
        words += [schema["const"] for schema in self.alternatives if "const" in schema]
        return [str(word) for word in words]


@cache
def _schema(model: type[BaseModel]) -> Schema:
    return model.model_json_schema()


def _flat(schema: Schema, root: Schema) -> Iterator[Schema]:
    reference = schema.get("$ref")
    if isinstance(reference, str):
        schema = _mapping(_mapping(root, "$defs"), reference.rsplit("/", 1)[-1])
    branches = _sequence(schema, "anyOf") or _sequence(schema, "oneOf")
    if branches:
        for branch in branches:
            if isinstance(branch, Mapping):
                yield from _flat(branch, root)
    elif schema.get("type") != "null":
        yield schema


def _children(schema: Schema, key: Key) -> Iterator[Schema]:
    if isinstance(key, int) and schema.get("type") == "array":
        first = _sequence(schema, "prefixItems")
        item = first[key] if key < len(first) else schema.get("items")
        if isinstance(item, Mapping):
            yield item
        return
    named = _mapping(schema, "properties")
    patterns = _mapping(schema, "patternProperties").values()
    for child in (named.get(str(key)), schema.get("additionalProperties"), *patterns):
        if isinstance(child, Mapping):
            yield child
            return


def _mapping(schema: Schema, name: str) -> Schema:
    held = schema.get(name)
    return held if isinstance(held, Mapping) else {}


def _sequence(schema: Schema, name: str) -> Sequence[object]:
    held = schema.get(name)
    return held if isinstance(held, list) else []


def _noun(schema: Schema) -> str:
    if "const" in schema:
        return repr(schema["const"])
    words = [str(word) for word in _sequence(schema, "enum")]
    if words:
        return f"one of {', '.join(words)}" if len(words) > 1 else words[0]
    kind = str(schema.get("type", "something else"))
    if kind in ("number", "integer"):
        bound = _bound(schema, "between")
        return " ".join(filter(None, (_NOUNS[kind], "of" * bound.startswith("at "), bound)))
    if "pattern" in schema:
        return NAMED
    return _NOUNS.get(kind, kind) + _size(schema)


def _size(schema: Schema) -> str:
    if "minItems" in schema and schema["minItems"] == schema.get("maxItems"):
        return f" of {schema['minItems']}"
    least, most = _end(schema, "min"), _end(schema, "max")
    if least == 1:
        return " that is not empty"
    words = [f"{word} {end}" for word, end in (("at least", least), ("at most", most)) if end]
    return f" of {' and '.join(words)}" if words else ""


def _end(schema: Schema, end: str) -> int | None:
    """Return the least or the most size that is allowed."""
    sizes = (schema.get(f"{end}{what}") for what in ("Length", "Items", "Properties"))
    return next((size for size in sizes if isinstance(size, int)), None)


def _bound(schema: Schema, both: str) -> str:
    low, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    high, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f"{both} {_figure(low)} and {_figure(high)}"
    parts = [
        f"{word} {_figure(edge)}"
        for word, edge in (
            ("at least", low),
            ("above", above),
            ("at most", high),
            ("below", below),
        )
        if edge is not None
    ]
    return " and ".join(parts)


def _figure(edge: object) -> str:
    if not isinstance(edge, int | float):
        return str(edge)
    whole = int(edge) if edge == int(edge) else edge
    return f"{whole:,}" if abs(edge) >= 10_000 else f"{whole}"


def _hint(value: Value, numbers: Sequence[Schema]) -> str:
    if not numbers:
        return ""
    high = numbers[0].get("maximum")
    if isinstance(value, str):
        return _typed_hint(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return _slip(float(value), high, numbers[0]) if isinstance(high, int | float) else ""


def _slip(value: float, high: float, schema: Schema) -> str:
    """Return what was probably meant by a number beyond the most that is allowed."""
    size = abs(value)
    percent = f" ({value:g}% is written {value / 100:g})"
    meant = (
        (high < 1.0 < size < 2.0, f" (growth by the factor {value:g} is written {value - 1:.6g})"),
        (high <= 1.0 < size <= 100.0, percent),
        (high <= 1.0 < size <= 10_000.0, f" ({value:g} basis points are written {value / 1e4:g})"),
        (high == _HIGHEST_SCORE and schema["type"] == "number" and size <= 100 * high, percent),
        (high == _DEAREST_PPY, " (a total of all people? over person-years it is dollars each)"),
    )
    return next((text for fits, text in meant if fits), "") if size > high else ""


def _typed_hint(text: str) -> str:
    """Return how a number that was typed as people type it is to be written."""
    found = _TYPED.fullmatch(text.strip())
    if not found:
        return ""
    whole = found["whole"] or found["grouped"].replace(",", "")
    number = float(f"{found['sign']}{whole}.{found['decimals'] or 0}")
    written = f"{number / 100 if found['percent'] else number:.12g}"
    return f" (written {written}, without quotes)" if written == text else f" (written {written})"
