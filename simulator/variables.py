"""The table of every variable: dims, unit and one sentence; and the check against it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from simulator.errors import SimulatorError

__all__ = ["ATTRIBUTES", "DIMS", "STATEMENT", "WORLD", "Variable", "conform"]

DIMS = ("case", "trial", "year", "aco", "segment", "deprivation_rank", "contract")

_SUFFIXES = {
    "_usd": "USD",
    "_ppy": "USD per person-year",
    "_share": "share",
    "_score": "score",
    "_factor": "factor",
    "person_years": "person-years",
}


@dataclass(frozen=True)
class Variable:
    """A variable's name, the dims it may have, its unit, and what it is."""

    name: str
    dims: tuple[str, ...]
    unit: str
    text: str


def _table(rows: Mapping[tuple[str, ...], Mapping[str, str]]) -> dict[str, Variable]:
    return {
        name: Variable(name, dims, _unit(name), text)
        for dims, texts in rows.items()
        for name, text in texts.items()
    }


def _unit(name: str) -> str:
    return next((unit for end, unit in _SUFFIXES.items() if name.endswith(end)), name)


WORLD: Mapping[str, Variable] = _table(
    {
        ("trial", "year", "aco", "segment"): {
            "person_years": "Assigned months of eligibility over twelve",
            "expenditure_ppy": "Parts A and B per capita, completed, not truncated",
            "counterfactual_ppy": "The same had the ACO had no effect",
            "truncated_expenditure_ppy": "Per capita truncated at each type's national 99th "
            "percentile, then completed: what MSSP settles on",
            "truncated_counterfactual_ppy": "The same had the ACO had no effect",
            "risk_score": "Prospective HCC score, national assignable mean 1.0 in each year",
            "demographic_score": "Demographic score, national assignable mean 1.0 in each year",
            "suspect_billing_ppy": "Significant, anomalous, highly suspect billing, per capita",
            "skin_substitutes_ppy": "Skin substitutes, per capita",
            "regional_ppy": "Risk-standardised per capita of the ACO's region",
            "untruncated_regional_ppy": "The same before truncation",
            "rate_book_ppy": "Rate-book rate of the ACO's counties at score 1.0",
            "geographic_factor": "Geographic adjustment of those counties; its growth counts",
            "inferred_risk_score": "AI-inferred score, national reference mean 1.0",
            "raw_risk_score": "Risk score before normalisation, where that is what is known",
            "normalisation_factor": "Mean raw score of the reference population that year",
            "v24_risk_score": "Normalised score of the V24 model, where the models are blended",
            "v28_risk_score": "Normalised score of the V28 model, where the models are blended",
            "uspcc_trend_factor": "Growth of the USPCC from a base year to the performance year",
            "geographic_trend_factor": "Growth of the geographic factor from a base year on",
            "seasonality_factor": "Seasonality of a part of a year; 1 for a whole one",
            "regional_risk_score": "Risk score of the region's assignable people, if known",
            "regional_demographic_score": "Demographic score of the region's assignable people",
            "assigned_share": "The ACO's share of its region's assignable people",
        },
        ("trial", "year", "aco"): {
            "persons": "Assigned beneficiaries, head-count",
            "quality_score": "Quality score as a share of full marks",
            "total_quality_score": "Total quality score: the earned share of a quality withhold",
            "raw_stop_loss_payout_usd": "What stop-loss pays before a neutrality factor",
            "outcome_quality_met": "1 if an outcome measure reaches its 10th percentile, else 0",
            "revenue_usd": "ACO participants' Parts A and B revenue, all fee-for-service people",
            "participation_share": "Months before termination over twelve; 1 if none",
            "initial_quality_score": "Quality points earned over points possible (REACH)",
            "improvement_met": "1 if improvement or sustained performance is shown, else 0",
            "equity_reporting_share": "Bonus for reporting health equity data, in quality",
            "prior_savings_ppy": "Gross savings per person-year in an earlier settled year",
            "reconciled_person_years": "Person-years of an earlier settled year, 0 if none",
            "circumstances_share": "Affected people times affected months, beyond the nation's",
            "cara_target_usd": "Target prices of the year's CARA episodes, risk adjusted by CMS",
            "cara_expenditure_usd": "What those episodes cost fee-for-service",
            "affected_people_share": "Assigned people in counties with such circumstances",
            "cyberattack_months_share": "Months of an approved cyberattack over twelve",
            "incentive_met": "1 if the quality standard is met by the reporting incentive, else 0",
            "first_year_reported": "1 if quality is reported in full (first years meet the "
            "standard by it), else 0",
        },
        ("trial", "year", "segment"): {
            "national_ppy": "National assignable per capita, truncated and completed",
            "uspcc_ppy": "Adjusted US per capita cost as projected, not truncated",
            "reference_ppy": "Per capita of the reference population as it turns out",
            "coding_intensity_factor": "Coding intensity factor, the same for every ACO",
            "prospective_factor": "Index of forecast growth; ratios of years are what counts",
        },
        (): {
            "rate_book_phase_share": "How far LEAD's rate-book phase comes: 1 as ruled",
        },
        ("aco",): {
            "published_benchmark_ppy": "Historical benchmark as CMS published it",
        },
        ("aco", "deprivation_rank"): {
            "deprivation_share": "Assigned people by national rank of their area's deprivation, "
            "of ACOs with advance investment payments; duals and low incomes at 100",
        },
    }
)

