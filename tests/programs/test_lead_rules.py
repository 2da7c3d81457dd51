"""Every leaf of LEAD's rules files: its section of the rules note, and the tag it has there.

A leaf may be weaker than its tag (a later year carries 2027's, and is assumed), never stronger.
"""

import re
from pathlib import Path

import pytest

from simulator.programs import options, rules, years

NOTE = Path(__file__).parents[2] / ".." / "shared" / "rules" / "lead.md"
STRENGTH = ("assumed", "reported", "proposed", "published")
PUBLISHED, REPORTED, ASSUMED = "published", "reported", "assumed"

# Term: section, tag of 2027. `memory` reads as assumed, `reported_conflict` as reported.
COMMON = {
    "first_year": ("0.5", PUBLISHED),
    "category_precedence": ("1.5", ASSUMED),
    "base_weight_1": ("3.2", REPORTED),
    "base_weight_2": ("3.2", REPORTED),
    "base_weight_3": ("3.2", REPORTED),
    "minimum_base_persons": ("3.2", ASSUMED),
    "absent_category": ("10", ASSUMED),
    "designation_regime": ("3.3", ASSUMED),
    "designation_tie": ("3.3", ASSUMED),
    "regional_weight_higher": ("3.4", REPORTED),
    "regional_cap": ("3.4", REPORTED),
    "regional_floor": ("3.4", ASSUMED),
    "prior_savings_cap": ("3.4", REPORTED),
    "prior_savings_negative": ("3.4", ASSUMED),
    "adjustment_rule": ("3.4", PUBLISHED),
    "prospective_share": ("3.5", REPORTED),
    "guardrail_below": ("3.5", REPORTED),
    "guardrail_above": ("3.5", REPORTED),
    "guardrail_target": ("3.5", ASSUMED),
    "guardrail_form": ("3.5", ASSUMED),
    "risk_cap_above": ("4.2", REPORTED),
    "risk_cap_below": ("4.2", REPORTED),
    "risk_cap_demographic": ("4.2", ASSUMED),
    "risk_cap_exemption": ("4.2", ASSUMED),
    "coding_intensity": ("4.3", ASSUMED),
    "ai_weight": ("4.4", REPORTED),
    "rate_book_weight": ("3.8", ASSUMED),
    "voluntary_band": ("3.7", REPORTED),
    "voluntary_reference": ("3.7", ASSUMED),
    "medicaid_partner": ("8", ASSUMED),
    "quality_at_risk": ("5", PUBLISHED),
    "quality_base": ("5", REPORTED),
    "improvement_multiplier": ("5", ASSUMED),
    "ecqm_bonus": ("5", ASSUMED),
    "prevention_plan_bonus": ("5", ASSUMED),
    "high_performers": ("5", ASSUMED),
    "add_on_mode": ("3.9", REPORTED),
    "rural_add_on": ("3.9", ASSUMED),
    "suspect_excluded": ("3.10", REPORTED),
    "skin_excluded": ("3.10", REPORTED),
    "truncation": ("3.10", ASSUMED),
    "completion": ("3.10", ASSUMED),
    "stop_loss_charge": ("7.1", ASSUMED),
    "cara_share": ("6.2", ASSUMED),
    "cara_performance_least": ("6.2", REPORTED),
    "cara_performance_most": ("6.2", REPORTED),
    "cara_performance_on_losses": ("6.2", ASSUMED),
    "minimum_share": ("2.1", REPORTED),
    "early_exit_savings": ("8", ASSUMED),
    "sequestration": ("7.2", REPORTED),
    "sequestration_base": ("7.2", REPORTED),
    "sequestration_on_losses": ("7.2", ASSUMED),
    "base_pcc": ("6.1", ASSUMED),
    "enhanced_pcc_target": ("6.1", REPORTED),
    "enhanced_pcc_floor": ("6.1", REPORTED),
    "enhanced_pcc_repaid": ("6.1", PUBLISHED),
    "guarantee_basis": ("7.3", REPORTED),
    "high_needs_heavy": ("1.2", PUBLISHED),
    "high_needs_heavy_reading": ("1.3", REPORTED),
    "high_needs_heavy_counts": ("1.3", REPORTED),
    "minimum_persons_first": ("1.3", PUBLISHED),
    "minimum_claims_first": ("1.3", PUBLISHED),
    "minimum_persons_later": ("1.3", ASSUMED),
    "minimum_claims_later": ("1.3", ASSUMED),
}
GLOBAL = {
    "regional_weight_lower": ("3.4", REPORTED),
    "prior_savings_share": ("3.4", REPORTED),
    "discount_lower": ("2.3", REPORTED),
    "discount_higher": ("2.3", REPORTED),
    "add_on": ("3.9", REPORTED),
    "savings_bands": ("2.2", REPORTED),
    "loss_bands": ("2.2", REPORTED),
    "cara": ("6.2", REPORTED),
    "guarantee": ("7.3", ASSUMED),
}
PROFESSIONAL = {
    "regional_weight_lower": ("3.4", REPORTED),
    "prior_savings_share": ("3.4", ASSUMED),
    "discount_lower": ("2.1", REPORTED),
    "discount_higher": ("2.1", REPORTED),
    "add_on": ("2.1", ASSUMED),
    "savings_bands": ("2.2", REPORTED),
    "loss_bands": ("2.2", ASSUMED),
    "cara": ("6.2", REPORTED),
    "guarantee": ("7.3", ASSUMED),
}
TABLE = {"common": COMMON, "global": GLOBAL, "professional": PROFESSIONAL}

