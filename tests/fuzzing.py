"""Scenarios and population files as nobody should write them, drawn from the schema itself.

What is drawn follows the JSON Schema of a scenario, so that a field of any program is covered the
day it is there. Nothing here knows the name of a field.
"""

import json
import random
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from simulator.engine.checking import check
from simulator.errors import SimulatorError
from simulator.loading import Keys, Value, at, dotted, dump
from simulator.scenario.schema import Scenario

ROOT = Path(__file__).parents[1]
SCHEMA = Scenario.model_json_schema()
REAL = sorted((ROOT / "scenarios").rglob("*.yaml"))

# Raw YAML for a value: what people paste, what breaks readers, and what attackers try.
HOSTILE = (
    ".nan", ".inf", "-.inf", "1e308", "1e309", "-0", "-0.0", "9" * 400, "1" + "0" * 30, "0x1F",
    "010", "1_000", "1e-2", "no", "NO", "yes", "~", "null", '""', "' '", "12:30", "2022-01-01",
    "$1,234", '"$1,234"', '"1,234.56"', '"1.234,56"', '"3,5"', "3%", '"3 %"', "83", "-1", "1.05",
    '"\\u202Eevil"', '"\\u0000"', '"\\uD800"', '"\N{GRINNING FACE}"', '"שלום"', "'\xa05'",
    "!!python/object/apply:os.system [ls]", "!!binary aGk=", "&a 5", "*a", "{}", "[]", "[[]]",
    "{a: {b: {c: 1}}}", "[1, 2, 3]", "true", "x" * 5_000, '"' + "y" * 70_000 + '"', "<<: *a", "|",
    ">",
    "../../etc/passwd", "/etc/passwd", "https://x.org/a.csv", "=1+1", "@SUM(A1)", "{{ 7*7 }}",
    "<script>alert(1)</script>", "'; DROP TABLE x; --", "%s%n", "__import__('os')", "C:\\\\a\\\\b",
    "[" * 80 + "]" * 80, "{a: " * 70 + "1" + "}" * 70,
)  # fmt: skip
NOISE = (
    b"\t", b"\n", b": ", b"{", b"}", b"[", b"]", b"'", b'"', b"&a ", b"*a", b"!!x ", b"~", b"-",
    b"\x00", b"\xff", b"\xe2\x80\xae", b"1e308", b".inf", b"no", b"  ", b"#", b"|", b">", b"? ",
    b"- ", b"---\n", b"%", b"@", b"\r", b"\r\n", b",", b";", b"5%", b"$1,234", b"\xef\xbb\xbf",
    b"9" * 50, b"\xff\xfe", b"\x1b[31m", b"-0", b"nan", b"NaN", b"1e999", b"\xc3\x28", b'"1,5"',
)  # fmt: skip
# Whatever is refused is told with what is allowed, or with what is wrong where nothing is.
_ALLOWED = re.compile(
    r"must|allowed|is not a field|did you mean|need(s|ed)?\b|lacks|has no|once|holds"
    r"|read no further"
    r"|opens a quote|is not YAML|is not of the form|has a|uses|is used by|are not|expects|lies"
    r"|is indented|means one thing|is missing|has something|open to|has rules for|more mistakes"
    r"|one for each|come in pairs|programs are|cannot be swept; only|not UTF-8|no segment's"
    r"|\d has |nested more than"
    r"|leaves the|was not found|extends itself|a head-count|is no |does not fit|is wrong|or none"
)
# A line is followed by a path, or by the row of a table, and by what it is or has; only of the
# text itself, in which no path is read yet, is it said at once.
_VERBS = "is|has|lacks|needs?|must|holds|uses|cannot|names nothing|was|and|are|gives?"
_PATH = re.compile(
    rf"\.(ya?ml|csv|parquet):\d+: (?!({_VERBS}) )(?P<path>\S.*?):? ({_VERBS})\b"
    r"|:\d+: (has (a (bracket|value|second)|something|not as many|no (column|header)"
    r"|'.*' as a key)|opens a quote"
    r"|is (indented|not YAML|not of the form|empty|['\"].*; must be a mapping|a list)"
    r"|holds|byte 0x|has columns|[A-Z]+ \d{4}, )"
)
# What is told to be what it must be says nothing.
_EMPTY = re.compile(r" is (an? [\w ]+); must be \1( or|;|$)")
# A file as a whole has no line.
_WHOLE = re.compile(
    r": (holds|is |was |cannot|has no row|are |aco_id|row_key|months|.*look like|and \d)"
)


