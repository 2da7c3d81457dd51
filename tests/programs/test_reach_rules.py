"""Every leaf of REACH's rules: its section of the digest, and no more certain than its tag."""

import pytest

from simulator.programs import rules, years

RANK = {"assumed": 0, "reported": 1, "proposed": 2, "published": 3}
TAG = {"A": 0, "R": 1, "P": 3}
# Section of rules/reach.md, and the most that its tag allows in PY2021 to PY2026: P a CMS page or
# document was read, R anyone else says so or it is inferred, A memory or not known.
LEAVES = {
    "performance_months": ("9.1", "RRRRRR"),
    "benchmark_group": ("2.3", "RRRRRR"),
    "base_year_3": ("2.3", "PPPPPR"),
    "base_weight_1": ("2.3", "PPPPPP"),
    "base_weight_2": ("2.3", "PPPPPP"),
    "base_weight_3": ("2.3", "PPPPPP"),
    "recent_base_year_3": ("2.3", "AAAAAR"),
    "recent_base_weight_1": ("2.3", "AAAAAA"),
    "recent_base_weight_2": ("2.3", "AAAAAA"),
    "recent_base_weight_3": ("2.3", "AAAAAA"),
    "regional_weight_standard": ("1", "AAAPPP"),
    "regional_weight_voluntary": ("1", "AAAAAA"),
    "regional_weight_other": ("1", "AAAARR"),
    "history_minimum_persons": ("2.3, 11.9", "AAAAAA"),
    "regional_ceiling": ("1, 2.5", "RRRRRA"),
    "regional_floor": ("1, 2.5", "RAAAAA"),
    "trend_anchor_years": ("2.7", "AARRRR"),
    "trend_applied": ("2.7", "RRRRRR"),
    "trend_dead_band": ("1, 2.7", "RRRRRR"),
    "trend_boundary": ("2.7, 11.10", "RRRRRR"),
    "trend_corridor": ("1, 2.7", "RRRRRA"),
    "risk_model": ("1, 3.3", "PPPPPP"),
    "v28_share": ("1, 3.2", "AAARRR"),
    "risk_cap": ("1, 3.4", "PPPPPP"),
    "risk_reference_year": ("1, 3.4", "AARRRR"),
    "demographic_adjustment": ("3.4", "RRRAAA"),
    "high_needs_risk_cap": ("1, 3.6", "AAAAPP"),
    "high_needs_reference_year": ("3.6", "AAAAPP"),
    "high_needs_cap_persons": ("3.6", "AAAAPP"),
    "high_needs_demographic_adjustment": ("3.1, 3.6", "AAAAAA"),
    "cap_channels": ("3.1", "RRRRRR"),
    "cap_exempt_multiple": ("1, 3.8", "PPPPPA"),
    "coding_ceiling": ("1, 3.5", "AAAAPP"),
    "high_needs_coding_ceiling": ("1, 3.5", "AAAAPP"),
    "second_cap": ("3.7", "PPPPPP"),
    "second_cap_year": ("3.7", "PPPPPP"),
    "second_cap_types": ("3.7, 11.4", "AAAAAA"),
    "second_cap_channels": ("3.1, 3.7", "AAAAAA"),
    "second_cap_demographics": ("3.7, 11.4", "AAAAAA"),
    "high_needs_second_cap": ("3.6", "PPPPPP"),
    "high_needs_second_cap_year": ("3.6", "PPPPPP"),
    "high_needs_second_cap_channels": ("3.6", "PPPPPP"),
    "quality_withhold": ("1, 2.10", "RRRRRR"),
    "withhold_base": ("2.10, 11.7", "AAAAAA"),
    "quality_performance_share": ("1, 4", "APPAAA"),
    "improvement_multiplier": ("4", "RRRRRR"),
    "equity_reporting_bonus": ("4, 11.6", "RRRRAA"),
    "equity_top": ("2.9", "RRRRAA"),
    "equity_second": ("2.9", "RRRAAA"),
    "equity_third": ("2.9", "RRRAAA"),
    "equity_middle": ("2.9", "RRRAAA"),
    "equity_bottom": ("2.9", "RRRRAA"),
    "equity_position": ("2.9, 11.7", "RRRRRR"),
    "retention_withhold": ("1, 7", "AAAAAA"),
    # The digest's is memory; the public files of two years say more, and are read.
    "retention_applies": ("7, 11.8", "RRAAAA"),
    "sequestration": ("7", "RRRRRR"),
    "sequestration_base": ("7, 11.12", "AAAAAA"),
    "stop_loss_basis": ("6", "AAAAAA"),
    "fee_reduction_minimum": ("1", "RRRRRR"),
    "enhanced_pcc_target": ("7", "AAAAAA"),
    "provisional_months": ("1", "RRRRRR"),
    "minimum_persons_standard": ("1", "AAPPPP"),
    "minimum_persons_new_entrant": ("1", "AAPPPP"),
    "minimum_persons_high_needs": ("1", "AAPPPP"),
    "minimum_claims_persons_new_entrant": ("1", "AAPPPP"),
    "alignment_buffer": ("1", "RRRPPP"),
    "history_persons": ("2.1", "PPPPPP"),
    "global.discount": ("1", "RRAARA"),
    "global.savings_bands": ("5", "RRRRRA"),
    "global.loss_bands": ("5", "RRRRRA"),
    "global.capitations": ("7", "PPPPPP"),
    "global.financial_guarantee": ("7", "AAAAAA"),
    "professional.discount": ("1", "RRRRRR"),
    "professional.savings_bands": ("5", "RRRRRR"),
    "professional.loss_bands": ("5", "RRRRRR"),
    "professional.capitations": ("7", "PPPPPP"),
    "professional.financial_guarantee": ("7", "AAAAAA"),
}


def leaves(year):
    file = rules("reach", year)
    own = {f"{option}.{n}": leaf for option, ls in file.options.items() for n, leaf in ls.items()}
    return {**file.common, **own}


@pytest.mark.parametrize("year", sorted(years("reach")))
def test_every_leaf_has_its_section_of_the_digest(year):
    assert set(leaves(year)) == set(LEAVES)


@pytest.mark.parametrize("year", sorted(years("reach")))
def test_no_leaf_is_more_certain_than_its_tag(year):
    place = year - min(years("reach"))
    bolder = [
        name
        for name, leaf in leaves(year).items()
        if RANK[leaf.status] > TAG[LEAVES[name][1][place]]
    ]
    assert not bolder
