"""A small population for tests of worlds."""

from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr

from simulator.population import project
from simulator.scenario.schema import Aco, Experience, Market

MARKET = Market.model_validate(
    {
        "national_ppy": {
            "esrd": {2018: 85_900.0, 2022: 90_400.0},
            "aged_nondual": {2018: 10_500.0, 2022: 11_600.0},
        },
        "truncation_usd": {"esrd": {2022: 490_000.0}, "aged_nondual": {2022: 141_000.0}},
    }
)
EXPERIENCE = {
    "trend": {"sd": 0.016, "regional_sd": 0.011},
    "deviation": {"sd": 0.02, "change_sd": 0.02},
    "risk_scores": {"sd": {"esrd": 0.03, "aged_nondual": 0.03}, "correlation": 0.4},
    "quality": {"mean": 0.8, "sd": 0.06, "outcome_met_share": 0.9},
    "circumstances": {"chance": 0.1, "affected_share": 0.5, "months_share": 0.5},
}
STILL = {
    "trend": {"sd": 0.0, "regional_sd": 0.0},
    "quality": {"mean": 0.8, "sd": 0.0},
    "severity": {"noise": False},
}


def segment(
    person_years: float, spent: float, score: float = 1.0, churn: float = 0.0
) -> dict[str, Any]:
    years = (2016, 2017, 2018)
    return {
        "person_years": dict.fromkeys((*years, 2022), person_years),
        "churn_share": churn,
        "expenditure_ppy": dict.fromkeys(years, spent),
        "risk_score": dict.fromkeys(years, score),
    }


def aco(size: float = 10_000.0, *, esrd: bool = True, churn: float = 0.0, **fields: Any) -> Aco:
    parts = {"aged_nondual": segment(0.99 * size, 11_000.0, 1.05, churn)}
    if esrd:
        parts["esrd"] = segment(0.01 * size, 84_000.0, churn=churn)
    return Aco.model_validate({"segments": parts, "agreement": {"start": 2019}} | fields)


def people(acos: Mapping[str, Aco], years: Sequence[int] = (2022,)) -> xr.Dataset:
    return project(acos, MARKET, years, 0.04)


def experience(base: Mapping[str, Any] = EXPERIENCE, **groups: Any) -> Experience:
    plain = {name: value for name, value in groups.items() if not isinstance(value, dict)}
    named = {name: value for name, value in groups.items() if name not in plain}
    merged = {name: {**base.get(name, {}), **named.get(name, {})} for name in {**base, **named}}
    return Experience.model_validate(merged | plain)
