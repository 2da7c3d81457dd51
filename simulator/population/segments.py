"""Who is counted, in expectation: a scenario's people as arrays by year, ACO and segment."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import get_args

import numpy as np
import xarray as xr

from simulator.errors import ScenarioError
from simulator.population.levels import Kind, Levels, carried, curve, national
from simulator.population.stop_loss import elected
from simulator.scenario.schema import (
    Aco,
    Entitlement,
    EquityTiers,
    Market,
    Segment,
)

__all__ = ["project"]

# Both generations of benchmarks start from the three calendar years before the agreement.
_BASE_YEARS = 3
_SEGMENT = ("year", "aco", "segment")
_VARIABLE = -1.0
_SEGMENT_ATTRIBUTES = ("entitlement", "high_needs", "channel")
_SEGMENT_TABLES = (
    "person_years",
    "expenditure_ppy",
    "risk_score",
    "demographic_score",
    "regional_ppy",
    "untruncated_expenditure_ppy",
    "untruncated_regional_ppy",
    "rate_book_ppy",
    "geographic_factor",
    "inferred_risk_score",
    "suspect_billing_share",
    "skin_substitutes_share",
    "assigned_share",
)
_NATIONAL_TABLES = ("national_ppy", "uspcc_ppy", "reference_ppy")
_MARKET_TABLES = (
    *_NATIONAL_TABLES,
    "coding_intensity_factor",
    "truncation_usd",
    "prospective_factor",
)

_LEAD_WORDS = ("start", "entry", "prior_program", "designation")
_LEAD_FIGURES = ("improvement_met", "capitation_margin_ppy", "benefit_cost_ppy")
_CARA_FIGURES = ("target_share", "episode_share", "premium_share", "performance_share")
_UNKNOWN = -1.0

_Arrays = dict[str, tuple[tuple[str, ...], np.ndarray]]


@dataclass(frozen=True)
class _Frame:
    """The axes that every array is built on.

    `span` is each year from the first known to the last, `first` the first performance year.
    """

    acos: tuple[Aco, ...]
    segments: Mapping[str, Segment]
    span: range
    starts: np.ndarray
    first: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return the lengths of (year, aco, segment)."""
        return len(self.span), len(self.acos), len(self.segments)

    @property
    def entitlements(self) -> tuple[str, ...]:
        """Return each segment's enrolment type."""
        return tuple(_entitlement(name, segment) for name, segment in self.segments.items())

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Return what each segment's people are to the market."""
        return tuple(_kind(name, segment) for name, segment in self.segments.items())

    @property
    def agreed(self) -> np.ndarray:
        """Return which years lie behind the last base year: (year, aco, 1)."""
        years = np.arange(self.span.start, self.span.stop)
        return (years[:, None] >= self.starts)[:, :, None]


