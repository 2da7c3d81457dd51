"""The law as data, printed: a program's terms with their grounds, and how two years differ."""

import json
from collections import Counter
from typing import NamedTuple, get_args

from simulator import programs
from simulator.cli.terminal import grid, listing, say, width
from simulator.errors import RulesError
from simulator.programs.rulebook import Leaf, Status, nearest

__all__ = ["Asked", "Term", "index", "rows", "show"]

_ALL = "all"
_KINDS = (*get_args(Status), "disputed")


class Asked(NamedTuple):
    """A program's year, or a variant of it."""

    program: str
    year: int
    variant: str | None


class Term(NamedTuple):
    """A term of one option, or of all, as its rules file states it."""

    year: int
    option: str
    term: str
    leaf: Leaf

    @property
    def unsettled(self) -> bool:
        """Return whether CMS's own text does not settle it."""
        return self.leaf.status != "published" or bool(self.leaf.also)

    @property
    def status(self) -> str:
        """Return the status, and whether there is a rival reading."""
        return f"{self.leaf.status}, disputed" if self.leaf.also else self.leaf.status


def index(program: str | None) -> None:
    """Print the programs and the years that they have rules for."""
    if program is not None and program not in programs.PROGRAMS:
        raise RulesError(f"{program!r} is no program; {nearest(program, programs.PROGRAMS)}")
    for name in [program] if program else programs.PROGRAMS:
        for year, variants in programs.years(name).items():
            options = ", ".join(programs.options(name, year))
            proposals = f"; variants: {', '.join(variants)}" if variants else ""
            say(f"{name} {year}: {options}{proposals}")


def rows(asked: Asked, other: str | None) -> list[Term]:
    """Return the terms of a year, of one of its options, or those that another year has otherwise.

    Raises RulesError for a program, year or option that does not exist.
    """
    found = _terms(asked)
    if other is None:
        return found
    if other.isdigit():
        return _differing(found, _terms(asked._replace(year=int(other))))
    known = programs.options(*asked)
    if other.lower() not in [name.lower() for name in known]:
        said = f"{asked.program} {asked.year} has no option {other!r}"
        raise RulesError(f"{said}; {nearest(other, known)}")
    return [row for row in found if row.option == _ALL or row.option.lower() == other.lower()]


def _terms(asked: Asked) -> list[Term]:
    file = programs.rules(*asked)
    common = [Term(asked.year, _ALL, name, leaf) for name, leaf in file.common.items()]
    return common + [
        Term(asked.year, option, name, leaf)
        for option, leaves in file.options.items()
        for name, leaf in leaves.items()
    ]


def _differing(old: list[Term], new: list[Term]) -> list[Term]:
    """Return the terms whose value, unit or status two years have otherwise, side by side."""
    pairs: dict[tuple[str, str], list[Term]] = {}
    for row in (*old, *new):
        pairs.setdefault((row.option, row.term), []).append(row)
    unlike = (both for both in pairs.values() if len(both) == 1 or len({*map(_said, both)}) > 1)
    return [row for both in unlike for row in both]


def _said(row: Term) -> str:
    return repr((row.leaf.value, row.leaf.unit, row.leaf.status))


def show(found: list[Term], *, as_json: bool) -> None:
    """Print terms, one a line."""
    if as_json:
        plain = [{**row._asdict(), "leaf": row.leaf.model_dump()} for row in found]
        say(json.dumps(plain, indent=1, default=str))
        return
    cells = [
        (str(row.year), row.option, row.term, _value(row.leaf), row.status, _grounds(row.leaf))
        for row in found
    ]
    for line in listing(cells):
        say(line)
    say()
    for line in grid(["terms", *_KINDS], _counts(found), width()):
        say(line)


def _counts(found: list[Term]) -> list[list[str]]:
    """Return how many terms each year's options have of each status, and how many are disputed."""
    kinds: dict[str, Counter[str]] = {}
    for row in found:
        of = kinds.setdefault(f"{row.year} {row.option}", Counter())
        of.update([row.leaf.status, *(["disputed"] if row.leaf.also else [])])
    return [[name, *(str(of[kind]) for kind in _KINDS)] for name, of in kinds.items()]


def _value(leaf: Leaf) -> str:
    by = leaf.by if isinstance(leaf.by, str) else ", ".join(leaf.by)
    return f"{leaf.value} {leaf.unit}{f' by {by}' if by else ''}"


def _grounds(leaf: Leaf) -> str:
    rivals = [f"also {rival.value} ({rival.cite})" for rival in leaf.also]
    rivals += [f"try {other.value} ({other.cite})" for other in leaf.tried]
    return "; ".join([leaf.cite, *([leaf.note] if leaf.note else []), *rivals])
