"""The law as data: rules files, read, checked and turned into the terms of a contract."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict

from simulator import loading
from simulator.errors import RulesError
from simulator.terms import Bands, ByKind, Knots, Layers
from simulator.units import Unit, Words

__all__ = ["Also", "Leaf", "RulesFile", "Source", "Status", "book", "nearest", "term", "years"]

_RULES = Path(__file__).parents[1] / "rules"

Status = Literal["published", "proposed", "reported", "assumed"]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Also(_Frozen):
    """A rival reading of a term, or of one place in it."""

    value: Any
    cite: str
    at: str | None = None
    note: str | None = None


class Leaf(_Frozen):
    """One term as a rules file states it: where it comes from and how sure we are.

    `also` are rival readings that somebody published or that the text allows; `tried` are values
    to try where there are none: a stated range, the value of a sister program, the neutral one.
    """

    value: Any
    unit: str
    status: Status
    cite: str
    by: str | tuple[str, ...] = ()
    note: str | None = None
    also: tuple[Also, ...] = ()
    tried: tuple[Also, ...] = ()


class SourceDocument(_Frozen):
    """A document that terms cite; `read` is the day it was read in its own text."""

    title: str
    url: str | None = None
    via: str | None = None
    read: date | str | None = None


class RulesFile(_Frozen):
    """The law of one program in one performance year, or a variant of it."""

    program: str
    year: int
    checked: date | str
    about: str = ""
    formula: str | None = None
    variant: str | None = None
    carry: int | None = None
    replay_only: bool = False
    sources: Mapping[str, SourceDocument] = {}
    common: Mapping[str, Leaf] = {}
    options: Mapping[str, Mapping[str, Leaf]] = {}

    def leaves(self, option: str) -> dict[str, Leaf]:
        """Return every term of an option; its own terms stand before the common ones."""
        return {**self.common, **self.options[option]}


class Source(NamedTuple):
    """A term's value in plain words, with its status and citation."""

    value: Any
    unit: str
    status: str
    cite: str
    note: str | None
    also: tuple[Also, ...]
    tried: tuple[Also, ...] = ()


def nearest(name: str, allowed: Iterable[object]) -> str:
    """Return the words that offer what is allowed and the nearest right name.

    >>> nearest("discont", ["discount", "withhold"])
    'allowed: discount, withhold; did you mean discount?'
    """
    names = [str(a) for a in allowed]
    close = difflib.get_close_matches(name, names, n=1)
    return f"allowed: {', '.join(names)}" + (f"; did you mean {close[0]}?" if close else "")


def years(program: str) -> dict[int, tuple[str, ...]]:
    """Return the years a program has rules for, each with its variants."""
    found: dict[int, tuple[str, ...]] = {}
    for path in sorted((_RULES / program).glob("*.yaml")):
        year, *variant = path.stem.split(".")
        found[int(year)] = (*found.get(int(year), ()), *variant)
    return found


@cache
def book(program: str, year: int, variant: str | None = None) -> RulesFile:
    """Return the rules of a program's year, with what they carry from another year.

    Raises RulesError naming file, line and term.
    """
    name = f"{year}.{variant}.yaml" if variant else f"{year}.yaml"
    path = _RULES / program / name
    document = loading.parse(path)
    rules, mistakes = loading.validate(document, RulesFile)
    if rules is None:
        raise RulesError("\n".join(str(mistake) for mistake in mistakes))
    return rules if rules.carry is None else _carried(rules, book(program, rules.carry))


def _carried(rules: RulesFile, earlier: RulesFile) -> RulesFile:
    """Return rules completed from an earlier file; what a later year carries is assumed."""
    later = rules.year != earlier.year

    def merged(own: Mapping[str, Leaf], old: Mapping[str, Leaf]) -> dict[str, Leaf]:
        kept = {n: _downgraded(leaf, earlier.year) if later else leaf for n, leaf in old.items()}
        return {**kept, **own}

    names = [*earlier.options, *(name for name in rules.options if name not in earlier.options)]
    options = {
        name: merged(rules.options.get(name, {}), earlier.options.get(name, {})) for name in names
    }
    return rules.model_copy(
        update={
            "sources": {**earlier.sources, **rules.sources},
            "common": merged(rules.common, earlier.common),
            "options": options,
            "formula": rules.formula or earlier.formula,
        }
    )


