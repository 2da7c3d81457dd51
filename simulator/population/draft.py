"""A scenario drafted from one row of a public-use file: what the row says, and no more."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TypeGuard, get_args

from simulator.errors import ScenarioError
from simulator.loading import dump
from simulator.population.cells import one_line
from simulator.population.columns import YEARS
from simulator.population.published import Published
from simulator.scenario.schema import Entitlement

__all__ = ["Draft", "Row", "Tree", "aco_name", "draft", "label", "place"]

Tree = dict[str | int, object]

# 42 CFR 425.605(b)(2): ACOs under two-sided risk choose up to 2%; rates by size are no lower.
_LARGEST_ELECTION = 0.02
# The share of revenue in expenditure that a low-revenue ACO is given: the file says under 35%.
_LOW_REVENUE = 0.30
_ASSIGNED_SHARE = 0.05
_KINDS = {"initial": "initial", "renewal": "renewal", "reentering": "reentering"}
_NEEDED = {"person_years": YEARS[2:], "expenditure_ppy": YEARS[:3], "risk_score": YEARS}


@dataclass(frozen=True)
class Draft:
    """A scenario as plain values, a comment by path, and what the user should know or add."""

    aco_id: str
    tree: Tree
    comments: Mapping[str, str]
    warnings: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the scenario's name."""
        return str(self.tree["name"])

    def text(self) -> str:
        """Return the scenario as commented YAML."""
        parts = [_lines({key: value}, self.comments, "", "") for key, value in self.tree.items()]
        blocks = ["\n".join(part) for part in parts]
        warned = "".join(f"# {warning}\n" for warning in self.warnings)
        return warned + "\n\n".join(blocks) + "\n"


def draft(published: Published, aco_id: str) -> Draft:
    """Return the scenario of one ACO of a file.

    A segment of which the row does not print every figure is left out, as `sources` say. Raises
    ScenarioError if the ACO is not in the file, or its row says too little for any scenario.
    """
    row = _Years(published, place(published, aco_id))
    row.check()
    segments = {kind: row.segment(kind) for kind in get_args(Entitlement)}
    complete = {kind: held for kind, held in segments.items() if held}
    if not complete:
        raise ScenarioError([f"{aco_id}: {kind} is {gap}" for kind, gap in row.gaps.items()])
    name = aco_name(aco_id)
    tree: Tree = {
        "name": f"{name}-{published.year}",
        "about": row.about(),
        "years": [published.year],
        "population": {
            name: {**row.aco(), "segments": complete, "observed": row.observed(complete)}
        },
        "experience": {"quality": {"mean": row.value("quality_score")}},
        "sources": row.sources(name),
    }
    return Draft(aco_id, tree, row.comments(name), ())


