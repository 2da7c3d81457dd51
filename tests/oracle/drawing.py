"""Worlds drawn to reach every branch of a settlement, boundaries included."""

import numpy as np
import xarray as xr

from tests.oracle import mssp
from tests.oracle.terms import YEARS

__all__ = ["TRIALS", "draw", "inputs"]

TRIALS = 4

NATIONAL = np.array([80_000.0, 12_000.0, 18_000.0, 10_000.0])
MIX = np.array([0.01, 0.12, 0.07, 0.80])
EDGES = [1, 499, 500, 999, 1000, 2999, 3000, 4999, 5000, 5999, 6000, 9999, 10_000, 14_999, 15_000]
SIZES = np.array([*EDGES, 19_999, 20_000, 49_999, 50_000, 59_999, 60_000, 250_000])
ELECTED = np.array([-1.0, 0.0, 0.005, 0.01, 0.015, 0.02])
# One trial in which prices never move, so that cases can lie exactly on a boundary.
FLAT = 0
SPECIAL = ("round", "balanced", "tied", "small")
ROLES = tuple(role for special in SPECIAL for role in (special, "drawn", "drawn"))
DIMS = ("trial", "year", "aco", "segment")
VARYING = (
    "truncated_expenditure_ppy",
    "person_years",
    "risk_score",
    "demographic_score",
    "regional_ppy",
    "assigned_share",
    "regional_risk_score",
    "regional_demographic_score",
)
NATIONWIDE = ("national_ppy", "prospective_factor")
SINGLE = (
    "quality_score",
    "outcome_quality_met",
    "revenue_usd",
    "circumstances_share",
    "affected_people_share",
    "cyberattack_months_share",
    "incentive_met",
    "first_year_reported",
    "participation_share",
)
RANKS = np.array([1, 24, 25, 50, 84, 85, 100])
ATTRIBUTES = (
    "agreement_start",
    "agreement_number",
    "agreement_experience",
    "termination_kind",
    "agreement_kind",
    "regional_agreement_number",
    "revenue_class",
    "elected_minimum_savings",
    "low_income_share",
    "dual_share",
    "aip_balance_usd",
)


class Draw:
    """One world for one contract, drawn variable by variable from one generator."""

    def __init__(self, seed, year, acos):
        self.rng = np.random.default_rng(seed)
        self.year, self.acos = year, acos
        # A start six years back is that of an agreement that has been renewed since.
        self.start = self.rng.integers(max(2019, year - 6), year + 1, acos)
        self.years = np.arange(self.start.min() - 3, year + 1)
        self.role = np.array([ROLES[(i + seed) % len(ROLES)] for i in range(acos)])
        self.shape = (TRIALS, self.years.size, acos, 4)

    def scattered(self, spreads, shape, mean=0.0):
        """Return lognormal factors with a spread chosen for each ACO."""
        spread = self.rng.choice(spreads, self.acos)[:, None]
        return np.exp(mean + spread * self.rng.standard_normal(shape))

    def mixed(self, *choices):
        """Return for each ACO one of several draws."""
        return np.choose(self.rng.integers(0, len(choices), self.acos), choices)


def draw(seed, year, acos, *, regional_scores=False):
    """Return a world of one performance year with the base years of every ACO."""
    one = Draw(seed, year, acos)
    coords = _attributes(one)
    variables = _market(one) | _people(one)
    variables |= _spending(one, variables)
    variables |= _singles(one, variables, coords["agreement_kind"])
    if not regional_scores:
        del variables["regional_risk_score"], variables["regional_demographic_score"]
    _advanced(one, variables, coords)
    # The special ones are in the agreement that they are given, not in its renewal.
    latest = np.where(one.role == "drawn", one.start, np.maximum(one.start, year - 4))
    coords["agreement_start"] = one.start = latest
    for role, make in zip(SPECIAL, (_round, _balanced, _tied, _small), strict=True):
        for i in np.flatnonzero(one.role == role):
            make(one, variables, coords, i)
    return xr.Dataset(
        {name: (_dims(name, values), values) for name, values in variables.items()},
        coords={name: ("aco", values) for name, values in coords.items()}
        | {"aco": [f"a{i}" for i in range(acos)], "year": one.years, "trial": range(TRIALS)}
        | {"deprivation_rank": RANKS}
        | {"segment": list(mssp.TYPES), "entitlement": ("segment", list(mssp.TYPES))},
    )