def _downgraded(leaf: Leaf, year: int) -> Leaf:
    note = f"carried from {year}" + (f": {leaf.note}" if leaf.note else "")
    return leaf.model_copy(update={"status": "assumed", "note": note})


def source(leaf: Leaf) -> Source:
    """Return what a reader needs to know of a term."""
    return Source(leaf.value, leaf.unit, leaf.status, leaf.cite, leaf.note, leaf.also, leaf.tried)


def term(leaf: Leaf, declared: Any, where: str) -> Any:
    """Return a leaf as the term its contract declares. Raises RulesError saying what is wrong."""
    kind, unit, optional = _unwrap(declared)
    if optional and leaf.value == "none":
        return None
    if unit is not None and leaf.unit != unit.name:
        raise RulesError(f"{where} is in {leaf.unit!r}; the formula expects {unit.name!r}")
    by = (leaf.by,) if isinstance(leaf.by, str) else leaf.by
    if by and kind is not ByKind:
        raise RulesError(f"{where} depends on {', '.join(by)}; the formula takes one value")
    if kind is ByKind:
        return _by_kind(leaf.value, by, declared, where)
    if kind in {Bands, Knots, Layers}:
        return _shape(kind, leaf.value, where)
    return _plain(kind, leaf.value, unit, where)


def _unwrap(declared: Any) -> tuple[Any, Unit | None, bool]:
    """Return a term's plain type, its unit, and whether 'none' is allowed."""
    optional = type(None) in get_args(declared)
    if optional:
        declared = next(part for part in get_args(declared) if part is not type(None))
    unit = next((m for m in getattr(declared, "__metadata__", ()) if isinstance(m, Unit)), None)
    return declared.__origin__ if unit else declared, unit, optional


def _by_kind(value: Any, by: tuple[str, ...], declared: Any, where: str) -> ByKind:
    made, unit = ByKind(by, value), _unwrap(declared)[1]
    words = [m.allowed for m in getattr(declared, "__metadata__", ()) if isinstance(m, Words)]
    for path, item in made.leaves():
        _check(item, unit, f"{where} {path}".strip())
        if words and item not in words[0]:
            raise RulesError(f"{where} {path} is {item!r}; {nearest(str(item), words[0])}")
    return made


def _shape(kind: Any, value: Any, where: str) -> Any:
    names = [f.name for f in fields(kind)]
    if not isinstance(value, Mapping) or set(value) != set(names):
        raise RulesError(f"{where} is {value!r}; it takes {', '.join(names)}")
    parts = {name: tuple(float(x) for x in value[name]) for name in names}
    if len({len(part) for part in parts.values()}) != 1:
        raise RulesError(f"{where} has lists of unlike length: {', '.join(names)}")
    return kind(**parts)


def _plain(kind: Any, value: Any, unit: Unit | None, where: str) -> Any:
    allowed = get_args(kind)
    if allowed and value not in allowed:
        raise RulesError(f"{where} is {value!r}; {nearest(str(value), allowed)}")
    _check(value, unit, where)
    return value if unit is None else float(value)


def _check(value: Any, unit: Unit | None, where: str) -> None:
    if unit is None or unit.name == "reading":
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RulesError(f"{where} is {value!r}; the formula expects a number in {unit.name}")
    if not unit.low <= value <= unit.high:
        raise RulesError(
            f"{where} is {value!r}; a {unit.name} lies between {unit.low:g} and {unit.high:g}"
            f"{_slip(float(value), unit)}"
        )


def _slip(value: float, unit: Unit) -> str:
    """Return what was probably meant by a share that is none.

    >>> _slip(2.0, Unit("share", 0.0, 1.0)), _slip(-0.04, Unit("share", 0.0, 1.0))
    (' (2% is written 0.02)', ' (what is taken off is written without a sign: 0.04)')
    """
    if unit.name != "share" or not 0.0 < abs(value) <= 100.0:
        return ""
    if value < 0.0:
        meant = -value if value >= -1.0 else -value / 100.0
        return f" (what is taken off is written without a sign: {meant:g})"
    return f" ({value:g}% is written {value / 100.0:g})"
