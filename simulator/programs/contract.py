"""What every contract is: terms from a rules file, and the stages that settle a world."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, ClassVar, Literal, NamedTuple, Self, TypeAlias, get_type_hints

import numpy as np
import xarray as xr

from simulator.errors import RulesError, SimulatorError
from simulator.programs.rulebook import Leaf, Source, nearest, source, term
from simulator.unlabelled import BareWorld, bare
from simulator.variables import STATEMENT, conform

__all__ = ["Contract", "History", "Limit", "Lines", "Stage", "Step"]

Lines: TypeAlias = dict[str, xr.DataArray]
Method: TypeAlias = Callable[[xr.Dataset, Sequence[xr.Dataset], Lines], Lines]


class Stage(NamedTuple):
    """One step of a settlement; it is passed over if a line of `unless` is already given."""

    method: str
    unless: tuple[str, ...]


class History(NamedTuple):
    """What a contract reads of years before those it settles, and why.

    `place` is ``segment``, where any of `fields` may give a year, or ``market``, whose first field
    is a table by enrolment type or benchmark category; `start` is the field that asks for it;
    `channels` are the ways of alignment that it is about, all if empty.
    """

    place: str
    fields: tuple[str, ...]
    years: tuple[int, ...]
    why: str
    start: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


class Step(NamedTuple):
    """One bar of a waterfall, in whole dollars of a year.

    A change is added to what stands before it; a level says what must stand there by then, and
    every trial is checked against it to half a cent.
    """

    text: str
    usd: str
    kind: Literal["change", "level"] = "change"


class Limit(NamedTuple):
    """A cap, corridor, limit, minimum or withhold: when it binds, and what it is worth then.

    `usd` is what it changes for the ACO in the trials where `when` is true, plus to the ACO: in
    its settlement, or in its benchmark, of which only a share reaches the settlement; what a
    surety does not cover changes neither.
    """

    text: str
    when: str
    usd: str
    of: Literal["settlement", "benchmark", "surety"] = "settlement"


@dataclass(frozen=True, kw_only=True)
class Contract:
    """One option of one program in one performance year: terms, and the arithmetic on them.

    What a program declares as data, so that nothing outside it knows its lines:

    adds_up : (line, expression) that every statement meets
    line_terms : the terms behind a line
    waterfall : the way from the historical benchmark to what changes hands, a Step a bar
    limits : each Limit that may bind, in the order in which it does
    surety : the line with what the ACO must hold (repayment mechanism, financial guarantee)
    asks : parts of a scenario's ACO that must be given
    remembers : the lines of earlier years' statements that a later year's settlement reads

    Expressions are in a statement's lines and in the terms that are plain numbers. A line by
    segment makes an expression by segment, which is then added up (`usd`, where `when` is true) or
    binds if it does for any segment (`when`). A step or limit whose lines a statement does not
    have is passed over; that the others foot without it is checked in every trial.
    """

    program: ClassVar[str]
    needs: ClassVar[frozenset[str]]
    stages: ClassVar[tuple[Stage, ...]]
    adds_up: ClassVar[tuple[tuple[str, str], ...]]
    line_terms: ClassVar[Mapping[str, tuple[str, ...]]]
    waterfall: ClassVar[tuple[Step, ...]] = ()
    limits: ClassVar[tuple[Limit, ...]] = ()
    surety: ClassVar[str] = ""
    # Lines that a stage changes, given or not.
    raised: ClassVar[frozenset[str]] = frozenset()
    asks: ClassVar[tuple[str, ...]] = ()
    remembers: ClassVar[frozenset[str]] = frozenset()

    year: int
    option: str
    elections: Mapping[str, float] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict, repr=False)

    @classmethod
    def load(cls, leaves: Mapping[str, Leaf], where: str, **identity: Any) -> Self:
        """Return the contract that `leaves` describe; they must be exactly the class's terms.

        Raises RulesError naming each term that is lacking, unknown, or of another unit or range.
        """
        terms = cls.terms()
        wrong = [f"{where}: lacks {name}" for name in terms if name not in leaves]
        wrong += [
            f"{where}: {name} is unknown; {nearest(name, terms)}"
            for name in leaves
            if name not in terms
        ]
        if wrong:
            raise RulesError("\n".join(wrong))
        values = {
            name: term(leaf, terms[name], f"{where}: {name}") for name, leaf in leaves.items()
        }
        sources = {name: source(leaf) for name, leaf in leaves.items()}
        return cls(**values, sources=sources, **identity)

    @classmethod
    @cache
    def terms(cls) -> Mapping[str, Any]:
        """Return each term of this program with its declared type."""
        base = {f.name for f in fields(Contract)}
        hints = get_type_hints(cls, include_extras=True)
        return {f.name: hints[f.name] for f in fields(cls) if f.name not in base}

    def cites(self, line: str) -> tuple[str, ...]:
        """Return the terms behind a line, each with its status and citation."""
        return tuple(
            f"{name} [{self.sources[name].status}: {self.sources[name].cite}]"
            for name in self.line_terms.get(line, ())
        )

    def states(self, statement: xr.Dataset, expression: str) -> bool:
        """Return whether a statement has every line that an expression names."""
        known = {str(name) for name in statement.data_vars} | set(self.terms())
        return _names(expression) <= known

    def evaluated(self, statement: xr.Dataset, expression: str) -> xr.DataArray:
        """Return an expression in lines of a statement and in terms that are plain numbers.

        Raises SimulatorError if it names a line that the statement does not have.
        """
        # What is not named is left out: xarray copies every variable that it evaluates among.
        named = _names(expression)
        values = {name: getattr(self, name) for name in named & set(self.terms())}
        plain = {name: value for name, value in values.items() if isinstance(value, float)}
        lines = statement[[str(line) for line in statement.data_vars if line in named]]
        try:
            return xr.DataArray(lines.assign(plain).eval(expression))
        except NameError as error:
            at = f"{self.program} {self.year} {self.option}"
            raise SimulatorError(f"{at}: {expression!r}: {error}") from error

    def cells(self, world: xr.Dataset) -> xr.Dataset:
        """Return the world as this program sees it: its own cells, agreements as of this year."""
        return world

    def history(self, aco: Mapping[str, Any]) -> tuple[History, ...]:
        """Return what must be given of an ACO, and of the market, for the years before.

        Parameters
        ----------
        aco : an ACO as the scenario writes it, of which parts may be wrong or lacking
        """
        return ()

    def notices(self, acos: xr.Dataset, earlier: Sequence["Contract"]) -> list[str]:
        """Return a sentence for each ACO that could not really sign this contract, and why.

        Parameters
        ----------
        acos : Dataset with the attributes of each ACO, (aco,)
        earlier : the contracts of the same track in earlier years
        """
        return []

    def remarks(self, statement: xr.Dataset) -> list[str]:
        """Return what a reader of one statement should know: what bound, what was not settled."""
        return []

    def settle(
        self, world: xr.Dataset, past: Sequence[xr.Dataset] = (), enough: Collection[str] = ()
    ) -> xr.Dataset:
        """Return the statement of one performance year, lines in worksheet order.

        Parameters
        ----------
        world : Dataset (trial, year, aco, segment)
            What happened up to and including this contract's year. A line of the statement found
            in it is taken as given, and the stages that lead to it are passed over.
        past : sequence of Dataset
            The statements of earlier performance years.
        enough : collection of str
            Lines that are enough: where all of them are found, stages that lack an input are left
            out, as are those that rest on them.

        Raises
        ------
        SimulatorError
            If a stage lacks a variable; it names the stage and the variable.
        """
        seen = self.cells(world.reset_coords())
        labels = {dim: seen[dim].values for dim in ("trial", "aco", "segment") if dim in seen.dims}
        # Without labels, sums neither align nor compare them; sizes still must agree.
        seen = seen.drop_vars(labels)
        seen = BareWorld({name: seen.variables[name] for name in seen.variables})
        given: Lines = {str(name): seen[name] for name in seen.data_vars if name in STATEMENT}
        lines, lacking = dict(given), list[SimulatorError]()
        for stage in self.stages:
            if given.keys() & set(stage.unless):
                continue
            try:
                made = self._run(stage.method, seen, past, lines)
            except SimulatorError as error:
                if not enough:
                    raise
                lacking.append(error)
                continue
            self._refuse_contradiction(given, made)
            lines |= made
        if lacking and not lines.keys() >= set(enough):
            raise lacking[0]
        ordered = {name: lines[name].variable for name in STATEMENT if name in lines}
        return conform(xr.Dataset(ordered, {**labels, "year": self.year}), STATEMENT)

    def _refuse_contradiction(self, given: Lines, made: Lines) -> None:
        """Raise SimulatorError for a line that is given and comes out otherwise."""
        for name in made.keys() & given.keys() - self.raised:
            if not bool(np.isclose(made[name], given[name], rtol=1e-9, atol=1e-9).all()):
                raise SimulatorError(
                    f"{self.program} {self.year} {self.option}: {name} is given, but the other "
                    "inputs make it another; give it or them, not both"
                )

    def _run(
        self, stage: str, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines
    ) -> Lines:
        method: Method = getattr(self, stage)
        try:
            return {name: bare(line) for name, line in method(world, past, lines).items()}
        except (KeyError, AttributeError) as error:
            at = f"{self.program} {self.year} {self.option}"
            step = stage.strip("_").replace("_", " ")
            raise SimulatorError(f"{at}: the {step} needs more than is given: {error}") from error


@cache
def _names(expression: str) -> frozenset[str]:
    """Return the words of an expression: lines, terms and functions."""
    return frozenset(re.findall(r"[A-Za-z_]\w*", expression))