def project(
    population: Mapping[str, Aco], market: Market, years: Sequence[int], growth: float
) -> xr.Dataset:
    """Return what is expected of every segment, base years and performance years alike.

    Years that the scenario gives stand as they are. Others are carried from the last year given
    (or back from the first): national levels grow by `growth` (between two years given, by what
    lies between them), the region with the nation and,
    from the last base year on, by the ACO's `regional_growth_factor`; expenditure with its
    region and its risk score; person-years by `growth_share`, and are zero before the first year
    given. What is given nowhere is neutral: the region equals the nation, scores are 1,
    expenditure equals the region at the segment's risk, revenue equals all expenditure.
    No year is left out between the first base year, or the first whose expenditure is given, and
    the last performance year, so that every contract finds its base years.
    `last_given_year` is the last year of which the market gives every national level that is no
    forecast; an ACO's `origin` the first year, after those given, that is carried from them.

    Parameters
    ----------
    population : Mapping of ACO id to Aco
    market : Market, national levels by enrolment type
    years : performance years
    growth : share a year, of national levels in years that `market` does not give
    """
    frame = _frame(population, market, years)
    levels = national(market, frame.kinds, frame.span, growth)
    arrays = _people(frame, levels) | levels.arrays
    rows = _years(population, years)
    _complete(population)
    at = np.array(rows) - frame.span.start
    variables = {name: (dims, values[at]) for name, (dims, values) in arrays.items()}
    coordinates = _coordinates(population, frame, rows, years)
    coordinates |= {name: ("aco", held) for name, held in _lead(population).items()}
    coordinates |= {name: ("aco", held) for name, held in _reach(population).items()}
    coordinates["last_given_year"] = _last_given(market)
    variables["reconciled_person_years"] = _reconciled(frame, variables, rows, years)
    variables |= _leaving(population, rows, years) | _advances(population)
    if ranks := _ranks(population):
        coordinates["deprivation_rank"] = ranks
    variables["churn_share"] = ("aco", "segment"), _constant(frame, attrgetter("churn_share"))
    variables["rate_book_phase_share"] = (), np.array(float(market.rate_book_phase))
    variables["given"] = ("year", "aco"), _given_rows(frame, rows)
    layers = elected(population, frame.segments, rows)
    return xr.Dataset(variables | _published(population) | layers, coordinates)


def _years(population: Mapping[str, Aco], years: Sequence[int]) -> tuple[int, ...]:
    """Return each year from the first base year to the last performance year."""
    first = min(aco.agreement.start for aco in population.values()) - _BASE_YEARS
    spent = {year for aco in population.values() for year in _spent(aco)}
    return tuple(range(min({first, *years, *spent}), max(years) + 1))


def _spent(aco: Aco) -> set[int]:
    """Return the years of which an ACO's expenditure is given, for any segment."""
    tables = attrgetter("expenditure_ppy", "untruncated_expenditure_ppy")
    return _keys(table for part in aco.segments.values() for table in tables(part))


def _given_rows(frame: _Frame, rows: Sequence[int]) -> np.ndarray:
    """Return of which years, before the first performance year, spending is given: (year, aco)."""
    known = [[year < frame.first and year in _spent(aco) for aco in frame.acos] for year in rows]
    return np.array(known)


def _last_given(market: Market) -> int:
    if market.projected_from is not None:
        return market.projected_from - 1
    tables = next(table for table in attrgetter(*_NATIONAL_TABLES)(market) if table)
    return min(max(given) for given in tables.values())


def _complete(population: Mapping[str, Aco]) -> None:
    """Refuse counties whose tables have not been read into regional figures."""
    left = [f"population.{name}.counties" for name, aco in population.items() if aco.counties]
    if left:
        raise ScenarioError(
            [f"{path}: are not read; allowed is a scenario filled in" for path in left]
        )


def _frame(population: Mapping[str, Aco], market: Market, years: Sequence[int]) -> _Frame:
    acos = tuple(population.values())
    segments = _segments(population, market)
    known = {*_years(population, years), *_given_years(acos)}
    known |= _keys(by for name in _MARKET_TABLES for by in getattr(market, name).values())
    starts = np.array([aco.agreement.start for aco in acos])
    return _Frame(acos, segments, range(min(known), max(known) + 1), starts, min(years))


def _given_years(acos: Iterable[Aco]) -> set[int]:
    tables = attrgetter(*_SEGMENT_TABLES)
    given = (table for aco in acos for part in aco.segments.values() for table in tables(part))
    whole = attrgetter("persons", "prior_savings_ppy", "reconciled_person_years")
    return _keys(given) | _keys(table for aco in acos for table in whole(aco))


def _keys(tables: Iterable[Mapping[int, float]]) -> set[int]:
    return {year for table in tables for year in table}


def _segments(population: Mapping[str, Aco], market: Market) -> dict[str, Segment]:
    """Return one example of each segment; names must mean the same thing for every ACO."""
    found: dict[str, Segment] = {}
    mistakes = [
        f"population.{aco_id}.segments.{name}: {mistake}"
        for aco_id, aco in population.items()
        for name, segment in aco.segments.items()
        for mistake in _mistakes(name, segment, found.setdefault(name, segment), market)
    ]
    if mistakes:
        raise ScenarioError(mistakes)
    return found


