"""Worlds drawn to reach every branch of LEAD, and both settlements of them held together."""

from collections import Counter
from decimal import Decimal
from itertools import product

import numpy as np
import xarray as xr

from simulator.programs import contract
from tests.oracle import lead

__all__ = ["PAIRS", "apart", "drawn"]

PAIRS = [(year, option) for year in range(2027, 2037) for option in ("global", "professional")]
CELLS = ("aged_disabled", "high_needs", "esrd", "aged_disabled_voluntary", "esrd_voluntary")
LEVELS = np.array([12_000.0, 42_000.0, 100_000.0, 11_000.0, 98_000.0])
PEOPLE = np.array([9_000.0, 1_200.0, 90.0, 700.0, 12.0])
RELATIVE = 1e-9
FLOORS = {"_usd": 1e-4, "_ppy": 1e-8}
TRIALS = 3
DIMS = ("trial", "year", "aco", "segment")


def drawn(seed, year, acos):
    """Return a world of some ACOs, three trials each, for a performance year."""
    rng = np.random.default_rng(seed)
    years = np.array([2024, 2025, 2026, year])
    shape = (TRIALS, years.size, acos, len(CELLS))
    growth = np.cumprod(1.0 + rng.normal(0.05, 0.02, (TRIALS, years.size, 1, 1)), axis=1)
    cheap = rng.choice([0.75, 0.93, 0.97, 1.0, 1.1], (1, 1, acos, 1))
    region = LEVELS * growth * np.exp(rng.normal(0.0, 0.03, shape))
    spent = region * cheap * np.exp(rng.normal(0.0, 0.05, shape))
    wide = rng.choice([0.25, 0.45, 0.6, 0.8, 0.95, 1.0, 1.05, 1.3, 1.9], (TRIALS, acos, 1))
    spent[:, -1] *= wide
    people = PEOPLE * rng.uniform(0.7, 1.3, shape[1:])
    people[:3, :, 4] *= rng.choice([0.0, 1.0], (1, acos))
    people[:3, :, 1] *= rng.choice([0.0, 1.0, 1.0, 1.0], (3, acos))
    people[-1] *= rng.choice([0.0, *[1.0] * 9], (acos, 1))
    risk = np.exp(rng.normal(0.0, 0.04, shape))
    risk[:, 1, :, 0] *= rng.choice([0.0, 1.0, 1.0, 1.0], acos)
    tied = rng.random(acos) < 0.15
    # One base year that counts, at the region's cost: a difference of exactly zero.
    region[:, :, tied], spent[:, :3, tied], risk[:, :, tied] = LEVELS, LEVELS, 1.0
    people[:2, tied] = 0.0
    left_out = np.where(tied, 0.0, 1.0)[:, None]
    nation = LEVELS * growth[:, :, 0]
    exact = rng.random(acos) < 0.15
    quality = np.where(exact, rng.choice([0.0, 1.0], acos), rng.uniform(0.2, 1.0, acos))
    flat_years = (years.size, acos)
    world = xr.Dataset(
        {
            "expenditure_ppy": (DIMS, spent),
            "suspect_billing_ppy": (DIMS, 0.01 * spent * left_out),
            "skin_substitutes_ppy": (DIMS, 0.02 * spent * left_out),
            "person_years": (DIMS[1:], people),
            "risk_score": (DIMS, risk),
            "inferred_risk_score": (DIMS, np.exp(rng.normal(0.0, 0.04, shape) * left_out)),
            "untruncated_regional_ppy": (DIMS, region),
            "reference_ppy": (("trial", "year", "segment"), nation),
            "uspcc_ppy": (("year", "segment"), np.broadcast_to(LEVELS, (years.size, len(CELLS)))),
            "rate_book_ppy": (DIMS[1:], LEVELS * rng.uniform(0.8, 1.4, shape[1:])),
            "prospective_factor": (
                ("trial", "year", "segment"),
                nation / LEVELS * np.exp(rng.normal(0.0, 0.004, nation.shape)),
            ),
            "assigned_share": (
                DIMS[1:],
                np.broadcast_to(rng.uniform(0.0, 0.5, shape[2:]), shape[1:]),
            ),
            "total_quality_score": (("year", "aco"), np.broadcast_to(quality, flat_years)),
            "prior_savings_ppy": (
                ("year", "aco"),
                rng.choice([0.0, 0.0, 300.0, -400.0, 4_000.0], acos) * np.ones(flat_years),
            ),
            "reconciled_person_years": (
                ("year", "aco"),
                people.sum(-1) * rng.choice([0.5, 1.0], flat_years),
            ),
            "participation_share": (
                ("year", "aco"),
                np.broadcast_to(rng.choice([1.0, 1.0, 0.5], acos), flat_years),
            ),
            "raw_stop_loss_payout_usd": (DIMS[:3], rng.uniform(0.0, 4e6, shape[:3])),
            "cara_target_usd": (("year", "aco"), rng.uniform(5e6, 9e6, flat_years)),
            "cara_expenditure_usd": (("year", "aco"), rng.uniform(5e6, 9e6, flat_years)),
            "rate_book_phase_share": rng.choice([0.0, 0.5, 1.0]),
        },
        coords={"trial": range(TRIALS), "year": years, "segment": list(CELLS)},
    )
    return world.assign_coords(aco=[f"a{i}" for i in range(acos)], **_attributes(rng, acos))


