"""A scenario drafted from one row of REACH's public-use file, which prints totals alone.

What the row does not say is assumed so that the expected benchmark is the row's own: the ACO's
history and its region's rate alike cost what the row's benchmark comes to.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from simulator.errors import ScenarioError
from simulator.population.draft import Draft, Row, Tree, aco_name, label, place
from simulator.population.published import Published

__all__ = ["TYPES", "Terms", "draft_reach"]

_TYPES = {"standard": "standard", "new entrant": "new_entrant", "high needs": "high_needs"}
_NEEDED = (
    "persons",
    "benchmark_usd",
    "unadjusted_benchmark_usd",
    "expenditure_usd",
    "quality_score",
    "settlement_usd",
)
_ESRD_SHARE = 0.01
_MONTHS = 12.0
TYPES = tuple(_TYPES.values())
_CATEGORIES = {"aged_disabled": "aged_nondual", "esrd": "esrd"}


@dataclass(frozen=True)
class Terms:
    """What a year's rules and levels say that a draft is made to meet.

    `uspcc_ppy` holds levels by benchmark category and year; `equity_pbpm` the amounts of the top
    and the bottom tier; `history` the base years that each type of ACO is asked for.
    """

    months: float
    discount: float
    quality_withhold: float
    retention_withhold: float
    equity_pbpm: tuple[float, float]
    anchor: int
    history: Mapping[str, tuple[int, ...]]
    scores: Mapping[str, tuple[int, ...]]
    uspcc_ppy: Mapping[str, Mapping[int, float]]


def draft_reach(published: Published, aco_id: str, terms: Terms) -> Draft:
    """Return the scenario of one ACO of a file, whose expected benchmark is the row's.

    Raises ScenarioError if the ACO is not in the file, or its row says too little.
    """
    row = _Totals(published, place(published, aco_id), terms)
    row.check()
    name = aco_name(aco_id)
    tree: Tree = {
        "name": f"{name}-{published.year}",
        "about": row.about(),
        "years": [published.year],
        "population": {name: {**row.aco(), "observed": row.observed()}},
        "market": row.market(),
        "experience": {
            "deviation": {"mean": 0.0},
            "total_quality": {"mean": row.value("quality_score"), "sd": 0.0},
        },
        "contracts": {label(row.option): {"program": "reach", "option": row.option}},
        "sources": row.sources(name),
    }
    return Draft(aco_id, tree, row.comments(name), row.warnings())


@dataclass(frozen=True)
class _Totals(Row):
    """A row that prints the totals of a year, read as the parts of a scenario."""

    terms: Terms

    @property
    def year(self) -> int:
        """Return the performance year."""
        return self.published.year

    @property
    def kind(self) -> str:
        """Return the type of ACO; empty if the row does not name one."""
        word = self.word("kind").casefold().replace("-", " ").replace("_", " ")
        return _TYPES.get(word.removesuffix(" population"), "")

    @property
    def retained(self) -> bool:
        """Return whether a retention withhold was taken."""
        return self.known("retention") and self.value("retention") > 0.0

    def check(self) -> None:
        """Raise ScenarioError for what every scenario needs and the row does not print."""
        faults = [] if self.option else [self.published.option_fault(self.place)]
        faults += [] if self.kind else [self.published.fault("kind", self.place)]
        needed = [*_NEEDED, *(("equity_up_usd", "equity_down_usd") if self.equitable else ())]
        faults += [self.published.fault(c, self.place) for c in needed if not self.known(c)]
        if not math.isfinite(self.published.starts[self.place]):
            faults.append(self.published.fault("start", self.place))
        positive = ("persons", "benchmark_usd", "unadjusted_benchmark_usd", "expenditure_usd")
        faults += [
            self.published.fault(c, self.place)
            for c in positive
            if self.known(c) and not self.value(c) > 0.0
        ]
        if faults:
            raise ScenarioError([f"{self.word('aco_id')}: {fault}" for fault in faults])

    @property
    def equitable(self) -> bool:
        """Return whether the year's rules adjust for health equity."""
        return any(self.terms.equity_pbpm)

    @cached_property
    def equity_usd(self) -> tuple[float, float]:
        """Return what the equity adjustment added, and what it took (0 or more)."""
        if not self.equitable:
            return 0.0, 0.0
        return abs(self.value("equity_up_usd")), abs(self.value("equity_down_usd"))

    @cached_property
    def before_discount_usd(self) -> float:
        """Return the benchmark before discount from which the final one comes by the rules."""
        up, down = self.equity_usd
        withheld = self.terms.quality_withhold * (1.0 - self.value("quality_score"))
        withheld += self.terms.retention_withhold * self.retained
        left = (1.0 - self.terms.discount) * (1.0 - withheld)
        return (self.value("benchmark_usd") - up + down) / left

    @cached_property
    def trend(self) -> float:
        """Return the retrospective trend: what the unadjusted benchmark is multiplied by."""
        return self.before_discount_usd / self.value("unadjusted_benchmark_usd")

    @cached_property
    def people(self) -> dict[str, float]:
        """Return person-years of the performance year by benchmark category."""
        total = self.value("persons") * self.terms.months / _MONTHS
        esrd = round(total * _ESRD_SHARE, 4)
        return {"aged_disabled": round(total - esrd, 4), "esrd": esrd}

    def level(self, category: str, year: int) -> float:
        """Return the nation's level in a year."""
        return self.terms.uspcc_ppy[category][year]

    def of_level(self, usd: float) -> float:
        """Return an amount over what these people cost at the nation's levels."""
        return usd / sum(n * self.level(c, self.year) for c, n in self.people.items())

    def aco(self) -> Tree:
        """Return the ACO without what was observed."""
        return {
            "agreement": {"start": int(self.published.starts[self.place])},
            "reach": self.reach(),
            "persons": {self.year: self.value("persons")},
            "segments": {
                _CATEGORIES[category]: self.segment(category) for category in self.people
            },
        }

    def reach(self) -> Tree:
        """Return the type, and how the ACO was paid during the year."""
        word = self.word("capitation").casefold()
        return {
            "type": self.kind,
            "first_year": int(self.published.starts[self.place]),
            "base_persons": self.value("persons"),
            "retention_withheld": self.retained,
            "capitation": word if word in ("pcc", "tcc") else "pcc",
            "capitated_share": self.part("capitation_usd", "expenditure_usd"),
            "enhanced_pcc_share": self.part("enhanced_usd", "benchmark_usd"),
            **self.equity(),
        }

    def part(self, column: str, whole: str) -> float:
        """Return one amount as a share of another; 0 where the row does not print it."""
        return round(self.value(column) / self.value(whole), 6) if self.known(column) else 0.0

    def equity(self) -> Tree:
        """Return shares of months by tier that come to the row's amounts."""
        if not self.equitable:
            return {}
        months = sum(self.people.values()) * _MONTHS
        shares = [
            usd / (months * abs(pbpm)) if pbpm else 0.0
            for usd, pbpm in zip(self.equity_usd, self.terms.equity_pbpm, strict=True)
        ]
        top, bottom = (round(share, 9) for share in shares)
        between = {"second": 0.0, "third": 0.0, "middle": round(1.0 - top - bottom, 9)}
        return {"equity": {"top": top, **between, "bottom": bottom}}

    def segment(self, category: str) -> Tree:
        """Return the people of a benchmark category: history and rate at the benchmark's level."""
        rate = self.of_level(self.before_discount_usd / self.trend)
        cost, last = self.of_level(self.spent_usd), self.year - 1
        bases = self.terms.history[self.kind]
        years = sorted({*bases, *self.terms.scores[self.kind], last, self.year})
        # What is spent moves with the nation, whose last year the retrospective trend changes.
        before = cost / self.trend * self.level(category, last)
        spent = {year: round(rate * self.level(category, year), 2) for year in bases}
        return {
            "person_years": dict.fromkeys(years, self.people[category]),
            "expenditure_ppy": dict(sorted({**spent, last: round(before, 2)}.items())),
            "risk_score": dict.fromkeys(years, 1.0),
            "rate_book_ppy": {self.year: round(rate * self.level(category, self.year), 2)},
        }

    @property
    def spent(self) -> str:
        """Return the column of the total cost of care: after stop-loss where it is printed."""
        return "net_expenditure_usd" if self.known("net_expenditure_usd") else "expenditure_usd"

    @property
    def spent_usd(self) -> float:
        """Return the total cost of care."""
        return self.value(self.spent)

    def market(self) -> Tree:
        """Return what the nation turned out to cost: as forecast, but for the last year."""
        actual: Tree = {
            category: {
                year: level if year < self.year else round(level * self.trend, 2)
                for year, level in sorted(levels.items())
                if year <= self.year
            }
            for category, levels in self.terms.uspcc_ppy.items()
        }
        return {"reference_ppy": actual, "projected_from": self.terms.anchor + 1}

    def about(self) -> str:
        """Return who the ACO is."""
        return (
            f"{self.word('aco_id')}, {self.word('name')}: {self.word('kind')} ACO of "
            f"{self.value('persons'):,} beneficiaries in performance year {self.year}, "
            f"{self.option}."
        )

    def observed(self) -> Tree:
        """Return what was published of the performance year."""
        return {
            "year": self.year,
            "contract": label(self.option),
            "settlement_usd": self.value("settlement_usd"),
            "benchmark_usd": self.value("benchmark_usd"),
            "expenditure_usd": self.spent_usd,
            "source": self.source(),
        }

    def warnings(self) -> tuple[str, ...]:
        """Return where the row is not of the rules that it is simulated under."""
        if not self.known("discount"):
            return ()
        printed, ruled = self.value("discount"), self.terms.discount
        if math.isclose(printed, ruled, abs_tol=1e-9):
            return ()
        name = self.published.name("discount")
        return (
            f"{name} is {printed:.2%}; the rules of {self.year} have {ruled:.2%}, which counts",
        )

    def sources(self, name: str) -> Tree:
        """Return the source of each figure by path; what is assumed says so."""
        at, of = f"population.{name}", self.published.name
        found: Tree = {
            at: f"{self.source()}.",
            f"{at}.segments": (
                f"assumed: the file does not split people; {_ESRD_SHARE:.0%} have ESRD, and "
                "the rest spend as the aged who are not dual. All are aligned by claims."
            ),
            f"{at}.segments.*.person_years": (
                f"assumed: {of('persons')}, each for all {self.terms.months:g} months, and as "
                "many in every earlier year."
            ),
            f"{at}.segments.*.risk_score": "assumed: 1 in every year, so that no cap binds.",
            f"{at}.segments.*.expenditure_ppy": (
                f"assumed: {of(self.spent)} (after stop-loss, which the scenario therefore does "
                "not elect, where the file prints it so) by category as the USPCC, carried back "
                "one year with the nation; base years at the level of the benchmark."
            ),
            f"{at}.segments.*.rate_book_ppy": (
                f"assumed: such that the expected final benchmark is {of('benchmark_usd')}; by "
                "category as the USPCC."
            ),
            f"{at}.reach.base_persons": "assumed: as many as in the performance year.",
            "market.reference_ppy": (
                "assumed: as the USPCC up to the year before; then such that the retrospective "
                f"trend is {self.trend:.4f}, by which {of('unadjusted_benchmark_usd')} comes to "
                f"the benchmark before discount that {of('benchmark_usd')} and the rules imply."
            ),
            "market.uspcc_ppy": "assumed: the illustrative levels of base/reach_2026.yaml.",
            "market.projected_from": "assumed: forecasts from the year after the trend's anchor.",
            "experience.deviation.mean": "assumed: none, as the row's own cost is expected.",
            "experience.total_quality": f"assumed: the row's {of('quality_score')}, not drawn.",
        }
        if self.equitable:
            found[f"{at}.reach.equity"] = (
                f"assumed: top and bottom tier alone, such that {of('equity_up_usd')} and "
                f"{of('equity_down_usd')} are met."
            )
        return found

    def comments(self, name: str) -> dict[str, str]:
        """Return the column behind each figure, by path."""
        at, named = f"population.{name}", self.published.name
        cost, final = named("expenditure_usd"), named("benchmark_usd")
        return {
            f"{at}.agreement.start": named("start"),
            f"{at}.reach.type": named("kind"),
            f"{at}.reach.first_year": named("start"),
            f"{at}.reach.base_persons": "not in the file",
            f"{at}.reach.retention_withheld": named("retention"),
            f"{at}.reach.capitation": named("capitation"),
            f"{at}.reach.capitated_share": f"{named('capitation_usd')} of {cost}",
            f"{at}.reach.enhanced_pcc_share": f"{named('enhanced_usd')} of {final}",
            f"{at}.persons": named("persons"),
            f"{at}.segments": "assumed; see sources",
            f"{at}.observed": "what happened; the model is not told",
            f"{at}.observed.settlement_usd": named("settlement_usd"),
            f"{at}.observed.benchmark_usd": named("benchmark_usd"),
            f"{at}.observed.expenditure_usd": named(self.spent),
            "experience.total_quality.mean": named("quality_score"),
        }