@dataclass
class Tally:
    """What became of the files: sound or refused, how slowly, and what was not as it should be."""

    sound: int = 0
    refused: int = 0
    mistakes: int = 0
    slowest: float = 0.0
    longest: float = 0.0
    wrong: list[str] = field(default_factory=list)

    @property
    def files(self) -> int:
        """Return how many files were read."""
        return self.sound + self.refused

    def told(self) -> str:
        """Return the figures in words."""
        return (
            f"{self.files:,} files: {self.sound:,} sound, {self.refused:,} refused with"
            f" {self.mistakes:,} mistakes, {len(self.wrong)} not as they should be, the slowest"
            f" {self.slowest:.2f} s of a processor and {self.longest:.2f} s by the clock"
        )


def tried(path: Path, tally: Tally) -> None:
    """Check a file and count what comes of it; anything but a scenario or sentences is wrong."""
    began, clock = time.process_time(), time.monotonic()
    messages: Sequence[str] = ()
    try:
        check(path)
        tally.sound += 1
    except SimulatorError as error:
        messages = getattr(error, "messages", (str(error),))
        tally.refused += 1
    except Exception as error:  # what a fuzzer is for
        tally.wrong.append(f"{type(error).__name__}: {error}"[:300])
        tally.refused += 1
    tally.slowest = max(tally.slowest, time.process_time() - began)
    tally.longest = max(tally.longest, time.monotonic() - clock)
    tally.mistakes += len(messages)
    tally.wrong += [said for message in messages if (said := _unfit(message, path))]


def _unfit(message: str, path: Path) -> str:
    """Return what a message lacks: a place, or what is allowed; nothing if it is as it should."""
    if not message.isprintable() or len(message) > 2_000:
        return f"not printable, or too long: {message[:300]!r}"
    placed = re.search(r"\.(ya?ml|csv|parquet):\d+: ", message)
    if not placed and not _WHOLE.search(message):
        return f"no line: {message[:300]}"
    if placed and not _PATH.search(message):
        return f"no path: {message[:300]}"
    if _EMPTY.search(message):
        return f"nothing told: {message[:300]}"
    if not _ALLOWED.search(message):
        return f"nothing allowed: {message[:300]}"
    return ""


# ---------------------------------------------------------------- drawn from the schema


def drawn(rng: random.Random) -> str:
    """Return a scenario's text, drawn from the schema: mostly right, here and there hostile."""
    odd = rng.choice((0.0, 0.002, 0.01, 0.05))
    lines = [
        f"{_key(name, rng, odd)}: {_written(part, rng, odd, 0)}"
        for name, part in SCHEMA["properties"].items()
        if name in SCHEMA["required"] or rng.random() < 0.4
    ]
    if rng.random() < 0.1:
        lines.append(rng.choice(lines))
    return "\n".join(lines) + "\n"


def grafted(rng: random.Random, value: Value) -> str:
    """Return a sound scenario's text with a few values drawn anew from the schema."""
    held = _copy(value)
    odd = rng.choice((0.0, 0.0, 0.02, 0.3))
    fields = [(keys, part) for keys, part in _fields(held, SCHEMA, ()) if keys[0] != "sweep"]
    marks: dict[str, str] = {}
    for keys, part in rng.sample(fields, min(len(fields), rng.choice((1, 1, 2, 5)))):
        parent = at(held, keys[:-1])
        if isinstance(parent, dict) and keys[-1] in parent:
            mark = f"GRAFT{len(marks)}T"
            marks[mark] = _written(part, rng, odd, 4)
            parent[keys[-1]] = mark
    text = dump(held)
    for mark, drawn_value in marks.items():
        text = text.replace(mark, drawn_value)
    return text