def _dims(name, values):
    if name == "deprivation_share":
        return ("aco", "deprivation_rank")
    return DIMS[:2] + DIMS[3:] if name in NATIONWIDE else DIMS[: values.ndim]


def _attributes(one):
    rng, acos = one.rng, one.acos
    return {
        "agreement_start": one.start,
        "agreement_number": rng.integers(1, 6, acos),
        "regional_agreement_number": rng.integers(1, 6, acos),
        "agreement_kind": rng.choice(["initial", "renewal", "reentering"], acos),
        "agreement_experience": rng.choice(["inexperienced", "experienced"], acos),
        "termination_kind": rng.choice(["voluntary", "involuntary"], acos),
        "revenue_class": rng.choice(["low", "high"], acos),
        "elected_minimum_savings": rng.choice(ELECTED, acos),
        "low_income_share": one.mixed(
            np.full(acos, 0.15),
            np.full(acos, 0.1499999),
            rng.uniform(0, 0.3, acos),
            rng.uniform(0.1, 0.9, acos),
        ),
        "dual_share": one.mixed(np.zeros(acos), rng.uniform(0, 0.6, acos), np.full(acos, 0.97)),
        "aip_balance_usd": rng.choice([0.0, 250_000.0, 1e9], acos),
    }


def _market(one):
    rng, shape = one.rng, one.shape
    growth = rng.normal(0.03, 0.03, (TRIALS, shape[1], 4))
    growth[FLAT] = 0.0
    national = NATIONAL * np.exp(np.cumsum(growth, axis=1))
    forecast = np.exp(np.cumsum(rng.normal(0.03, 0.04, national.shape), axis=1))
    forecast[FLAT] = 1.0
    level = one.scattered([0.02, 0.15, 0.4], (1, 1, *shape[2:]))
    share = rng.uniform(0.0, 1.0, shape)
    share[:, :, ::7, :] = rng.choice([0.0, 1.0], share[:, :, ::7, :].shape)
    return {
        "national_ppy": national,
        "prospective_factor": forecast,
        "regional_ppy": national[:, :, None, :] * level * one.scattered([0.003, 0.03], shape),
        "assigned_share": share,
        "regional_risk_score": _scores(one, [0.005, 0.06], 0.015),
        "regional_demographic_score": _scores(one, [0.005], 0.0),
    }


def _scores(one, spreads, drift):
    level = one.scattered([0.02, 0.2], (1, 1, *one.shape[2:]))
    return level * one.scattered(
        spreads, one.shape, drift * np.arange(one.shape[1])[:, None, None]
    )


def _people(one):
    rng = one.rng
    size = np.where(
        rng.random(one.acos) < 0.4,
        rng.choice(SIZES, one.acos),
        np.exp(rng.normal(9.3, 1.0, one.acos)).astype(int) + 1,
    )
    persons = np.floor(size * rng.uniform(0.5, 1.5, one.shape[:3])) + 1.0
    persons[:, -1] = size
    mix = MIX * one.scattered([0.1, 0.6], one.shape)
    mix[..., :3] *= rng.random((*one.shape[:3], 3)) > 0.08
    people = persons[..., None] * 0.978 * mix / mix.sum(-1, keepdims=True)
    return {
        "persons": persons,
        "person_years": people,
        "risk_score": _scores(one, [0.005, 0.03, 0.1], 0.005),
        "demographic_score": _scores(one, [0.002, 0.01], 0.0),
    }


