"""The shape of a scenario: frozen models without behaviour. `acosim schema` prints them."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
)

__all__ = [
    "Aco",
    "Agreement",
    "Cara",
    "Case",
    "Category",
    "Cell",
    "Circumstances",
    "Completion",
    "ContractChoice",
    "Cyberattack",
    "DataQuality",
    "Departure",
    "Deviation",
    "Effect",
    "Elections",
    "EquityTiers",
    "Exit",
    "Experience",
    "Finding",
    "Groups",
    "InputFile",
    "Lead",
    "Market",
    "Membership",
    "Observed",
    "Override",
    "PartialYear",
    "Persistence",
    "Quality",
    "Reach",
    "RiskScores",
    "RunOut",
    "Sample",
    "Sampling",
    "Scenario",
    "Segment",
    "Severity",
    "Steps",
    "StopLoss",
    "Sweep",
    "Termination",
    "TotalQuality",
    "Trend",
    "Valuation",
]

Number = Annotated[StrictFloat, Field(allow_inf_nan=False)]
Positive = Annotated[Number, Field(gt=0)]
NonNegative = Annotated[Number, Field(ge=0)]
Share = Annotated[Number, Field(ge=0, le=1)]
ZeroShare = Annotated[Number, Field(ge=0, lt=1)]
SignedShare = Annotated[Number, Field(ge=-1, le=1)]
Spread = Annotated[Number, Field(ge=0, le=1)]
Growth = Annotated[Number, Field(ge=-0.5, le=0.5)]
Lasting = Annotated[Number, Field(ge=0, le=0.95)]
Months = Annotated[StrictInt, Field(ge=1, le=12)]
Rank = Annotated[StrictInt, Field(ge=1, le=100)]
Score = Annotated[Number, Field(gt=0, le=20)]
UsdPpy = Annotated[Number, Field(ge=0, le=1_000_000)]
LevelPpy = Annotated[Number, Field(gt=0, le=1_000_000)]
Year = Annotated[StrictInt, Field(ge=2008, le=2060)]
Entitlement = Literal["esrd", "disabled", "aged_dual", "aged_nondual"]
Category = Literal["aged_disabled", "high_needs", "esrd"]
Name = Annotated[StrictStr, Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9][\w\-]*$")]
Text = Annotated[StrictStr, Field(max_length=4_000)]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Segment(_Frozen):
    """People of one enrolment type (and channel): years map to what CMS reported for them."""

    person_years: Mapping[Year, NonNegative] = Field(description="Person-years by calendar year")
    expenditure_ppy: Mapping[Year, UsdPpy] = Field(
        default_factory=dict,
        description="Per capita expenditure by calendar year, truncated and completed as CMS "
        "reports it (not truncated where `market.truncation_usd` has no threshold); years not "
        "given are projected from the last one given",
    )
    untruncated_expenditure_ppy: Mapping[Year, UsdPpy] = Field(
        default_factory=dict,
        description="The same before truncation, where it is known; by default what the severity "
        "adds above the threshold",
    )
    risk_score: Mapping[Year, Score] = Field(
        description="Renormalised prospective HCC score by calendar year"
    )
    demographic_score: Mapping[Year, Score] = Field(default_factory=dict)
    regional_ppy: Mapping[Year, LevelPpy] = Field(
        default_factory=dict,
        description="Risk-standardised (score 1.0) regional per capita by calendar year",
    )
    untruncated_regional_ppy: Mapping[Year, LevelPpy] = Field(
        default_factory=dict,
        description="The same before truncation; by default what the severity adds",
    )
    rate_book_ppy: Mapping[Year, LevelPpy] = Field(
        default_factory=dict,
        description="Rate-book rate of the counties where the people live, at score 1.0",
    )
    geographic_factor: Mapping[Year, Positive] = Field(
        default_factory=dict,
        description="Geographic adjustment factor of those counties; its growth is what counts",
    )
    inferred_risk_score: Mapping[Year, Score] = Field(
        default_factory=dict, description="AI-inferred score; by default the risk score"
    )
    suspect_billing_share: Mapping[Year, Share] = Field(
        default_factory=dict,
        description="Significant, anomalous, highly suspect billing in the expenditure",
    )
    skin_substitutes_share: Mapping[Year, Share] = Field(
        default_factory=dict, description="Skin substitutes in the expenditure"
    )
    assigned_share: Mapping[Year, Share] = Field(
        default_factory=dict,
        description="The ACO's share of its region's assignable people (weight of national)",
    )
    entitlement: Entitlement | None = Field(
        default=None, description="Enrolment type; by default the segment's own name"
    )
    high_needs: StrictBool = False
    channel: Literal["claims", "voluntary", "newly_voluntary"] = Field(
        default="claims",
        description="How people are aligned; `newly_voluntary` (REACH): this year, newly",
    )
    churn_share: Share = Field(default=0.0, description="People replaced each year")
    growth_share: Growth = Field(default=0.0, description="Growth of person-years a year")


class Agreement(_Frozen):
    """The agreement in force at the first performance year."""

    start: Year = Field(description="Calendar year in which the agreement period started")
    number: Annotated[StrictInt, Field(ge=1, le=20)] = 1
    regional_number: Annotated[StrictInt, Field(ge=1, le=20)] | None = Field(
        default=None, description="Agreements with a regional adjustment; by default `number`"
    )
    kind: Literal["initial", "renewal", "reentering"] = "initial"
    experience: Literal["inexperienced", "experienced"] = "inexperienced"
    one_sided_years: Annotated[StrictInt, Field(ge=0, le=20)] = Field(
        default=0, description="One-sided performance years before the first one simulated"
    )


class Termination(_Frozen):
    """Leaving before a performance year is over: surely or by chance, in a given month or any."""

    kind: Literal["voluntary", "involuntary"] = "voluntary"
    year: Year | None = Field(default=None, description="By default any performance year")
    month: Months | None = Field(
        default=None,
        description="The last month in the program, itself counted; by default any, all alike",
    )
    chance: Share = Field(default=1.0, description="Of leaving in the year, having stayed so far")


class Elections(_Frozen):
    """What the ACO chose where the program lets it choose."""

    minimum_savings: Share | Literal["variable"] = "variable"
    assignment: Literal["prospective", "retrospective"] = "retrospective"


class Observed(_Frozen):
    """What was published for a year that is simulated: shown beside the distribution."""

    year: Year
    contract: Name
    settlement_usd: Number
    source: Text
    benchmark_usd: Number | None = None
    expenditure_usd: Number | None = None
    updated_benchmark_ppy: Number | None = None
    expenditure_ppy: Mapping[Name, UsdPpy] = Field(
        default_factory=dict, description="By segment, as published"
    )


# What a loader says, besides what is allowed, where a field is missing.
_UNPUBLISHED: dict[str, JsonValue] = {
    "x-missing": "stop-loss needs its attachment points and payout rates: none is published, so "
    "that none has a default"
}


class StopLoss(_Frozen):
    """Person-level stop-loss on residuals (REACH, LEAD): what exceeds a person's prediction.

    No attachment point, payout rate or charge is published, so that none has a default.
    """

    attachment_usd: Annotated[tuple[Positive, ...], Field(min_length=1)] = Field(
        description="Attachment points on a person's residual in a year, rising",
        json_schema_extra=_UNPUBLISHED,
    )
    payout_share: Annotated[tuple[Share, ...], Field(min_length=1)] = Field(
        description="Paid of the residual from each attachment point to the next",
        json_schema_extra=_UNPUBLISHED,
    )
    charge_ppy: NonNegative | None = Field(default=None, description="Charge per person-year")
    charge_share: Share | None = Field(
        default=None, description="Charge as a share of the benchmark before discount"
    )
    neutrality_factor: Positive = Field(
        default=1.0, description="What multiplies all payouts so that charges cover them"
    )
    predicted_ppy: Mapping[Name, Mapping[Year, UsdPpy]] = Field(
        default_factory=dict,
        description="Predicted per capita by segment and year; by default what is expected, "
        "moved with the nation",
    )
    prediction_cv: NonNegative = Field(
        default=0.9, description="Spread of people's own predictions around their segment's"
    )
    prediction_correlation: Annotated[Number, Field(ge=-1, le=1)] = Field(
        default=0.45,
        description="Of a person's prediction with the person's spending, in normal scores",
    )


class Cara(_Frozen):
    """Episodes under CARA arrangements (LEAD Global, from their second year): totals, by share."""

    target_share: Share = Field(
        description="Target prices of a year's episodes, of the benchmark before discount"
    )
    episode_share: Share = Field(
        description="What the episodes cost fee-for-service, of all expenditure"
    )
    premium_share: SignedShare = Field(
        default=0.0, description="Premium (plus) or discount (minus) on target prices"
    )
    performance_share: Share = Field(
        default=1.0, description="Performance adjustment of what providers gain"
    )


class Lead(_Frozen):
    """What LEAD asks of an ACO that enters it."""

    start: Year = Field(description="First performance year; base years are the three before")
    entry: Literal["renewing", "newly_entering"] = Field(
        description="Whether there is history in REACH or MSSP"
    )
    prior_program: Literal["mssp", "reach", "mixed", "none"] = Field(
        description="Where that history is from: it decides the cap of the regional adjustment"
    )
    designation: Literal["open", "lower", "higher"] = Field(
        default="open", description="Spending against the region; open as the base years say"
    )
    improvement_met: StrictBool = Field(
        default=True, description="Continuous improvement or sustained performance is shown"
    )
    capitation_margin_ppy: Number = Field(
        default=0.0, description="Gain on capitation that is not reconciled (NPCC, TCC)"
    )
    benefit_cost_ppy: NonNegative = Field(
        default=0.0, description="Benefits that the ACO itself pays for"
    )
    cara: Cara | None = None


class EquityTiers(_Frozen):
    """Shares of months by decile of the national equity score (REACH's HEBA)."""

    top: Share = Field(default=0.10, description="The top decile")
    second: Share = Field(default=0.10, description="The second decile")
    third: Share = Field(default=0.10, description="The third decile")
    middle: Share = Field(default=0.20, description="The fourth and fifth deciles")
    bottom: Share = Field(default=0.50, description="The bottom five deciles")


class Reach(_Frozen):
    """What ACO REACH asks of an ACO, and how it is paid during the year."""

    type: Literal["standard", "new_entrant", "high_needs"]
    first_year: Year = Field(description="First performance year in GPDC or REACH")
    base_persons: NonNegative | None = Field(
        default=None,
        description="Most people aligned in any historical benchmark year; High Needs needs it "
        "(scores are capped from 750 on)",
    )
    equity: EquityTiers = EquityTiers()
    retention_withheld: StrictBool | None = Field(
        default=None, description="By default as the rules say"
    )
    capitation: Literal["pcc", "tcc"] = "pcc"
    capitated_share: Share = Field(
        default=0.0, description="Of expenditure, paid as base capitation in place of claims"
    )
    fee_reduction_share: Share | None = Field(
        default=None,
        description="Of participants' claims, given up for capitation; by default enough",
    )
    enhanced_pcc_share: Share = Field(
        default=0.0, description="Of the benchmark, advanced as enhanced primary care capitation"
    )
    advanced_payment_share: Share = Field(
        default=0.0, description="Of expenditure, advanced under the advanced payment option"
    )
    advanced_payment_claims_share: NonNegative = Field(
        default=1.0, description="Reduced claims over what was advanced for them"
    )
    provisional_settlement: StrictBool = False
    high_performers_share: Share = Field(
        default=0.0, description="Paid from the High Performers Pool, of the benchmark"
    )


class Aco(_Frozen):
    """One ACO: its people by segment, its agreement, what CMS published about it."""

    about: Text = ""
    segments: Mapping[Name, Segment] = Field(
        default_factory=dict, description="What is typed here stands before what files give"
    )
    aco_id: Name | None = Field(
        default=None, description="The ACO's id in files; by default its own name here"
    )
    segment_table: Text | None = Field(
        default=None, description="CSV or parquet file of years by enrolment type, as CMS reports"
    )
    beneficiaries: Text | None = Field(
        default=None, description="CSV or parquet file with a row for each person and year"
    )
    persons: Mapping[Year, Positive] = Field(
        default_factory=dict,
        description="Assigned beneficiaries (head-count) by year, as used for the MSR",
    )
    agreement: Agreement
    elections: Elections = Elections()
    revenue_class: Literal["low", "high"] = "high"
    revenue_ppy: UsdPpy | None = Field(
        default=None,
        description="ACO participants' A and B revenue per assigned person-year, in the first "
        "performance year; in others it moves with expenditure",
    )
    region: Name = "region"
    historical_benchmark_ppy: LevelPpy | None = Field(
        default=None, description="Published historical benchmark, all enrolment types together"
    )
    regional_growth_factor: Positive = Field(
        default=1.0, description="Expected regional over national growth, last base year to PY"
    )
    low_income_share: Share = 0.0
    dual_share: Share | None = None
    prior_savings_ppy: Mapping[Year, Number] = Field(
        default_factory=dict,
        description="Gross savings per person-year of settled years before those simulated",
    )
    reconciled_person_years: Mapping[Year, NonNegative] = Field(
        default_factory=dict,
        description="Person-years of settled years; by default those of the years with prior "
        "savings and of performance years",
    )
    counties: Mapping[Text, Mapping[Entitlement, NonNegative]] | Text = Field(
        default_factory=dict,
        description="Assigned person-years by `State/County` and enrolment type, or a CSV file of "
        "them: with `market.counties` they give regional_ppy and assigned_share",
    )
    aip_balance_usd: NonNegative = Field(
        default=0.0, description="Advance investment payments of earlier years not yet recouped"
    )
    advance_payments: Mapping[Rank, Share] = Field(
        default_factory=dict,
        description="If the ACO takes advance investment payments: shares of its assigned people "
        "by national rank of their area's deprivation, 1 to 100 (duals and low incomes at 100)",
    )
    termination: Termination | None = None
    stop_loss: StopLoss | None = Field(default=None, description="Elected if it is given")
    lead: Lead | None = Field(default=None, description="Needed where a contract is LEAD's")
    reach: Reach | None = Field(default=None, description="Needed where a contract is REACH's")
    observed: Observed | None = None


class Market(_Frozen):
    """What is the same for every ACO: national levels by calendar year."""

    national_ppy: Mapping[Entitlement, Mapping[Year, LevelPpy]] = Field(
        default_factory=dict,
        description="Assignable per capita by enrolment type, truncated and completed (MSSP)",
    )
    uspcc_ppy: Mapping[Category, Mapping[Year, LevelPpy]] = Field(
        default_factory=dict,
        description="Adjusted US per capita cost per person-year, as projected (REACH, LEAD)",
    )
    reference_ppy: Mapping[Category, Mapping[Year, LevelPpy]] = Field(
        default_factory=dict,
        description="What the reference population's per capita is expected to turn out to be; "
        "by default the USPCC",
    )
    coding_intensity_factor: Mapping[Category, Mapping[Year, Positive]] = Field(
        default_factory=dict, description="Coding intensity factor (CIF); 1 where not given"
    )
    truncation_usd: Mapping[Entitlement, Mapping[Year, Positive]] = Field(default_factory=dict)
    prospective_factor: Mapping[Entitlement | Category, Mapping[Year, Positive]] = Field(
        default_factory=dict,
        description="Forecast annual growth (ACPT) by year, by enrolment type or category",
    )
    rate_book_phase: Share = Field(
        default=1.0, description="How far LEAD's rate-book phase comes about: 0 not, 1 as ruled"
    )
    projected_from: Year | None = Field(
        default=None,
        description="First year whose levels are forecasts: errors add up from it on; by default "
        "the first year without levels",
    )
    counties: tuple[Text, ...] = Field(
        default=(), description="CSV files of county spending, scores and people, as CMS lays out"
    )


class Trend(_Frozen):
    """Growth of per capita expenditure a year: the market's, and how far a region strays."""

    mean: Growth = Field(default=0.04, description="Growth in years that `market` does not give")
    sd: Spread = Field(default=0.016, description="Of one year's market growth")
    regional_sd: Spread = Field(default=0.0, description="Of one year's growth, region to market")


class Deviation(_Frozen):
    """An ACO's own expenditure against base years carried forward: persistent, and by year."""

    mean: SignedShare = 0.0
    sd: Spread = 0.0
    change_sd: Spread = Field(default=0.0, description="Of one year's change in the deviation")
    ramp_years: Annotated[Number, Field(ge=0, le=20)] = Field(
        default=0, description="After the last year given, until `mean` and `sd` are reached"
    )


class Groups(_Frozen):
    """People as they were, in groups of like spending: how many, and what they spent each."""

    persons: Annotated[tuple[Annotated[StrictInt, Field(ge=1)], ...], Field(min_length=2)]
    mean_usd: Annotated[tuple[NonNegative, ...], Field(min_length=2)]


class PartialYear(_Frozen):
    """People who are there for a part of the year: who die in it, come or leave."""

    share: Mapping[Entitlement, ZeroShare] = Field(description="Of the people of a year")
    months: Annotated[Number, Field(gt=0, lt=12)] = Field(description="That each is there")
    spending_factor: Positive = Field(
        default=1.0, description="Annualised spending against people who are there all year"
    )


class Severity(_Frozen):
    """One person's year of spending."""

    family: Literal[
        "lognormal_mixture",
        "lognormal",
        "gamma",
        "lognormal_pareto",
        "generalized_beta_second_kind",
        "empirical",
    ] = Field(
        default="lognormal_mixture",
        description="`empirical`: of the types that have `groups`; of others a lognormal_mixture",
    )
    groups: Mapping[Entitlement, Groups] = Field(
        default_factory=dict, description="As a file of beneficiaries gives them"
    )
    cv: Mapping[Entitlement, Positive] = Field(default_factory=dict)
    zero_share: Mapping[Entitlement, ZeroShare] = Field(default_factory=dict)
    tail_share: Annotated[Number, Field(gt=0, le=0.5)] | None = Field(
        default=None, description="Of lognormal_pareto: who is in the tail, of those who spend"
    )
    tail_index: Annotated[Number, Field(gt=2, le=100)] | None = Field(
        default=None,
        description="Of lognormal_pareto and generalized_beta_second_kind: the power by which "
        "chances fall far out",
    )
    peak: Annotated[Number, Field(gt=0, le=20)] | None = Field(
        default=None, description="Of generalized_beta_second_kind: its parameter a"
    )
    partial_years: Mapping[Name, PartialYear] = Field(
        default_factory=dict,
        description="Groups of people who are there for a part of the year; none by default",
    )
    truncated: StrictBool = Field(default=True, description="Claims beyond the threshold are cut")
    noise: StrictBool = Field(default=True, description="Draw claims noise at all")


class Persistence(_Frozen):
    """How much of the noise of one year is there in the next, the same people being there."""

    claims: Lasting = Field(
        default=0.0,
        description="Correlation of a person's spending in adjacent years; that of a segment's "
        "claims is this times the people who stay, 1 - churn_share",
    )


class RiskScores(_Frozen):
    """How risk scores move between the last base year and the performance year."""

    sd: Mapping[Entitlement, Spread] = Field(default_factory=dict)
    coding_growth: Growth = 0.0
    correlation: Annotated[Number, Field(ge=-1, le=1)] = Field(
        default=0.0, description="Between an ACO's risk-score change and its own deviation"
    )
    common_share: Share = Field(
        default=0.0,
        description="Of the variance that the deviation leaves, what all enrolment types share",
    )
    demographic_sd: Spread = 0.0
    normalization_sd: Spread = Field(
        default=0.0, description="Of a year's error in normalisation, the same for every ACO"
    )
    coding_intensity_sd: Spread = Field(
        default=0.0, description="Of the coding intensity factor of a year, the same for all"
    )
    inferred_shift: Growth = Field(
        default=0.0, description="Of the AI-inferred score against the risk score"
    )
    inferred_sd: Spread = Field(default=0.0, description="Of an ACO's AI-inferred score in a year")


class TotalQuality(_Frozen):
    """The total quality score: the part of a quality withhold that is earned (REACH, LEAD)."""

    mean: Share = 0.85
    sd: Spread = 0.08
    persistence: Lasting = Field(
        default=0.0, description="Correlation of an ACO's scores in adjacent years"
    )


class Quality(_Frozen):
    """The quality score, as a share of full marks."""

    mean: Share = 0.82
    sd: Spread = 0.05
    outcome_met_share: Share = Field(
        default=1.0, description="Chance of the alternative standard (one outcome measure)"
    )
    incentive_met_share: Share = Field(
        default=0.0, description="Chance that the reporting incentive meets the standard"
    )
    first_year_reported_share: Share = Field(
        default=1.0, description="Chance of complete reporting, which a first year meets it by"
    )
    persistence: Lasting = Field(
        default=0.0, description="Correlation of an ACO's scores in adjacent years"
    )
    measures: Mapping[Text, Number] = Field(
        default_factory=dict,
        description="Performance rates, in percent, by measure; with `benchmarks` they give "
        "`mean` and `outcome_met_share`",
    )
    benchmarks: Text | None = Field(
        default=None, description="CSV file of decile cut points, as CMS lays out"
    )


class Effect(_Frozen):
    """Care management: the share of expenditure it saves, how sure, how fast."""

    mean: SignedShare = 0.0
    sd: Spread = 0.0
    ramp_years: Annotated[Number, Field(ge=0, le=20)] = 0


class Departure(_Frozen):
    """A participant group that may leave, and its people with it."""

    aco: Name
    year: Year = Field(description="First performance year without it")
    chance: Share = 1.0
    share: Annotated[Number, Field(gt=0, lt=1)] = Field(description="Of the ACO's people")
    spending_factor: Positive = Field(
        default=1.0, description="What its people cost against the ACO's average"
    )


class Membership(_Frozen):
    """How the roster may turn out, from the first performance year on."""

    growth_sd: Spread = Field(
        default=0.0, description="Of one year's change of an ACO's person-years, all types alike"
    )
    mix_sd: Spread = Field(
        default=0.0, description="Of one year's change of one type's person-years besides"
    )
    turnover: StrictBool = Field(
        default=False,
        description="Draw who leaves and who comes, churn_share of the people each, one by one",
    )
    departures: Mapping[Name, Departure] = Field(default_factory=dict)


class Catastrophe(_Frozen):
    """A year that something befalls: its chance, whom it strikes, and what it does."""

    chance: Share = Field(description="In a year")
    strikes: Literal["nation", "region", "aco"]
    spending_change: SignedShare = Field(
        default=0.0, description="Of the year's spending; negative where care is put off"
    )
    spending_sd: Spread = 0.0
    lasting_share: SignedShare = Field(
        default=0.0,
        description="Of the change, what is left a year later; negative where it comes back",
    )
    risk_score_change: SignedShare = Field(
        default=0.0,
        description="Of the next year's risk scores, which rest on the diagnoses of this one, "
        "against the nation's",
    )
    affected_share: Share = Field(default=0.0, description="Of people, for relief of losses")
    months_share: Share = Field(default=0.0, description="Of the year's months, likewise")


class Circumstances(_Frozen):
    """Extreme and uncontrollable circumstances beyond those of the whole nation."""

    chance: Share = 0.0
    affected_share: Share = Field(default=1.0, description="Of assigned people, if it happens")
    months_share: Share = Field(default=1.0, description="Of the year's months, if it happens")


class Cyberattack(_Frozen):
    """A cyberattack that CMS approves as extreme and uncontrollable, one draw an ACO and year."""

    chance: Share = 0.0
    months_share: Share = Field(default=1.0, description="Of the year's months, if it happens")


class Completion(_Frozen):
    """What claims of observed months grow to once all of them have come in."""

    mean: Annotated[Number, Field(ge=0.5, le=5)] | None = Field(
        default=None, description="By default that of `factors` at the months observed"
    )
    sd: Spread = 0.0


class RunOut(_Frozen):
    """An unfinished year: its first months as booked so far, the rest simulated."""

    year: Year
    months_observed: Months
    observed_ppy: Annotated[Mapping[Name, Mapping[Name, UsdPpy]], Field(min_length=1)] = Field(
        description="By ACO and segment: annualised per capita of the observed months, truncated, "
        "before completion"
    )
    completion_factor: Completion = Completion()
    factors: Mapping[Months, Positive] = Field(
        default_factory=dict, description="Completion factors by months observed"
    )


class Experience(_Frozen):
    """What could happen to the people."""

    base_years: Literal["given", "simulated"] = Field(
        default="given",
        description="Whether base years hold what the scenario gives (an actual ACO) or are drawn "
        "around it as performance years are (a program's design)",
    )
    trend: Trend = Trend()
    deviation: Deviation = Deviation()
    severity: Severity = Severity()
    persistence: Persistence = Persistence()
    risk_scores: RiskScores = RiskScores()
    quality: Quality = Quality()
    total_quality: TotalQuality = TotalQuality()
    effect: Effect = Effect()
    membership: Membership = Membership()
    circumstances: Circumstances = Circumstances()
    cyberattack: Cyberattack = Cyberattack()
    catastrophes: Mapping[Name, Catastrophe] = Field(default_factory=dict)
    run_out: RunOut | None = None


class Exit(_Frozen):
    """When an ACO leaves a contract after a year, for good: it sees only what is settled by then.

    Any of the conditions that are given is enough.
    """

    losses_in_a_row: Annotated[StrictInt, Field(ge=1, le=20)] | None = Field(
        default=None,
        description="Owed in each of so many years, the last that is settled included",
    )
    cumulative_loss_share: Share | None = Field(
        default=None,
        description="Owed in all, less what was earned, of the last settled year's benchmark",
    )
    settled_after_years: Annotated[StrictInt, Field(ge=0, le=3)] = Field(
        default=1,
        description="Years from a performance year's end until its settlement is known; with 1, "
        "the decision after a year sees the years before it",
    )


class Valuation(_Frozen):
    """How results of several years are put together into one present value."""

    discount_rate: Annotated[Number, Field(ge=0, le=0.5)] = Field(
        description="A year; 0 adds the years up as they are"
    )
    paid_after_years: Annotated[Number, Field(ge=0, le=3)] = Field(
        default=1.0, description="From a performance year's end until its result is paid"
    )


class ContractChoice(_Frozen):
    """One contract to settle: a program and an option, or options by year."""

    program: StrictStr
    option: StrictStr | Mapping[Year, StrictStr]
    variant: StrictStr | None = None
    rules_year: Year | None = Field(
        default=None, description="Settle every year by the rules of this one: a what-if"
    )
    elections: Elections | None = Field(
        default=None, description="Instead of each ACO's own elections"
    )
    exit: Exit | None = Field(default=None, description="A rule by which the ACO may leave")

    def option_in(self, year: int) -> str:
        """Return the option in a performance year."""
        return self.option if isinstance(self.option, str) else self.option[year]


class Override(_Frozen):
    """A what-if on one rule; it becomes an assumed term that cites the scenario."""

    value: StrictBool | Number | StrictStr
    why: Annotated[StrictStr, Field(min_length=1, max_length=400)]


class Steps(_Frozen):
    """Values to try, as factors of the scenario's own value or as amounts added to it."""

    times: Annotated[tuple[Number, ...], Field(min_length=1)] | None = None
    plus: Annotated[tuple[Number, ...], Field(min_length=1)] | None = None


class Sample(_Frozen):
    """Points spread evenly over ranges ``[low, high]``, which may be factors or amounts added."""

    method: Literal["sobol", "lhs", "saltelli"] = Field(
        default="sobol",
        description="saltelli makes n times (paths + 2) cases, from which `acosim sensitivity` "
        "finds Sobol' indices",
    )
    n: Annotated[StrictInt, Field(ge=1, le=10_000)]
    over: Annotated[Mapping[StrictStr, tuple[Number, Number] | Steps], Field(min_length=1)]


class Sweep(_Frozen):
    """Several cases in one file; exactly one of the four forms."""

    grid: Mapping[StrictStr, tuple[object, ...] | Steps] | None = None
    zip: Mapping[StrictStr, tuple[object, ...] | Steps] | None = None
    list: Mapping[Name, Mapping[StrictStr, object]] | None = None
    sample: Sample | None = None


class Sampling(_Frozen):
    """How trials are drawn: each on its own, in mirrored pairs, or as scrambled Sobol' points."""

    scheme: Literal["independent", "antithetic", "sobol"] = "independent"
    replicates: Annotated[StrictInt, Field(ge=4, le=1_024)] = Field(
        default=16,
        description="Independent scramblings of Sobol' points, between which the standard error "
        "is found; trials are a power of two times them",
    )


class InputFile(_Frozen):
    """A file of people that was read into the scenario."""

    file: Text
    aco: Name
    sha256: StrictStr
    rows: Annotated[StrictInt, Field(ge=0)]


class Finding(_Frozen):
    """One check of a file (ASOP 23): what was looked at, what came out, whether it holds."""

    file: Text
    check: Text
    found: Text
    holds: StrictBool = True


class Cell(_Frozen):
    """People of one row of a file's control totals; counts of 1 to 10 are suppressed."""

    file: Text
    group: Text
    persons: Text = ""
    person_years: Text
    expenditure_ppy: Text
    expenditure_usd: Text


class DataQuality(_Frozen):
    """What acosim found in the files that it read into the scenario, and what it doubts."""

    files: tuple[InputFile, ...] = ()
    findings: tuple[Finding, ...] = ()
    cells: tuple[Cell, ...] = ()
    warnings: tuple[Text, ...] = ()


class Scenario(_Frozen):
    """Everything that decides a run's numbers."""

    schema_version: Literal[1] = 1
    name: Name
    about: Text = ""
    seed: Annotated[StrictInt, Field(ge=0, lt=2**63)] = 1
    trials: Annotated[StrictInt, Field(ge=1, le=100_000_000)] = 10_000
    sampling: Sampling = Sampling()
    years: Annotated[tuple[Year, ...], Field(min_length=1, max_length=30)]
    market: Market
    population: Annotated[Mapping[Name, Aco], Field(min_length=1)]
    experience: Experience = Experience()
    contracts: Annotated[Mapping[Name, ContractChoice], Field(min_length=1)]
    valuation: Valuation | None = Field(
        default=None, description="Present values at the start of the first performance year"
    )
    rules: Mapping[StrictStr, Override] = Field(default_factory=dict)
    sweep: Sweep | None = None
    keep: tuple[StrictStr, ...] = (
        "benchmark_usd",
        "expenditure_usd",
        "gross_savings_usd",
        "settlement_usd",
    )
    sources: Mapping[StrictStr, Text] = Field(
        default_factory=dict, description="Where each default or figure comes from, by path"
    )
    reliances: tuple[Text, ...] = ()
    data_quality: DataQuality = Field(
        default=DataQuality(), description="Filled in by acosim; decides no number"
    )


class Case(_Frozen):
    """A scenario at one point of its sweep."""

    index: Annotated[StrictInt, Field(ge=0)]
    swept: Mapping[StrictStr, object]
    scenario: Scenario