def aco_name(aco_id: str) -> str:
    """Return an identifier as the name of an ACO in a scenario."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", aco_id).lstrip("_-").lower() or "aco"


def place(published: Published, aco_id: str) -> int:
    """Return the row of an ACO. Raises ScenarioError unless it has exactly one."""
    found = published.places.get(aco_id, ())
    if len(found) == 1:
        return found[0]
    column = f"{published.file}: {published.name('aco_id')}"
    if found:
        lines = ", ".join(str(published.lines[row]) for row in found)
        raise ScenarioError(f"{column} {aco_id} is on lines {lines}; one row is needed")
    close = get_close_matches(aco_id, published.places, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise ScenarioError(f"{column} has no {aco_id!r}{hint}")


@dataclass(frozen=True)
class Row:
    """One row of a file, whatever its program."""

    published: Published
    place: int

    def value(self, column: str) -> int | float:
        """Return a figure of the row, whole where it is printed whole."""
        figure = float(self.published.figures(column)[self.place])
        return int(figure) if figure.is_integer() else round(figure, 10)

    def known(self, column: str) -> bool:
        """Return whether the row prints a figure."""
        return math.isfinite(self.published.figures(column)[self.place])

    def word(self, column: str) -> str:
        """Return a cell as it is printed, on one line."""
        return one_line(self.published.texts(column)[self.place])

    @property
    def option(self) -> str:
        """Return the level or track of the row."""
        return self.published.options[self.place]

    def source(self) -> str:
        """Return where the figures come from."""
        return f"CMS public-use file PY{self.published.year}, row {self.word('aco_id')}"


@dataclass(frozen=True)
class _Years(Row):
    """A row that prints base years by enrolment type, read as the parts of a scenario."""

    gaps: dict[str, str] = field(default_factory=dict)

    @property
    def two_sided(self) -> bool:
        """Return whether the row's level shares losses."""
        return self.word("risk_model").casefold().startswith("two")

    @property
    def years(self) -> dict[str, int]:
        """Return the calendar years of the three base years and of the performance year."""
        start = int(self.published.starts[self.place])
        return dict(
            zip(YEARS, (start - 3, start - 2, start - 1, self.published.year), strict=True)
        )

    def check(self) -> None:
        """Raise ScenarioError for what every scenario needs and the row does not print."""
        faults = [] if self.option else [self.published.option_fault(self.place)]
        needed = ("persons", "historical_benchmark_ppy", "settlement_usd", "quality_score")
        faults += [self.published.fault(c, self.place) for c in needed if not self.known(c)]
        if not math.isfinite(self.published.starts[self.place]):
            faults.append(self.published.fault("start", self.place))
        if faults:
            raise ScenarioError([f"{self.word('aco_id')}: {fault}" for fault in faults])

    def about(self) -> str:
        """Return who the ACO is."""
        return (
            f"{self.word('aco_id')}, {self.word('name')}: {self.value('persons'):,} beneficiaries "
            f"in performance year {self.published.year}, {self.option}."
        )

    def aco(self) -> Tree:
        """Return the ACO without its segments."""
        return {
            "agreement": self.agreement(),
            "elections": self.elections(),
            **self.revenue(),
            "region": aco_name(self.word("aco_id")),
            "historical_benchmark_ppy": self.value("historical_benchmark_ppy"),
            "persons": {self.published.year: self.value("persons")},
            **self.balance(),
            **self.prior_savings(),
        }

    def agreement(self) -> Tree:
        """Return the agreement period, as far as the row tells."""
        kind = self.word("agreement_kind").casefold().replace("-", "")
        number = self.value("agreement_number") if self.known("agreement_number") else 1
        return {
            "start": int(self.published.starts[self.place]),
            "number": number,
            "kind": _KINDS.get(kind, "initial"),
            "experience": "experienced" if self.two_sided else "inexperienced",
        }

    def elections(self) -> Tree:
        """Return the elected MSR, where it is one, and the assignment."""
        elected = self.two_sided and self.known("minimum_savings_share")
        printed = self.value("minimum_savings_share") if elected else math.inf
        prospective = self.word("assignment").casefold().startswith("prosp")
        return {
            "minimum_savings": printed if printed <= _LARGEST_ELECTION else "variable",
            "assignment": "prospective" if prospective else "retrospective",
        }

    def revenue(self) -> Tree:
        """Return the revenue class, and a revenue for a low one."""
        if not self.word("revenue_class").casefold().startswith("low"):
            return {"revenue_class": "high"}
        if not self.known("expenditure_ppy"):
            return {"revenue_class": "low"}
        return {
            "revenue_class": "low",
            "revenue_ppy": int(round(_LOW_REVENUE * self.value("expenditure_ppy"), -2)),
        }

    def balance(self) -> Tree:
        """Return the advance investment payments outstanding, if any."""
        known = self.known("aip_balance_usd") and self.value("aip_balance_usd") > 0.0
        return {"aip_balance_usd": self.value("aip_balance_usd")} if known else {}

    def prior_savings(self) -> Tree:
        """Return gross savings per person-year of the year itself, which a renewal looks back to.

        They do not count while the year is simulated.
        """
        columns = ("benchmark_usd", "expenditure_usd", "person_years")
        if not all(map(self.known, columns)) or not self.value("person_years") > 0.0:
            return {}
        benchmark, spent, people = map(self.value, columns)
        year = self.published.year
        return {
            "prior_savings_ppy": {year: round((benchmark - spent) / people, 2)},
            "reconciled_person_years": {year: people},
        }

    def segment(self, kind: str) -> Tree:
        """Return one enrolment type; empty if the row does not print every figure of it."""
        columns = {
            (figure, year): f"{figure}.{kind}.{year}"
            for figure, years in _NEEDED.items()
            for year in years
        }
        gaps = [column for column in columns.values() if not self.known(column)]
        if gaps:
            faults = "; ".join(self.published.fault(column, self.place) for column in gaps[:2])
            more = f" and {len(gaps) - 2} more" if len(gaps) > 2 else ""
            self.gaps[kind] = f"left out: {faults}{more}"
            return {}
        held: Tree = {
            figure: {self.years[year]: self.value(columns[figure, year]) for year in years}
            for figure, years in _NEEDED.items()
        }
        shares: Tree = {"assigned_share": {self.years["BY3"]: _ASSIGNED_SHARE}}
        return {**held, **self.demographic(kind), **shares}

    def demographic(self, kind: str) -> Tree:
        """Return demographic scores of one enrolment type, in files that print them."""
        columns = {year: f"demographic_score.{kind}.{year}" for year in YEARS[2:]}
        if not all(map(self.known, columns.values())):
            return {}
        scores = {self.years[year]: self.value(column) for year, column in columns.items()}
        return {"demographic_score": scores}

    def observed(self, segments: Iterable[str]) -> Tree:
        """Return what was published of the performance year, by segment for those given."""
        plain = ("settlement_usd", "benchmark_usd", "expenditure_usd", "updated_benchmark_ppy")
        spent = {kind: f"expenditure_ppy.{kind}.PY" for kind in segments}
        return {
            "year": self.published.year,
            "contract": label(self.option),
            **{column: self.value(column) for column in plain if self.known(column)},
            "expenditure_ppy": {
                kind: self.value(column) for kind, column in spent.items() if self.known(column)
            },
            "source": self.source(),
        }

    def sources(self, name: str) -> Tree:
        """Return the source of each figure by path; what is assumed says so."""
        at, assumed = f"population.{name}", "Assumed: the file does not say"
        return {
            at: f"{self.source()}.",
            f"{at}.agreement.experience": f"{assumed}; taken from its one- or two-sided level.",
            f"{at}.revenue_ppy": f"{assumed}; {_LOW_REVENUE:.0%} of expenditure if revenue is low "
            "(under 35% of it), all of it if high. It decides the loss limits of Levels C to E.",
            f"{at}.segments.*.assigned_share": f"{assumed}.",
            **{f"{at}.segments.{k}": f"{g[0].upper()}{g[1:]}." for k, g in self.gaps.items()},
            "experience.quality.mean": f"The row's own {self.published.name('quality_score')}.",
        }

    def comments(self, name: str) -> dict[str, str]:
        """Return the column behind each figure, by path."""
        at, named = f"population.{name}", self.published.name
        return {
            f"{at}.agreement.start": f"{named('start')} {self.word('start')}",
            f"{at}.agreement.number": named("agreement_number"),
            f"{at}.agreement.kind": named("agreement_kind"),
            f"{at}.agreement.experience": "not in the file",
            f"{at}.elections.minimum_savings": (
                f"{named('minimum_savings_share')} {self.word('minimum_savings_share')}"
            ),
            f"{at}.elections.assignment": named("assignment"),
            f"{at}.revenue_class": named("revenue_class"),
            f"{at}.revenue_ppy": "not in the file",
            f"{at}.historical_benchmark_ppy": named("historical_benchmark_ppy"),
            f"{at}.regional_growth_factor": (
                f"solved: the expected updated benchmark is {named('updated_benchmark_ppy')}"
            ),
            f"{at}.persons": named("persons"),
            f"{at}.aip_balance_usd": named("aip_balance_usd"),
            f"{at}.prior_savings_ppy": "of a settled year: counts once that year is not simulated",
            f"{at}.segments": "N_AB_Year_*, Per_Capita_Exp_ALL_*, CMS_HCC_RiskScore_*, BY1 to PY",
            f"{at}.observed": "what happened; the model is not told",
            f"{at}.observed.settlement_usd": named("settlement_usd"),
            f"{at}.observed.benchmark_usd": named("benchmark_usd"),
            f"{at}.observed.expenditure_usd": named("expenditure_usd"),
            f"{at}.observed.updated_benchmark_ppy": named("updated_benchmark_ppy"),
            "experience.quality.mean": named("quality_score"),
        }


