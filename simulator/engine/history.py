"""What contracts read of the years before those they settle, and what a scenario lacks of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import NamedTuple, TypeAlias

from simulator import programs
from simulator.errors import RulesError
from simulator.loading import Document, Keys, Mistake, Value, at
from simulator.population.levels import Kind
from simulator.programs import Contract
from simulator.programs.contract import History
from simulator.scenario.schema import ContractChoice, Scenario

__all__ = ["Choice", "Scalar", "choices", "chosen", "covers", "lacking"]

Lack: TypeAlias = tuple[Keys, str]
Scalar: TypeAlias = bool | int | float | str
# Terms with the values that they are given instead, and why.
Overrides: TypeAlias = tuple[tuple[str, Scalar, str], ...]

_SPENT = "expenditure_ppy"
# Read as levels by enrolment type; other tables of the market are by benchmark category.
_BY_TYPE = ("national_ppy", "truncation_usd")
_REQUIRED = ("person_years", "risk_score")


class Choice(NamedTuple):
    """A contract's choice in one year, as far as programs know it; `law` is the rules' year."""

    program: str
    year: int
    option: str
    variant: str | None
    law: int
    overrides: Overrides = ()

    def contract(self, elections: Mapping[str, float] | None = None) -> Contract:
        """Return the contract. Raises RulesError for one that does not exist."""
        found = programs.contract(
            self.program,
            self.law,
            self.option,
            variant=self.variant,
            overrides=self.overrides,
            elections=elections,
        )
        return found if self.law == self.year else programs.applied(found, self.year)


class _Level(NamedTuple):
    """A year of the nation that is needed: table, why, enrolment type or category, year."""

    table: str
    why: str
    key: str
    year: int


@dataclass(frozen=True)
class _Aco:
    """One ACO of a document, and what its contracts read of earlier years."""

    document: Document
    keys: Keys
    needs: tuple[History, ...]

    @cached_property
    def segments(self) -> dict[Keys, Value]:
        """Return each segment by its keys."""
        held = at(self.document.value, (*self.keys, "segments"))
        parts = held.items() if isinstance(held, dict) else ()
        return {(*self.keys, "segments", name): part for name, part in parts}

    def bare(self) -> dict[tuple[str, ...], str]:
        """Return where base years start that no segment gives, with what is wrong."""
        found = {}
        for need in self._by_segment():
            spent = [self._missing(keys, need) for keys in self.segments]
            if _SPENT in need.fields and spent and all(spent):
                start = at(self.document.value, (*self.keys, *need.start))
                years = f"gives all base years {_listed(need.years)}"
                found[need.start] = f"is {start}; no segment's {need.fields[0]} {years}"
        return found

    def lacks(self) -> Iterator[Lack]:
        """Yield what the ACO lacks of the years that its contracts read."""
        bare = self.bare()
        yield from (((*self.keys, *start), text) for start, text in bare.items())
        needs = [need for need in self._by_segment() if need.start not in bare]
        for keys, need in product(self.segments, needs):
            if years := self._missing(keys, need):
                text = f"lacks {_listed(years)}; {need.why} {_listed(need.years)}"
                yield (*keys, need.fields[0]), text

    def levels(self) -> Iterator[_Level]:
        """Yield the national levels that segments need whose own years are given."""
        spent = [need for need in self._by_segment() if _SPENT in need.fields]
        market = [need for need in self.needs if need.place == "market"]
        whole = [keys for keys in self.segments if not any(self._missing(keys, n) for n in spent)]
        for keys, need in product(whole, market):
            table = need.fields[0]
            key = _key(keys[-1], self.segments[keys], table)
            yield from (_Level(table, need.why, key, year) for year in need.years)

    def _by_segment(self) -> list[History]:
        return [need for need in self.needs if need.place == "segment"]

    def _missing(self, keys: Keys, need: History) -> list[int]:
        """Return the years that no field gives; none where a field is wrong in itself."""
        held = self.segments[keys]
        channel = held.get("channel", "claims") if isinstance(held, dict) else "claims"
        if need.channels and channel not in need.channels:
            return []
        paths = [(*keys, field) for field in need.fields]
        tables = [at(self.document.value, path) for path in paths]
        given = [table for table in tables if isinstance(table, dict)]
        wrong = any(not isinstance(table, dict | None) for table in tables)
        absent = not given and need.fields[0] in _REQUIRED
        if wrong or absent or any(_unread(self.document, path) for path in paths):
            return []
        return [year for year in need.years if not any(year in table for table in given)]


def choices(scenario: Scenario) -> list[Choice]:
    """Return the choices of a sound scenario, one a contract and performance year."""
    return [
        chosen(scenario, one, year)
        for one in scenario.contracts.values()
        for year in scenario.years
    ]


def chosen(scenario: Scenario, one: ContractChoice, year: int) -> Choice:
    """Return the choice of a contract in a year, with the what-ifs that are about it."""
    option, law = one.option_in(year), year if one.rules_year is None else one.rules_year
    what_ifs = tuple(
        (path.split(".", 3)[3], rule.value, rule.why)
        for path, rule in scenario.rules.items()
        if covers(path, [one.program, str(year), option])
    )
    return Choice(one.program, year, option, one.variant, law, what_ifs)


def covers(path: str, own: Sequence[str]) -> bool:
    """Return whether a what-if on ``program.year.option.term`` is about a contract's own three.

    >>> covers("mssp.*.e.sharing_rate", ["mssp", "2022", "E"])
    True
    """
    parts = path.lower().split(".")
    return all(part in ("*", mine.lower()) for part, mine in zip(parts, own, strict=False))


def lacking(document: Document, choices: Sequence[Choice]) -> list[Mistake]:
    """Return what a scenario does not give of the years that its contracts read.

    What is missing altogether, or of a wrong type, is a mistake of its own and not repeated.
    """
    contracts = [one for choice in dict.fromkeys(choices) if (one := _loaded(choice))]
    population = at(document.value, ("population",))
    found = [
        _Aco(document, ("population", name), _needs(aco, contracts))
        for name, aco in (population.items() if isinstance(population, dict) else ())
        if isinstance(aco, dict) and ("population", name) not in document.unread
    ]
    lacks = [lack for aco in found for lack in aco.lacks()]
    lacks += _levels(document, [level for aco in found for level in aco.levels()])
    return [document.mistake(keys, text) for keys, text in lacks]


def _loaded(choice: Choice) -> Contract | None:
    try:
        return choice.contract()
    except RulesError:
        return None


def _needs(aco: Value, contracts: Sequence[Contract]) -> tuple[History, ...]:
    plain = {str(name): value for name, value in aco.items()} if isinstance(aco, dict) else {}
    years: dict[History, set[int]] = {}
    for need in (need for one in contracts for need in one.history(plain)):
        years.setdefault(need._replace(years=()), set()).update(need.years)
    return tuple(need._replace(years=tuple(sorted(asked))) for need, asked in years.items())


def _unread(document: Document, keys: Keys) -> bool:
    """Return whether something at, below or above a path could not be read."""
    near = ((path, min(len(path), len(keys))) for path in document.unread if path)
    return any(path[:n] == keys[:n] for path, n in near)


def _key(name: str | int, segment: Value, table: str) -> str:
    """Return the key of a table of the market that gives a segment's levels."""
    given = segment if isinstance(segment, dict) else {}
    entitlement = str(given.get("entitlement") or name)
    if table in _BY_TYPE:
        return entitlement
    return Kind(entitlement, given.get("high_needs") is True).categories[-1]


