"""The columns of CMS's public-use files of results, under every name that a vintage gives them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

__all__ = ["COLUMNS", "LAYOUTS", "LEVELS", "TRACKS", "YEARS", "Column", "Layout", "key"]


@dataclass(frozen=True)
class Column:
    """A figure of a row: its names over the years, how it is written, and what it must be.

    A share is a fraction or a percentage, a rate is too (and is small, whatever its sign says).
    """

    names: tuple[str, ...]
    kind: Literal["text", "number", "share", "rate", "flag"] = "number"
    needs: str = "a number is needed"

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the names as headers are compared."""
        return tuple(key(name) for name in self.names)


@dataclass(frozen=True)
class Layout:
    """The files of one program: every figure that is read, and those that each file must have.

    `levels` gives the option that each word of the level column stands for. Files of several
    performance years in one are read where `years` allows it; `first_year` is what a file name
    means by PY1, where it may count so.
    """

    columns: Mapping[str, Column]
    needed: tuple[str, ...]
    levels: Mapping[str, str]
    tracks: Mapping[str, Column]
    years: Literal["one", "several"] = "one"
    first_year: int | None = None

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """Return our own name for each name of a column."""
        return {name: field for field, column in self.columns.items() for name in column.keys}


def key(name: str) -> str:
    """Return a name without case, spaces and signs, as headers are compared.

    >>> key("ABtotBnchmk"), key("Total expenditures ($)"), key("Track 1+"), key("met_alt_qps")
    ('abtotbnchmk', 'totalexpenditures', 'track1plus', 'metaltqps')
    """
    return re.sub(r"[^a-z0-9]", "", name.casefold().replace("+", "plus"))


_DOLLARS = "a dollar amount is needed"
_SHARE = "a share or a percentage is needed"
_FLAG = "0 or 1 is needed"

_OF_THE_ACO: Mapping[str, Column] = {
    "aco_id": Column(("ACO_ID", "ACO_Num", "ACO Identifier"), "text", "an identifier is needed"),
    "name": Column(("ACO_Name",), "text"),
    "year": Column(("Performance_Year", "year"), "text", "a year is needed"),
    "agreement_kind": Column(("Agree_Type",), "text"),
    "agreement_number": Column(("Agreement_Period_Num",)),
    "start": Column(("Current_Start_Date", "Start_Date"), "text", "a date is needed"),
    "level": Column(("Current_Track",), "text", "A, B, C, D, E or EN is needed"),
    "risk_model": Column(("Risk_Model",), "text"),
    "assignment": Column(("Assign_Type",), "text"),
    "revenue_class": Column(("Rev_Exp_Cat",), "text", "Low Revenue or High Revenue is needed"),
    "persons": Column(
        ("N_AB", "Total number of assigned beneficiaries"),
        needs="a number of people above 0 is needed",
    ),
    "person_years": Column(
        ("N_AB_Year_PY", "N_AB_Year", "Total assigned beneficiary person years"),
        needs="person-years above 0 are needed",
    ),
    "dual_share": Column(("Perc_Dual",), "share", _SHARE),
}

_OF_THE_SETTLEMENT: Mapping[str, Column] = {
    "historical_benchmark_ppy": Column(("HistBnchmk",), needs=_DOLLARS),
    "updated_benchmark_ppy": Column(("UpdatedBnchmk",), needs=_DOLLARS),
    "expenditure_ppy": Column(("Per_Capita_Exp_TOTAL_PY",), needs=_DOLLARS),
    "benchmark_usd": Column(
        ("ABtotBnchmk", "Total benchmark expenditures ($)"),
        needs="a dollar amount above 0 is needed",
    ),
    "expenditure_usd": Column(("ABtotExp", "Total expenditures ($)"), needs=_DOLLARS),
    "gross_savings_usd": Column(("BnchmkMinExp", "Total savings/losses ($)"), needs=_DOLLARS),
    "minimum_savings_share": Column(
        ("MinSavPerc", "Minimum Savings Rate (%)"), "rate", "a rate of 0 or more is needed"
    ),
    "generated_usd": Column(("GenSaveLoss",), needs=_DOLLARS),
    "met": Column(("Met_QPS",), "flag", _FLAG),
    "met_alternative": Column(("Met_AltQPS",), "flag", _FLAG),
    "met_percentile": Column(("Met_40pctl", "Met_30pctl"), "flag", _FLAG),
    "met_incentive": Column(("Met_Incentive",), "flag", _FLAG),
    "met_first_year": Column(("Met_FirstYear",), "flag", _FLAG),
    "quality_score": Column(("QualScore", "Quality Score"), "share", "a score is needed"),
    "maximum_share": Column(
        ("MaxShareRate", "QualPerfShare", "Quality Performance Sharing Rate"), "share", _SHARE
    ),
    "sharing_share": Column(("FinalShareRate", "Final sharing rate"), "share", _SHARE),
    "reduced": Column(("ReducedSS",), "flag", _FLAG),
    "loss_share": Column(("FinalLossRate",), "share", _SHARE),
    "revenue_limited": Column(("RevLossLimit",), "flag", _FLAG),
    "guardrail": Column(("Guardrail",), "flag", _FLAG),
    "relief_usd": Column(("DisAdj",), needs=_DOLLARS),
    "termination_usd": Column(
        ("Impact_Mid_Year_Termination", "Prorate_Shared_Losses"),
        needs="0, 1 or a dollar amount is needed",
    ),
    "settlement_usd": Column(("EarnSaveLoss", "Shared Savings ($)"), needs=_DOLLARS),
    "shared_losses_usd": Column(("Shared Losses ($)",), needs=_DOLLARS),
    "aip_balance_usd": Column(("AIPBalance",), needs=_DOLLARS),
    "aip_recoupment_usd": Column(("AIPRecoup",), needs=_DOLLARS),
}