def _spending(one, variables):
    level = one.scattered([0.03, 0.1, 0.3], (1, 1, *one.shape[2:]))
    risk, prices = variables["risk_score"], variables["national_ppy"][:, :, None, :]
    effect = one.scattered([0.01, 0.03, 0.08, 0.4], (TRIALS, 1, one.acos, 1))
    spent = prices * level * risk * one.scattered([0.01, 0.03], one.shape)
    spent[:, -1:] *= effect
    return {"truncated_expenditure_ppy": spent}


def _singles(one, variables, kind):
    rng, flat = one.rng, one.shape[:3]
    people = variables["person_years"].sum(-1)
    spent = (variables["person_years"] * variables["truncated_expenditure_ppy"]).sum(-1)
    settled = rng.random(flat) > 0.2
    centre = rng.choice([-300.0, 0.0, 200.0, 900.0, 4_000.0], one.acos)
    prior = rng.normal(centre, 300.0 * (rng.random(one.acos) > 0.1), flat)
    # A first agreement has no settled years behind it; a few have figures that must not count.
    first = (kind == "initial") & (rng.random(one.acos) < 0.9)
    settled &= ~first
    threshold = float(YEARS[one.year]["threshold"])
    score = np.where(rng.random(flat) < 0.1, threshold, rng.uniform(0.0, 1.0, flat))
    score = np.where(rng.random(flat) < 0.05, np.nextafter(threshold, 0.0), score)
    return {
        "prior_savings_ppy": np.where(settled, prior, 0.0),
        "reconciled_person_years": np.where(settled, people * rng.uniform(0.5, 2.0, flat), 0.0),
        "quality_score": np.maximum(score, 0.0),
        "outcome_quality_met": rng.integers(0, 2, flat).astype(float),
        "revenue_usd": spent * np.exp(rng.normal(np.log(0.5), 1.0, flat)),
        "circumstances_share": rng.choice([0.0, 0.013, 0.3, 0.7, 1.0], flat),
        "affected_people_share": rng.choice([0.0, 0.0, 0.0, 0.1999, 0.2, 1.0], flat),
        "cyberattack_months_share": rng.choice([0.0, 0.0, 0.25, 1.0], flat),
        "incentive_met": rng.choice([0.0, 0.0, 0.0, 1.0], flat),
        "first_year_reported": rng.choice([0.0, 1.0], flat),
        "deprivation_share": _deprivation(one),
        "participation_share": rng.choice([1.0, 1.0, 1.0, 11 / 12, 0.5], flat),
    }


def _deprivation(one):
    """Return shares by rank for half of the ACOs, none for those without advance payments."""
    shares = one.rng.dirichlet(np.ones(RANKS.size), one.acos)
    return shares * (one.rng.random(one.acos) < 0.5)[:, None]


def _advanced(one, variables, coords):
    """Make half of those with advance payments new, inexperienced and of low revenue."""
    new = (variables["deprivation_share"].sum(-1) > 0.0) & (one.rng.random(one.acos) < 0.5)
    coords["agreement_kind"][new] = "initial"
    coords["agreement_experience"][new] = "inexperienced"
    coords["revenue_class"][new] = "low"
    coords["agreement_start"][new] = one.start[new] = one.rng.integers(
        max(2019, one.year - 2), one.year + 1, new.sum()
    )


def _level(one, variables, i):
    """Make an ACO of the flat trial cost and score the same in every year, as its nation."""
    at = (FLAT, slice(None), i)
    for name in ("risk_score", "demographic_score", "regional_risk_score"):
        if name in variables:
            variables[name][at] = 1.0
    if "regional_demographic_score" in variables:
        variables["regional_demographic_score"][at] = 1.0
    for name in ("regional_ppy", "truncated_expenditure_ppy"):
        variables[name][at] = NATIONAL
    variables["assigned_share"][at] = 0.5
    return at