def _fields(value: Value, schema: Mapping[str, object], keys: Keys) -> Iterator[tuple[Keys, dict]]:
    """Yield the path of every value that a scenario gives, with its part of the schema."""
    for one in _branches(schema) if isinstance(value, dict) else ():
        named = one.get("properties")
        free = one.get("additionalProperties")
        patterns = one.get("patternProperties")
        free = free or (next(iter(patterns.values())) if isinstance(patterns, dict) else None)
        for key, held in value.items() if isinstance(value, dict) else ():
            part = named.get(key) if isinstance(named, dict) else free
            if isinstance(part, dict):
                yield (*keys, key), part
                yield from _fields(held, part, (*keys, key))


def _key(name: str, rng: random.Random, odd: float) -> str:
    if rng.random() < odd:
        return rng.choice((name[:-1], name.upper(), f"{name}s", f'"{name} "', "1.5", "~"))
    return name


def _branches(schema: Mapping[str, object]) -> list[Mapping[str, object]]:
    if "$ref" in schema:
        return _branches(SCHEMA["$defs"][str(schema["$ref"]).rsplit("/", 1)[-1]])
    branches = schema.get("anyOf") or schema.get("oneOf")
    if isinstance(branches, list):
        return [one for branch in branches for one in _branches(branch)]
    return [schema]


def _written(schema: Mapping[str, object], rng: random.Random, odd: float, depth: int) -> str:
    """Return a value as YAML of one line."""
    if rng.random() < odd:
        return rng.choice(HOSTILE)
    one = rng.choice(_branches(schema))
    kind = "enum" if "enum" in one else "const" if "const" in one else str(one.get("type"))
    words = ("x", "e", "lakeshore", "region", "E", "mssp", "reach")
    if kind in ("object", "array"):
        make = _mapping if kind == "object" else _array
        return make(one, rng, odd, depth + 1) if depth < 8 else "{}"
    plain = {
        "enum": lambda: json.dumps(rng.choice(list(one["enum"]))),
        "const": lambda: json.dumps(one["const"]),
        "number": lambda: _number(one, rng),
        "integer": lambda: _number(one, rng),
        "string": lambda: json.dumps(rng.choice(words)),
        "boolean": lambda: "true",
        "null": lambda: "~",
    }
    return plain.get(kind, lambda: "1")()


def _array(one: Mapping[str, object], rng: random.Random, odd: float, depth: int) -> str:
    first = one.get("prefixItems") or []
    parts = list(first) if isinstance(first, list) else []
    least, most = int(str(one.get("minItems", 0))), int(str(one.get("maxItems", 4)))
    item = one.get("items", {})
    while len(parts) < max(least, rng.randint(0, min(most, 4))) and isinstance(item, dict):
        parts.append(item)
    return f"[{', '.join(_written(part, rng, odd, depth) for part in parts)}]"


def _mapping(one: Mapping[str, object], rng: random.Random, odd: float, depth: int) -> str:
    named = one.get("properties")
    required = one.get("required", [])
    held: dict[str, str] = {}
    if isinstance(named, dict):
        chance = 0.5 if depth < 4 else 0.3
        for name, part in named.items():
            if name in required or rng.random() < chance:
                held[_key(name, rng, odd)] = _written(part, rng, odd, depth)
    else:
        for key, part in _free(one, rng):
            held[key] = _written(part, rng, odd, depth)
    return "{" + ", ".join(f"{key}: {value}" for key, value in held.items()) + "}"