TRACKS: Mapping[str, Column] = {
    option: Column(names, "flag", _FLAG)
    for option, names in {
        "TRACK1": ("Current_Track_1", "Track1"),
        "TRACK1PLUS": ("Current_Track_1_Plus",),
        "TRACK2": ("Current_Track_2", "Track2", "Track 2 ACO"),
        "TRACK3": ("Current_Track_3",),
        **{level: (f"Current_Basic_{level}",) for level in "ABCDE"},
        "ENHANCED": ("Current_Enhanced",),
    }.items()
}
"""The flag of each option, in files that have a column for each."""

_BASIC_LEVEL = "BASIC Track Level"

LEVELS: Mapping[str, str] = {
    key(word): option
    for option, words in {
        **{
            x: (x, *(f"{front} {x}" for front in ("BASIC", "Level", "BASIC Level", _BASIC_LEVEL)))
            for x in "ABCDE"
        },
        **{f"TRACK{x}": (x, f"Track {x}") for x in "123"},
        "TRACK1PLUS": ("1+", "Track 1+"),
        "ENHANCED": ("EN", "ENH", "ENHANCED", "ENHANCED Track"),
    }.items()
    for word in words
}
"""The option that each word stands for, in files that have one column for all."""

YEARS = ("BY1", "BY2", "BY3", "PY")
"""The years of a row's figures by enrolment type: three base years and the performance year."""

_BY_TYPE: Mapping[str, tuple[str, ...]] = {
    "person_years": (
        "N_AB_Year_{people}_{year}",
        "N_AB_Year_{people}",
        "Total number of {words} assigned beneficiary person years",
    ),
    "expenditure_ppy": ("Per_Capita_Exp_ALL_{dollars}_{year}",),
    "risk_score": ("CMS_HCC_RiskScore_{dollars}_{year}",),
    "demographic_score": ("Demog_RiskScore_{dollars}_{year}",),
}
_TYPES = {
    "esrd": ("ESRD", "ESRD", "ESRD"),
    "disabled": ("DIS", "DIS", "DISABLED"),
    "aged_dual": ("AGDU", "AGED_Dual", "AGED/DUAL"),
    "aged_nondual": ("AGND", "AGED_NonDual", "AGED/NON-DUAL"),
}


def _by_type() -> dict[str, Column]:
    """Return a column by figure, enrolment type and year, as ``risk_score.esrd.BY3``."""
    return {
        f"{figure}.{kind}.{year}": Column(
            tuple(
                name.format(dollars=dollars, people=people, words=words, year=year)
                for name in names
                if "{year}" in name or year == "PY"
            )
        )
        for figure, names in _BY_TYPE.items()
        for kind, (dollars, people, words) in _TYPES.items()
        for year in YEARS
    }


COLUMNS: Mapping[str, Column] = {
    **_OF_THE_ACO,
    **_OF_THE_SETTLEMENT,
    **TRACKS,
    **_by_type(),
}
"""Every figure that is read, by our own name for it."""


def _cost(end: str) -> tuple[str, ...]:
    """Return the names that the total cost of care may have in full or in part."""
    return tuple(
        f"{name}{end}" for name in ("TOT_COST_CARE", "TOT_COST_OF_CARE", "TOTAL_COST_OF_CARE")
    )