ATTRIBUTES: Mapping[str, str] = {
    "agreement_start": "Calendar year in which the agreement period started",
    "agreement_number": "Agreement periods so far, this one included",
    "regional_agreement_number": "Agreement periods subject to a regional adjustment so far",
    "agreement_kind": "initial, renewal or reentering",
    "agreement_experience": "inexperienced or experienced with performance-based risk",
    "revenue_class": "low or high: participants' revenue against assigned expenditure",
    "region": "Name of the region whose deviation the ACO shares",
    "assignment": "prospective or retrospective",
    "elected_minimum_savings": "Elected MSR and MLR as a share; -1 stands for size-based",
    "low_income_share": "Share of assigned people with the Part D low-income subsidy or dual",
    "dual_share": "Dually eligible share of person-years in the last base year",
    "lead_start": "First performance year in LEAD; base years are the three before it",
    "lead_entry": "renewing (with REACH or MSSP history) or newly_entering",
    "lead_prior_program": "mssp, reach, mixed or none: where the history is from",
    "lead_designation": "lower, higher, or open: as the region's difference says",
    "lead_improvement_met": "1 if improvement or sustained performance (CI/SEP) is shown, else 0",
    "lead_cara_target_share": "CARA target prices as a share of the benchmark before discount",
    "lead_cara_episode_share": "What CARA episodes cost fee-for-service, of all expenditure",
    "lead_cara_premium_share": "Premium (plus) or discount (minus) on CARA target prices",
    "lead_cara_performance_share": "Performance adjustment agreed for CARA gains",
    "lead_capitation_margin_ppy": "Gain on capitation that is not reconciled, per person-year",
    "lead_benefit_cost_ppy": "Benefits that the ACO itself pays for, per person-year",
    "reach_type": "standard, new_entrant or high_needs",
    "reach_first_year": "First performance year in GPDC or REACH",
    "reach_capitation": "pcc (primary care) or tcc (total care)",
    "reach_base_persons": "Most people aligned in any historical benchmark year; -1 if not known",
    "retention_withheld": "1 or 0: whether the retention withhold is taken; -1 as the rules say",
    "equity_top_share": "Share of months in the top equity decile (HEBA)",
    "equity_second_share": "Share of months in the second equity decile",
    "equity_third_share": "Share of months in the third equity decile",
    "equity_middle_share": "Share of months in the fourth and fifth equity deciles",
    "equity_bottom_share": "Share of months in the bottom five equity deciles",
    "equity_top_months": "Months in the top equity decile, where they are known",
    "equity_second_months": "Months in the second equity decile",
    "equity_third_months": "Months in the third equity decile",
    "equity_middle_months": "Months in the fourth and fifth equity deciles",
    "equity_bottom_months": "Months in the bottom five equity deciles",
    "stop_loss_elected": "1 if stop-loss is elected, else 0",
    "stop_loss_charge_ppy": "Charge for stop-loss per person-year",
    "stop_loss_charge_share": "Charge for stop-loss as a share of the benchmark before discount",
    "stop_loss_neutrality_factor": "What multiplies stop-loss payouts so that charges cover them",
    "capitated_share": "Part of expenditure paid as base capitation (PCC or TCC)",
    "fee_reduction_share": "Part of participants' claims given up for capitation; -1 if not told",
    "enhanced_pcc_share": "Enhanced primary care capitation as a share of the benchmark",
    "advanced_payment_share": "Part of expenditure paid in advance (APO)",
    "advanced_payment_claims_share": "Reduced claims over what APO paid in advance; 1 if level",
    "provisional_settlement": "1 if provisional settlement is elected, else 0",
    "high_performers_share": "Payment from the High Performers Pool as a share of the benchmark",
    "aip_balance_usd": "Advance investment payments not yet recouped, before those simulated",
    "one_sided_years_before": "One-sided performance years before those simulated",
    "termination_kind": "voluntary or involuntary, if the ACO leaves early",
}