def _mistakes(name: str, segment: Segment, example: Segment, market: Market) -> list[str]:
    entitlement = _entitlement(name, segment)
    if entitlement not in get_args(Entitlement):
        allowed = ", ".join(get_args(Entitlement))
        return [f"entitlement is not given and the name is {name!r}; allowed is {allowed}"]
    tables = {*market.national_ppy, *market.uspcc_ppy, *market.reference_ppy}
    if tables.isdisjoint({entitlement, *_kind(name, segment).categories}):
        return [f"market.national_ppy has no {entitlement}; its national levels are needed"]
    pairs = [(field, _attribute(field, name, segment)) for field in _SEGMENT_ATTRIBUTES]
    return [
        f"{field} is {value!r}; another ACO's {name} has {_attribute(field, name, example)!r}"
        for field, value in pairs
        if value != _attribute(field, name, example)
    ]


def _entitlement(name: str, segment: Segment) -> str:
    return segment.entitlement or name


def _attribute(field: str, name: str, segment: Segment) -> str | bool:
    if field == "entitlement":
        return _entitlement(name, segment)
    return segment.high_needs if field == "high_needs" else segment.channel


def _kind(name: str, segment: Segment) -> Kind:
    return Kind(_entitlement(name, segment), segment.high_needs)


def _given(frame: _Frame, table: Callable[[Segment], Mapping[int, float]]) -> np.ndarray:
    """Return what the scenario gives by year, ACO and segment; not a number where it does not."""
    out = np.full(frame.shape, np.nan)
    column = {name: j for j, name in enumerate(frame.segments)}
    for i, aco in enumerate(frame.acos):
        for name, segment in aco.segments.items():
            for year, value in table(segment).items():
                out[year - frame.span.start, i, column[name]] = value
    return out


def _people(frame: _Frame, levels: Levels) -> _Arrays:
    level, uspcc = levels.expected[:, None], levels.arrays["uspcc_ppy"][1][:, None]
    untruncated = np.isinf(levels.arrays["truncation_usd"][1])[:, None]
    given = {name: _given(frame, attrgetter(name)) for name in _SEGMENT_TABLES}
    factor = np.array([aco.regional_growth_factor for aco in frame.acos])[:, None] ** frame.agreed
    regional = carried(given["regional_ppy"], level * factor)
    risk_score = carried(given["risk_score"], 1.0)
    inferred = carried(given["inferred_risk_score"], 1.0, otherwise=0.0)
    person_years = _person_years(frame)
    spent = _spending(given, untruncated)
    expenditure = carried(spent, regional * risk_score)
    arrays = {
        "person_years": person_years,
        "expenditure_ppy": expenditure,
        "risk_score": risk_score,
        "demographic_score": carried(given["demographic_score"], 1.0),
        "regional_ppy": regional,
        "assigned_share": carried(given["assigned_share"], 1.0, otherwise=0.0),
        "rate_book_ppy": carried(given["rate_book_ppy"], uspcc),
        "geographic_factor": carried(given["geographic_factor"], 1.0),
        "inferred_risk_score": np.where(inferred > 0.0, inferred, risk_score),
        "suspect_billing_share": carried(given["suspect_billing_share"], 1.0, otherwise=0.0),
        "skin_substitutes_share": carried(given["skin_substitutes_share"], 1.0, otherwise=0.0),
    }
    arrays |= _untruncated(given, regional)
    if "untruncated_expenditure_ppy" in arrays:
        both = np.isfinite(spent) & np.isfinite(given["untruncated_expenditure_ppy"])
        arrays["both_given"] = both
    whole = {
        "persons": _persons(frame, person_years.sum(axis=2)),
        "revenue_usd": _revenue(frame, person_years, expenditure),
        "prior_savings_ppy": np.nan_to_num(_by_aco(frame, attrgetter("prior_savings_ppy"))),
    }
    by_segment: _Arrays = {name: (_SEGMENT, values) for name, values in arrays.items()}
    return by_segment | {name: (("year", "aco"), values) for name, values in whole.items()}