def _free(
    one: Mapping[str, object], rng: random.Random
) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield entries of a mapping whose keys are free: years, enrolment types or names."""
    names = one.get("propertyNames", {})
    patterns = one.get("patternProperties")
    part = one.get("additionalProperties") or (
        next(iter(patterns.values())) if isinstance(patterns, dict) else {}
    )
    branches = _branches(names) if isinstance(names, dict) else []
    words = [str(word) for branch in branches for word in branch.get("enum", [])]
    years = not words and rng.random() < 0.6
    pool = words or (
        [str(year) for year in range(2016, 2026)]
        if years
        else ["lakeshore", "esrd", "aged_nondual", "e", "a.b", "x y"]
    )
    for key in rng.sample(pool, min(len(pool), rng.randint(1, 4))):
        yield key, part if isinstance(part, dict) else {}


def _number(one: Mapping[str, object], rng: random.Random) -> str:
    low = float(str(one.get("minimum", one.get("exclusiveMinimum", -10))))
    high = float(str(one.get("maximum", one.get("exclusiveMaximum", max(low, 0.0) + 20_000))))
    edges = (low, high, (low + high) / 2, rng.uniform(low, high), 0.0, 1.0, high * 2 + 1)
    value = rng.choice(edges[2:] if rng.random() < 0.7 else edges)
    return str(int(value)) if one.get("type") == "integer" else repr(value)


# ---------------------------------------------------------------- real ones, mutated


def mutated(source: bytes, rng: random.Random) -> bytes:
    """Return a file with a few bytes flipped, cut, put in or moved, or recoded as a whole."""
    for _ in range(rng.choice((1, 1, 2, 5))):
        start = rng.randrange(len(source))
        cut = start + rng.choice((0, 0, 1, 10))
        put = rng.choice((*NOISE, bytes([rng.randrange(256)]), source[start : start + 50]))
        source = source[:start] + put + source[cut:]
    return _recoded(source, rng)


def _recoded(source: bytes, rng: random.Random) -> bytes:
    text = source.decode("utf-8", errors="replace")
    return rng.choice(
        (
            *[source] * 12,
            text.encode("utf-16"),
            text.encode("utf-8-sig"),
            text.encode("cp1252", errors="replace"),
            text.replace("\n", "\r\n").encode(),
            text.replace("\n", "\r", text.count("\n") // 2).encode(),
            text.replace(",", ";").encode(),
            source[: rng.randrange(len(source))],
            source * 2,
        )
    )


def cells(table: str, rng: random.Random) -> str:
    """Return a table with some cells as nobody should write them."""
    rows = [line.split(",") for line in table.splitlines()]
    for _ in range(rng.choice((1, 1, 3, 8))):
        row = rng.choice(rows)
        at_cell = rng.randrange(len(row))
        act = rng.random()
        if act < 0.1:
            del row[at_cell]
        elif act < 0.2:
            row.insert(at_cell, "x")
        elif act < 0.25:
            rows.append(list(row))
        elif act < 0.3 and len(row) > 1:
            row[at_cell], row[-1] = row[-1], row[at_cell]
        else:
            row[at_cell] = rng.choice(HOSTILE).replace("\n", " ")
        if not row:
            row.append("")
    return "\n".join(",".join(row) for row in rows) + "\n"


# ---------------------------------------------------------------- independent mistakes


def leaves(value: Value, keys: Keys = ()) -> Iterator[Keys]:
    """Yield the path of every plain value."""
    if isinstance(value, dict):
        for key, held in value.items():
            yield from leaves(held, (*keys, key))
    elif not isinstance(value, list):
        yield keys


def spoiled(value: Value, rng: random.Random, count: int) -> tuple[Value, list[str]]:
    """Return a sound scenario with independent mistakes, and the paths that must be named.

    A value of another type, a number beyond all bounds, a word that is none, or a name misspelt.
    """
    every = [
        keys for keys in leaves(value) if len(keys) > 1 and keys[0] not in ("sources", "sweep")
    ]
    chosen: list[Keys] = []
    for keys in rng.sample(every, len(every)):
        if all(keys[:-1] != other[:-1] for other in chosen) and len(chosen) < count:
            chosen.append(keys)
    held = json.loads(json.dumps(value)) if not isinstance(value, dict) else _copy(value)
    named = []
    for keys in chosen:
        parent = at(held, keys[:-1])
        assert isinstance(parent, dict)
        key = keys[-1]
        kind = rng.random()
        if kind < 0.2 and isinstance(key, str):
            parent[f"{key}x"] = parent.pop(key)
            named.append(dotted((*keys[:-1], f"{key}x")))
        else:
            parent[key] = _worse(parent[key], rng)
            named.append(dotted(keys))
    return held, named


def _copy(value: Value) -> Value:
    if isinstance(value, dict):
        return {key: _copy(held) for key, held in value.items()}
    return [_copy(held) for held in value] if isinstance(value, list) else value


def _worse(value: Value, rng: random.Random) -> Value:
    """Return a value that no field which holds `value` may have."""
    if isinstance(value, bool):
        return rng.choice(("maybe", 7, {"zz": 1}))
    if isinstance(value, int | float):
        return rng.choice(("abc", "$1,234", {"zz": 1}, [], True))
    return rng.choice(({"zz": 1}, [[1]], 5, True))


def written(value: Value) -> str:
    """Return a scenario's text."""
    return dump(value)
