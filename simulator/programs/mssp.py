"""The Medicare Shared Savings Program: one option in one performance year."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import xarray as xr

from simulator import benchmark as expected
from simulator import settlement as paid
from simulator.benchmark import Years, in_year, known
from simulator.participation import agreement_in
from simulator.programs.contract import Contract, History, Limit, Lines, Stage, Step
from simulator.terms import ByKind, Knots
from simulator.units import Persons, Ratio, Share, Unit, Usd, Words

__all__ = ["Mssp"]

Dollars = Annotated[float, Unit("usd", 0.0, 1e9)]
YearCount = Annotated[float, Unit("years", 0.0, 10.0)]
ShareByKind = Annotated[ByKind, Unit("share", 0.0, 1.0)]
YearsByKind = Annotated[ByKind, Unit("years", 0.0, 10.0)]
PersonsByKind = Annotated[ByKind, Unit("persons", 0.0, 1e9)]
UsdByKind = Annotated[ByKind, Unit("usd", 0.0, 1e6)]
ReadingByKind = Annotated[ByKind, Unit("reading", 0.0, 0.0)]
ShareKnots = Annotated[Knots, Unit("share", 0.0, 1.0)]

_TIE = 1e-9
_SOMEBODY = 1e-9
# 42 CFR 425.601 and 425.652: the three calendar years before the agreement.
_BASE_YEARS = 3
_QUARTERS = 4.0
_BENCHMARK = ("benchmark_usd",)
_UPDATED = ("updated_benchmark_ppy", "total_updated_benchmark_ppy", *_BENCHMARK)
_HISTORY = ("historical_benchmark_ppy", *_UPDATED)


@dataclass(frozen=True, kw_only=True)
class Mssp(Contract):
    """One option of the Shared Savings Program in one performance year.

    The statement follows CMS's financial reconciliation report: historical benchmark (base years
    trended and risk adjusted, regional adjustment or the largest of three), risk ratio, update
    factor, updated benchmark, totals, minimum savings and loss rates, sharing with quality,
    sequestration, performance payment limit, loss sharing limit, extreme and uncontrollable
    circumstances.

    Not modelled: an ACO's own people as part of its region; adjustments of the benchmark for
    changed participant lists; prepaid shared savings (cash only); mean quality scores in place
    of an affected ACO's own before PY2021; repayment of advances by an ACO that leaves; the
    health equity bonus and the complex organisation adjustment (the quality score given holds
    them).
    """

    program: ClassVar[str] = "mssp"
    needs: ClassVar[frozenset[str]] = frozenset(
        {
            "truncated_expenditure_ppy",
            "person_years",
            "persons",
            "risk_score",
            "demographic_score",
            "national_ppy",
            "regional_ppy",
            "assigned_share",
            "quality_score",
            "outcome_quality_met",
            "revenue_usd",
            "circumstances_share",
        }
    )
    stages: ClassVar[tuple[Stage, ...]] = (
        Stage("_trended_benchmark", ("trended_benchmark_ppy", *_HISTORY)),
        Stage("_regional_adjustment", ("regional_adjustment_ppy", "adjustment_ppy", *_HISTORY)),
        Stage("_historical_benchmark", _HISTORY),
        Stage("_risk_ratio", ("risk_ratio_factor", *_UPDATED)),
        Stage("_update_factor", ("update_factor", *_UPDATED)),
        Stage("_updated_benchmark", _BENCHMARK),
        Stage("_expenditure", ("expenditure_usd", "gross_savings_usd")),
        Stage("_guardrail", ("gross_savings_usd",)),
        Stage("_gross_savings", ("gross_savings_usd",)),
        Stage("_minimums", ("minimum_savings_usd",)),
        Stage("_quality", ()),
        Stage("_rates", ()),
        Stage("_shared_savings", ("settlement_usd",)),
        Stage("_shared_losses", ("settlement_usd",)),
        Stage("_advances", ("settlement_usd",)),
        Stage("_settlement", ("settlement_usd",)),
    )
    raised: ClassVar[frozenset[str]] = frozenset({"benchmark_usd"})
    remembers: ClassVar[frozenset[str]] = frozenset(
        {"gross_savings_usd", "total_person_years", "aip_payment_usd", "aip_recoupment_usd"}
    )
    adds_up: ClassVar[tuple[tuple[str, str], ...]] = (
        ("gross_savings_usd", "benchmark_usd - expenditure_usd"),
        ("gross_savings_usd", "shared_savings_usd + shared_losses_usd + unshared_usd"),
        (
            "settlement_usd",
            "shared_savings_usd + sequestration_usd + over_limit_usd + shared_losses_usd"
            " + loss_limit_relief_usd + circumstances_relief_usd + termination_relief_usd",
        ),
        ("payment_usd", "settlement_usd + aip_recoupment_usd"),
    )
    waterfall: ClassVar[tuple[Step, ...]] = (
        Step(
            "Base years, trended and risk adjusted",
            "trended_benchmark_ppy * base_person_years_share * total_person_years",
        ),
        Step(
            "Regional, prior savings or population adjustment",
            "adjustment_ppy * base_person_years_share * total_person_years",
        ),
        Step(
            "Historical benchmark",
            "total_historical_benchmark_ppy * total_person_years",
            "level",
        ),
        Step(
            "Change of enrolment mix",
            "historical_benchmark_ppy * (person_years_share - base_person_years_share)"
            " * total_person_years",
        ),
        Step(
            "Risk ratio, as capped",
            "historical_benchmark_ppy * (risk_ratio_factor - 1) * person_years_share"
            " * total_person_years",
        ),
        Step(
            "Update to the performance year",
            "historical_benchmark_ppy * risk_ratio_factor * (update_factor - 1)"
            " * person_years_share * total_person_years",
        ),
        Step("Guardrail", "guardrail_usd"),
        Step("Updated benchmark", "benchmark_usd", "level"),
        Step("Expenditure", "-expenditure_usd"),
        Step("Gross savings or losses", "gross_savings_usd", "level"),
        Step(
            "Nothing shared: minimum rate, one side or quality",
            "-unshared_usd * ((sharing_share == 0) & (loss_share == 0))",
        ),
        Step(
            "Medicare's share",
            "-unshared_usd * ((sharing_share > 0) | (loss_share > 0))",
        ),
        Step(
            "Shared savings or losses",
            "shared_savings_usd + shared_losses_usd",
            "level",
        ),
        Step("Sequestration", "sequestration_usd"),
        Step("Performance payment limit", "over_limit_usd"),
        Step("Loss sharing limit", "loss_limit_relief_usd"),
        Step("Extreme and uncontrollable circumstances", "circumstances_relief_usd"),
        Step("Months after termination", "termination_relief_usd"),
        Step("Settlement", "settlement_usd", "level"),
        Step("Advance investment payments taken back", "aip_recoupment_usd"),
        Step("Payment", "payment_usd", "level"),
    )
    limits: ClassVar[tuple[Limit, ...]] = (
        Limit(
            "Caps and offset of the regional adjustment",
            "(adjustment_ppy == regional_adjustment_ppy)"
            " & (regional_adjustment_ppy != uncapped_regional_adjustment_ppy)",
            "(regional_adjustment_ppy - uncapped_regional_adjustment_ppy) * risk_ratio_factor"
            " * update_factor * person_years_share * total_person_years",
            "benchmark",
        ),
        Limit(
            "Cap on risk score growth",
            "risk_ratio_factor < risk_growth_factor",
            "historical_benchmark_ppy * (risk_ratio_factor - risk_growth_factor) * update_factor"
            " * person_years_share * total_person_years",
            "benchmark",
        ),
        Limit("Guardrail", "guardrail_usd > 0", "guardrail_usd", "benchmark"),
        Limit(
            "Savings below the minimum savings rate",
            "(gross_savings_usd > 0) & (gross_savings_usd < minimum_savings_usd)",
            "-gross_savings_usd * (full_sharing_share - sharing_share)",
        ),
        Limit(
            "Losses below the minimum loss rate",
            "(gross_savings_usd < 0) & (-gross_savings_usd < minimum_losses_usd)"
            " & (full_loss_share > 0)",
            "-gross_savings_usd * full_loss_share",
        ),
        Limit(
            "Quality below full sharing",
            "(sharing_share < sharing_rate) & (gross_savings_usd > 0)"
            " & (gross_savings_usd >= minimum_savings_usd)",
            "-gross_savings_usd * (sharing_rate - sharing_share)",
        ),
        Limit("Sequestration", "sequestration_usd < 0", "sequestration_usd"),
        Limit("Performance payment limit", "over_limit_usd < 0", "over_limit_usd"),
        Limit("Loss sharing limit", "loss_limit_relief_usd > 0", "loss_limit_relief_usd"),
        Limit(
            "Extreme and uncontrollable circumstances",
            "circumstances_relief_usd > 0",
            "circumstances_relief_usd",
        ),
        Limit(
            "Loss beyond the repayment mechanism",
            "(repayment_mechanism_usd > 0) & (settlement_usd + repayment_mechanism_usd < 0)",
            "settlement_usd + repayment_mechanism_usd",
            "surety",
        ),
    )
    surety: ClassVar[str] = "repayment_mechanism_usd"
    line_terms: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "trended_benchmark_ppy": ("base_weight_1", "base_weight_2", "base_weight_3"),
        "regional_weight_share": ("regional_weight_lower", "regional_weight_higher"),
        "regional_adjustment_ppy": ("regional_cap_positive", "regional_cap_negative"),
        "regional_offset_share": ("regional_offset",),
        "prior_savings_adjustment_ppy": (
            "prior_savings_share",
            "prior_savings_cap",
            "prior_savings_denominator",
        ),
        "population_adjustment_ppy": (
            "population_adjustment_cap",
            "population_minimum",
            "population_minimum_reading",
        ),
        "adjustment_ppy": ("negative_total_kept",),
        "risk_ratio_factor": ("risk_cap", "risk_cap_regime", "risk_cap_when_binding"),
        "two_way_factor": ("regional_risk_cap_regime",),
        "total_person_years": ("year_part",),
        "update_factor": (
            "prospective_share",
            "prospective_below_national",
            "prospective_above_national",
        ),
        "guardrail_usd": ("two_way_guardrail",),
        "minimum_savings_share": ("minimum_savings", "minimum_persons"),
        "minimum_losses_share": ("sides",),
        "final_quality_score": ("quality_lift_people", "nationwide_quality_lift"),
        "quality_share": (
            "quality_rule",
            "quality_threshold",
            "quality_deemed",
            "reporting_incentive",
            "first_year_reporting",
        ),
        "sharing_share": ("sharing_rate", "reduced_sharing", "reduced_sharing_base_persons"),
        "loss_share": ("loss_rate_floor", "loss_rate_ceiling", "loss_rate_failed"),
        "sequestration_usd": ("sequestration",),
        "payment_limit_usd": ("payment_limit", "small_base_limits"),
        "loss_limit_usd": (
            "loss_limit_of_revenue",
            "loss_limit_of_benchmark",
            "small_base_limits",
        ),
        "circumstances_relief_usd": ("nationwide_circumstances", "cyberattack_people"),
        "termination_relief_usd": ("voluntary_loss_free_share",),
        "aip_payment_usd": (
            "advance_open_to",
            "advance_once_usd",
            "advance_years",
            "advance_persons",
            "advance_per_person_usd",
        ),
        "repayment_mechanism_usd": ("repayment_of_expenditure", "repayment_of_revenue"),
    }

    agreement_years: YearsByKind
    one_sided_years: YearsByKind
    open_levels: ReadingByKind
    base_weight_1: ShareByKind
    base_weight_2: ShareByKind
    base_weight_3: ShareByKind
    regional_weight_lower: ShareByKind
    regional_weight_higher: ShareByKind
    regional_cap_positive: Share
    regional_cap_negative: ShareByKind
    regional_offset: ShareByKind
    negative_total_kept: ShareByKind
    prior_savings_share: ShareByKind
    prior_savings_cap: Share
    prior_savings_denominator: Literal["base_years_average", "base_year_3"] | None
    population_adjustment_cap: ShareByKind
    population_minimum: Share | None
    population_minimum_reading: Literal["at_least", "above"] | None
    prospective_share: ShareByKind
    prospective_below_national: Share | None
    prospective_above_national: Share | None
    two_way_guardrail: ShareByKind
    risk_cap: Share
    risk_cap_regime: Annotated[ReadingByKind, Words(("by_type", "aggregate"))]
    risk_cap_when_binding: Literal["by_type", "in_proportion"] | None
    regional_risk_cap_regime: Annotated[ReadingByKind, Words(("none", "market_share"))]
    minimum_savings: ShareKnots
    minimum_persons: Persons
    small_base_limits: Share
    small_base_levels: ReadingByKind
    electable_minimum_savings: ReadingByKind | None
    quality_rule: Literal["score_times_rate", "all_or_nothing", "met_or_scaled"]
    quality_threshold: Share
    quality_deemed: Share
    quality_lift_people: Share | None
    nationwide_quality_lift: Share
    reporting_incentive: Share
    first_year_reporting: Share
    sequestration: Share
    nationwide_circumstances: Share
    cyberattack_people: Share
    voluntary_loss_free_share: Share
    year_part: ShareByKind
    advance_open_to: ReadingByKind
    advance_once_usd: Dollars
    advance_years: YearCount
    advance_persons: Persons
    advance_per_person_usd: UsdByKind
    sides: Literal["one", "two"]
    sharing_rate: Share
    reduced_sharing: ShareByKind
    reduced_sharing_base_persons: PersonsByKind
    payment_limit: Share
    loss_rate_quality: Share
    loss_rate_floor: Share
    loss_rate_ceiling: Share
    loss_rate_failed: Share
    loss_limit_of_revenue: Share | None
    loss_limit_of_benchmark: Share
    repayment_of_expenditure: ShareByKind | None
    repayment_of_revenue: ShareByKind | None

    def cells(self, world: xr.Dataset) -> xr.Dataset:
        """Return the world by enrolment type, with each ACO's agreement as of this year."""
        world = expected.pool(world, "entitlement") if "entitlement" in world else world
        if "agreement_start" not in world:
            return world
        now = agreement_in(world, self.year, self.agreement_years)
        return world.assign({**now, "published_agreement_start": world.agreement_start})

    def history(self, aco: Mapping[str, Any]) -> tuple[History, ...]:
        """Return the base years of the first agreement; those of later ones are simulated."""
        agreement = aco.get("agreement")
        start = agreement.get("start") if isinstance(agreement, Mapping) else None
        if type(start) is not int:
            return ()
        base = tuple(range(start - _BASE_YEARS, start))
        why, at = f"an agreement that starts in {start} needs", ("agreement", "start")
        return (
            History("segment", ("person_years",), base[-1:], why, at),
            History("segment", ("expenditure_ppy",), base, why, at),
            History("segment", ("risk_score",), base, why, at),
            History("market", ("national_ppy",), base, "base years need it", at),
        )

    def notices(self, acos: xr.Dataset, earlier: Sequence[Contract]) -> list[str]:
        """Return who may not sign this level, stays one-sided too long, or lacks what it needs."""
        now = acos.assign(agreement_in(acos, self.year, self.agreement_years))
        checks = (self._closed, self._too_long, self._too_small, self._no_advance)
        found = [notice for check in checks for notice in check(now, earlier)]
        return [*found, *self._unknown_savings(acos, now, earlier)]

    def _closed(self, now: xr.Dataset, earlier: Sequence[Contract]) -> list[str]:
        open_to = zip(now.aco.values, np.ravel(self.open_levels(now)), strict=False)
        return [
            f"{aco}: level {self.option} of {self.year} is not open to it; open: {levels}"
            for aco, levels in open_to
            if levels != "any" and self.option not in str(levels).split()
        ]

    def _too_long(self, now: xr.Dataset, earlier: Sequence[Contract]) -> list[str]:
        if self.sides == "two":
            return []
        limits = np.broadcast_to(self.one_sided_years(now), now.aco.shape)
        track = 1 + sum(c.sides == "one" for c in earlier if isinstance(c, Mssp))
        before = np.zeros(now.aco.shape)
        if "one_sided_years_before" in now:
            before = now.one_sided_years_before.values
        said = "{0}: {1} is one-sided year {2} of this track; at most {3}"
        return [
            said.format(aco, self.year, int(used), int(limit))
            if limit > 0.0
            else f"{aco}: {self.year} is one-sided, which a renewed agreement of "
            f"{self._start(now, aco)} may not be"
            for aco, limit, used in zip(now.aco.values, limits, track + before, strict=True)
            if used > limit
        ]

    def _start(self, now: xr.Dataset, aco: str) -> int:
        return int(now.agreement_start.sel(aco=aco))

    def _too_small(self, now: xr.Dataset, earlier: Sequence[Contract]) -> list[str]:
        levels = self.small_base_levels(now)
        if "persons" not in now or not bool((levels != "any").any()):
            return []
        small = ~self._enough_before(now).broadcast_like(now.agreement_start)
        return [
            f"{aco}: level {self.option} of {self.year} is not open to it, which had fewer than "
            f"{self.minimum_persons:,.0f} people in an early base year; open: {said}"
            for aco, few, said in zip(now.aco.values, small.values, np.ravel(levels), strict=True)
            if few and said != "any" and self.option not in str(said).split()
        ]

    def _no_advance(self, now: xr.Dataset, earlier: Sequence[Contract]) -> list[str]:
        if "deprivation_share" not in now or earlier:
            return []
        asked = now.deprivation_share.sum("deprivation_rank") > 0.0
        barred = asked & np.logical_not(self._open_to_advances(now))
        return [
            f"{aco}: advance investment payments are not open to it under {self.option} of "
            f"{self.year}; none are paid"
            for aco in now.aco.values[barred.values]
        ]

    def _unknown_savings(
        self, acos: xr.Dataset, now: xr.Dataset, earlier: Sequence[Contract]
    ) -> list[str]:
        """Return whose prior savings count, and are known for no base year or not for all."""
        counts = (self.prior_savings_share(now) > 0.0).broadcast_like(now.agreement_start)
        if "reconciled_person_years" not in now or not bool(counts.any()):
            return []
        first = (now.agreement_start == self.year) | (not earlier)
        if "published_benchmark_ppy" in now:
            first &= now.agreement_start != acos.agreement_start
        people = now.reconciled_person_years
        asked = [str(aco) for aco in now.aco.values[(counts & first).values]]
        lacking = {aco: _unsettled(people.sel(aco=aco), self._start(now, aco)) for aco in asked}
        return [
            f"{aco}: savings of base years {', '.join(map(str, years))} are neither given "
            "(prior_savings_ppy) nor simulated; they count as 0"
            for aco, years in lacking.items()
            if years
        ]

    # ---------------------------------------------------------------- the historical benchmark

    def _trended_benchmark(
        self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines
    ) -> Lines:
        last = world.agreement_start - 1
        weights = (self.base_weight_1, self.base_weight_2, self.base_weight_3)
        total = sum(
            weight(world) * self._restated(world, last + back, last)
            for weight, back in zip(weights, (-2, -1, 0), strict=True)
        )
        return {
            "trended_benchmark_ppy": xr.DataArray(total),
            "base_person_years_share": _base_mix(world, lines),
        }

    def _restated(self, world: xr.Dataset, year: xr.DataArray, last: xr.DataArray) -> xr.DataArray:
        """Return a base year's per capita carried to the last one, at the last one's risk."""
        trend = expected.blended(
            _growth(world.national_ppy, last, year),
            _growth(world.regional_ppy, last, year),
            in_year(world.assigned_share, last),
        )
        spent = in_year(world.truncated_expenditure_ppy, year)
        return spent * trend * _growth(world.risk_score, last, year)

    def _regional_adjustment(
        self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines
    ) -> Lines:
        last = world.agreement_start - 1
        national = in_year(world.national_ppy, last)
        share, region = _base_mix(world, lines), self._regional_at_risk(world, lines)
        gap = region - lines["trended_benchmark_ppy"]
        total_gap = expected.weighted(gap, share)
        weight = _given(
            lines, "regional_weight_share", lambda: self._regional_weight(world, total_gap)
        )
        low = -self.regional_cap_negative(world) * national
        within = expected.bounded(
            weight * gap, low=low, high=self.regional_cap_positive * national
        )
        offset = _given(lines, "regional_offset_share", lambda: self._offset(world, share))
        adjustment = within.where(within >= 0.0, within * (1.0 - offset))
        return {
            "regional_at_risk_ppy": region,
            "regional_difference_ppy": gap,
            "weighted_regional_difference_ppy": total_gap,
            "regional_weight_share": weight,
            "uncapped_regional_adjustment_ppy": weight * gap,
            "regional_offset_share": offset,
            "regional_adjustment_ppy": adjustment,
            "total_regional_adjustment_ppy": expected.weighted(adjustment, share),
        }

    def _regional_weight(self, world: xr.Dataset, total_gap: xr.DataArray) -> xr.DataArray:
        """Return the weight by agreement: another where the region costs less than the ACO."""
        lower = self.regional_weight_lower(world)
        return self.regional_weight_higher(world).where(total_gap < 0.0, lower)

    def _regional_at_risk(self, world: xr.Dataset, lines: Lines) -> xr.DataArray:
        if "regional_at_risk_ppy" in lines:
            return lines["regional_at_risk_ppy"]
        last = world.agreement_start - 1
        return in_year(world.regional_ppy, last) * in_year(world.risk_score, last)

    def _offset(self, world: xr.Dataset, share: xr.DataArray) -> xr.DataArray:
        """Return the share of a negative regional amount taken off for duals and high risk."""
        applied = self.regional_offset(world)
        if not bool((applied > 0.0).any()):
            return applied
        last = world.agreement_start - 1
        dollars = expected.mix(share * in_year(world.truncated_expenditure_ppy, last))
        score = expected.weighted(in_year(world.risk_score, last), dollars)
        return applied * np.clip(world.dual_share + score - 1.0, 0.0, 1.0)

    def _historical_benchmark(
        self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines
    ) -> Lines:
        share, trended = _base_mix(world, lines), lines["trended_benchmark_ppy"]
        if "adjustment_ppy" in lines:
            made: Lines = {"adjustment_ppy": lines["adjustment_ppy"]}
        else:
            made = self._adjustments(world, past, lines)
        benchmark = trended + made["adjustment_ppy"]
        return {
            **made,
            "base_person_years_share": share,
            "historical_benchmark_ppy": benchmark,
            "total_historical_benchmark_ppy": expected.weighted(benchmark, share),
        }

    def _adjustments(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        """Return the largest of the adjustments, as each type's own or as one flat amount."""
        share, regional = _base_mix(world, lines), lines["regional_adjustment_ppy"]
        total = expected.weighted(regional, share)
        prior = _given(
            lines,
            "prior_savings_adjustment_ppy",
            lambda: self._prior_savings(world, past, share),
        )
        largest = paid.gains(np.maximum(total, prior))
        population = _given(
            lines,
            "population_adjustment_ppy",
            lambda: self._population(world, share, largest),
        )
        flat = np.maximum(prior, population)
        kept = regional.where(total > 0.0, regional * self.negative_total_kept(world) + 0.0)
        # Amounts that meet the same cap are equal but for their last digits: regional it is.
        chosen = kept.where(flat <= paid.gains(total) * (1.0 + _TIE), flat)
        return {
            "total_regional_adjustment_ppy": total,
            "prior_savings_adjustment_ppy": prior,
            "population_adjustment_ppy": population,
            "adjustment_ppy": _as_published(world, lines["trended_benchmark_ppy"], chosen, share),
        }

    def _prior_savings(
        self, world: xr.Dataset, past: Sequence[xr.Dataset], share: xr.DataArray
    ) -> xr.DataArray:
        """Return the prorated share of average savings in the years that became base years."""
        part = self.prior_savings_share(world)
        if not bool((part > 0.0).any()):
            return part
        last = world.agreement_start - 1
        base = [last + back for back in (-2, -1, 0)]
        average = _mean(in_year(_savings_ppy(world, past), year) for year in base)
        cap = self.prior_savings_cap * expected.weighted(in_year(world.national_ppy, last), share)
        prorated = part * average * self._proration(world, past, base)
        return expected.bounded(prorated, low=0.0, high=cap)

    def _proration(
        self, world: xr.Dataset, past: Sequence[xr.Dataset], base: Sequence[xr.DataArray]
    ) -> Ratio:
        """Return reconciled person-years over those of the base years, at most one."""
        if "reconciled_person_years" not in world:
            return xr.DataArray(1.0)
        people = world.person_years.sum("segment")
        assigned = in_year(people, base[-1])
        if self.prior_savings_denominator == "base_years_average":
            assigned = _mean(in_year(people, year) for year in base)
        reconciled = known(world.reconciled_person_years, [p.total_person_years for p in past])
        settled = _mean(in_year(reconciled, year) for year in base)
        return np.minimum(settled / assigned, 1.0)

    def _population(
        self, world: xr.Dataset, share: xr.DataArray, largest: xr.DataArray
    ) -> xr.DataArray:
        """Return the health equity (population) benchmark adjustment."""
        cap = self.population_adjustment_cap(world)
        if not bool((cap > 0.0).any()):
            return cap
        national = in_year(world.national_ppy, world.agreement_start - 1)
        room = cap * expected.weighted(national, share) - largest
        least = self.population_minimum or 0.0
        part = world.low_income_share
        above = self.population_minimum_reading == "above"
        eligible = part > least if above else part >= least
        return np.maximum(room, 0.0) * part * eligible

    # ------------------------------------------------------------------------------ the update

    def _risk_ratio(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        ratio = _given(
            lines,
            "risk_growth_factor",
            lambda: _growth(world.risk_score, self.year, world.agreement_start - 1),
        )
        aggregate = self.risk_cap_regime(world) == "aggregate"
        capped = expected.capped_growth(ratio, 1.0 + self.risk_cap)
        if not bool(aggregate.any()):
            return {"risk_growth_factor": ratio, "risk_ratio_factor": capped}
        demographic = _given(
            lines,
            "demographic_growth_factor",
            lambda: self._demographic_growth(world, ratio),
        )
        together = self._aggregate_cap(ratio, demographic, _dollars(world, lines, self.year))
        return {
            "risk_growth_factor": ratio,
            "demographic_growth_factor": demographic,
            "risk_ratio_factor": together.where(aggregate, capped),
        }

    def _demographic_growth(self, world: xr.Dataset, ratio: xr.DataArray) -> xr.DataArray:
        """Return demographic growth; none where it is not given and no cap could depend on it."""
        if "demographic_score" in world:
            return _growth(world.demographic_score, self.year, world.agreement_start - 1)
        if not bool((ratio <= 1.0 + self.risk_cap).all()):
            raise KeyError("demographic_score, or demographic_growth_factor")
        return xr.ones_like(ratio)

    def _aggregate_cap(
        self, ratio: xr.DataArray, demographic: xr.DataArray, dollars: xr.DataArray
    ) -> xr.DataArray:
        """Return growth capped only where it outgrows demographics plus the cap in all."""
        weights = expected.mix(dollars)
        grown = expected.weighted(ratio, weights)
        allowed = expected.weighted(demographic, weights) + self.risk_cap
        bound = expected.capped_growth(ratio, demographic + self.risk_cap)
        if self.risk_cap_when_binding == "in_proportion":
            bound = ratio * (allowed / grown)
        return ratio.where(grown <= allowed, bound)

    def _update_factor(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        two_way = _given(lines, "two_way_factor", lambda: self._two_way(world, lines))
        weight = self.prospective_share(world)
        if not bool((weight > 0.0).any()):
            return {"two_way_factor": two_way, "update_factor": two_way}
        prospective = self._prospective(world, lines)
        update = expected.three_way(two_way, prospective, weight)
        return {"two_way_factor": two_way, "update_factor": update}

    def _two_way(self, world: xr.Dataset, lines: Lines) -> xr.DataArray:
        """Return the nation's and the region's growth, blended by the assigned share."""
        last = world.agreement_start - 1
        return expected.blended(
            _growth(world.national_ppy, self.year, last),
            _growth(world.regional_ppy, self.year, last)
            * self._regional_risk_excess(world, lines),
            in_year(world.assigned_share, self.year),
        )

    def _regional_risk_excess(self, world: xr.Dataset, lines: Lines) -> xr.DataArray:
        """Return the region's risk growth over what its cap allows, looser with market share."""
        capped = self.regional_risk_cap_regime(world) == "market_share"
        if "regional_risk_score" not in world or not bool(capped.any()):
            return xr.DataArray(1.0)
        last = world.agreement_start - 1
        grown = _growth(world.regional_risk_score, self.year, last)
        tight = _growth(world.regional_demographic_score, self.year, last) + self.risk_cap
        weights = expected.mix(_dollars(world, lines, self.year))
        over = expected.weighted(grown, weights) > expected.weighted(tight, weights)
        share = in_year(world.assigned_share, self.year)
        allowed = tight + share * paid.gains(grown - tight)
        excess = grown / expected.capped_growth(grown, allowed)
        return excess.where(capped & over, 1.0)

    def _prospective(self, world: xr.Dataset, lines: Lines) -> xr.DataArray:
        """Return the accountable care prospective trend: a flat dollar growth at own risk."""
        last = world.agreement_start - 1
        national = in_year(world.national_ppy, last)
        growth = self._guarded(world, last).prod("year", skipna=False)
        flat = national * (growth - 1.0) * in_year(world.risk_score, last)
        return 1.0 + flat / lines["historical_benchmark_ppy"]

    def _guarded(self, world: xr.Dataset, last: xr.DataArray) -> xr.DataArray:
        """Return forecast annual growth within its bounds around the nation's, year by year."""
        forecast = world.prospective_factor / world.prospective_factor.shift(year=1)
        nation = world.national_ppy / world.national_ppy.shift(year=1)
        below, above = self.prospective_below_national, self.prospective_above_national
        low = -np.inf if below is None else nation - below
        high = np.inf if above is None else nation + above
        within = expected.bounded(forecast, low=low, high=high)
        return within.where((within.year > last) & (within.year <= self.year), 1.0)

    def _updated_benchmark(
        self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines
    ) -> Lines:
        made: Lines = {}
        if "total_updated_benchmark_ppy" not in lines:
            made = self._updated_by_type(world, lines)
        people = _given(lines, "total_person_years", lambda: self._people(world))
        total = {**lines, **made}["total_updated_benchmark_ppy"]
        return {**made, "total_person_years": people, "benchmark_usd": total * people}

    def _updated_by_type(self, world: xr.Dataset, lines: Lines) -> Lines:
        share = _given(
            lines,
            "person_years_share",
            lambda: expected.mix(in_year(world.person_years, self.year)),
        )
        updated = _given(lines, "updated_benchmark_ppy", lambda: _updated(lines))
        return {
            "person_years_share": share,
            "updated_benchmark_ppy": updated,
            "total_updated_benchmark_ppy": expected.weighted(updated, share),
        }

    def _people(self, world: xr.Dataset) -> xr.DataArray:
        """Return person-years of the months that are settled."""
        return in_year(world.person_years, self.year).sum("segment") * self.year_part(world)

    def _expenditure(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        people = _given(lines, "total_person_years", lambda: self._people(world))
        total = _given(lines, "total_expenditure_ppy", lambda: self._spent(world))
        return {"total_expenditure_ppy": total, "expenditure_usd": total * people}

    def _spent(self, world: xr.Dataset) -> xr.DataArray:
        spent = in_year(world.truncated_expenditure_ppy, self.year)
        return expected.weighted(spent, expected.mix(in_year(world.person_years, self.year)))

    def _guardrail(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        """Give back the two-way benchmark where the three-way one alone makes a shared loss."""
        benchmark, spent = lines["benchmark_usd"], lines["expenditure_usd"]
        applies = self.two_way_guardrail(world)
        none: Lines = {"guardrail_usd": xr.zeros_like(benchmark)}
        if self.sides == "one" or not bool((applies > 0.0).any()):
            return none
        least = self._minimum(world) * benchmark
        loses = paid.clears(paid.losses(benchmark - spent), least)
        # A worksheet that gives totals alone needs the two-way one for a shared loss only.
        if "update_factor" not in lines and not bool(loses.any()):
            return none
        two_way = _given(lines, "two_way_benchmark_usd", lambda: _two_way_benchmark(lines))
        owes = loses & (two_way > benchmark)
        added = (two_way - benchmark).where(owes, 0.0) * applies
        return {
            "two_way_benchmark_usd": two_way,
            "guardrail_usd": added,
            "benchmark_usd": benchmark + added,
        }

    # -------------------------------------------------------------------------- the settlement

    def _gross_savings(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        if "guardrail_usd" not in lines:
            raise KeyError("guardrail_usd")
        gross = lines["benchmark_usd"] - lines["expenditure_usd"]
        return {"gross_savings_usd": gross, "savings_share": gross / lines["benchmark_usd"]}

    def _minimums(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        savings = _given(lines, "minimum_savings_share", lambda: self._minimum(world))
        losses = _given(
            lines,
            "minimum_losses_share",
            lambda: savings if self.sides == "two" else xr.ones_like(savings),
        )
        benchmark = lines["benchmark_usd"]
        return {
            "minimum_savings_share": savings,
            "minimum_savings_usd": savings * benchmark,
            "minimum_losses_share": losses,
            "minimum_losses_usd": losses * benchmark,
        }

    def _minimum(self, world: xr.Dataset) -> xr.DataArray:
        """Return the MSR: by size, or as elected by a two-sided ACO of enough people."""
        persons = in_year(world.persons, self.year)
        by_size = self.minimum_savings(persons)
        if self.sides == "one":
            return by_size
        elected = self.elections.get("minimum_savings", world.elected_minimum_savings)
        fixed = (elected >= 0.0) & (persons >= self.minimum_persons)
        return by_size.where(np.logical_not(fixed), elected)

    def _quality(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        """Return the score as settled, and the part of the maximum rate that quality earns."""
        known = "quality_share" in lines and self.loss_rate_quality == 0.0
        if known and not {"final_quality_score", "quality_score"} & {*lines, *world.data_vars}:
            return {}
        score = _given(lines, "final_quality_score", lambda: self._score(world))
        share = _given(lines, "quality_share", lambda: self._quality_share(world, score))
        return {"final_quality_score": score, "quality_share": share}

    def _score(self, world: xr.Dataset) -> xr.DataArray:
        """Return the quality score, lifted to the threshold where circumstances did the harm."""
        own = in_year(world.quality_score, self.year)
        least = self.quality_lift_people
        if least is None:
            return own
        affected = xr.full_like(own, self.nationwide_quality_lift)
        if "affected_people_share" in world:
            affected = affected + in_year(world.affected_people_share, self.year)
        lifted = xr.DataArray(np.maximum(own, self.quality_threshold))
        return lifted.where(affected >= least, own)

    def _quality_share(self, world: xr.Dataset, score: xr.DataArray) -> xr.DataArray:
        if self.quality_rule == "score_times_rate":
            return score
        met = (score >= self.quality_threshold) | (self.quality_deemed > 0.0)
        met = met | self._met_by_reporting(world)
        if self.quality_rule == "all_or_nothing":
            return xr.ones_like(score).where(met, 0.0)
        alternative = in_year(world.outcome_quality_met, self.year)
        return xr.ones_like(score).where(met, score * alternative)

    def _met_by_reporting(self, world: xr.Dataset) -> xr.DataArray:
        """Return who meets the standard by what it reports, not by its score."""
        met = xr.DataArray(False)
        if self.reporting_incentive > 0.0 and "incentive_met" in world:
            met = met | (in_year(world.incentive_met, self.year) > 0.0)
        if self.first_year_reporting > 0.0 and "first_year_reported" in world:
            first = (world.agreement_start == self.year) & (world.agreement_kind == "initial")
            reported = in_year(world.first_year_reported, self.year) > 0.0
            met = met | (first & (world.agreement_number == 1) & reported)
        return met

    def _rates(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        made: Lines = {}
        if "quality_share" in lines:
            owed = self._loss_rate(lines)
            made = {
                "full_sharing_share": self.sharing_rate * lines["quality_share"],
                "full_loss_share": owed if self.sides == "two" else xr.zeros_like(owed),
            }
        known = {**lines, **made}
        return {
            **made,
            "sharing_share": _given(lines, "sharing_share", lambda: self._sharing(world, known)),
            "loss_share": _given(lines, "loss_share", lambda: self._owed(known)),
        }

    def _sharing(self, world: xr.Dataset, lines: Lines) -> xr.DataArray:
        """Return the sharing rate: in full from the MSR on, or reduced below it, or none."""
        full = lines["full_sharing_share"]
        below = paid.gains(lines["gross_savings_usd"]) > 0.0
        reduced = full * self.reduced_sharing(world) * (below & self._large_enough(world))
        whole_year = _participation(world, self.year) >= 1.0
        guarded = lines["guardrail_usd"] > 0.0 if "guardrail_usd" in lines else False
        allowed = np.logical_not(guarded) * whole_year
        return full.where(self._meets(lines)[0], reduced) * allowed

    def _large_enough(self, world: xr.Dataset) -> xr.DataArray:
        """Return which ACOs have people enough, early base years included, for reduced sharing."""
        enough = in_year(world.persons, self.year) >= self.minimum_persons
        return enough & self._enough_before(world)

    def _enough_before(self, world: xr.Dataset) -> xr.DataArray:
        """Return which ACOs had people enough in both early base years, where that counts."""
        least = self.reduced_sharing_base_persons(world)
        if not bool((least > 0.0).any()):
            return xr.DataArray(True)
        early = [in_year(world.persons, world.agreement_start - back) for back in (3, 2)]
        return (early[0] >= least) & (early[1] >= least)

    def _limited(self, world: xr.Dataset) -> xr.DataArray:
        """Return the part of the limits that holds: less after small early base years."""
        if self.small_base_limits == 1.0:
            return xr.DataArray(1.0)
        return xr.DataArray(1.0).where(self._enough_before(world), self.small_base_limits)

    def _meets(self, lines: Lines) -> tuple[xr.DataArray, xr.DataArray]:
        """Return whether savings meet the MSR, and whether losses meet the MLR."""
        gross = lines["gross_savings_usd"]
        savings = paid.clears(paid.gains(gross), lines["minimum_savings_usd"])
        if self.sides == "one":
            return savings, xr.zeros_like(savings)
        return savings, paid.clears(paid.losses(gross), lines["minimum_losses_usd"])

    def _loss_rate(self, lines: Lines) -> xr.DataArray:
        if self.loss_rate_quality == 0.0 and "final_quality_score" not in lines:
            rate = xr.full_like(lines["quality_share"], self.loss_rate_floor)
        else:
            rate = expected.bounded(
                1.0 - self.loss_rate_quality * lines["final_quality_score"],
                low=self.loss_rate_floor,
                high=self.loss_rate_ceiling,
            )
        return rate.where(lines["quality_share"] > 0.0, self.loss_rate_failed)

    def _owed(self, lines: Lines) -> xr.DataArray:
        """Return the shared loss rate: from the MLR on, or none."""
        return lines["full_loss_share"] * self._meets(lines)[1]

    def _shared_savings(
        self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines
    ) -> Lines:
        shared = paid.gains(lines["gross_savings_usd"]) * lines["sharing_share"]
        # 425.605(d): sequestration comes before the performance payment limit
        sequestration = paid.sequestered(shared, rate=self.sequestration)
        limit = self.payment_limit * self._limited(world) * lines["benchmark_usd"]
        return {
            "shared_savings_usd": shared,
            "sequestration_usd": sequestration,
            "payment_limit_usd": limit,
            "over_limit_usd": paid.capped(shared + sequestration, limit),
        }

    def _shared_losses(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        shared = paid.losses(lines["gross_savings_usd"]) * lines["loss_share"]
        limit = self._loss_limit(world, lines) if self.sides == "two" else xr.zeros_like(shared)
        over = paid.capped(shared, limit)
        relieved = (shared + over) * self._circumstances(world)
        months = self._months(world)
        return {
            "shared_losses_usd": 0.0 - shared,
            "loss_limit_usd": limit,
            "loss_limit_relief_usd": 0.0 - over,
            "circumstances_relief_usd": relieved,
            "termination_relief_usd": (shared + over - relieved) * (1.0 - months),
        }

    def _circumstances(self, world: xr.Dataset) -> xr.DataArray:
        """Return the part of losses relieved: the nation's, the ACO's counties', a cyberattack."""
        local = in_year(world.circumstances_share, self.year)
        if "cyberattack_months_share" in world:
            months = in_year(world.cyberattack_months_share, self.year)
            local = local + self.cyberattack_people * months
        return xr.DataArray(np.minimum(self.nationwide_circumstances + local, 1.0))

    def _months(self, world: xr.Dataset) -> xr.DataArray:
        """Return the part of the year that losses are owed for, once the ACO has left."""
        stayed = _participation(world, self.year)
        if "termination_kind" not in world:
            return stayed
        early = stayed <= self.voluntary_loss_free_share
        return stayed.where(np.logical_not(early & (world.termination_kind == "voluntary")), 0.0)

    def _loss_limit(self, world: xr.Dataset, lines: Lines) -> xr.DataArray:
        if "loss_limit_usd" in lines:
            return lines["loss_limit_usd"]
        revenue: xr.DataArray | float = 0.0
        if self.loss_limit_of_revenue is not None:
            revenue = in_year(world.revenue_usd, self.year) * self.year_part(world)
        limit = paid.loss_limit(
            revenue,
            lines["benchmark_usd"],
            of_revenue=self.loss_limit_of_revenue,
            of_benchmark=self.loss_limit_of_benchmark,
        )
        return limit * self._limited(world)

    def _advances(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        """Return the year's advance investment payments: once, and by quarter and person."""
        none = xr.zeros_like(lines["gross_savings_usd"])
        if "deprivation_share" not in world:
            return {"aip_payment_usd": none}
        ranks = xr.Dataset(coords={"deprivation_rank": world.deprivation_rank})
        share = world.deprivation_share
        rate = (share * self.advance_per_person_usd(ranks)).sum("deprivation_rank")
        people = np.minimum(in_year(world.persons, self.year), self.advance_persons)
        elapsed = self.year - world.agreement_start
        quarters = np.ceil(_QUARTERS * _participation(world, self.year))
        amount = self.advance_once_usd * (elapsed == 0) * (quarters > 0.0)
        amount = amount + quarters * rate * people
        asked = (share.sum("deprivation_rank") > 0.0) & (elapsed < self.advance_years)
        return {"aip_payment_usd": none + amount * (asked & self._open_to_advances(world))}

    def _open_to_advances(self, world: xr.Dataset) -> xr.DataArray:
        """Return which ACOs are all that advance investment payments are open to."""
        kinds = (world.agreement_kind, world.agreement_experience, world.revenue_class)
        return xr.apply_ufunc(_named, self.advance_open_to(world), *kinds, vectorize=True)

    def _settlement(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        gross = lines["gross_savings_usd"]
        parts = ("shared_savings_usd", "sequestration_usd", "over_limit_usd")
        relief = ("loss_limit_relief_usd", "circumstances_relief_usd", "termination_relief_usd")
        settled = sum(lines[name] for name in (*parts, "shared_losses_usd", *relief))
        shared = lines["shared_savings_usd"] + lines["shared_losses_usd"]
        balance = _balance(world, past) + lines["aip_payment_usd"]
        recouped = paid.recouped(settled, balance)
        return {
            "unshared_usd": gross - shared,
            "settlement_usd": xr.DataArray(settled),
            "aip_recoupment_usd": recouped,
            "aip_outstanding_usd": balance + recouped,
            "payment_usd": settled + recouped,
            "repayment_mechanism_usd": self._repayment(world, lines),
        }

    def _repayment(self, world: xr.Dataset, lines: Lines) -> Usd:
        """Return the surety to hold: the smaller of a share of expenditure and of revenue."""
        known = "expenditure_usd" in lines and "agreement_start" in world
        if self.repayment_of_expenditure is None or not known:
            return xr.zeros_like(lines["gross_savings_usd"])
        year_long = lines["expenditure_usd"] / self.year_part(world)
        of_spending = self.repayment_of_expenditure(world) * year_long
        if self.repayment_of_revenue is None or "revenue_usd" not in world:
            return of_spending
        revenue = in_year(world.revenue_usd, self.year)
        return np.minimum(of_spending, self.repayment_of_revenue(world) * revenue)


def _growth(variable: xr.DataArray, later: Years, earlier: Years) -> xr.DataArray:
    return in_year(variable, later) / in_year(variable, earlier)


def _mean(years: Iterable[xr.DataArray]) -> xr.DataArray:
    figures = list(years)
    return xr.DataArray(sum(figures) / len(figures))


def _as_published(
    world: xr.Dataset, trended: xr.DataArray, adjustment: xr.DataArray, share: xr.DataArray
) -> xr.DataArray:
    """Return what lifts each type to the published benchmark, if this agreement's is given."""
    if "published_benchmark_ppy" not in world:
        return adjustment
    scale = world.published_benchmark_ppy / expected.weighted(trended, share)
    given = world.agreement_start == world.published_agreement_start
    return adjustment.where(np.logical_not(given), trended * (scale - 1.0))


def _given(lines: Lines, name: str, otherwise: Callable[[], xr.DataArray]) -> xr.DataArray:
    """Return a line that is given, else what the rules make it."""
    return lines[name] if name in lines else otherwise()


def _base_mix(world: xr.Dataset, lines: Lines) -> xr.DataArray:
    """Return the mix of enrolment types in the last base year."""
    return _given(
        lines,
        "base_person_years_share",
        lambda: expected.mix(in_year(world.person_years, world.agreement_start - 1)),
    )


def _updated(lines: Lines) -> xr.DataArray:
    grown = lines["risk_ratio_factor"] * lines["update_factor"]
    return lines["historical_benchmark_ppy"] * grown


def _two_way_benchmark(lines: Lines) -> xr.DataArray:
    if "update_factor" not in lines:
        raise KeyError("two_way_benchmark_usd")
    updated = lines["updated_benchmark_ppy"] * lines["two_way_factor"] / lines["update_factor"]
    return expected.weighted(updated, lines["person_years_share"]) * lines["total_person_years"]


def _named(words: str, *kinds: str) -> bool:
    """Return whether each of an ACO's kinds is among a rule's words."""
    return all(kind in words.split() for kind in kinds)


def _unsettled(people: xr.DataArray, start: int) -> list[int]:
    """Return the base years of which no settlement is known, by person-years reconciled."""
    years = [start + back for back in (-3, -2, -1) if start + back in people.year]
    return [year for year in years if not float(people.sel(year=year)) > 0.0]


def _dollars(world: xr.Dataset, lines: Lines, year: int) -> xr.DataArray:
    """Return what weighs each type's risk growth: the year's people at the benchmark."""
    return in_year(world.person_years, year) * lines["historical_benchmark_ppy"]


def _participation(world: xr.Dataset, year: int) -> xr.DataArray:
    """Return the part of the year before any termination takes effect."""
    if "participation_share" not in world:
        return xr.DataArray(1.0)
    return in_year(world.participation_share, year)


def _savings_ppy(world: xr.Dataset, past: Sequence[xr.Dataset]) -> xr.DataArray:
    """Return signed gross savings per person-year by year: as given, then as settled."""
    settled = [p.gross_savings_usd / p.total_person_years.clip(min=_SOMEBODY) for p in past]
    return known(world.prior_savings_ppy, settled)


def _balance(world: xr.Dataset, past: Sequence[xr.Dataset]) -> xr.DataArray:
    """Return the advance investment payments of earlier years not yet recouped."""
    given = world.aip_balance_usd if "aip_balance_usd" in world else xr.DataArray(0.0)
    return given + sum(p.aip_payment_usd + p.aip_recoupment_usd for p in past)