def _attributes(rng, acos):
    words = {
        "lead_start": np.full(acos, 2027),
        "lead_entry": rng.choice(["renewing", "newly_entering"], acos),
        "lead_prior_program": rng.choice(["mssp", "reach", "mixed", "none"], acos),
        "lead_designation": rng.choice(["open", "open", "open", "lower", "higher"], acos),
        "lead_improvement_met": rng.choice([1.0, 1.0, 0.0], acos),
        "stop_loss_elected": rng.choice([0.0, 1.0], acos),
        "stop_loss_charge_ppy": rng.choice([0.0, 120.0], acos),
        "lead_cara_performance_share": rng.choice([0.05, 0.5, 1.0], acos),
        "lead_cara_premium_share": rng.choice([0.0, 0.1], acos),
    }
    return {name: ("aco", values) for name, values in words.items()}


def _plain(world):
    """Return every variable as nested lists, all dims in order: [trial][year][aco][segment]."""
    shape = [world.sizes.get(dim, 1) for dim in DIMS]
    made = {}
    for name, line in world.reset_coords().data_vars.items():
        places = [dim for dim in DIMS if dim in line.dims]
        values = line.transpose(*places).to_numpy()
        values = np.expand_dims(values, [i for i, dim in enumerate(DIMS) if dim not in places])
        made[name] = np.broadcast_to(values, shape)
    return made


_BY_CELL = {
    "spent": "expenditure_ppy",
    "suspect": "suspect_billing_ppy",
    "skin": "skin_substitutes_ppy",
    "people": "person_years",
    "risk": "risk_score",
    "inferred": "inferred_risk_score",
    "region": "untruncated_regional_ppy",
    "nation": "reference_ppy",
    "rate_book": "rate_book_ppy",
    "forecast": "prospective_factor",
}


def _given(world, plain, trial, aco):
    """Return one case as plain decimals."""
    years = [int(year) for year in world.year.values]
    last = len(years) - 1

    def at(name, year=last, cell=0):
        return plain[name][trial, year, aco, cell].item()

    def exact(name, year=last, cell=0):
        return Decimal(at(name, year, cell))

    cells = {}
    for n, cell in enumerate(CELLS):
        x = {
            short: {year: exact(name, y, n) for y, year in enumerate(years)}
            for short, name in _BY_CELL.items()
        }
        cells[cell] = x | {
            "share": exact("assigned_share", last - 1, n),
            "uspcc": exact("uspcc_ppy", last - 1, n),
            "category": cell.removesuffix("_voluntary"),
            "voluntary": cell.endswith("_voluntary"),
        }
    return {
        "cells": cells,
        "start": at("lead_start"),
        "entry": at("lead_entry"),
        "prior": at("lead_prior_program"),
        "designation": at("lead_designation"),
        "improved": at("lead_improvement_met") == 1.0,
        "saved": {year: exact("prior_savings_ppy", y) for y, year in enumerate(years[:3])},
        "reconciled": {
            year: exact("reconciled_person_years", y) for y, year in enumerate(years[:3])
        },
        "quality": exact("total_quality_score"),
        "months": exact("participation_share"),
        "payout": exact("raw_stop_loss_payout_usd"),
        "target": exact("cara_target_usd"),
        "episodes": exact("cara_expenditure_usd"),
        "phase": exact("rate_book_phase_share"),
        "stop_loss": int(at("stop_loss_elected")),
        "charge": exact("stop_loss_charge_ppy"),
        "performance": exact("lead_cara_performance_share"),
        "premium": exact("lead_cara_premium_share"),
        "pcc": world.attrs["base_pcc"],
    }


def apart(acos, seed=2027):
    """Settle every year and option both ways; return cases, branches taken, and lines apart."""
    branches, found, cases = Counter(), [], 0
    for i, (year, option) in enumerate(PAIRS):
        world = drawn(seed + i, year, acos)
        pcc = Decimal("0.03164") if i % 3 else Decimal("0.06")
        world.attrs["base_pcc"] = pcc
        terms = [("base_pcc", float(pcc), "test")]
        statement = contract("lead", year, option, overrides=terms).settle(world)
        plain, settled = _plain(world), _plain(statement)
        for trial, aco in product(range(TRIALS), range(acos)):
            lines = lead.settle(_given(world, plain, trial, aco), year, option, branches)
            cases += 1
            found += [
                (year, option, trial, aco, name, want, got)
                for name, value in lines.items()
                for want, got in _pairs(value, settled[name], trial, aco)
                if abs(want - got) > RELATIVE * abs(want) + _floor(name)
            ]
    return cases, branches, found


def _pairs(value, settled, trial, aco):
    """Yield what the oracle has beside what the contract has, cell by cell."""
    cells = value.values() if isinstance(value, dict) else [value]
    for n, want in enumerate(cells):
        yield float(want), settled[trial, 0, aco, n].item()


def _floor(name):
    return next((size for end, size in FLOORS.items() if name.endswith(end)), 1e-12)