STATEMENT: Mapping[str, Variable] = _table(
    {
        ("trial", "year", "aco", "segment"): {
            "base_weight_1_share": "Weight of the first base year",
            "base_weight_2_share": "Weight of the second base year",
            "base_weight_3_share": "Weight of the last base year",
            "base_trend_1_factor": "Growth from the first base year on",
            "base_trend_2_factor": "Growth from the second base year on",
            "base_trend_3_factor": "Growth from the last base year on",
            "base_year_1_ppy": "First base year, trended and risk adjusted",
            "base_year_2_ppy": "Second base year, trended and risk adjusted",
            "base_year_3_ppy": "Last base year, trended, less what is left out",
            "trended_benchmark_ppy": "Base years trended and risk adjusted to the last, weighted",
            "regional_at_risk_ppy": "Regional per capita at the ACO's own risk, last base year",
            "regional_difference_ppy": "Region at the ACO's risk less the trended benchmark",
            "uncapped_regional_adjustment_ppy": "Weighted difference before its caps",
            "regional_cap_ppy": "The most a regional adjustment may be, at own risk",
            "regional_adjustment_ppy": "Weighted difference within its caps and offset",
            "adjustment_ppy": "The one adjustment that applies, by enrolment type",
            "historical_benchmark_ppy": "Historical benchmark by enrolment type",
            "base_person_years_share": "Enrolment-type mix of the last base year",
            "person_years_share": "Enrolment-type mix of the performance year",
            "national_trend_factor": "National growth, last base year to performance year",
            "regional_trend_factor": "Regional growth, last base year to performance year",
            "blended_risk_score": "Performance-year risk score: HCC and AI-inferred, as weighed",
            "risk_growth_factor": "Risk score over that of the last base year, uncapped",
            "demographic_growth_factor": "Demographic score over that of the last base year",
            "risk_ratio_factor": "Risk score over that of the last base year, as capped",
            "two_way_factor": "National and regional growth blended by the assigned share",
            "prospective_trend_factor": "Forecast growth, last base year to performance year",
            "guarded_trend_factor": "Forecast growth within its guardrail",
            "update_factor": "Growth to the performance year, before any guardrail",
            "rate_book_benchmark_ppy": "Rate-book rate at the capped risk of the performance year",
            "unbanded_benchmark_ppy": "Updated benchmark before the band of voluntary alignment",
            "updated_benchmark_ppy": "Updated benchmark by enrolment type",
            "regional_rate_ppy": "Rate-book rate of the ACO's counties at score 1.0 (REACH)",
            "regional_blend_share": "Weight of the regional rate in the blend (REACH)",
            "blended_benchmark_ppy": "Historical and regional rate blended, at score 1.0 (REACH)",
            "normalised_risk_score": "Risk score of the year, reference mean 1.0 (REACH)",
            "risk_floor_score": "Least score that the cap allows",
            "risk_ceiling_score": "Most score that the cap allows",
            "capped_risk_score": "Risk score within the cap",
            "coded_risk_score": "Capped score over the coding intensity factor",
            "second_cap_score": "Most score that the second, one-sided cap allows",
            "benchmark_risk_score": "Risk score of the benchmark: after every cap",
            "raw_retrospective_trend_factor": "Actual growth over the growth that was projected",
            "retrospective_trend_factor": "Retrospective trend adjustment (RTA), as applied",
            "benchmark_rate_ppy": "Benchmark at the ACO's risk, its trend adjusted afterwards",
            "cell_benchmark_usd": "Benchmark before discount by category and alignment",
        },
        ("trial", "year", "aco"): {
            "weighted_regional_difference_ppy": "Difference weighted by the last base year's mix",
            "rate_book_share": "Weight of LEAD's rate book, as applied",
            "lower_spending": "1 if the ACO spends less than its region (lower-spending), else 0",
            "regional_weight_share": "Weight of the regional adjustment",
            "regional_offset_share": "Part of a negative adjustment that is taken off",
            "total_regional_adjustment_ppy": "Regional adjustment, all enrolment types together",
            "prior_savings_adjustment_ppy": "Half of the average prior savings, prorated, capped",
            "population_adjustment_ppy": "Health equity (population) benchmark adjustment",
            "total_historical_benchmark_ppy": "Historical benchmark, all types together",
            "total_updated_benchmark_ppy": "Updated benchmark, all types, before any guardrail",
            "total_expenditure_ppy": "Performance-year per capita expenditure, all types together",
            "total_person_years": "Person-years of the performance year, of the months settled",
            "two_way_benchmark_usd": "Benchmark had the two-way blend alone updated it",
            "guardrail_usd": "Raised benchmark where the three-way blend alone makes a loss",
            "stop_loss_charge_usd": "Charge for stop-loss (negative)",
            "medicaid_partner_usd": "Medicaid partnership adjustment of the benchmark",
            "benchmark_before_discount_usd": "Benchmark before discount and quality",
            "performance_quality_share": "Total quality score: earned part of the withhold",
            "add_on_usd": "Administrative add-on of a higher-spending ACO, not reconciled",
            "benchmark_add_on_usd": "The part of it that raises the benchmark",
            "separate_add_on_usd": "The part of it that is paid apart, during the year",
            "discount_usd": "Discount on the benchmark (negative)",
            "quality_withhold_usd": "Part of the benchmark at risk for quality (negative)",
            "quality_earned_usd": "Part of it that quality earns back (positive)",
            "equity_adjustment_usd": "Health equity benchmark adjustment (HEBA)",
            "retention_withhold_usd": "Part of the benchmark withheld against leaving (negative)",
            "benchmark_usd": "Final benchmark: what spending is settled against",
            "claims_usd": "Parts A and B expenditure before anything is left out",
            "excluded_usd": "Suspect billing and skin substitutes left out (negative)",
            "cara_usd": "Net payments for CARA episodes (plus raises expenditure)",
            "stop_loss_payout_usd": "Stop-loss payout (positive; lowers expenditure)",
            "expenditure_usd": "Expenditure that is settled: per capita times person-years",
            "gross_savings_usd": "Benchmark less expenditure",
            "savings_share": "Gross savings over benchmark",
            "minimum_savings_share": "Minimum savings rate (MSR)",
            "minimum_savings_usd": "Savings that must be met before any are shared",
            "minimum_losses_share": "Minimum loss rate (MLR); 1 for a one-sided option",
            "minimum_losses_usd": "Losses that must be met before any are shared",
            "final_quality_score": "Quality score as settled, after any lift for circumstances",
            "quality_share": "Part of the maximum rate that quality earns",
            "full_sharing_share": "Sharing rate after quality, whether or not savings are shared",
            "full_loss_share": "Shared loss rate, whether or not losses are shared",
            "sharing_share": "Final sharing rate, as applied",
            "loss_share": "Shared loss rate, as applied",
            "band_1_usd": "Shared in the first corridor band: savings plus, losses minus",
            "band_2_usd": "Shared in the second corridor band",
            "band_3_usd": "Shared in the third corridor band",
            "band_4_usd": "Shared in the fourth corridor band",
            "early_exit_usd": "Savings lost by leaving within the year (negative)",
            "unshared_usd": "The part of savings or losses that Medicare keeps or bears",
            "shared_savings_usd": "Share of savings before sequestration and limit",
            "sequestration_usd": "Sequestration of shared savings (negative)",
            "payment_limit_usd": "The performance payment limit itself",
            "over_limit_usd": "Cut to the performance payment limit (negative)",
            "shared_losses_usd": "Share of losses before limits (negative)",
            "loss_limit_usd": "The loss sharing limit itself",
            "loss_limit_relief_usd": "Losses beyond the loss sharing limit (positive)",
            "circumstances_relief_usd": "Extreme and uncontrollable circumstances (positive)",
            "termination_relief_usd": "Losses of the months after termination (positive)",
            "participates": "1 while the ACO is in the contract, 0 once it has left",
            "settlement_usd": "What the ACO earns (plus) or owes (minus)",
            "aip_payment_usd": "Advance investment payments made in the year",
            "aip_recoupment_usd": "Advance investment payments taken back (negative)",
            "aip_outstanding_usd": "Advance investment payments not yet taken back",
            "base_pcc_usd": "Base primary care capitation, in place of claims",
            "enhanced_pcc_usd": "Enhanced primary care capitation: an advance during the year",
            "advanced_payment_usd": "Advanced payment option: an advance during the year",
            "provisional_payment_usd": "Provisional settlement, paid before the final one",
            "provisional_repaid_usd": "The same taken off the final settlement",
            "enhanced_pcc_repaid_usd": "That advance taken back at settlement (negative)",
            "apo_reconciliation_usd": "Advanced payment option against claims",
            "high_performers_usd": "Payment from the High Performers Pool",
            "retention_release_usd": "Retention withhold of an earlier year, released",
            "public_savings_usd": "CMS's gross savings: before discount and quality",
            "payment_usd": "What changes hands at settlement, after recoupment",
            "capitation_margin_usd": "Gain on capitation that is not reconciled",
            "benefits_usd": "Benefits that the ACO itself pays for (negative)",
            "economic_result_usd": "What the year is worth: settlement and what is paid apart",
            "financial_guarantee_usd": "Surety the ACO must hold",
            "repayment_mechanism_usd": "Surety the ACO must hold for the year",
        },
    }
)


def conform(ds: xr.Dataset, table: Mapping[str, Variable]) -> xr.Dataset:
    """Return `ds` with dims in house order and each variable's unit and sentence as attrs.

    Raises SimulatorError for a variable that the table does not know or a dim it may not have.
    """
    for name, variable in ds.data_vars.items():
        row = table.get(str(name))
        if row is None or not set(variable.dims) <= set(row.dims):
            allowed = "no such variable" if row is None else f"it may have {row.dims}"
            raise SimulatorError(f"{name} has dims {variable.dims}; {allowed}")
        variable.attrs = {"units": row.unit, "long_name": row.text}
    return ds.transpose(*(dim for dim in DIMS if dim in ds.dims))


def missing(ds: xr.Dataset) -> list[str]:
    """Return the names of variables that hold a value which is not a number."""
    return [
        str(name)
        for name, variable in ds.data_vars.items()
        if variable.dtype.kind == "f" and bool(np.isnan(variable).any())
    ]
