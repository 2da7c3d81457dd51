"""LEAD, the Long-term Enhanced ACO Design: one option in one performance year."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import xarray as xr

from simulator import benchmark as expected
from simulator import settlement as paid
from simulator.benchmark import Years, in_year, known
from simulator.errors import SimulatorError
from simulator.programs.contract import Contract, History, Limit, Lines, Stage, Step
from simulator.programs.rulebook import nearest
from simulator.terms import Bands, ByKind
from simulator.units import Factor, Persons, Share, Unit, Usd, counted, per_year, total

__all__ = ["Lead"]

ShareByKind = Annotated[ByKind, Unit("share", 0.0, 1.0)]
PersonsByKind = Annotated[ByKind, Unit("persons", 0.0, 1e9)]
ShareBands = Annotated[Bands, Unit("share", 0.0, 1.0)]
CalendarYear = Annotated[int, Unit("year", 1.0, 1e4)]
Pbpm = Annotated[float, Unit("pbpm", -1e5, 1e5)]

_CATEGORIES = ("aged_disabled", "high_needs", "esrd")
_VOLUNTARY = "_voluntary"
_BACK = (3, 2, 1)
_TIE = 1e-9
_DRAWN_PAYOUT = "raw_stop_loss_payout_usd"
_WEIGHTS = tuple(f"base_weight_{n}_share" for n, _ in enumerate(_BACK, 1))

# Weights of waterfalls and limits: the mix of the last base year, of this year, and its own part.
_BASE = "base_person_years_share * total_person_years"
_NOW = "person_years_share * total_person_years"
_OWN = f"(1 - rate_book_share) * {_NOW}"
_OTHER = "apo_reconciliation_usd + high_performers_usd"

_BENCHMARK = ("benchmark_usd",)
_TOTAL = ("benchmark_before_discount_usd", *_BENCHMARK)
_UPDATED = ("updated_benchmark_ppy", *_TOTAL)
_HISTORY = ("historical_benchmark_ppy", *_UPDATED)


@dataclass(frozen=True, kw_only=True)
class Lead(Contract):
    """One option of LEAD, Global or Professional, in one performance year.

    The statement follows section 10 of the rules note, line by line: base years carried to the
    last one and weighted, the region's difference and the spending designation, the larger of
    regional efficiency and prior savings adjustment, the two-way trend and its blend with the
    guarded forecast, the capped risk ratio, the rate-book part, the band around the voluntarily
    aligned cell, discount, quality, corridors, sequestration; and, apart from the result, what
    changes hands: add-on, enhanced primary care capitation, the guarantee.

    Cells are {aged and disabled, High Needs, ESRD} by channel of alignment; base years are the
    three before the ACO's first year in LEAD and stay so.

    Not modelled: how people are aligned and found to be of High Needs (cells are inputs);
    single CARA episodes (their totals are inputs); capitation margins, advances (APO) and
    benefits that an ACO funds, but as amounts given; changed participant lists.
    """

    program: ClassVar[str] = "lead"
    needs: ClassVar[frozenset[str]] = frozenset(
        {
            "expenditure_ppy",
            "suspect_billing_ppy",
            "skin_substitutes_ppy",
            "person_years",
            "persons",
            "risk_score",
            "demographic_score",
            "inferred_risk_score",
            "untruncated_regional_ppy",
            "reference_ppy",
            "uspcc_ppy",
            "rate_book_ppy",
            "prospective_factor",
            "assigned_share",
            "total_quality_score",
            "raw_stop_loss_payout_usd",
        }
    )
    stages: ClassVar[tuple[Stage, ...]] = (
        Stage("_base_years", ("trended_benchmark_ppy", *_HISTORY)),
        Stage("_regional_difference", ("weighted_regional_difference_ppy", *_HISTORY)),
        Stage("_designation", ("lower_spending", *_BENCHMARK)),
        Stage("_regional_adjustment", ("regional_adjustment_ppy", *_HISTORY)),
        Stage("_prior_savings", ("prior_savings_adjustment_ppy", *_HISTORY)),
        Stage("_historical_benchmark", _HISTORY),
        Stage("_trends", ("update_factor", *_UPDATED)),
        Stage("_update_factor", ("update_factor", *_UPDATED)),
        Stage("_risk_growth", ("risk_growth_factor", "risk_ratio_factor", *_UPDATED)),
        Stage("_risk_ratio", ("risk_ratio_factor", *_UPDATED)),
        Stage("_updated_benchmark", _UPDATED),
        Stage("_benchmark_before_discount", _TOTAL),
        Stage("_add_on", ("add_on_usd", *_BENCHMARK)),
        Stage("_discount", _BENCHMARK),
        Stage("_quality", _BENCHMARK),
        Stage("_benchmark", _BENCHMARK),
        Stage("_claims", ("expenditure_usd", "gross_savings_usd")),
        Stage("_episodes", ("cara_usd", "expenditure_usd", "gross_savings_usd")),
        Stage("_expenditure", ("expenditure_usd", "gross_savings_usd")),
        Stage("_gross_savings", ("gross_savings_usd",)),
        Stage("_shared", ("settlement_usd",)),
        Stage("_settlement", ("settlement_usd",)),
        Stage("_capitation", ("enhanced_pcc_usd",)),
        Stage("_cash", ("payment_usd",)),
        Stage("_result", ("economic_result_usd",)),
        Stage("_guarantee", ("financial_guarantee_usd",)),
    )
    adds_up: ClassVar[tuple[tuple[str, str], ...]] = (
        (
            "benchmark_before_discount_usd",
            "total_updated_benchmark_ppy * total_person_years + stop_loss_charge_usd"
            " + medicaid_partner_usd",
        ),
        ("add_on_usd", "benchmark_add_on_usd + separate_add_on_usd"),
        (
            "benchmark_usd",
            "benchmark_before_discount_usd + discount_usd + quality_withhold_usd"
            " + quality_earned_usd + benchmark_add_on_usd",
        ),
        ("expenditure_usd", "claims_usd + excluded_usd + cara_usd - stop_loss_payout_usd"),
        ("gross_savings_usd", "benchmark_usd - expenditure_usd"),
        (
            "shared_savings_usd",
            "band_1_usd + band_2_usd + band_3_usd + band_4_usd + early_exit_usd"
            " - shared_losses_usd",
        ),
        ("gross_savings_usd", "shared_savings_usd + shared_losses_usd + unshared_usd"),
        ("settlement_usd", "shared_savings_usd + shared_losses_usd + sequestration_usd"),
        (
            "payment_usd",
            "settlement_usd + enhanced_pcc_repaid_usd + apo_reconciliation_usd"
            " + high_performers_usd",
        ),
        (
            "economic_result_usd",
            "settlement_usd + separate_add_on_usd + high_performers_usd"
            " + capitation_margin_usd + benefits_usd",
        ),
    )
    line_terms: ClassVar = {
        "base_weight_1_share": ("base_weight_1", "minimum_base_persons"),
        "base_weight_2_share": ("base_weight_2",),
        "base_weight_3_share": ("base_weight_3",),
        "trended_benchmark_ppy": ("suspect_excluded", "skin_excluded", "absent_category"),
        "lower_spending": ("designation_regime", "designation_tie"),
        "regional_cap_ppy": ("regional_cap",),
        "regional_adjustment_ppy": ("regional_weight_lower", "regional_weight_higher"),
        "total_regional_adjustment_ppy": ("regional_floor",),
        "prior_savings_adjustment_ppy": (
            "prior_savings_share",
            "prior_savings_cap",
            "prior_savings_negative",
        ),
        "adjustment_ppy": ("adjustment_rule",),
        "guarded_trend_factor": ("guardrail_below", "guardrail_above", "guardrail_form"),
        "update_factor": ("prospective_share", "guardrail_target"),
        "blended_risk_score": ("ai_weight",),
        "risk_growth_factor": ("coding_intensity",),
        "risk_ratio_factor": (
            "risk_cap_above",
            "risk_cap_below",
            "risk_cap_demographic",
            "risk_cap_exemption",
        ),
        "rate_book_benchmark_ppy": ("rate_book_weight",),
        "updated_benchmark_ppy": ("category_precedence", "voluntary_band", "voluntary_reference"),
        "stop_loss_charge_usd": ("stop_loss_charge",),
        "benchmark_before_discount_usd": ("medicaid_partner",),
        "discount_usd": ("discount_lower", "discount_higher"),
        "quality_withhold_usd": ("quality_at_risk", "quality_base"),
        "quality_earned_usd": ("improvement_multiplier", "ecqm_bonus", "prevention_plan_bonus"),
        "add_on_usd": ("add_on", "add_on_mode", "rural_add_on"),
        "claims_usd": ("truncation", "completion"),
        "excluded_usd": ("suspect_excluded", "skin_excluded"),
        "cara_usd": ("cara", "cara_share", "cara_performance_least", "cara_performance_most"),
        "shared_savings_usd": ("savings_bands", "minimum_share"),
        "shared_losses_usd": ("loss_bands", "minimum_share"),
        "early_exit_usd": ("early_exit_savings",),
        "sequestration_usd": (
            "sequestration",
            "sequestration_base",
            "sequestration_on_losses",
        ),
        "base_pcc_usd": ("base_pcc",),
        "enhanced_pcc_usd": ("enhanced_pcc_target", "enhanced_pcc_floor"),
        "enhanced_pcc_repaid_usd": ("enhanced_pcc_repaid",),
        "high_performers_usd": ("high_performers",),
        "financial_guarantee_usd": ("guarantee", "guarantee_basis"),
    }

    waterfall: ClassVar[tuple[Step, ...]] = (
        Step("Base years, trended and risk adjusted", f"trended_benchmark_ppy * {_BASE}"),
        Step("Regional efficiency or prior savings adjustment", f"adjustment_ppy * {_BASE}"),
        Step(
            "Historical benchmark", "total_historical_benchmark_ppy * total_person_years", "level"
        ),
        Step(
            "Change of mix",
            "historical_benchmark_ppy * (person_years_share - base_person_years_share)"
            " * total_person_years",
        ),
        Step(
            "Risk ratio, as capped", f"historical_benchmark_ppy * (risk_ratio_factor - 1) * {_NOW}"
        ),
        Step(
            "Update to the performance year",
            f"historical_benchmark_ppy * risk_ratio_factor * (update_factor - 1) * {_NOW}",
        ),
        Step(
            "Rate book",
            "(unbanded_benchmark_ppy - historical_benchmark_ppy * risk_ratio_factor"
            f" * update_factor) * {_NOW}",
        ),
        Step(
            "Band of voluntary alignment",
            f"(updated_benchmark_ppy - unbanded_benchmark_ppy) * {_NOW}",
        ),
        Step("Stop-loss charge", "stop_loss_charge_usd"),
        Step("Medicaid partnership", "medicaid_partner_usd"),
        Step("Benchmark before discount", "benchmark_before_discount_usd", "level"),
        Step("Discount", "discount_usd"),
        Step("Quality at risk", "quality_withhold_usd"),
        Step("Quality earned back", "quality_earned_usd"),
        Step("Add-on inside the benchmark", "benchmark_add_on_usd"),
        Step("Benchmark", "benchmark_usd", "level"),
        Step("Expenditure", "-expenditure_usd"),
        Step("Gross savings or losses", "gross_savings_usd", "level"),
        Step("Medicare's share", "-unshared_usd"),
        Step("Shared savings or losses", "shared_savings_usd + shared_losses_usd", "level"),
        Step("Sequestration", "sequestration_usd"),
        Step("Settlement", "settlement_usd", "level"),
        Step("Enhanced capitation taken back", "enhanced_pcc_repaid_usd"),
        Step("Advances reconciled, High Performers Pool", _OTHER),
        Step("Payment", "payment_usd", "level"),
    )
    limits: ClassVar[tuple[Limit, ...]] = (
        Limit(
            "Cap on the regional adjustment",
            "(adjustment_ppy == regional_adjustment_ppy)"
            " & (regional_adjustment_ppy < uncapped_regional_adjustment_ppy)",
            "(regional_adjustment_ppy - uncapped_regional_adjustment_ppy) * risk_ratio_factor"
            f" * update_factor * {_OWN}",
            "benchmark",
        ),
        Limit(
            "Cap on risk score growth",
            "risk_ratio_factor < risk_growth_factor",
            "historical_benchmark_ppy * (risk_ratio_factor - risk_growth_factor) * update_factor"
            f" * {_OWN}",
            "benchmark",
        ),
        Limit(
            "Floor under risk score growth",
            "risk_ratio_factor > risk_growth_factor",
            "historical_benchmark_ppy * (risk_ratio_factor - risk_growth_factor) * update_factor"
            f" * {_OWN}",
            "benchmark",
        ),
        Limit(
            "Guardrail of the forecast",
            "guarded_trend_factor != prospective_trend_factor",
            "historical_benchmark_ppy * risk_ratio_factor * prospective_share"
            f" * (guarded_trend_factor - prospective_trend_factor) * {_OWN}",
            "benchmark",
        ),
        Limit(
            "Band of voluntary alignment",
            "updated_benchmark_ppy != unbanded_benchmark_ppy",
            f"(updated_benchmark_ppy - unbanded_benchmark_ppy) * {_NOW}",
            "benchmark",
        ),
        Limit(
            "Quality not earned back",
            "quality_withhold_usd + quality_earned_usd < 0",
            "quality_withhold_usd + quality_earned_usd",
            "benchmark",
        ),
        Limit(
            "Medicare's share of savings",
            "(gross_savings_usd > 0) & (unshared_usd > 0)",
            "-unshared_usd",
        ),
        Limit(
            "Medicare's share of losses",
            "(gross_savings_usd < 0) & (unshared_usd < 0)",
            "-unshared_usd",
        ),
        Limit("Sequestration", "sequestration_usd < 0", "sequestration_usd"),
        Limit(
            "Loss beyond the financial guarantee",
            "(financial_guarantee_usd > 0) & (settlement_usd + financial_guarantee_usd < 0)",
            "settlement_usd + financial_guarantee_usd",
            "surety",
        ),
    )
    surety: ClassVar[str] = "financial_guarantee_usd"
    asks: ClassVar[tuple[str, ...]] = ("lead",)
    remembers: ClassVar[frozenset[str]] = frozenset(
        {"lower_spending", "gross_savings_usd", "total_person_years"}
    )

    first_year: CalendarYear
    category_precedence: Literal["esrd high_needs aged_disabled", "high_needs esrd aged_disabled"]
    base_weight_1: ShareByKind
    base_weight_2: ShareByKind
    base_weight_3: ShareByKind
    minimum_base_persons: Persons
    absent_category: Literal["regional_rate", "rate_book"]
    designation_regime: Literal["frozen", "each_year"]
    designation_tie: Literal["higher", "lower"]
    regional_weight_lower: Share
    regional_weight_higher: Share
    regional_cap: ShareByKind
    regional_floor: Literal["aco", "category"]
    prior_savings_share: Share
    prior_savings_cap: Share
    prior_savings_negative: Literal["netted", "dropped"]
    adjustment_rule: Literal["larger", "regional"]
    prospective_share: Share
    guardrail_below: Share
    guardrail_above: Share
    guardrail_target: Literal["acpt_component", "three_way_blend"]
    guardrail_form: Literal["additive", "relative"]
    risk_cap_above: ShareByKind
    risk_cap_below: ShareByKind
    risk_cap_demographic: Share
    risk_cap_exemption: Factor | None
    coding_intensity: Factor
    ai_weight: Share
    rate_book_weight: Share
    voluntary_band: Share
    voluntary_reference: Literal["claims_aligned", "rate_book"]
    medicaid_partner: Pbpm
    stop_loss_charge: Pbpm
    discount_lower: Share
    discount_higher: Share
    quality_at_risk: Share
    quality_base: Literal["after_discount", "before_discount"]
    improvement_multiplier: Share
    ecqm_bonus: Share
    prevention_plan_bonus: Share
    high_performers: Pbpm
    add_on: Share
    add_on_mode: Literal["separate_payment", "benchmark_addition"]
    rural_add_on: Pbpm
    suspect_excluded: Share
    skin_excluded: Share
    truncation: Literal["none"]
    completion: Factor
    cara: Literal["closed", "open"]
    cara_share: Share
    cara_performance_least: Share
    cara_performance_most: Share
    cara_performance_on_losses: Share
    minimum_share: Share
    savings_bands: ShareBands
    loss_bands: ShareBands
    early_exit_savings: Share
    sequestration: Share
    sequestration_base: Literal["shared", "gross"]
    sequestration_on_losses: Literal["none", "increase", "decrease"]
    base_pcc: Share
    enhanced_pcc_target: Share
    enhanced_pcc_floor: Share
    enhanced_pcc_repaid: Share
    guarantee: Share
    guarantee_basis: Literal["base_year_3", "prior_year"]
    high_needs_heavy: Share
    high_needs_heavy_reading: Literal["above", "at_least"]
    high_needs_heavy_counts: Literal["high_needs", "high_needs_and_esrd"]
    minimum_persons_first: PersonsByKind
    minimum_persons_later: PersonsByKind
    minimum_claims_first: PersonsByKind
    minimum_claims_later: PersonsByKind

    # ------------------------------------------------------------------- cells and membership

    def cells(self, world: xr.Dataset) -> xr.Dataset:
        """Return the world by category and channel, with each ACO's first year in LEAD."""
        if "segment" in world.dims:
            world = self._pooled(world)
        if "lead_start" in world:
            return world
        start = np.full(world.sizes["aco"], int(self.first_year))
        return world.assign(lead_start=("aco", start))

    def _pooled(self, world: xr.Dataset) -> xr.Dataset:
        names = world.segment.values
        if "entitlement" in world:
            pairs = zip(self._categories(world), world.channel.values, strict=True)
            names = [c + _VOLUNTARY * (channel != "claims") for c, channel in pairs]
            apart = world.drop_vars(["entitlement", "high_needs", "channel"])
            world = expected.pool(apart.assign(cell=("segment", names)), "cell")
            names = world.segment.values
        parts = [str(name).removesuffix(_VOLUNTARY) for name in names]
        if unknown := set(parts) - set(_CATEGORIES):
            known = [c + suffix for suffix in ("", _VOLUNTARY) for c in _CATEGORIES]
            name = min(unknown)
            raise SimulatorError(f"lead has no cell {name!r}; {nearest(name, known)}")
        voluntary = [str(name).endswith(_VOLUNTARY) for name in names]
        return world.assign(category=("segment", parts), voluntary=("segment", voluntary))

    def _categories(self, world: xr.Dataset) -> list[str]:
        """Return each atom's category: the first in precedence that its people belong to."""
        order = self.category_precedence.split()
        belongs = [
            {"esrd": kind == "esrd", "high_needs": bool(needy), "aged_disabled": True}
            for kind, needy in zip(world.entitlement.values, world.high_needs.values, strict=True)
        ]
        return [next(name for name in order if found[name]) for found in belongs]

    def history(self, aco: Mapping[str, Any]) -> tuple[History, ...]:
        """Return the three base years: the calendar years before the first one in LEAD."""
        lead = aco.get("lead")
        start = lead.get("start") if isinstance(lead, Mapping) else None
        if type(start) is not int:
            return ()
        base = tuple(range(start - len(_BACK), start))
        why, at = f"an ACO that enters LEAD in {start} needs", ("lead", "start")
        spent = ("expenditure_ppy", "untruncated_expenditure_ppy")
        return (
            History("segment", ("person_years",), base[-1:], why, at),
            History("segment", spent, base, why, at),
            History("segment", ("risk_score",), base, why, at),
        )

    def notices(self, acos: xr.Dataset, earlier: Sequence[Contract]) -> list[str]:
        """Return who has not joined yet, who has too few people, and who may not use CARA."""
        world = self.cells(acos)
        starts = zip(acos.aco.values, world.lead_start.values, strict=True)
        late = {aco: int(start) for aco, start in starts if start > self.year}
        found = [
            f"{aco}: joins in {start}; {self.year} is before that" for aco, start in late.items()
        ]
        found += [text for aco, text in self._few(world).items() if aco not in late]
        if self.cara == "closed" and _has_episodes(world):
            found.append(
                f"CARA is not open to {self.option} in {self.year}: its episodes are left out"
            )
        return found

    def _few(self, world: xr.Dataset) -> dict[str, str]:
        """Return a sentence for each ACO that has fewer people than LEAD asks for."""
        since = np.maximum(self.year - world.lead_start + 1, 1)
        kinds = world.assign(lead_cohort=self._cohort(world), lead_year=since)
        joins = since == 1
        least = self.minimum_persons_later(kinds).where(~joins, self.minimum_persons_first(kinds))
        base = self.minimum_claims_later(kinds).where(~joins, self.minimum_claims_first(kinds))
        aligned, claims = in_year(world.persons, self.year), self._claims_aligned(world)
        few = (aligned < least) | (claims < base)
        return {
            str(
                world.aco.values[i]
            ): f"{world.aco.values[i]}: {self.year} asks a {cohort} ACO for "
            f"{least.values[i]:,.0f} aligned, {base.values[i]:,.0f} of them by claims in a base "
            f"year; it has {counted(aligned.values[i])} and {counted(claims.values[i])}"
            for i, cohort in enumerate(kinds.lead_cohort.values)
            if few.values[i]
        }

    def _cohort(self, world: xr.Dataset) -> xr.DataArray:
        """Return whether an ACO is mostly of High Needs, newly entering, or standard."""
        counted = ["high_needs"]
        if self.high_needs_heavy_counts == "high_needs_and_esrd":
            counted.append("esrd")
        mix = expected.mix(in_year(world.person_years, self.year))
        share = expected.weighted(mix, world.category.isin(counted))
        above = self.high_needs_heavy_reading == "above"
        heavy = share > self.high_needs_heavy if above else share >= self.high_needs_heavy
        plain = world.lead_entry.where(world.lead_entry == "newly_entering", "standard")
        return plain.where(~heavy, "high_needs")

    def _claims_aligned(self, world: xr.Dataset) -> xr.DataArray:
        """Return the most people aligned by claims in any base year, as head-counts."""
        now = in_year(world.person_years, self.year).sum("segment")
        heads = in_year(world.persons, self.year) / now.where(now > 0.0, 1.0)
        base = [in_year(world.person_years, world.lead_start - back) for back in _BACK]
        claims = [people.where(~world.voluntary, 0.0).sum("segment") for people in base]
        return xr.concat(claims, dim="back").max("back") * heads

    # ---------------------------------------------------------------- the historical benchmark

    def _base_years(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        last = world.lead_start - 1
        people = in_year(world.person_years, last)
        people = people.fillna(0.0)
        everyone = people.sum("segment")
        made: Lines = {"base_person_years_share": people / everyone.where(everyone > 0.0, 1.0)}
        weighted = []
        for n, weight in enumerate(self._base_weights(world), 1):
            year = world.lead_start - _BACK[n - 1]
            trend = self._base_trend(world, lines, n, year)
            carried = self._net(world, year) * trend * _growth(world.risk_score, last, year)
            made |= {
                f"base_weight_{n}_share": weight,
                f"base_trend_{n}_factor": trend,
                f"base_year_{n}_ppy": carried.where(weight > 0.0, 0.0),
            }
            weighted.append(weight * made[f"base_year_{n}_ppy"])
        absent = _absent(made)
        rate = self._rate_if_absent(world) if bool(absent.any()) else 0.0
        benchmark = xr.DataArray(sum(weighted))
        return made | {"trended_benchmark_ppy": benchmark.where(~absent, rate)}

    def _base_weights(self, world: xr.Dataset) -> list[xr.DataArray]:
        """Return each base year's weight, by cell: years with too few people carry none."""
        stated = [w(world) for w in (self.base_weight_1, self.base_weight_2, self.base_weight_3)]
        years = [world.lead_start - back for back in _BACK]
        kept = [
            weight
            * ~(in_year(world.person_years, year) < self.minimum_base_persons)
            * (in_year(world.risk_score, year) != 0.0)
            for weight, year in zip(stated, years, strict=True)
        ]
        whole = xr.DataArray(sum(kept))
        return [weight / whole.where(whole > 0.0, 1.0) for weight in kept]

    def _base_trend(
        self, world: xr.Dataset, lines: Lines, n: int, year: xr.DataArray
    ) -> xr.DataArray:
        """Return two-way growth from a base year to the last one."""
        last, name = world.lead_start - 1, f"base_trend_{n}_factor"
        if name in lines:
            return lines[name]
        if n == len(_BACK):
            return xr.ones_like(in_year(world.risk_score, last))
        return expected.blended(
            _growth(world.reference_ppy, last, year),
            _growth(world.untruncated_regional_ppy, last, year),
            in_year(world.assigned_share, last),
        )

    def _net(self, world: xr.Dataset, year: Years) -> xr.DataArray:
        """Return per capita expenditure less what LEAD leaves out."""
        spent = in_year(world.expenditure_ppy, year)
        return spent - self._excluded(world, year)

    def _excluded(self, world: xr.Dataset, year: Years) -> xr.DataArray:
        parts = {
            "suspect_billing_ppy": self.suspect_excluded,
            "skin_substitutes_ppy": self.skin_excluded,
        }
        found = [part * in_year(world[n], year) for n, part in parts.items() if n in world]
        return sum(found, xr.DataArray(0.0))

    def _rate_if_absent(self, world: xr.Dataset) -> xr.DataArray:
        """Return the rate of a cell without base years, at its risk in the performance year."""
        score = self._score(world)
        if self.absent_category == "rate_book":
            return in_year(world.rate_book_ppy, self.year) * score
        return in_year(world.untruncated_regional_ppy, world.lead_start - 1) * score

    def _reference_score(self, world: xr.Dataset, lines: Lines) -> xr.DataArray:
        """Return the last base year's risk score; the performance year's for an absent cell."""
        base = in_year(world.risk_score, world.lead_start - 1)
        absent = _absent(lines) | (base == 0.0)
        return base.where(~absent, self._score(world)) if bool(absent.any()) else base

    def _regional_difference(
        self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines
    ) -> Lines:
        last = world.lead_start - 1
        region = lines.get("regional_at_risk_ppy")
        if region is None:
            region = in_year(world.untruncated_regional_ppy, last) * self._reference_score(
                world, lines
            )
        gap = region - lines["trended_benchmark_ppy"]
        share = lines["base_person_years_share"]
        return {
            "regional_at_risk_ppy": region,
            "regional_difference_ppy": gap,
            "weighted_regional_difference_ppy": expected.weighted(gap, share),
        }

    def _designation(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        """Say who spends less than the region: as at entry if that is frozen, else by the gap."""
        frozen = self.designation_regime == "frozen"
        stored = [p.lower_spending.variable for p in past if "lower_spending" in p]
        if frozen and stored:
            return {"lower_spending": xr.DataArray(stored[0])}
        given = world.get("lead_designation", xr.DataArray("open"))
        fixed = (given != "open") & frozen
        if bool(fixed.all()):
            return {"lower_spending": 1.0 * (given == "lower")}
        gap = lines["weighted_regional_difference_ppy"]
        lower = gap >= 0.0 if self.designation_tie == "lower" else gap > 0.0
        return {"lower_spending": 1.0 * lower.where(~fixed, given == "lower")}

    def _regional_adjustment(
        self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines
    ) -> Lines:
        lower, share = lines["lower_spending"], lines["base_person_years_share"]
        weight = self.regional_weight_lower * lower + self.regional_weight_higher * (1.0 - lower)
        uncapped = weight * lines["regional_difference_ppy"]
        ceiling = self.regional_cap(world) * self._national_at_risk(world, lines)
        low = 0.0 if self.regional_floor == "category" else -np.inf
        amount = expected.bounded(uncapped, low=low, high=ceiling)
        floored = amount.where(expected.weighted(amount, share) >= 0.0, 0.0)
        return {
            "uncapped_regional_adjustment_ppy": uncapped,
            "regional_cap_ppy": ceiling,
            "regional_adjustment_ppy": floored,
            "total_regional_adjustment_ppy": expected.weighted(floored, share),
        }

    def _national_at_risk(self, world: xr.Dataset, lines: Lines) -> xr.DataArray:
        last = world.lead_start - 1
        return in_year(world.uspcc_ppy, last) * self._reference_score(world, lines)

    def _prior_savings(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        """Return half of average prorated savings in the base years, within zero and its cap."""
        base = [world.lead_start - back for back in _BACK]
        saved = [self._saved(world, past, year) for year in base]
        average = xr.DataArray(sum(saved) / len(saved))
        if not bool((average > 0.0).any()):
            zero = xr.zeros_like(1.0 * lines["lower_spending"])
            return {"prior_savings_adjustment_ppy": zero}
        share = lines["base_person_years_share"]
        cap = self.prior_savings_cap * expected.weighted(
            self._national_at_risk(world, lines), share
        )
        amount = expected.bounded(self.prior_savings_share * average, low=0.0, high=cap)
        return {"prior_savings_adjustment_ppy": amount}

    def _saved(
        self, world: xr.Dataset, past: Sequence[xr.Dataset], year: xr.DataArray
    ) -> xr.DataArray:
        """Return one base year's savings per person-year, prorated by the people reconciled."""
        if "prior_savings_ppy" not in world:
            return xr.zeros_like(1.0 * year)
        saved = in_year(known(world.prior_savings_ppy, [_savings(p) for p in past]), year)
        if self.prior_savings_negative == "dropped":
            saved = paid.gains(saved)
        if "reconciled_person_years" not in world:
            return saved
        settled = in_year(
            known(world.reconciled_person_years, [p.total_person_years for p in past]), year
        )
        people = in_year(world.person_years, year).sum("segment")
        return saved * np.minimum(settled / people.where(people > 0.0, 1.0), 1.0)

    def _historical_benchmark(
        self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines
    ) -> Lines:
        regional, share = lines["regional_adjustment_ppy"], lines["base_person_years_share"]
        prior = lines["prior_savings_adjustment_ppy"]
        chosen = regional
        if self.adjustment_rule == "larger":
            of_region = expected.weighted(regional, share)
            # Both at their caps are equal but for their last digits: regional it is.
            chosen = regional.where(prior <= of_region * (1.0 + _TIE), prior)
        chosen = chosen.where(~_absent(lines), 0.0)
        adjusted = lines["trended_benchmark_ppy"] + chosen
        return {
            "adjustment_ppy": chosen,
            "historical_benchmark_ppy": adjusted,
            "total_historical_benchmark_ppy": expected.weighted(adjusted, share),
        }

    # ------------------------------------------------------------------------------ the update

    def _trends(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        """Return growth from the last base year: the nation's, the region's, the forecast."""
        last = world.lead_start - 1
        sources = {
            "national_trend_factor": "reference_ppy",
            "regional_trend_factor": "untruncated_regional_ppy",
            "prospective_trend_factor": "prospective_factor",
        }
        return {
            line: lines[line] if line in lines else _growth(world[name], self.year, last)
            for line, name in sources.items()
        }

    def _update_factor(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        two_way = lines.get("two_way_factor")
        if two_way is None:
            two_way = expected.blended(
                lines["national_trend_factor"],
                lines["regional_trend_factor"],
                in_year(world.assigned_share, world.lead_start - 1),
            )
        forecast = lines["prospective_trend_factor"]
        if self.guardrail_target == "three_way_blend":
            blend = expected.three_way(two_way, forecast, self.prospective_share)
            guarded, update = forecast, self._guarded(blend, two_way)
        else:
            guarded = self._guarded(forecast, two_way)
            update = expected.three_way(two_way, guarded, self.prospective_share)
        return {
            "two_way_factor": two_way,
            "guarded_trend_factor": guarded,
            "update_factor": update,
        }

    def _guarded(self, growth: xr.DataArray, two_way: xr.DataArray) -> xr.DataArray:
        """Return growth within its rails around the two-way trend."""
        rails = self.guardrail_below, self.guardrail_above
        below, above = (
            xr.DataArray(rail) * (two_way if self.guardrail_form == "relative" else 1.0)
            for rail in rails
        )
        return expected.bounded(growth, low=two_way - below, high=two_way + above)

    def _score(self, world: xr.Dataset) -> xr.DataArray:
        """Return the performance year's risk score: HCC and AI-inferred, as weighed this year."""
        score = in_year(world.risk_score, self.year)
        if self.ai_weight == 0.0:
            return score
        inferred = in_year(world.inferred_risk_score, self.year)
        return (1.0 - self.ai_weight) * score + self.ai_weight * inferred

    def _risk_growth(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        score, reference = self._score(world), self._reference_score(world, lines)
        scored = reference > 0.0
        grown = score * self.coding_intensity / reference.where(scored, 1.0)
        grown = grown.where(scored, 1.0)
        return {"blended_risk_score": score, "risk_growth_factor": grown}

    def _risk_ratio(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        grown = lines["risk_growth_factor"]
        neutral = 1.0 + self._demographic_offset(world)
        capped = expected.bounded(
            grown,
            low=neutral - self.risk_cap_below(world),
            high=neutral + self.risk_cap_above(world),
        )
        if self.risk_cap_exemption is None:
            return {"risk_ratio_factor": capped}
        people = world.person_years.sum("segment")
        before = in_year(people, world.lead_start - 1)
        exempt = in_year(people, self.year) >= self.risk_cap_exemption * before
        return {"risk_ratio_factor": grown.where(exempt, capped)}

    def _demographic_offset(self, world: xr.Dataset) -> xr.DataArray | float:
        if self.risk_cap_demographic == 0.0:
            return 0.0
        grown = _growth(world.demographic_score, self.year, world.lead_start - 1)
        return self.risk_cap_demographic * (grown - 1.0)

    def _updated_benchmark(
        self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines
    ) -> Lines:
        own = lines["historical_benchmark_ppy"] * lines["update_factor"]
        own = own * lines["risk_ratio_factor"]
        made, part = {}, self._rate_book_part(world)
        if "rate_book_ppy" in world or part > 0.0:
            made["rate_book_benchmark_ppy"] = self._rate_book(world, lines)
        if part > 0.0:
            own = (1.0 - part) * own + part * made["rate_book_benchmark_ppy"]
        made["rate_book_share"] = xr.DataArray(part)
        banded = self._banded(world, own, lines | made)
        return made | {"unbanded_benchmark_ppy": own, "updated_benchmark_ppy": banded}

    def _rate_book_part(self, world: xr.Dataset) -> float:
        """Return the weight of the rate book: the rule's, at the scenario's phase of it."""
        if "rate_book_phase_share" not in world:
            return self.rate_book_weight
        return self.rate_book_weight * float(world.rate_book_phase_share)

    def _rate_book(self, world: xr.Dataset, lines: Lines) -> xr.DataArray:
        score = self._reference_score(world, lines) * lines["risk_ratio_factor"]
        return in_year(world.rate_book_ppy, self.year) * score

    def _banded(self, world: xr.Dataset, own: xr.DataArray, lines: Lines) -> xr.DataArray:
        """Return voluntarily aligned cells within a band around their reference."""
        if not bool(world.voluntary.any()):
            return own
        reference = own.isel(segment=_partners(world))
        if self.voluntary_reference == "rate_book":
            reference = lines["rate_book_benchmark_ppy"]
        low, high = 1.0 - self.voluntary_band, 1.0 + self.voluntary_band
        within = expected.bounded(own, low=reference * low, high=reference * high)
        within = within.where(~_absent(lines), reference)
        return own.where(~world.voluntary, within)

    # --------------------------------------------------------------------------- the benchmark

    def _benchmark_before_discount(
        self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines
    ) -> Lines:
        people = in_year(world.person_years, self.year)
        everyone = people.sum("segment")
        gross = (people * lines["updated_benchmark_ppy"]).sum("segment")
        charge = self._stop_loss_charge(world, gross, everyone)
        partner = total(per_year(self.medicaid_partner), everyone)
        return {
            "person_years_share": people / everyone.where(everyone > 0.0, 1.0),
            "total_updated_benchmark_ppy": gross / everyone.where(everyone > 0.0, 1.0),
            "total_person_years": everyone,
            "stop_loss_charge_usd": charge,
            "medicaid_partner_usd": partner,
            "benchmark_before_discount_usd": gross + charge + partner,
        }

    def _stop_loss_charge(
        self, world: xr.Dataset, gross: xr.DataArray, everyone: xr.DataArray
    ) -> xr.DataArray:
        """Return the charge of an ACO that elected stop-loss: by person-year and by benchmark."""
        stated = xr.DataArray(per_year(self.stop_loss_charge))
        by_person = world.get("stop_loss_charge_ppy", stated)
        by_benchmark = world.get("stop_loss_charge_share", xr.DataArray(0.0))
        return 0.0 - (total(by_person, everyone) + by_benchmark * gross) * _elected(world)

    def _add_on(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        """Return the add-on of ACOs that spend more than their region, and where it goes."""
        higher = 1.0 - lines["lower_spending"]
        amount = self.add_on * higher * lines["benchmark_before_discount_usd"]
        if self.rural_add_on != 0.0:
            amount = amount + total(per_year(self.rural_add_on), self._everyone(world))
        inside = amount * (self.add_on_mode == "benchmark_addition")
        return {
            "add_on_usd": amount,
            "benchmark_add_on_usd": inside,
            "separate_add_on_usd": amount - inside,
        }

    def _everyone(self, world: xr.Dataset) -> xr.DataArray:
        return in_year(world.person_years, self.year).sum("segment")

    def _discount(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        lower = lines["lower_spending"]
        rate = self.discount_lower * lower + self.discount_higher * (1.0 - lower)
        return {"discount_usd": 0.0 - rate * lines["benchmark_before_discount_usd"]}

    def _quality(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        base = lines["benchmark_before_discount_usd"]
        if self.quality_base == "after_discount":
            base = base + lines["discount_usd"]
        at_risk = self.quality_at_risk * base
        score = in_year(world.total_quality_score, self.year)
        bonus = self.ecqm_bonus + self.prevention_plan_bonus
        earned = xr.DataArray(np.minimum(score + bonus, 1.0)) * self._improvement(world)
        return {
            "quality_share": earned,
            "quality_withhold_usd": 0.0 - at_risk,
            "quality_earned_usd": at_risk * earned,
        }

    def _improvement(self, world: xr.Dataset) -> xr.DataArray | float:
        """Return what is left of the earned part where no improvement was shown."""
        if "lead_improvement_met" not in world:
            return 1.0
        met = world.lead_improvement_met
        return met + self.improvement_multiplier * (1.0 - met)

    def _benchmark(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        parts = ("discount_usd", "quality_withhold_usd", "quality_earned_usd")
        total_usd = lines["benchmark_before_discount_usd"] + lines["benchmark_add_on_usd"]
        return {"benchmark_usd": total_usd + sum(lines[name] for name in parts)}

    # ------------------------------------------------------------------------- the expenditure

    def _claims(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        people = in_year(world.person_years, self.year)
        spent = in_year(world.expenditure_ppy, self.year) * self.completion
        left_out = self._excluded(world, self.year) * self.completion
        return {
            "claims_usd": (spent * people).sum("segment"),
            "excluded_usd": 0.0 - (left_out * people).sum("segment"),
        }

    def _episodes(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        """Return what CARA episodes pay to providers: plus raises expenditure."""
        if self.cara == "closed" or not _has_episodes(world):
            return {"cara_usd": xr.zeros_like(lines["claims_usd"])}
        premium = world.get("lead_cara_premium_share", xr.DataArray(0.0))
        if "cara_target_usd" in world:
            target = in_year(world.cara_target_usd, self.year)
            spent = in_year(world.cara_expenditure_usd, self.year)
        else:
            target = world.lead_cara_target_share * lines["benchmark_before_discount_usd"]
            spent = world.lead_cara_episode_share * lines["claims_usd"]
        under = target * (1.0 + premium) - spent
        agreed = world.get("lead_cara_performance_share", xr.DataArray(1.0))
        adjusted = expected.bounded(
            agreed, low=self.cara_performance_least, high=self.cara_performance_most
        )
        kept = paid.gains(under) * adjusted
        owed = paid.losses(under) * self.cara_performance_on_losses
        return {"cara_usd": self.cara_share * (kept - owed)}

    def _expenditure(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        payout = lines.get("stop_loss_payout_usd")
        if payout is None:
            payout = self._stop_loss_payout(world, lines)
        spent = lines["claims_usd"] + lines["excluded_usd"] + lines["cara_usd"] - payout
        return {"stop_loss_payout_usd": payout, "expenditure_usd": spent}

    def _stop_loss_payout(self, world: xr.Dataset, lines: Lines) -> xr.DataArray:
        elected = _elected(world)
        if not bool(elected.any()):
            return xr.zeros_like(lines["claims_usd"])
        factor = world.get("stop_loss_neutrality_factor", xr.DataArray(1.0))
        return in_year(world[_DRAWN_PAYOUT], self.year) * elected * factor

    # -------------------------------------------------------------------------- the settlement

    def _gross_savings(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        benchmark = lines["benchmark_usd"]
        gross = benchmark - lines["expenditure_usd"]
        settled = benchmark > 0.0
        return {
            "gross_savings_usd": gross,
            "savings_share": (gross / benchmark.where(settled, 1.0)).where(settled, 0.0),
        }

    def _shared(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        """Return what each corridor band shares; nothing where the benchmark is not positive."""
        benchmark, gross = lines["benchmark_usd"], lines["gross_savings_usd"]
        met = paid.clears(abs(gross), self.minimum_share * benchmark) & (benchmark > 0.0)
        bands = paid.corridor_bands(gross, benchmark, self.savings_bands, self.loss_bands)
        parts = {f"band_{n}_usd": band.where(met, 0.0) for n, band in enumerate(bands, 1)}
        shared = xr.DataArray(sum(parts.values()))
        lost = paid.gains(shared) * self._lost_on_exit(world)
        return parts | {
            "early_exit_usd": 0.0 - lost,
            "shared_savings_usd": paid.gains(shared) - lost,
            "shared_losses_usd": 0.0 - paid.losses(shared),
        }

    def _lost_on_exit(self, world: xr.Dataset) -> xr.DataArray | float:
        """Return the part of savings that an ACO loses which leaves within the year."""
        if "participation_share" not in world:
            return 0.0
        leaves = in_year(world.participation_share, self.year) < 1.0
        return leaves * (1.0 - self.early_exit_savings)

    def _settlement(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        earned, owed = lines["shared_savings_usd"], lines["shared_losses_usd"]
        gross = lines["gross_savings_usd"]
        shared = earned + owed
        withheld = self._sequestered(earned, owed, gross)
        return {
            "unshared_usd": gross - shared,
            "sequestration_usd": withheld,
            "settlement_usd": shared + withheld,
        }

    def _sequestered(self, earned: Usd, owed: Usd, gross: Usd) -> Usd:
        """Return sequestration of savings (a minus) and, as the reading goes, of losses."""
        savings, losses = earned, 0.0 - owed
        if self.sequestration_base == "gross":
            savings = gross * (earned > 0.0)
            losses = paid.losses(gross) * (owed < 0.0)
        sign = {"none": 0.0, "increase": 1.0, "decrease": -1.0}[self.sequestration_on_losses]
        return paid.sequestered(savings + sign * losses, rate=self.sequestration)

    # -------------------------------------------------------------------- what changes hands

    def _capitation(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        """Return primary care capitation: what replaces claims, and the advance on top of it."""
        if "benchmark_before_discount_usd" not in lines:
            return {}
        base = lines["benchmark_before_discount_usd"]
        pcc = lines.get("base_pcc_usd")
        pcc = self.base_pcc * base if pcc is None else pcc
        advance = np.maximum(self.enhanced_pcc_target * base - pcc, self.enhanced_pcc_floor * base)
        return {"base_pcc_usd": pcc, "enhanced_pcc_usd": paid.gains(advance)}

    def _cash(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        """Return the monies owed at settlement: the result, less the advance taken back."""
        if "enhanced_pcc_usd" not in lines:
            return {}
        settled = lines["settlement_usd"]
        repaid = 0.0 - self.enhanced_pcc_repaid * lines["enhanced_pcc_usd"]
        advances = lines.get("apo_reconciliation_usd", xr.zeros_like(settled))
        pool = xr.zeros_like(settled)
        if self.high_performers != 0.0:
            pool = pool + total(per_year(self.high_performers), self._everyone(world))
        return {
            "enhanced_pcc_repaid_usd": repaid,
            "apo_reconciliation_usd": advances,
            "high_performers_usd": pool,
            "payment_usd": settled + repaid + advances + pool,
        }

    def _result(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        """Return what the year is worth to the ACO; an advance that is repaid is no income."""
        if "separate_add_on_usd" not in lines:
            return {}
        none = xr.zeros_like(lines["settlement_usd"])
        margin, benefits = none, none
        if "lead_capitation_margin_ppy" in world:
            margin = total(world.lead_capitation_margin_ppy, self._everyone(world)) + none
        if "lead_benefit_cost_ppy" in world:
            benefits = none - total(world.lead_benefit_cost_ppy, self._everyone(world))
        separate = lines["separate_add_on_usd"]
        settled = lines["settlement_usd"] + lines.get("high_performers_usd", none)
        return {
            "capitation_margin_usd": margin,
            "benefits_usd": benefits,
            "economic_result_usd": settled + separate + margin + benefits,
        }

    def _guarantee(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        """Return the surety to hold: a share of earlier Parts A and B expenditure."""
        if "expenditure_ppy" not in world or "person_years" not in world:
            return {}
        last = world.lead_start - 1 if self.guarantee_basis == "base_year_3" else self.year - 1
        if not set(np.unique(last)) <= set(world.year.values):
            return {}
        spent = self._net(world, last).fillna(0.0) * in_year(world.person_years, last).fillna(0.0)
        return {"financial_guarantee_usd": self.guarantee * spent.sum("segment")}

    def remarks(self, statement: xr.Dataset) -> list[str]:
        """Return what a reader of one statement should know: what bound, what was not settled."""
        found = []
        if bool((statement.benchmark_usd <= 0.0).any()):
            found.append("the benchmark is not positive: nothing is settled")
        if "lower_spending" in statement:
            lower = bool((statement.lower_spending > 0.0).all())
            found.append(f"designation: {'lower' if lower else 'higher'}-spending")
        if "risk_growth_factor" in statement:
            found += _bound(statement, "risk cap", "risk_growth_factor", "risk_ratio_factor")
        if "guarded_trend_factor" in statement:
            found += _bound(
                statement, "guardrail", "prospective_trend_factor", "guarded_trend_factor"
            )
        return found


def _bound(statement: xr.Dataset, what: str, free: str, held: str) -> list[str]:
    """Return for each cell whether a limit raised or lowered a factor."""
    sides = {
        "raises": statement[held] > statement[free],
        "lowers": statement[held] < statement[free],
    }
    return [
        f"the {what} {side} {segment}"
        for side, hit in sides.items()
        for segment in statement.segment.values
        if bool(hit.sel(segment=segment).any())
    ]


def _absent(lines: Lines) -> xr.DataArray:
    """Return which cells have no base year that counts."""
    weights = [lines[name] for name in _WEIGHTS if name in lines]
    return xr.DataArray(sum(weights) == 0.0) if weights else xr.DataArray(False)


def _growth(variable: xr.DataArray, later: Years, earlier: Years) -> xr.DataArray:
    before = in_year(variable, earlier)
    return in_year(variable, later) / before.where(before != 0.0, 1.0)


def _has_episodes(world: xr.Dataset) -> bool:
    if "cara_target_usd" in world:
        return True
    return bool((world.get("lead_cara_target_share", xr.DataArray(0.0)) > 0.0).any())


def _elected(world: xr.Dataset) -> xr.DataArray:
    """Return who elected stop-loss, as 0 or 1."""
    return world.get("stop_loss_elected", xr.DataArray(0.0))


def _partners(world: xr.Dataset) -> list[int]:
    """Return for each cell the place of the claims-aligned cell of its category, else its own."""
    rows = list(zip(world.category.values, world.voluntary.values, strict=True))
    return [rows.index((c, False)) if (c, False) in rows else i for i, (c, _) in enumerate(rows)]


def _savings(statement: xr.Dataset) -> xr.DataArray:
    people = statement.total_person_years
    return statement.gross_savings_usd / people.where(people > 0.0, 1.0)