def _spending(given: Mapping[str, np.ndarray], untruncated: np.ndarray) -> np.ndarray:
    """Return the spending given: truncated, or before truncation where nothing is truncated."""
    spent, whole = given["expenditure_ppy"], given["untruncated_expenditure_ppy"]
    return np.where(np.isfinite(spent) | ~untruncated, spent, whole)


def _untruncated(given: Mapping[str, np.ndarray], regional: np.ndarray) -> dict[str, np.ndarray]:
    """Return what is known before truncation, if anything; no number where severity must say."""
    spent, levels = given["untruncated_expenditure_ppy"], given["untruncated_regional_ppy"]
    known = {
        "untruncated_expenditure_ppy": spent,
        "untruncated_regional_ppy": carried(levels, regional, otherwise=np.nan),
    }
    return {name: values for name, values in known.items() if np.isfinite(values).any()}


def _constant(frame: _Frame, figure: Callable[[Segment], float]) -> np.ndarray:
    """Return what holds in every year: (aco, segment); zero for a segment that an ACO lacks."""
    out = np.zeros(frame.shape[1:])
    column = {name: j for j, name in enumerate(frame.segments)}
    for i, aco in enumerate(frame.acos):
        for name, segment in aco.segments.items():
            out[i, column[name]] = figure(segment)
    return out


def _person_years(frame: _Frame) -> np.ndarray:
    growth = _constant(frame, attrgetter("growth_share"))
    given = _given(frame, attrgetter("person_years"))
    begun = np.maximum.accumulate(np.isfinite(given), axis=0)
    return carried(given, curve(frame.span, growth), otherwise=0.0) * begun


def _by_aco(frame: _Frame, table: Callable[[Aco], Mapping[int, float]]) -> np.ndarray:
    """Return what the scenario gives by year and ACO; not a number where it does not."""
    out = np.full(frame.shape[:2], np.nan)
    for i, aco in enumerate(frame.acos):
        for year, value in table(aco).items():
            out[year - frame.span.start, i] = value
    return out


def _persons(frame: _Frame, person_years: np.ndarray) -> np.ndarray:
    """Return head-counts (year, aco): as given, else in proportion to person-years."""
    given = _by_aco(frame, attrgetter("persons"))
    level = np.maximum(person_years, 1.0)
    counted = (person_years > 0.0) | np.isfinite(given)
    return carried(given[..., None], level[..., None])[..., 0] * counted


def _reconciled(
    frame: _Frame, variables: _Arrays, rows: Sequence[int], years: Sequence[int]
) -> tuple[tuple[str, ...], np.ndarray]:
    """Return person-years of settled years: as given, else of known savings and simulation."""
    at = np.array(rows) - frame.span.start
    people = variables["person_years"][1].sum(axis=2)
    settled = np.isfinite(_by_aco(frame, attrgetter("prior_savings_ppy")))[at]
    settled |= np.isin(rows, years)[:, None]
    given = _by_aco(frame, attrgetter("reconciled_person_years"))[at]
    known = np.isfinite(given)
    return ("year", "aco"), np.nan_to_num(given) + people * (settled & ~known)


def _revenue(frame: _Frame, person_years: np.ndarray, expenditure: np.ndarray) -> np.ndarray:
    """Return revenue (year, aco): all expenditure, or the part that the first year's figure is."""
    spent = (person_years * expenditure).sum(axis=2)
    first = frame.first - frame.span.start
    people = person_years[first].sum(axis=1)
    given = np.array([np.nan if a.revenue_ppy is None else a.revenue_ppy for a in frame.acos])
    part = given * people / np.maximum(spent[first], 1.0)
    return spent * np.nan_to_num(part, nan=1.0)