def label(option: str) -> str:
    """Return the name that scenarios give to a contract of an option.

    >>> label("E"), label("ENHANCED"), label("TRACK1PLUS")
    ('level_e', 'enhanced', 'track1plus')
    """
    return f"level_{option.lower()}" if len(option) == 1 else option.lower()


def _lines(tree: Tree, comments: Mapping[str, str], at: str, indent: str) -> Iterator[str]:
    """Yield a mapping as YAML, short ones on one line, with the comments by path."""
    for name, value in tree.items():
        path = f"{at}.{name}" if at else str(name)
        comment = f"  # {comments[path]}" if path in comments else ""
        if _nested(value, comments, path):
            yield f"{indent}{name}:{comment}"
            yield from _lines(value, comments, path, f"{indent}  ")
        else:
            first, *more = dump({name: value}).splitlines()
            yield from (f"{indent}{line}" for line in (f"{first}{comment}", *more))


def _nested(value: object, comments: Mapping[str, str], path: str) -> TypeGuard[Tree]:
    """Return whether a value takes lines of its own: a mapping of mappings, or commented."""
    if not isinstance(value, Mapping) or not value:
        return False
    deep = any(isinstance(held, Mapping) for held in value.values())
    return deep or any(f"{path}.{key}" in comments for key in value)