# Sections 2.3, 4.4, 8: the only figures of later years that are more than assumed.
LATER = {
    ("global", "discount_lower"): dict.fromkeys(range(2028, 2032), REPORTED),
    ("global", "discount_higher"): {2032: REPORTED},
    ("common", "ai_weight"): {
        2028: REPORTED,
        2029: REPORTED,
        **dict.fromkeys(range(2031, 2037), REPORTED),
    },
    ("global", "cara"): dict.fromkeys(range(2028, 2037), REPORTED),
}
# Where a later year's own leaf rests on another section than 2027's.
ELSEWHERE = {"discount_lower": {"8"}, "add_on": {"3.9"}}
FILES = tuple(years("lead"))


def _leaves(year):
    file = rules("lead", year)
    groups = {"common": file.common, **file.options}
    return {(group, term): leaf for group, terms in groups.items() for term, leaf in terms.items()}


def _sections(cite):
    return set(re.findall(r"§(\d+(?:\.\d+)?)", cite))


@pytest.mark.parametrize("year", FILES)
def test_every_leaf_has_a_section_and_every_section_its_leaf(year):
    expected = {(group, term) for group, terms in TABLE.items() for term in terms}
    assert set(_leaves(year)) == expected


@pytest.mark.parametrize("year", FILES)
def test_no_leaf_is_stronger_than_its_tag(year):
    for (group, term), leaf in _leaves(year).items():
        tag = TABLE[group][term][1]
        if year > 2027:
            tag = LATER.get((group, term), {}).get(year, ASSUMED)
        assert STRENGTH.index(leaf.status) <= STRENGTH.index(tag), f"{year} {group}.{term}"


@pytest.mark.parametrize("year", FILES)
def test_every_cite_names_the_section(year):
    for (group, term), leaf in _leaves(year).items():
        allowed = {TABLE[group][term][0]} | ELSEWHERE.get(term, set())
        assert _sections(leaf.cite) & allowed, f"{year} {group}.{term} cites {leaf.cite}"


def test_the_first_year_is_as_strong_as_the_note():
    for (group, term), leaf in _leaves(2027).items():
        assert leaf.status == TABLE[group][term][1], f"{group}.{term}"


def test_every_section_is_in_the_note():
    if not NOTE.exists():
        pytest.skip(f"the rules note is missing: {NOTE}")
    text = NOTE.read_text(encoding="utf-8")
    headings = set(re.findall(r"^##+ (\d+(?:\.\d+)?)\.? ", text, re.MULTILINE))
    used = {section for terms in TABLE.values() for section, _ in terms.values()}
    assert used <= headings


def test_what_2027_carries_on_is_assumed_and_says_where_from():
    carried = _leaves(2033)["common", "quality_at_risk"]
    assert carried.status == ASSUMED
    assert carried.note.startswith("carried from 2027")


def test_every_assumed_figure_that_moves_dollars_can_be_tried_otherwise():
    alone = {
        f"{group}.{term}"
        for (group, term), leaf in _leaves(2027).items()
        if leaf.status == ASSUMED and not leaf.also and not leaf.tried
    }
    # No rival, range or neutral value is stated for these; they are zero, or change no dollars.
    assert alone == {
        "common.rate_book_weight",
        "common.medicaid_partner",
        "common.high_performers",
        "common.rural_add_on",
        "common.truncation",
        "common.completion",
        "common.stop_loss_charge",
        "common.base_pcc",
        "common.minimum_persons_later",
        "common.minimum_claims_later",
    }


def test_both_options_exist_in_every_year():
    assert tuple(range(2027, 2037)) == FILES
    assert all(options("lead", year) == ("global", "professional") for year in FILES)