def _published(population: Mapping[str, Aco]) -> _Arrays:
    published = {name: aco.historical_benchmark_ppy for name, aco in population.items()}
    values = [value for value in published.values() if value is not None]
    if values and len(values) < len(published):
        without = next(name for name, value in published.items() if value is None)
        raise ScenarioError(
            f"population.{without}: historical_benchmark_ppy is missing; allowed is a published "
            "benchmark for every ACO or for none"
        )
    return {"published_benchmark_ppy": (("aco",), np.array(values, dtype=float))} if values else {}


def _leaving(population: Mapping[str, Aco], rows: Sequence[int], years: Sequence[int]) -> _Arrays:
    """Return each ACO's chance to leave in a year and the month; none where no ACO can."""
    plans = [aco.termination for aco in population.values()]
    if not any(plans):
        return {}
    chance = [
        [
            plan.chance if plan and year in years and plan.year in (None, year) else 0.0
            for plan in plans
        ]
        for year in rows
    ]
    month = [plan.month or 0 if plan else 0 for plan in plans]
    return {
        "termination_chance": (("year", "aco"), np.array(chance)),
        "termination_month": (("aco",), np.array(month, dtype=float)),
    }


def _leaves(aco: Aco) -> str:
    return aco.termination.kind if aco.termination else "involuntary"


def _ranks(population: Mapping[str, Aco]) -> list[int]:
    return sorted({rank for aco in population.values() for rank in aco.advance_payments})


def _advances(population: Mapping[str, Aco]) -> _Arrays:
    """Return people by rank of deprivation, of ACOs that take advance investment payments."""
    ranks = _ranks(population)
    if not ranks:
        return {}
    shares = [[aco.advance_payments.get(r, 0.0) for r in ranks] for aco in population.values()]
    return {"deprivation_share": (("aco", "deprivation_rank"), np.array(shares))}


def _coordinates(
    population: Mapping[str, Aco], frame: _Frame, rows: tuple[int, ...], years: Sequence[int]
) -> dict[str, object]:
    parts = frame.segments.values()
    return {
        "year": list(rows),
        "aco": list(population),
        "segment": list(frame.segments),
        "performance": ("year", [year in years for year in rows]),
        "entitlement": ("segment", list(frame.entitlements)),
        "high_needs": ("segment", [part.high_needs for part in parts]),
        "channel": ("segment", [part.channel for part in parts]),
        "origin": ("aco", [_origin(aco, frame.first) for aco in frame.acos]),
    } | {name: ("aco", values) for name, values in _attributes(frame.acos).items()}


def _origin(aco: Aco, first: int) -> int:
    """Return the first year that is carried from what is given."""
    return max((year + 1 for year in _spent(aco) if year < first), default=aco.agreement.start)


def _attributes(acos: Sequence[Aco]) -> dict[str, list[object]]:
    return {
        "agreement_start": [aco.agreement.start for aco in acos],
        "agreement_number": [aco.agreement.number for aco in acos],
        "regional_agreement_number": [_regional_number(aco) for aco in acos],
        "agreement_kind": [aco.agreement.kind for aco in acos],
        "agreement_experience": [aco.agreement.experience for aco in acos],
        "revenue_class": [aco.revenue_class for aco in acos],
        "region": [aco.region for aco in acos],
        "assignment": [aco.elections.assignment for aco in acos],
        "elected_minimum_savings": [_elected(aco) for aco in acos],
        "low_income_share": [float(aco.low_income_share) for aco in acos],
        "dual_share": [_dual_share(aco) for aco in acos],
        "aip_balance_usd": [float(aco.aip_balance_usd) for aco in acos],
        "one_sided_years_before": [aco.agreement.one_sided_years for aco in acos],
        "termination_kind": [_leaves(aco) for aco in acos],
        **_charges(acos),
    }


