"""Hypothesis strategies for worlds, shared by the laws of the whole."""

import numpy as np
import xarray as xr
from hypothesis import strategies as st

from simulator.programs import options

SEGMENTS = ("esrd", "disabled", "aged_dual", "aged_nondual")
LEVELS = np.array([85_000.0, 12_000.0, 18_000.0, 10_500.0])


@st.composite
def worlds(draw, year=2022, trials=4, acos=2, starts=(2019, 2020, 2022)):
    """Draw a whole world for MSSP: base years of every agreement, and one performance year."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    start = rng.choice([s for s in starts if s <= year], acos)
    years = np.arange(start.min() - 3, year + 1)
    shape = (trials, years.size, acos, 4)
    spread = draw(st.sampled_from([0.01, 0.05, 0.20]))
    level = LEVELS * np.exp(rng.normal(0.0, spread, shape))
    size = draw(st.sampled_from([300.0, 4_000.0, 20_000.0, 70_000.0]))
    people = size * np.array([0.01, 0.12, 0.07, 0.80]) * rng.uniform(0.5, 1.5, shape[1:])
    national = LEVELS * np.exp(np.cumsum(rng.normal(0.03, 0.02, (years.size, 1)), axis=0))
    dims = ("trial", "year", "aco", "segment")
    spent = xr.DataArray(level * (national / LEVELS)[:, None, :], dims=dims)
    by_aco = {"aco": [f"a{i}" for i in range(acos)], "year": years, "trial": range(trials)}
    flat = (trials, years.size, acos)
    return xr.Dataset(
        {
            "truncated_expenditure_ppy": spent,
            "person_years": (dims[1:], people),
            "persons": (("year", "aco"), people.sum(-1) / 0.978),
            "risk_score": (dims, np.exp(rng.normal(0.0, 0.04, shape))),
            "demographic_score": (dims[1:], np.exp(rng.normal(0.0, 0.01, shape[1:]))),
            "national_ppy": (("year", "segment"), national),
            "regional_ppy": (dims[1:], national[:, None, :] * rng.uniform(0.8, 1.2, shape[1:])),
            "assigned_share": (dims[1:], rng.uniform(0.0, 0.9, shape[1:])),
            "prospective_factor": (
                ("year", "segment"),
                np.cumprod(1 + rng.normal(0.04, 0.02, (years.size, 4)), axis=0),
            ),
            "prior_savings_ppy": (("year", "aco"), rng.normal(0.0, 300.0, flat[1:])),
            "quality_score": (dims[:3], rng.uniform(0.2, 1.0, flat)),
            "outcome_quality_met": (dims[:3], rng.integers(0, 2, flat).astype(float)),
            "revenue_usd": (dims[1:3], people.sum(-1) * rng.uniform(500.0, 9_000.0, flat[1:])),
            "circumstances_share": (dims[:3], rng.choice([0.0, 0.1, 1.0], flat)),
        },
        coords={
            **by_aco,
            "segment": list(SEGMENTS),
            "entitlement": ("segment", list(SEGMENTS)),
            "agreement_start": ("aco", start),
            "agreement_number": ("aco", rng.integers(1, 5, acos)),
            "regional_agreement_number": ("aco", rng.integers(1, 5, acos)),
            "agreement_kind": ("aco", rng.choice(["initial", "renewal"], acos)),
            "revenue_class": ("aco", rng.choice(["low", "high"], acos)),
            "elected_minimum_savings": ("aco", rng.choice([-1.0, 0.0, 0.01, 0.02], acos)),
            "low_income_share": ("aco", rng.uniform(0.0, 0.5, acos)),
            "dual_share": ("aco", rng.uniform(0.0, 0.4, acos)),
            "aip_balance_usd": ("aco", rng.choice([0.0, 250_000.0], acos)),
        },
    )


def contracts(program, years):
    """Return a strategy for (year, option) of a program's performance years."""
    pairs = [(year, option) for year in years for option in options(program, year)]
    return st.sampled_from(pairs)
