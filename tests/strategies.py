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


REACH_TYPES = ("standard", "new_entrant", "high_needs")
REACH_CHANNELS = ("claims", "voluntary", "newly_voluntary")


@st.composite
def reach_worlds(draw, year=2026, trials=3, spread=None):
    """Draw a whole world for ACO REACH: an ACO of each type, every way of alignment."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    spread = draw(st.sampled_from([0.01, 0.05, 0.20])) if spread is None else spread
    years = np.arange(2017, year + 1)
    names = [f"{kind}_{way}" for kind in SEGMENTS for way in REACH_CHANNELS]
    level = np.repeat(LEVELS, len(REACH_CHANNELS))
    uspcc = np.repeat(np.where(np.array(SEGMENTS) == "esrd", 90_000.0, 11_000.0), 3)
    growth = np.cumprod(1.0 + rng.normal(0.04, 0.01, (years.size, 1)), axis=0)
    acos, shape = 3, (trials, years.size, 3, len(names))
    scores = np.exp(np.cumsum(rng.normal(0.006, 0.012, shape), axis=1))
    people = 4_000.0 * rng.uniform(0.2, 1.5, shape[1:])
    base = np.repeat(scores[:1, :, :, :], trials, axis=0)
    scores = np.where(years[:, None, None] < year, base, scores)
    actual = growth * np.exp(np.cumsum(rng.normal(0.0, 0.02, (trials, years.size, 2)), axis=1))
    actual = np.where(np.array(["esrd" in n for n in names]), actual[..., :1], actual[..., 1:])
    dims = ("trial", "year", "aco", "segment")
    return xr.Dataset(
        {
            "expenditure_ppy": (
                dims,
                level * growth[:, :, None] * scores * np.exp(rng.normal(-0.05, spread, shape)),
            ),
            "person_years": (dims[1:], people),
            "risk_score": (dims, scores),
            "demographic_score": (dims[1:], np.exp(rng.normal(0.0, 0.01, shape[1:]))),
            "rate_book_ppy": (
                dims[1:],
                uspcc * growth[:, :, None] * rng.uniform(0.85, 1.15, shape[1:]),
            ),
            "geographic_factor": (dims[1:], rng.uniform(0.99, 1.01, shape[1:])),
            "uspcc_ppy": (("year", "segment"), uspcc * growth),
            "reference_ppy": (("trial", "year", "segment"), uspcc * actual),
            "coding_intensity_factor": (
                ("trial", "year", "segment"),
                1.0 + np.abs(rng.normal(0.0, 0.01, (trials, years.size, 1))) + 0.0 * level,
            ),
            "total_quality_score": (dims[:3], rng.uniform(0.4, 1.0, shape[:3])),
        },
        coords={
            "trial": range(trials),
            "year": years,
            "aco": list(REACH_TYPES),
            "segment": names,
            "entitlement": ("segment", [n.removesuffix(f"_{w}") for n, w in _ways(names)]),
            "channel": ("segment", [w for _, w in _ways(names)]),
            "reach_type": ("aco", list(REACH_TYPES)),
            "reach_first_year": ("aco", rng.choice([2021, year], acos)),
            "reach_capitation": ("aco", ["pcc", "tcc", "pcc"]),
            "reach_base_persons": ("aco", rng.choice([-1.0, 500.0, 5_000.0], acos)),
            "retention_withheld": ("aco", rng.choice([-1.0, 0.0, 1.0], acos)),
            **{
                f"equity_{tier}_share": ("aco", np.full(acos, share))
                for tier, share in zip(
                    ("top", "second", "third", "middle", "bottom"),
                    rng.dirichlet(np.ones(5)),
                    strict=True,
                )
            },
            "capitated_share": ("aco", rng.uniform(0.0, 0.1, acos)),
            "enhanced_pcc_share": ("aco", rng.uniform(0.0, 0.07, acos)),
            "advanced_payment_share": ("aco", rng.uniform(0.0, 0.1, acos)),
            "advanced_payment_claims_share": ("aco", rng.uniform(0.9, 1.1, acos)),
            "provisional_settlement": ("aco", rng.choice([0.0, 1.0], acos)),
            "high_performers_share": ("aco", rng.choice([0.0, 0.002], acos)),
        },
    )


def _ways(names):
    """Return each name with its way of alignment: the longest that it ends with."""
    ways = sorted(REACH_CHANNELS, key=len, reverse=True)
    return [(name, next(w for w in ways if name.endswith(f"_{w}"))) for name in names]