def _round(one, variables, coords, i):
    """Put an ACO on or beside its minimum rate, or on the risk cap, with one type of people."""
    coords["agreement_kind"][i] = "initial"
    at = _level(one, variables, i)
    persons = one.rng.choice(SIZES)
    variables["persons"][:, -1, i] = persons
    variables["person_years"][at] = persons * np.array([0.0, 0.0, 0.0, 1.0])
    variables["participation_share"][FLAT, :, i] = 1.0
    variables["quality_score"][FLAT, :, i] = 1.0
    elected = coords["elected_minimum_savings"][i]
    rate = float(mssp.by_size(int(persons))) if elected < 0 or persons < 5000 else elected
    away = one.rng.choice([0.0, 0.0, 0.01, -0.01])
    sign = one.rng.choice([-1.0, 1.0])
    variables["truncated_expenditure_ppy"][FLAT, -1, i, 3] += sign * round(rate * 10_000 + away, 9)
    if one.rng.random() < 0.4:
        variables["risk_score"][FLAT, -1, i] = [1.2, 1.2, 1.2, 1.03]


def _balanced(one, variables, coords, i):
    """Give an ACO a region dearer for one type by just what it is cheaper for the other."""
    coords["agreement_kind"][i] = "initial"
    at = _level(one, variables, i)
    variables["person_years"][at] = np.array([0.0, 0.0, 4096.0, 4096.0])
    variables["regional_ppy"][at] = NATIONAL + np.array([0.0, 0.0, -100.0, 100.0])


def _tied(one, variables, coords, i):
    """Let both the regional and the prior savings adjustment reach 5% of national."""
    coords["agreement_kind"][i] = "renewal"
    _level(one, variables, i)
    variables["regional_ppy"][:, :, i] *= 4.0
    variables["prior_savings_ppy"][:, :, i] = 50_000.0
    variables["reconciled_person_years"][:, :, i] = 1e7


def _small(one, variables, coords, i):
    """Give a low-revenue ACO few people in its base years, and savings below its minimum."""
    coords["agreement_kind"][i], coords["agreement_start"][i] = "initial", one.year
    coords["revenue_class"][i], coords["elected_minimum_savings"][i] = "low", -1.0
    at = _level(one, variables, i)
    variables["person_years"][at] = 6_000.0 * MIX
    variables["persons"][FLAT, :, i] = one.rng.choice([4_000.0, 4_999.0, 5_000.0])
    variables["persons"][FLAT, -1, i] = 6_000.0
    variables["prior_savings_ppy"][FLAT, :, i] = 0.0
    variables["quality_score"][FLAT, :, i] = 1.0
    variables["truncated_expenditure_ppy"][FLAT, -1, i] *= 0.99
    variables["participation_share"][FLAT, :, i] = 1.0


def inputs(world):
    """Yield what the oracle is given for one trial and ACO after another."""
    values = {name: variable.to_numpy() for name, variable in world.variables.items()}
    years = values["year"].tolist()
    for t in range(TRIALS):
        for i in range(world.sizes["aco"]):
            yield _case(values, years, t, i)


def _case(values, years, t, i):
    start = int(values["agreement_start"][i])
    used = [n for n, y in enumerate(years) if y >= start - 3]
    typed = {
        name: {years[n]: _typed(values[name][t, n, i]) for n in used}
        for name in VARYING
        if name in values
    }
    national = {name: {years[n]: _typed(values[name][t, n]) for n in used} for name in NATIONWIDE}
    yearly = {
        name: {years[n]: values[name][t, n, i].item() for n in used}
        for name in ("persons", "prior_savings_ppy", "reconciled_person_years")
    }
    last = {name: values[name][t, -1, i].item() for name in SINGLE}
    fixed = {name: values[name][i].item() for name in ATTRIBUTES}
    ranks = zip(RANKS.tolist(), values["deprivation_share"][i].tolist(), strict=True)
    return typed | national | yearly | last | fixed | {"deprivation_share": dict(ranks)}


def _typed(row):
    return dict(zip(mssp.TYPES, row.tolist(), strict=True))