def _lead(population: Mapping[str, Aco]) -> dict[str, list[object]]:
    """Return what LEAD asks of each ACO, if it is given: of every one or of none."""
    given = {name: aco.lead for name, aco in population.items()}
    known = [lead for lead in given.values() if lead is not None]
    if known and len(known) < len(given):
        without = next(name for name, lead in given.items() if lead is None)
        raise ScenarioError(
            f"population.{without}: lead is missing; allowed is `lead` for every ACO or for none"
        )
    made = {f"lead_{name}": [getattr(lead, name) for lead in known] for name in _LEAD_WORDS}
    for name in _LEAD_FIGURES:
        made[f"lead_{name}"] = [float(getattr(lead, name)) for lead in known]
    for name in _CARA_FIGURES:
        made[f"lead_cara_{name}"] = [float(getattr(one.cara, name, 0.0)) for one in known]
    return made if known else {}


_REACH_FIGURES = (
    "capitated_share",
    "enhanced_pcc_share",
    "advanced_payment_share",
    "advanced_payment_claims_share",
    "provisional_settlement",
    "high_performers_share",
)


def _reach(population: Mapping[str, Aco]) -> dict[str, list[object]]:
    """Return what REACH asks of each ACO, if it is given: of every one or of none."""
    given = {name: aco.reach for name, aco in population.items()}
    known = [reach for reach in given.values() if reach is not None]
    if known and len(known) < len(given):
        without = next(name for name, reach in given.items() if reach is None)
        raise ScenarioError(
            f"population.{without}: reach is missing; allowed is `reach` for every ACO or for none"
        )
    made: dict[str, list[object]] = {
        "reach_type": [one.type for one in known],
        "reach_first_year": [one.first_year for one in known],
        "reach_capitation": [one.capitation for one in known],
        "reach_base_persons": [_or_unknown(one.base_persons) for one in known],
        "fee_reduction_share": [_or_unknown(one.fee_reduction_share) for one in known],
        "retention_withheld": [_or_unknown(one.retention_withheld) for one in known],
        **{n: [float(getattr(one, n)) for one in known] for n in _REACH_FIGURES},
        **{
            f"equity_{tier}_share": [float(getattr(one.equity, tier)) for one in known]
            for tier in EquityTiers.model_fields
        },
    }
    return made if known else {}


def _charges(acos: Sequence[Aco]) -> dict[str, list[object]]:
    """Return who elected stop-loss, and what it charges."""
    elections = [aco.stop_loss for aco in acos]
    return {
        "stop_loss_elected": [float(one is not None) for one in elections],
        "stop_loss_charge_ppy": [
            float(one.charge_ppy or 0.0) if one else 0.0 for one in elections
        ],
        "stop_loss_charge_share": [
            float(one.charge_share or 0.0) if one else 0.0 for one in elections
        ],
        "stop_loss_neutrality_factor": [
            float(one.neutrality_factor) if one else 1.0 for one in elections
        ],
    }


def _or_unknown(value: float | None) -> float:
    return _UNKNOWN if value is None else float(value)


def _regional_number(aco: Aco) -> int:
    given = aco.agreement.regional_number
    return aco.agreement.number if given is None else given


def _elected(aco: Aco) -> float:
    chosen = aco.elections.minimum_savings
    return _VARIABLE if chosen == "variable" else float(chosen)


def _dual_share(aco: Aco) -> float:
    """Return the dual share: as given, else that of aged duals in the last base year."""
    if aco.dual_share is not None:
        return float(aco.dual_share)
    last = aco.agreement.start - 1
    counts = {
        name: (_entitlement(name, segment), segment.person_years.get(last, 0.0))
        for name, segment in aco.segments.items()
    }
    total = sum(count for _, count in counts.values())
    dual = sum(count for kind, count in counts.values() if kind == "aged_dual")
    return float(dual / total) if total else 0.0