def _savings(form: str) -> tuple[str, ...]:
    """Return the names that savings may have, with their losses or without.

    >>> _savings("GROSS_{}")
    ('GROSS_SAVINGS', 'GROSS_SAV', 'GROSS_SAVINGS_LOSSES', 'GROSS_SAV_LOSS')
    """
    return tuple(form.format(word) for word in _SAVED)


_SAVED = ("SAVINGS", "SAV", "SAVINGS_LOSSES", "SAV_LOSS")
_ENDS = ("", " Risk", " Option", " Risk Option", " Risk Sharing", " Risk Sharing Option")
_ARRANGEMENTS = {
    key(f"{option}{end}"): option for option in ("global", "professional") for end in _ENDS
}

_REACH: Mapping[str, Column] = {
    "aco_id": Column(("ACO_ID", "DCE_ID"), "text", "an identifier is needed"),
    "name": Column(("ACO_NAME", "DCE_NAME"), "text"),
    "year": Column(("PERF_YEAR", "PERFORMANCE_YEAR", "PERF_YR", "PY"), "text", "a year is needed"),
    "start": Column(("FIRST_PART_YEAR", "FIRST_PERF_YEAR"), "text", "a year is needed"),
    "kind": Column(
        ("ACO_TYPE", "DCE_TYPE"), "text", "Standard, New Entrant or High Needs is needed"
    ),
    "level": Column(("RISK_ARRANGEMENT", "RISK_ARR"), "text", "Global or Professional is needed"),
    "capitation": Column(("CAPITATION_ARRANGEMENT", "CAPITATION", "CAP_ARRANGEMENT"), "text"),
    "enhanced": Column(("ENHANCED_PCC_ELECTION", "ENHANCED_PCC"), "flag", _FLAG),
    "advanced": Column(("APO_ELECTION",), "flag", _FLAG),
    "stop_loss": Column(("STOP_LOSS_ELECTION", "STOP_LOSS"), "flag", _FLAG),
    "discount": Column(("DISCOUNT",), "rate", _SHARE),
    "retention": Column(("RETENTION_WITHHOLD",), "rate", _SHARE),
    "persons": Column(("BENE_CNT", "ALIGNED_BENEFICIARIES"), needs="a number of people is needed"),
    "quality_score": Column(("QUAL_SCR",), "share", "a score is needed"),
    "dual_share": Column(("PERC_DUAL",), "share", _SHARE),
    "benchmark_usd": Column(
        ("FINAL_BENCHMARK", "FINAL_BNCHMK", "FINAL_BENCHMARK_AMT", "FINAL_PY_BENCHMARK"),
        needs="a dollar amount above 0 is needed",
    ),
    "unadjusted_benchmark_usd": Column(("UNADJ_BENCHMARK", "UNADJ_BNCHMK"), needs=_DOLLARS),
    "expenditure_usd": Column(_cost(""), needs=_DOLLARS),
    "net_expenditure_usd": Column(_cost("_NET"), needs=_DOLLARS),
    "equity_up_usd": Column(("HEBA_UP_AMT",), needs=_DOLLARS),
    "equity_down_usd": Column(("HEBA_DOWN_AMT", "HEBA_DN_AMT"), needs=_DOLLARS),
    "gross_savings_usd": Column(_savings("GROSS_{}"), needs=_DOLLARS),
    "shared_savings_usd": Column(_savings("SHARED_{}"), needs=_DOLLARS),
    "settlement_usd": Column(_savings("SHARED_{}_SEQ"), needs=_DOLLARS),
    "capitation_usd": Column(("CAP_PMT_AMT", "CAP_PMT"), needs=_DOLLARS),
    "enhanced_usd": Column(("EPCC_PMT_AMT", "EPCC_PMT"), needs=_DOLLARS),
    "risk_score": Column(("NORM_RISK_SCORE",)),
    "capped_risk_score": Column(("CIF_CAP_RISK",)),
}

LAYOUTS: Mapping[str, Layout] = {
    "mssp": Layout(
        COLUMNS,
        (
            "aco_id",
            "persons",
            "benchmark_usd",
            "expenditure_usd",
            "minimum_savings_share",
            "quality_score",
            "settlement_usd",
        ),
        LEVELS,
        TRACKS,
    ),
    "reach": Layout(
        _REACH,
        ("aco_id", "level", "benchmark_usd", "expenditure_usd", "shared_savings_usd"),
        _ARRANGEMENTS,
        {},
        years="several",
        first_year=2021,
    ),
}
"""How the files of each program are laid out; a file is known by the columns it must have."""
