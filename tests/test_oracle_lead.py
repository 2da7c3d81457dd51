"""LEAD's contracts against a slow second reading of the rules note, and that reading itself."""

from collections import Counter
from decimal import Decimal

import pytest

from tests.oracle import lead
from tests.oracle.lead_cases import apart


@pytest.fixture(scope="module")
def compared():
    return apart(acos=8)


def test_contract_and_oracle_agree_on_every_line(compared):
    assert compared[2] == []


def test_every_branch_is_taken(compared):
    assert set(compared[1]) == set(lead.BRANCHES)


@pytest.mark.slow
def test_contract_and_oracle_agree_on_six_thousand_cases(proof):
    cases, branches, found = apart(acos=100, seed=90_000)
    rarest = min(lead.BRANCHES, key=branches.get)
    counted = f"{len(lead.BRANCHES)} branches, the rarest ({rarest}) {branches[rarest]:,} times"
    proof("LEAD against its oracle", f"{cases:,} cases, {len(found)} lines apart; {counted}")
    assert found == []
    assert set(branches) == set(lead.BRANCHES)


def _cell(levels, scores, trend_years, people, **more):
    """Return one cell of worked example A, per beneficiary per month."""
    years = (2024, 2025, 2026, 2027)
    made = {
        "spent": dict(zip(years, map(Decimal, levels), strict=True)),
        "risk": dict(zip(years, map(Decimal, scores), strict=True)),
        "suspect": dict.fromkeys(years, Decimal(0)),
        "skin": dict.fromkeys(years, Decimal(0)),
        "people": dict.fromkeys(years[:3], Decimal(people[0])) | {2027: Decimal(people[1])},
        "share": Decimal("0.10"),
        "voluntary": False,
    } | more
    base = Decimal(more["at_score_1"])
    nation, region = (Decimal(x) for x in more["growth"])
    back = [base / Decimal(t) for t in trend_years]
    made["region"] = dict(zip(years, (*back, base, base * region), strict=True))
    made["nation"] = dict(zip(years, (*back, base, base * nation), strict=True))
    made["forecast"] = {2026: Decimal(1), 2027: Decimal(more["acpt"])}
    made["uspcc"], made["inferred"] = Decimal(more["uspcc"]), made["risk"]
    return made | {"rate_book": made["region"]}


CELLS = {
    "aged_disabled": _cell(
        ("900", "945", "1000", "1018"),
        ("0.98", "0.99", "1", "1.045"),
        ("1.10", "1.05"),
        (96_000, 98_000),
        category="aged_disabled",
        at_score_1="1080",
        growth=("1.055", "1.050"),
        acpt="1.062",
        uspcc="1050",
    ),
    "high_needs": _cell(
        ("3200", "3350", "3500", "3640"),
        ("1.02", "1.01", "1", "1.02"),
        ("1.12", "1.06"),
        (18_000, 19_000),
        category="high_needs",
        at_score_1="3560",
        growth=("1.065", "1.060"),
        acpt="1.070",
        uspcc="3500",
    ),
    "esrd": _cell(
        ("8400", "8600", "8800", "8900"),
        ("1", "1", "1", "0.95"),
        ("1.08", "1.04"),
        (1_200, 1_200),
        category="esrd",
        at_score_1="8700",
        growth=("1.040", "1.045"),
        acpt="1.030",
        uspcc="8600",
    ),
}
EXAMPLE_A = {
    "cells": CELLS,
    "start": 2027,
    "entry": "renewing",
    "prior": "reach",
    "designation": "open",
    "improved": True,
    "saved": dict.fromkeys((2024, 2025, 2026), Decimal(0)),
    "reconciled": dict.fromkeys((2024, 2025, 2026), Decimal(0)),
    "quality": Decimal("0.90"),
    "months": Decimal(1),
    "payout": Decimal(0),
    "target": Decimal(0),
    "episodes": Decimal(0),
    "phase": Decimal(1),
    "stop_loss": 0,
    "charge": Decimal(0),
    "performance": Decimal(1),
    "premium": Decimal(0),
    "pcc": Decimal("0.035"),
}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("weighted_regional_difference_ppy", 68.5498),
        ("benchmark_before_discount_usd", 194_040_417.97),
        ("benchmark_usd", 187_654_547.81),
        ("gross_savings_usd", 8_050_547.81),
        ("settlement_usd", 7_889_536.86),
        ("enhanced_pcc_usd", 6_791_414.63),
        ("payment_usd", 1_098_122.23),
    ],
)
def test_the_oracle_meets_worked_example_a(line, value):
    lines = lead.settle(EXAMPLE_A, 2027, "global", Counter())
    assert float(lines[line]) == pytest.approx(value, abs=0.005)