def _levels(document: Document, needed: Sequence[_Level]) -> Iterator[Lack]:
    """Yield national levels that are not given, those that lack the same years together."""
    for table, why in dict.fromkeys((level.table, level.why) for level in needed):
        keys: Keys = ("market", table)
        held = at(document.value, keys)
        if () in document.unread or not isinstance(held, dict | None):
            continue
        of = [level for level in needed if (level.table, level.why) == (table, why)]
        for years, kinds in _alike(document, keys, of).items():
            place = (*keys, kinds[0]) if len(kinds) == 1 else keys
            whose = "" if len(kinds) == 1 else f" for {', '.join(sorted(kinds))}"
            yield place, f"lacks {_listed(years)}{whose}; {why}"


def _alike(
    document: Document, keys: Keys, needed: Sequence[_Level]
) -> Mapping[tuple[int, ...], list[str]]:
    """Return the keys that lack the same years, by those years."""
    found: dict[tuple[int, ...], list[str]] = {}
    for key in dict.fromkeys(level.key for level in needed):
        held = at(document.value, (*keys, key))
        given = held if isinstance(held, dict) else {}
        years = sorted({level.year for level in needed if level.key == key} - given.keys())
        if years and isinstance(held, dict | None) and not _unread(document, (*keys, key)):
            found.setdefault(tuple(years), []).append(key)
    return found


def _listed(years: Sequence[int]) -> str:
    return ", ".join(map(str, years))
