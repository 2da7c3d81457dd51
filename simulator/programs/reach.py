"""ACO REACH, and Global and Professional Direct Contracting before it: one option in one year."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import xarray as xr

from simulator import benchmark as expected
from simulator import settlement as paid
from simulator.benchmark import Years, in_year
from simulator.errors import SimulatorError
from simulator.programs.contract import Contract, History, Limit, Lines, Stage, Step
from simulator.programs.rulebook import nearest
from simulator.terms import Bands, ByKind
from simulator.units import Factor, Persons, Ratio, Share, Unit, Usd, Words, counted, per_year

__all__ = ["Reach"]

ShareByKind = Annotated[ByKind, Unit("share", 0.0, 1.0)]
PersonsByKind = Annotated[ByKind, Unit("persons", 0.0, 1e9)]
ReadingByKind = Annotated[ByKind, Unit("reading", 0.0, 0.0)]
ShareBands = Annotated[Bands, Unit("share", 0.0, 1.0)]
Calendar = Annotated[float, Unit("year", 1.0, 1e4)]
Months = Annotated[float, Unit("months", 0.0, 12.0)]
AnchorYears = Annotated[float, Unit("years", 0.0, 100.0)]
Pbpm = Annotated[float, Unit("pbpm", -1e5, 1e5)]

_CATEGORIES = ("aged_disabled", "esrd")
_CHANNELS = ("claims", "voluntary", "newly_voluntary")
_TIERS = ("top", "second", "third", "middle", "bottom")
_BACK = (2, 1, 0)
_MONTHS = 12.0
_TYPE = ("reach", "type")
_HIGH_NEEDS = "high_needs"

_BENCHMARK = ("benchmark_usd", "gross_savings_usd")
_AFTER_DISCOUNT = ("quality_earned_usd", *_BENCHMARK)
_TOTAL = ("benchmark_before_discount_usd", *_BENCHMARK)
_RATE = ("benchmark_rate_ppy", *_TOTAL)
_BLENDED = ("blended_benchmark_ppy", *_RATE)
_SCORE = ("benchmark_risk_score", *_RATE)
_CODED = ("coded_risk_score", *_SCORE)
_CAPPED = ("capped_risk_score", *_CODED)
_TREND = ("retrospective_trend_factor", *_RATE)
_BANDS = tuple(f"band_{n}_usd" for n in range(1, 5))


@dataclass(frozen=True, kw_only=True)
class Reach(Contract):
    """One option of GPDC or ACO REACH, Global or Professional, in one performance year.

    The statement follows CMS's benchmark report and settlement sheet: base years trended by USPCC
    and geographic factor at risk 1.0, their blend with the regional rate within ceiling and
    floor, the risk score normalised, capped, divided by the coding intensity factor and capped
    again, the retrospective trend adjustment, the benchmark before discount; discount, quality
    withhold and what is earned of it, health equity adjustment, retention withhold; expenditure,
    stop-loss, gross savings, the risk corridor by bands, sequestration; and, apart from the
    result, what changes hands and when: capitation, advances, provisional settlement, guarantee.

    Cells are {aged and disabled, ESRD} by {claims, voluntary, newly voluntary} alignment.

    Not modelled: how people are aligned and found to be of high needs (cells are inputs), county
    rates and quality points (their results are inputs), High Needs ACOs' own coding factor, the
    allocation of the High Performers Pool, completion (expenditure is taken as complete).
    """

    program: ClassVar[str] = "reach"
    asks: ClassVar[tuple[str, ...]] = ("reach",)
    remembers: ClassVar[frozenset[str]] = frozenset({"retention_withhold_usd"})
    needs: ClassVar[frozenset[str]] = frozenset(
        {
            "expenditure_ppy",
            "person_years",
            "risk_score",
            "demographic_score",
            "rate_book_ppy",
            "geographic_factor",
            "uspcc_ppy",
            "reference_ppy",
            "coding_intensity_factor",
            "total_quality_score",
            "raw_stop_loss_payout_usd",
        }
    )
    stages: ClassVar[tuple[Stage, ...]] = (
        Stage("_base_trend", ("base_trend_1_factor", "historical_benchmark_ppy", *_BLENDED)),
        Stage("_base_years", ("base_year_1_ppy", "historical_benchmark_ppy", *_BLENDED)),
        Stage("_historical_benchmark", ("historical_benchmark_ppy", *_BLENDED)),
        Stage("_regional_rate", ("regional_rate_ppy", *_BLENDED)),
        Stage("_blended_benchmark", _BLENDED),
        Stage("_normalised_score", ("normalised_risk_score", *_CAPPED)),
        Stage("_capped_score", _CAPPED),
        Stage("_coded_score", _CODED),
        Stage("_benchmark_score", _SCORE),
        Stage("_raw_trend", ("raw_retrospective_trend_factor", *_TREND)),
        Stage("_retrospective_trend", _TREND),
        Stage("_benchmark_rate", _RATE),
        Stage("_benchmark_before_discount", _TOTAL),
        Stage("_equity_adjustment", ("equity_adjustment_usd", *_BENCHMARK)),
        Stage("_discount", ("discount_usd", *_BENCHMARK)),
        Stage("_quality_score", ("performance_quality_share", *_AFTER_DISCOUNT)),
        Stage("_quality_withhold", _AFTER_DISCOUNT),
        Stage("_retention_withhold", ("retention_withhold_usd", *_BENCHMARK)),
        Stage("_benchmark", _BENCHMARK),
        Stage("_expenditure", ("expenditure_usd", "gross_savings_usd")),
        Stage("_stop_loss", ("gross_savings_usd",)),
        Stage("_gross_savings", ("gross_savings_usd",)),
        Stage("_shared", ("settlement_usd",)),
        Stage("_settlement", ("settlement_usd",)),
        Stage("_advances", ("payment_usd",)),
        Stage("_cash", ("payment_usd",)),
    )
    adds_up: ClassVar[tuple[tuple[str, str], ...]] = (
        (
            "benchmark_usd",
            "benchmark_before_discount_usd + discount_usd + quality_withhold_usd"
            " + quality_earned_usd + equity_adjustment_usd + retention_withhold_usd",
        ),
        (
            "gross_savings_usd",
            "benchmark_usd + stop_loss_charge_usd + stop_loss_payout_usd - expenditure_usd",
        ),
        (
            "shared_savings_usd",
            "band_1_usd + band_2_usd + band_3_usd + band_4_usd - shared_losses_usd",
        ),
        ("gross_savings_usd", "shared_savings_usd + shared_losses_usd + unshared_usd"),
        (
            "settlement_usd",
            "shared_savings_usd + shared_losses_usd + sequestration_usd + high_performers_usd"
            " + retention_release_usd",
        ),
        (
            "payment_usd",
            "settlement_usd + enhanced_pcc_repaid_usd + apo_reconciliation_usd"
            " + provisional_repaid_usd",
        ),
    )
    line_terms: ClassVar = {
        "base_trend_1_factor": ("base_year_3", "recent_base_year_3", "benchmark_group"),
        "historical_benchmark_ppy": (
            "base_weight_1",
            "base_weight_2",
            "base_weight_3",
            "recent_base_weight_1",
            "recent_base_weight_2",
            "recent_base_weight_3",
        ),
        "regional_blend_share": (
            "regional_weight_standard",
            "regional_weight_voluntary",
            "regional_weight_other",
            "history_minimum_persons",
        ),
        "regional_adjustment_ppy": ("regional_ceiling", "regional_floor"),
        "normalised_risk_score": ("risk_model", "v28_share"),
        "risk_ceiling_score": (
            "risk_reference_year",
            "high_needs_reference_year",
            "demographic_adjustment",
            "high_needs_demographic_adjustment",
        ),
        "capped_risk_score": (
            "risk_cap",
            "high_needs_risk_cap",
            "high_needs_cap_persons",
            "cap_channels",
            "cap_exempt_multiple",
        ),
        "coded_risk_score": ("coding_ceiling", "high_needs_coding_ceiling"),
        "second_cap_score": (
            "second_cap",
            "second_cap_year",
            "second_cap_types",
            "second_cap_channels",
            "second_cap_demographics",
            "high_needs_second_cap",
            "high_needs_second_cap_year",
            "high_needs_second_cap_channels",
        ),
        "raw_retrospective_trend_factor": ("trend_anchor_years",),
        "retrospective_trend_factor": (
            "trend_applied",
            "trend_dead_band",
            "trend_boundary",
            "trend_corridor",
        ),
        "benchmark_before_discount_usd": ("performance_months",),
        "discount_usd": ("discount",),
        "performance_quality_share": (
            "quality_performance_share",
            "improvement_multiplier",
            "equity_reporting_bonus",
        ),
        "quality_withhold_usd": ("quality_withhold", "withhold_base"),
        "equity_adjustment_usd": (*(f"equity_{tier}" for tier in _TIERS), "equity_position"),
        "retention_withhold_usd": ("retention_withhold", "retention_applies"),
        "stop_loss_payout_usd": ("stop_loss_basis",),
        "band_1_usd": ("savings_bands", "loss_bands"),
        "sequestration_usd": ("sequestration", "sequestration_base"),
        "base_pcc_usd": ("fee_reduction_minimum", "capitations"),
        "enhanced_pcc_usd": ("enhanced_pcc_target",),
        "provisional_payment_usd": ("provisional_months",),
        "financial_guarantee_usd": ("financial_guarantee",),
    }

    waterfall: ClassVar[tuple[Step, ...]] = (
        Step(
            "Historical and regional blend, at risk 1",
            "cell_benchmark_usd / (benchmark_risk_score * retrospective_trend_factor)",
        ),
        Step(
            "Risk score, as capped and coded",
            "cell_benchmark_usd / retrospective_trend_factor * (1 - 1 / benchmark_risk_score)",
        ),
        Step(
            "Retrospective trend adjustment",
            "cell_benchmark_usd * (1 - 1 / retrospective_trend_factor)",
        ),
        Step("Benchmark before discount", "benchmark_before_discount_usd", "level"),
        Step("Discount", "discount_usd"),
        Step("Quality withhold", "quality_withhold_usd"),
        Step("Earned by quality", "quality_earned_usd"),
        Step("Health equity adjustment", "equity_adjustment_usd"),
        Step("Retention withhold", "retention_withhold_usd"),
        Step("Final benchmark", "benchmark_usd", "level"),
        Step("Expenditure", "-expenditure_usd"),
        Step("Stop-loss charge", "stop_loss_charge_usd"),
        Step("Stop-loss payout", "stop_loss_payout_usd"),
        Step("Gross savings", "gross_savings_usd", "level"),
        Step("Kept or borne by Medicare", "-unshared_usd"),
        Step("Sequestration", "sequestration_usd"),
        Step("High Performers Pool", "high_performers_usd"),
        Step("Retention withhold released", "retention_release_usd"),
        Step("Settlement", "settlement_usd", "level"),
        Step("Enhanced capitation repaid", "enhanced_pcc_repaid_usd"),
        Step("Advanced payment reconciled", "apo_reconciliation_usd"),
        Step("Provisional settlement repaid", "provisional_repaid_usd"),
        Step("Paid at final settlement", "payment_usd", "level"),
    )
    limits: ClassVar[tuple[Limit, ...]] = (
        Limit(
            "Ceiling or floor of the regional adjustment",
            "regional_adjustment_ppy != uncapped_regional_adjustment_ppy",
            "cell_benchmark_usd * (regional_adjustment_ppy - uncapped_regional_adjustment_ppy)"
            " / blended_benchmark_ppy",
            "benchmark",
        ),
        Limit(
            "Cap of the risk score",
            "capped_risk_score != normalised_risk_score",
            "cell_benchmark_usd * (1 - normalised_risk_score / capped_risk_score)",
            "benchmark",
        ),
        Limit(
            "Coding intensity factor",
            "coded_risk_score < capped_risk_score",
            "cell_benchmark_usd * (1 - capped_risk_score / coded_risk_score)",
            "benchmark",
        ),
        Limit(
            "Second, one-sided cap of the risk score",
            "benchmark_risk_score < coded_risk_score",
            "cell_benchmark_usd * (1 - coded_risk_score / benchmark_risk_score)",
            "benchmark",
        ),
        Limit(
            "Dead band and corridor of the retrospective trend",
            "retrospective_trend_factor != raw_retrospective_trend_factor",
            "cell_benchmark_usd * (1 - raw_retrospective_trend_factor"
            " / retrospective_trend_factor)",
            "benchmark",
        ),
        Limit(
            "Quality withhold not earned",
            "quality_earned_usd < -quality_withhold_usd",
            "quality_withhold_usd + quality_earned_usd",
            "benchmark",
        ),
        Limit("Corridor: savings kept by Medicare", "unshared_usd > 0", "-unshared_usd"),
        Limit("Corridor: losses borne by Medicare", "unshared_usd < 0", "-unshared_usd"),
        Limit("Sequestration", "sequestration_usd < 0", "sequestration_usd"),
        Limit(
            "Loss beyond the financial guarantee",
            "(financial_guarantee_usd > 0) & (settlement_usd + financial_guarantee_usd < 0)",
            "settlement_usd + financial_guarantee_usd",
            "surety",
        ),
    )
    surety: ClassVar[str] = "financial_guarantee_usd"

    performance_months: Months
    benchmark_group: Annotated[ReadingByKind, Words(("standard", "voluntary", "other"))]
    base_year_3: Calendar
    base_weight_1: Share
    base_weight_2: Share
    base_weight_3: Share
    recent_base_year_3: Calendar
    recent_base_weight_1: Share
    recent_base_weight_2: Share
    recent_base_weight_3: Share
    regional_weight_standard: Share
    regional_weight_voluntary: Share
    regional_weight_other: Share
    history_minimum_persons: PersonsByKind
    regional_ceiling: ShareByKind
    regional_floor: Share
    trend_anchor_years: AnchorYears
    trend_applied: Share
    trend_dead_band: Share
    trend_boundary: Literal["unadjusted", "adjusted"]
    trend_corridor: ShareBands
    risk_model: Annotated[ReadingByKind, Words(("prospective", "concurrent", "esrd"))]
    v28_share: Share
    risk_cap: Share
    risk_reference_year: Calendar
    demographic_adjustment: ShareByKind
    high_needs_risk_cap: Share | None
    high_needs_reference_year: Calendar
    high_needs_cap_persons: Persons
    high_needs_demographic_adjustment: ShareByKind
    cap_channels: ShareByKind
    cap_exempt_multiple: Factor | None
    coding_ceiling: Share | None
    high_needs_coding_ceiling: Share | None
    second_cap: Share | None
    second_cap_year: Calendar
    second_cap_types: ShareByKind
    second_cap_channels: ShareByKind
    second_cap_demographics: Share
    high_needs_second_cap: Share | None
    high_needs_second_cap_year: Calendar
    high_needs_second_cap_channels: ShareByKind
    discount: Share
    quality_withhold: Share
    withhold_base: Literal["after_discount", "before_discount"]
    quality_performance_share: Share
    improvement_multiplier: Share
    equity_reporting_bonus: Share
    equity_top: Pbpm
    equity_second: Pbpm
    equity_third: Pbpm
    equity_middle: Pbpm
    equity_bottom: Pbpm
    equity_position: Literal["after_discount", "before_discount"]
    retention_withhold: Share
    retention_applies: Literal["first_year", "leavers"]
    stop_loss_basis: Literal["residual", "spending"]
    savings_bands: ShareBands
    loss_bands: ShareBands
    sequestration: Share
    sequestration_base: Literal["shared_savings", "all_paid"]
    minimum_persons_standard: Persons
    minimum_persons_new_entrant: Persons
    minimum_persons_high_needs: Persons
    minimum_claims_persons_new_entrant: Persons
    alignment_buffer: Share
    history_persons: Persons
    capitations: Literal["pcc", "pcc tcc"]
    fee_reduction_minimum: Share
    enhanced_pcc_target: Share
    provisional_months: Months
    financial_guarantee: ShareByKind

    def cells(self, world: xr.Dataset) -> xr.Dataset:
        """Return the world by benchmark category and alignment, each cell with both as words."""
        if "segment" not in world.dims:
            world = world.expand_dims(segment=["aged_disabled"]) if _by_people(world) else world
        elif "entitlement" in world:
            world = expected.pool(world.assign(reach_cell=_cell(world)), "reach_cell")
        if "segment" not in world.dims:
            return world
        named = [_parts(str(label)) for label in world.segment.values]
        kinds = {"category": [a for a, _ in named], "alignment": [b for _, b in named]}
        return world.assign({name: ("segment", words) for name, words in kinds.items()})

    def history(self, aco: Mapping[str, Any]) -> tuple[History, ...]:
        """Return the base years that have a weight, the years of the caps, and the levels."""
        held = aco.get("reach")
        kind = held.get("type") if isinstance(held, Mapping) else None
        if kind not in ("standard", "new_entrant", _HIGH_NEEDS):
            return ()
        found = [
            need
            for channels in (("claims",), ("voluntary", "newly_voluntary"))
            for need in self._base_history(str(kind), channels)
        ]
        anchor = self.year - int(self.trend_anchor_years)
        levels = {anchor, self.year, *(year for need in found for year in need.years)}
        why = f"{self.program} {self.year} needs it"
        scores = tuple(sorted({self.year, *self._cap_years(str(kind))}))
        return (
            *found,
            History("segment", ("risk_score",), scores, why, _TYPE, ("claims", "voluntary")),
            History("segment", ("rate_book_ppy",), (self.year,), why, _TYPE),
            History("market", ("uspcc_ppy",), tuple(sorted(levels)), why, _TYPE),
        )

    def _base_history(self, kind: str, channels: tuple[str, ...]) -> list[History]:
        """Return the base years of a type's people who are aligned in one of some ways."""
        world = xr.Dataset(
            {
                "reach_type": ("aco", [kind]),
                "alignment": ("segment", [channels[0]]),
                "reach_base_persons": ("aco", [np.inf]),
            }
        )
        if not self._has_history(world):
            return []
        last = int(self._last_base_year(world).item())
        years = tuple(last - back for back in _BACK)
        why = f"{self.program} {self.year} weighs base years"
        # The newly aligned share the history of the voluntarily aligned.
        of = channels[:1]
        return [
            History("segment", (name,), years, why, _TYPE, of)
            for name in ("expenditure_ppy", "person_years", "risk_score")
        ]

    def _cap_years(self, kind: str) -> list[int]:
        """Return the years against which a type's risk scores are capped."""
        if kind == _HIGH_NEEDS:
            early = [] if self.high_needs_second_cap is None else [self.high_needs_second_cap_year]
            known = [] if self.high_needs_risk_cap is None else [self.high_needs_reference_year]
            return [int(year) for year in (*known, *early)]
        early = [] if self.second_cap is None else [self.second_cap_year]
        return [int(year) for year in (self.risk_reference_year, *early)]

    def notices(self, acos: xr.Dataset, earlier: Sequence[Contract]) -> list[str]:
        """Return who could not sign this option, why, and what is not known of whom."""
        if "reach_capitation" not in acos:
            return []
        checks = (
            self._closed,
            self._little_given_up,
            self._too_few,
            self._early_years,
            self._unsaid,
            self._uncapped,
        )
        return [notice for check in checks for notice in check(acos)]

    def _closed(self, acos: xr.Dataset) -> list[str]:
        return [
            f"{aco}: capitation {word} is not open to {self.option}; open: {self.capitations}"
            for aco, word in zip(acos.aco.values, acos.reach_capitation.values, strict=True)
            if word and str(word) not in self.capitations.split()
        ]

    def _little_given_up(self, acos: xr.Dataset) -> list[str]:
        """Return whose participants give up less of their claims than capitation asks for."""
        least = self.fee_reduction_minimum
        return [
            f"{aco}: participants give up {given:.4g} of their claims for capitation; "
            f"{self.year} asks for at least {least:g}"
            for aco, given in zip(
                acos.aco.values, np.ravel(acos.fee_reduction_share.values), strict=True
            )
            if 0.0 <= given < least
        ]

    def _too_few(self, acos: xr.Dataset) -> list[str]:
        """Return whose people are fewer than the alignment minimum of its type."""
        if "persons" not in acos:
            return []
        people = in_year(acos.persons, self.year).values
        found = []
        for aco, kind, aligned in zip(
            acos.aco.values, acos.reach_type.values, people, strict=True
        ):
            least = getattr(self, f"minimum_persons_{kind}")
            if aligned < least:
                within = aligned >= least * (1.0 - self.alignment_buffer)
                once = f"; {self.alignment_buffer:.0%} fewer are tolerated once" if within else ""
                found.append(
                    f"{aco}: {counted(aligned)} aligned people in {self.year}; a {_words(kind)} "
                    f"ACO needs {least:,.0f}{once}"
                )
        claims = self._by_claims(acos, self.year)
        return found + [
            f"{aco}: {counted(aligned)} people aligned by claims in {self.year}; a new entrant "
            f"ACO needs {self.minimum_claims_persons_new_entrant:,.0f}"
            for aco, kind, aligned in zip(
                acos.aco.values, acos.reach_type.values, claims, strict=True
            )
            if kind == "new_entrant" and aligned < self.minimum_claims_persons_new_entrant
        ]

    def _early_years(self, acos: xr.Dataset) -> list[str]:
        """Return whose people aligned by claims in early years do not fit the ACO's type."""
        years = [int(self.base_year_3) - back for back in _BACK]
        if not set(years) <= {int(year) for year in acos.year.values}:
            return []
        most = np.max([self._by_claims(acos, year) for year in years], axis=0)
        least, span = self.history_persons, f"in {years[0]} to {years[-1]}"
        each = list(zip(acos.aco.values, acos.reach_type.values, most, strict=True))
        few = [
            f"{aco}: at most {counted(people)} people aligned by claims {span}; "
            f"a standard ACO needs {least:,.0f} in one of them"
            for aco, kind, people in each
            if kind == "standard" and people < least
        ]
        return few + [
            f"{aco}: up to {counted(people)} people aligned by claims {span}; "
            f"a new entrant ACO has fewer than {least:,.0f} in each of them"
            for aco, kind, people in each
            if kind == "new_entrant" and people >= least
        ]

    def _by_claims(self, acos: xr.Dataset, year: int) -> np.ndarray:
        """Return person-years aligned by claims in a year, by ACO."""
        people = in_year(acos.person_years, year)
        if "channel" in acos:
            people = people.where(acos.channel == "claims", 0.0)
        return np.asarray(people.sum("segment").transpose("aco").values)

    def _unsaid(self, acos: xr.Dataset) -> list[str]:
        """Return which High Needs ACO does not say how many people its base years had."""
        least = float(self.history_minimum_persons(acos.assign(reach_type=_HIGH_NEEDS)))
        if self.high_needs_cap_persons <= 0.0 and least <= 0.0:
            return []
        effect = "scores are capped as if there were enough"
        if least > 0.0:
            effect += ", and the benchmark is the regional rate alone"
        return [
            f"{aco}: reach.base_persons is not given; {effect}"
            for aco, kind, base in zip(
                acos.aco.values,
                acos.reach_type.values,
                acos.reach_base_persons.values,
                strict=True,
            )
            if kind == _HIGH_NEEDS and base < 0.0
        ]

    def _uncapped(self, acos: xr.Dataset) -> list[str]:
        """Return whose scores the second cap passes over, for want of a score to compare with."""
        world = self.cells(acos)
        applies, limit = self._second_applies(world), self._second_limit(world)
        if limit is None:
            return []
        passed = applies & (limit == np.inf) & (in_year(world.person_years, self.year) > 0.0)
        return [
            f"{aco}: no people, or no score, in the year that the second cap compares with; it is "
            f"passed over for {self.year}"
            for aco, any_cell in zip(
                world.aco.values, np.ravel(passed.any("segment").values), strict=True
            )
            if any_cell
        ]

    # ---------------------------------------------------------------- the historical benchmark

    def _base_trend(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        if not self._has_history(world):
            return {}
        last = self._last_base_year(world)
        return {
            f"base_trend_{n}_factor": _since(world, "uspcc", last - back, self.year)
            * _since(world, "geographic", last - back, self.year)
            for n, back in enumerate(_BACK, 1)
        }

    def _base_years(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        if not self._has_history(world):
            return {}
        last = self._last_base_year(world)
        return {
            f"base_year_{n}_ppy": self._standardised(world, last - back)
            * lines[f"base_trend_{n}_factor"]
            for n, back in enumerate(_BACK, 1)
        }

    def _standardised(self, world: xr.Dataset, year: Years) -> xr.DataArray:
        """Return a base year's per capita at risk 1.0; both voluntary cells share one history."""
        # A worksheet may leave the people of base years out: then cells count alike.
        people = in_year(world.person_years, year).fillna(1.0)
        alike = _alike(world)
        spent = expected.together(in_year(world.expenditure_ppy, year), people, alike)
        score = expected.together(_score(world, year), people, alike)
        _refuse_empty(world, people.dot(alike, "segment"), self.year)
        return spent / score.where(score != 0.0, 1.0)

    def _has_history(self, world: xr.Dataset) -> bool:
        """Return whether any cell's benchmark has a historical part."""
        return bool((self._regional_weight(world) < 1.0).any())

    def _last_base_year(self, world: xr.Dataset) -> xr.DataArray:
        """Return the last base year of each cell; the performance year where there is none."""
        group = self._group(world)
        recent = xr.full_like(group, self.recent_base_year_3, dtype=float)
        last = recent.where(group != "standard", self.base_year_3)
        return last.where(self._regional_weight(world) < 1.0, self.year).astype(int)

    def _group(self, world: xr.Dataset) -> xr.DataArray:
        return self.benchmark_group(world)

    def _regional_weight(self, world: xr.Dataset) -> xr.DataArray:
        group = self._group(world)
        weight = xr.full_like(group, self.regional_weight_other, dtype=float)
        weight = weight.where(group != "voluntary", self.regional_weight_voluntary)
        weight = weight.where(group != "standard", self.regional_weight_standard)
        return weight.where(self._enough_history(world), 1.0)

    def _enough_history(self, world: xr.Dataset) -> Ratio:
        least = self.history_minimum_persons(world)
        if not bool((least > 0.0).any()):
            return xr.DataArray(True)
        return world.reach_base_persons >= least

    def _historical_benchmark(
        self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines
    ) -> Lines:
        if not self._has_history(world):
            return {}
        first = (self.base_weight_1, self.base_weight_2, self.base_weight_3)
        recent = (self.recent_base_weight_1, self.recent_base_weight_2, self.recent_base_weight_3)
        standard = self._group(world) == "standard"
        years = [lines[f"base_year_{n}_ppy"] for n, _ in enumerate(_BACK, 1)]
        own = sum(weight * year for weight, year in zip(first, years, strict=True))
        other = sum(weight * year for weight, year in zip(recent, years, strict=True))
        return {"historical_benchmark_ppy": xr.DataArray(own).where(standard, other)}

    # ----------------------------------------------------------------- the blended benchmark

    def _regional_rate(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        return {"regional_rate_ppy": in_year(world.rate_book_ppy, self.year)}

    def _blended_benchmark(
        self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines
    ) -> Lines:
        weight, region = self._regional_weight(world), lines["regional_rate_ppy"]
        if "historical_benchmark_ppy" not in lines and not self._has_history(world):
            nothing = _zero(region)
            return {
                "regional_blend_share": weight,
                "uncapped_regional_adjustment_ppy": nothing,
                "regional_adjustment_ppy": nothing,
                "blended_benchmark_ppy": region,
            }
        own = lines["historical_benchmark_ppy"]
        uspcc = in_year(world.uspcc_ppy, self.year)
        change = weight * (region - own)
        within = expected.bounded(
            change, low=-self.regional_floor * uspcc, high=self.regional_ceiling(world) * uspcc
        ).where(weight < 1.0, change)
        return {
            "regional_blend_share": weight,
            "uncapped_regional_adjustment_ppy": change,
            "regional_adjustment_ppy": within,
            "blended_benchmark_ppy": own + within,
        }

    # -------------------------------------------------------------------------- the risk score

    def _normalised_score(
        self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines
    ) -> Lines:
        score = _score(world, self.year)
        if "v28_risk_score" in world:
            old, new = (
                in_year(world[f"{model}_risk_score"], self.year) for model in ("v24", "v28")
            )
            blended = (1.0 - self.v28_share) * old + self.v28_share * new
            score = blended.where(self.risk_model(world) == "prospective", score)
        return {"normalised_risk_score": score}

    def _capped_score(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        score, high_needs = lines["normalised_risk_score"], world.reach_type == _HIGH_NEEDS
        year = xr.DataArray(self.high_needs_reference_year).where(
            high_needs, self.risk_reference_year
        )
        reference = _score(world, year.astype(int)) * self._demographics(world, year.astype(int))
        cap = xr.DataArray(self.high_needs_risk_cap or 0.0).where(high_needs, self.risk_cap)
        low, high = reference * (1.0 - cap), reference * (1.0 + cap)
        within = expected.bounded(score, low=low, high=high)
        return {
            "risk_floor_score": low,
            "risk_ceiling_score": high,
            "capped_risk_score": within.where(self._capped(world, year.astype(int)), score),
        }

    def _demographics(self, world: xr.Dataset, year: Years) -> Ratio:
        """Return the growth of the demographic score where the cap allows for it, else 1."""
        high_needs = world.reach_type == _HIGH_NEEDS
        part = self.high_needs_demographic_adjustment(world).where(
            high_needs, self.demographic_adjustment(world)
        )
        if not bool((part > 0.0).any()):
            return xr.DataArray(1.0)
        growth = _growth(world.demographic_score, self.year, year)
        return (1.0 + part * (growth - 1.0)).where(part > 0.0, 1.0)

    def _capped(self, world: xr.Dataset, year: Years) -> xr.DataArray:
        """Return which scores are capped: not new people, nor an ACO grown beyond comparison."""
        high_needs, base = world.reach_type == _HIGH_NEEDS, _attribute(world, "reach_base_persons")
        enough = (base < 0.0) | (base >= self.high_needs_cap_persons)
        applies = enough & (self.high_needs_risk_cap is not None) | ~high_needs
        people = in_year(world.person_years, year)
        applies = applies & (self.cap_channels(world) > 0.0) & ~(people == 0.0)
        if self.cap_exempt_multiple is None:
            return applies
        now = in_year(world.person_years, self.year).sum("segment")
        # A reference year without any people, or not known (NaN), exempts nobody here.
        then = people.sum("segment", skipna=False)
        return applies & ~((now >= self.cap_exempt_multiple * then) & (then > 0.0))

    def _coded_score(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        high_needs = world.reach_type == _HIGH_NEEDS
        ceilings = (self.high_needs_coding_ceiling, self.coding_ceiling)
        own, other = (np.inf if ceiling is None else 1.0 + ceiling for ceiling in ceilings)
        factor = expected.bounded(
            in_year(world.coding_intensity_factor, self.year),
            low=1.0,
            high=xr.DataArray(own).where(high_needs, other),
        )
        score = lines["capped_risk_score"]
        applies = self.cap_channels(world) > 0.0
        return {"coded_risk_score": (score / factor).where(applies, score)}

    def _benchmark_score(
        self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines
    ) -> Lines:
        score = lines["coded_risk_score"]
        limit = self._second_limit(world)
        if limit is None:
            return {"benchmark_risk_score": score}
        return {
            "second_cap_score": limit,
            "benchmark_risk_score": expected.capped_growth(score, limit),
        }

    def _second_limit(self, world: xr.Dataset) -> xr.DataArray | None:
        """Return the most that a score may be against an early year; None if nobody has one.

        Where the early score is not known there is no limit: what CMS does then is not known.
        """
        applies = self._second_applies(world)
        if not bool(applies.any()):
            return None
        high_needs = world.reach_type == _HIGH_NEEDS
        year = xr.DataArray(self.high_needs_second_cap_year).where(
            high_needs, self.second_cap_year
        )
        early = self._early_score(world, year.astype(int))
        caps = (self.high_needs_second_cap or 0.0, self.second_cap or 0.0)
        cap = xr.DataArray(caps[0]).where(high_needs, caps[1])
        return ((1.0 + cap) * early).where(applies & (early > 0.0), np.inf)

    def _second_applies(self, world: xr.Dataset) -> xr.DataArray:
        """Return to which cells the second cap applies, by type and alignment."""
        high_needs = world.reach_type == _HIGH_NEEDS
        own = self.second_cap_types(world) * self.second_cap_channels(world)
        other = self.high_needs_second_cap_channels(world)
        caps = (self.high_needs_second_cap, self.second_cap)
        known = xr.DataArray(caps[0] is not None).where(high_needs, caps[1] is not None)
        return (other.where(high_needs, own) > 0.0) & known.astype(bool)

    def _early_score(self, world: xr.Dataset, year: Years) -> xr.DataArray:
        if not set(np.unique(year)) <= set(world.indexes["year"]):
            return xr.zeros_like(_score(world, self.year))
        score = _score(world, year)
        if self.second_cap_demographics > 0.0:
            growth = _growth(world.demographic_score, self.year, year)
            score = score * (1.0 + self.second_cap_demographics * (growth - 1.0))
        return score.fillna(0.0).where(in_year(world.person_years, year) != 0.0, 0.0)

    # ---------------------------------------------------------------- the total, and its trend

    def _raw_trend(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        anchor = self.year - int(self.trend_anchor_years)
        actual = _growth(world.reference_ppy, self.year, anchor)
        return {
            "raw_retrospective_trend_factor": actual / _growth(world.uspcc_ppy, self.year, anchor)
        }

    def _retrospective_trend(
        self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines
    ) -> Lines:
        adjusted = expected.retrospective(
            lines["raw_retrospective_trend_factor"],
            dead_band=self.trend_dead_band,
            corridor=self.trend_corridor,
            boundary=self.trend_boundary,
        )
        return {"retrospective_trend_factor": 1.0 + self.trend_applied * (adjusted - 1.0)}

    def _benchmark_rate(
        self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines
    ) -> Lines:
        at_risk = lines["blended_benchmark_ppy"] * lines["benchmark_risk_score"]
        return {"benchmark_rate_ppy": at_risk * lines["retrospective_trend_factor"]}

    def _benchmark_before_discount(
        self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines
    ) -> Lines:
        people = in_year(world.person_years, self.year)
        rate = lines["benchmark_rate_ppy"]
        if "seasonality_factor" in world:
            rate = rate * in_year(world.seasonality_factor, self.year)
        by_cell = (rate * people).where(people > 0.0, 0.0)
        return {
            "cell_benchmark_usd": by_cell,
            "total_person_years": people.sum("segment"),
            "benchmark_before_discount_usd": by_cell.sum("segment"),
        }

    def _equity_adjustment(
        self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines
    ) -> Lines:
        amounts = [getattr(self, f"equity_{tier}") for tier in _TIERS]
        if not any(amounts):
            return {"equity_adjustment_usd": _zero(lines["benchmark_before_discount_usd"])}
        total = sum(
            amount * self._tier_months(world, tier, lines)
            for tier, amount in zip(_TIERS, amounts, strict=True)
            if amount
        )
        return {"equity_adjustment_usd": xr.DataArray(total)}

    def _tier_months(self, world: xr.Dataset, tier: str, lines: Lines) -> xr.DataArray:
        """Return the months of people in a tier of equity scores, as given or as a share."""
        if f"equity_{tier}_months" in world:
            return world[f"equity_{tier}_months"]
        return per_year(world[f"equity_{tier}_share"] * lines["total_person_years"])

    # ------------------------------------------------------------- discount, quality, retention

    def _discount(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        base = lines["benchmark_before_discount_usd"]
        if self.equity_position == "before_discount":
            base = base + lines["equity_adjustment_usd"]
        return {"discount_usd": xr.DataArray(0.0 - self.discount * base)}

    def _quality_score(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        if "initial_quality_score" not in world:
            return {"performance_quality_share": in_year(world.total_quality_score, self.year)}
        met = in_year(world.improvement_met, self.year)
        factor = self.improvement_multiplier + met * (1.0 - self.improvement_multiplier)
        points = in_year(world.initial_quality_score, self.year) * factor
        bonus = np.minimum(
            in_year(world.equity_reporting_share, self.year), self.equity_reporting_bonus
        )
        paid_for_reporting = 1.0 - self.quality_performance_share
        score = paid_for_reporting + self.quality_performance_share * points + bonus
        return {"performance_quality_share": xr.DataArray(np.minimum(score, 1.0))}

    def _quality_withhold(
        self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines
    ) -> Lines:
        base = lines["benchmark_before_discount_usd"]
        if self.withhold_base == "after_discount":
            base = base + lines["discount_usd"]
        withheld = 0.0 - self.quality_withhold * base
        return {
            "quality_withhold_usd": withheld,
            "quality_earned_usd": 0.0 - withheld * lines["performance_quality_share"],
        }

    def _retention_withhold(
        self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines
    ) -> Lines:
        base = lines["benchmark_before_discount_usd"] + lines["discount_usd"]
        withheld = self.retention_withhold * base * self._kept(world)
        return {"retention_withhold_usd": 0.0 - withheld}

    def _kept(self, world: xr.Dataset) -> Ratio:
        """Return 1 where the retention withhold is taken, else 0."""
        said = _attribute(world, "retention_withheld")
        if self.retention_applies == "first_year":
            by_rule = 1.0 * (_attribute(world, "reach_first_year") == self.year)
        else:
            by_rule = 1.0 * (_participation(world, self.year) < 1.0)
        return xr.DataArray(by_rule).where(said < 0.0, said)

    def _benchmark(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        parts = (
            "benchmark_before_discount_usd",
            "discount_usd",
            "quality_withhold_usd",
            "quality_earned_usd",
            "equity_adjustment_usd",
            "retention_withhold_usd",
        )
        return {"benchmark_usd": xr.DataArray(sum(lines[part] for part in parts))}

    # -------------------------------------------------------------------------- the settlement

    def _expenditure(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        people = in_year(world.person_years, self.year)
        spent = in_year(world.expenditure_ppy, self.year) * people
        return {"expenditure_usd": spent.where(people > 0.0, 0.0).sum("segment")}

    def _stop_loss(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        """Return charge and payout of an ACO that elected stop-loss, as given or as elected."""
        nothing = _zero(lines["benchmark_usd"])
        payout, charge = nothing, nothing
        elected = _attribute(world, "stop_loss_elected", otherwise=1.0) > 0.0
        if "stop_loss_elected" in world and bool(elected.any()):
            world["raw_stop_loss_payout_usd"]
        if "raw_stop_loss_payout_usd" in world:
            factor = _attribute(world, "stop_loss_neutrality_factor", otherwise=1.0)
            payout = elected * factor * in_year(world.raw_stop_loss_payout_usd, self.year)
        if "stop_loss_charge_ppy" in world:
            charge = 0.0 - elected * world.stop_loss_charge_ppy * lines["total_person_years"]
        if "stop_loss_charge_share" in world:
            share = world.stop_loss_charge_share
            charge = charge - elected * share * lines["benchmark_before_discount_usd"]
        return {
            "stop_loss_charge_usd": lines.get("stop_loss_charge_usd", charge),
            "stop_loss_payout_usd": lines.get("stop_loss_payout_usd", payout),
        }

    def _gross_savings(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        spent, stop_loss = lines["expenditure_usd"], _stop_loss_net(lines)
        gross = lines["benchmark_usd"] + stop_loss - spent
        found = {"gross_savings_usd": gross, "savings_share": gross / lines["benchmark_usd"]}
        if "benchmark_before_discount_usd" in lines:
            before = lines["benchmark_before_discount_usd"]
            found["public_savings_usd"] = before + stop_loss - spent
        return found

    def _shared(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        gross = lines["gross_savings_usd"]
        bands = paid.corridor_bands(
            gross, lines["benchmark_usd"], self.savings_bands, self.loss_bands
        )
        shared = xr.DataArray(sum(bands))
        earned = paid.gains(shared)
        return {
            **dict(zip(_BANDS, bands, strict=False)),
            "shared_savings_usd": earned,
            "shared_losses_usd": 0.0 - paid.losses(shared),
            "unshared_usd": gross - shared,
        }

    def _settlement(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        shared, owed = lines["shared_savings_usd"], lines["shared_losses_usd"]
        pool = lines.get("high_performers_usd")
        if pool is None:
            part = _attribute(world, "high_performers_share", otherwise=0.0)
            pool = _zero(shared) + part * lines["benchmark_usd"]
        release = self._released(world, past) + _zero(shared)
        base = shared
        if self.sequestration_base == "all_paid":
            base = paid.gains(shared + owed + pool + release)
        sequestration = paid.sequestered(base, rate=self.sequestration)
        return {
            "sequestration_usd": sequestration,
            "high_performers_usd": pool,
            "retention_release_usd": release,
            "settlement_usd": shared + owed + sequestration + pool + release,
        }

    def _released(self, world: xr.Dataset, past: Sequence[xr.Dataset]) -> Usd:
        """Return what was withheld in the year before, if the ACO stays through this one."""
        if not past:
            return xr.DataArray(0.0)
        withheld = past[-1].retention_withhold_usd.drop_vars(
            ("trial", "aco", "year"), errors="ignore"
        )
        return (0.0 - withheld) * (_participation(world, self.year) >= 1.0)

    # ----------------------------------------------------------- what changes hands, and when

    def _advances(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        """Return what is paid during the year: in place of claims, or in advance of them."""
        nothing, settled = _zero(lines["gross_savings_usd"]), lines["settlement_usd"]
        spent, benchmark = lines.get("expenditure_usd", nothing), lines["benchmark_usd"]
        capitated = _attribute(world, "capitated_share", otherwise=0.0)
        enhanced = _attribute(world, "enhanced_pcc_share", otherwise=0.0)
        advanced = _attribute(world, "advanced_payment_share", otherwise=0.0)
        elected = _attribute(world, "provisional_settlement", otherwise=0.0)
        return {
            "base_pcc_usd": nothing + capitated * spent,
            "enhanced_pcc_usd": nothing + enhanced * benchmark,
            "advanced_payment_usd": nothing + advanced * spent,
            "provisional_payment_usd": elected * settled * self.provisional_months / _MONTHS,
        }

    def _cash(self, world: xr.Dataset, past: Sequence[xr.Dataset], lines: Lines) -> Lines:
        claims = _attribute(world, "advanced_payment_claims_share", otherwise=1.0)
        repaid = 0.0 - lines["enhanced_pcc_usd"]
        reconciled = lines["advanced_payment_usd"] * (claims - 1.0)
        provisional = 0.0 - lines["provisional_payment_usd"]
        found = {
            "enhanced_pcc_repaid_usd": repaid,
            "apo_reconciliation_usd": reconciled,
            "provisional_repaid_usd": provisional,
            "payment_usd": lines["settlement_usd"] + repaid + reconciled + provisional,
        }
        if "reach_capitation" in world:
            share = self.financial_guarantee(world)
            found["financial_guarantee_usd"] = share * lines["benchmark_usd"]
        return found


def _words(kind: str) -> str:
    return str(kind).replace("_", " ")


def _by_people(world: xr.Dataset) -> bool:
    return "person_years" in world


def _cell(world: xr.Dataset) -> tuple[str, list[str]]:
    """Return the cell of each segment: its benchmark category and how its people are aligned."""
    channel = world.channel.values if "channel" in world else ["claims"] * world.segment.size
    pairs = zip(world.entitlement.values, channel, strict=True)
    return "segment", [f"{'esrd' if e == 'esrd' else 'aged_disabled'}_{c}" for e, c in pairs]


def _parts(cell: str) -> tuple[str, str]:
    """Return a cell's category and alignment; people are aligned by claims if it does not say.

    >>> _parts("esrd"), _parts("aged_disabled_newly_voluntary")
    (('esrd', 'claims'), ('aged_disabled', 'newly_voluntary'))
    """
    for category in _CATEGORIES:
        channel = cell.removeprefix(category).removeprefix("_") or "claims"
        if cell.startswith(category) and channel in _CHANNELS:
            return category, channel
    allowed = [f"{category}_{channel}" for category in _CATEGORIES for channel in _CHANNELS]
    raise SimulatorError(f"reach has no cell {cell!r}; {nearest(cell, allowed)}")


def _alike(world: xr.Dataset) -> xr.DataArray:
    """Return which cells share one history: of a category, claims or not."""
    pairs = zip(world.category.values, world.alignment.values, strict=True)
    keys = [(category, channel == "claims") for category, channel in pairs]
    same = [[float(a == b) for b in keys] for a in keys]
    return xr.DataArray(same, dims=("segment", "cell"))


def _refuse_empty(world: xr.Dataset, people: xr.DataArray, year: int) -> None:
    """Raise for a base year without people of a cell that has people now."""
    now = in_year(world.person_years, year).dot(_alike(world), "segment")
    if bool(((people == 0.0) & (now > 0.0)).any()):
        raise SimulatorError(
            f"reach {year}: a base year has no people in a cell that has people in {year}; how "
            "the base years are weighed then is not published, so give people to each of them"
        )


def _score(world: xr.Dataset, year: Years) -> xr.DataArray:
    """Return the normalised risk score of a year: as given, or raw over its mean."""
    if "raw_risk_score" not in world:
        return in_year(world.risk_score, year)
    normalised = in_year(world.raw_risk_score, year) / in_year(world.normalisation_factor, year)
    if "risk_score" not in world:
        return normalised
    given = in_year(world.risk_score, year)
    return given.where(given.notnull(), normalised)


def _growth(variable: xr.DataArray, later: Years, earlier: Years) -> xr.DataArray:
    return in_year(variable, later) / in_year(variable, earlier)


def _since(world: xr.Dataset, kind: str, earlier: Years, later: int) -> Ratio:
    """Return growth from an earlier year on: as given by that year, else from the levels."""
    if f"{kind}_trend_factor" in world:
        return in_year(world[f"{kind}_trend_factor"], earlier)
    level = {"uspcc": "uspcc_ppy", "geographic": "geographic_factor"}[kind]
    if kind == "geographic" and level not in world:
        return xr.DataArray(1.0)
    return _growth(world[level], later, earlier)


def _attribute(world: xr.Dataset, name: str, otherwise: float = -1.0) -> xr.DataArray:
    return world[name] if name in world else xr.DataArray(otherwise)


def _participation(world: xr.Dataset, year: int) -> xr.DataArray:
    if "participation_share" not in world:
        return xr.DataArray(1.0)
    return in_year(world.participation_share, year)


def _stop_loss_net(lines: Lines) -> xr.DataArray:
    return lines["stop_loss_charge_usd"] + lines["stop_loss_payout_usd"]


def _zero(line: xr.DataArray) -> xr.DataArray:
    return xr.zeros_like(line)
