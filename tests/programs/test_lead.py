"""LEAD: the edge cases of its rules note, its readings, and what ten years remember."""

import numpy as np
import pytest
import xarray as xr

from simulator.errors import SimulatorError
from simulator.programs import contract

CELLS = ["aged_disabled", "high_needs", "esrd"]
YEARS = range(2024, 2037)
LEVELS = {"aged_disabled": 12_000.0, "high_needs": 42_000.0, "esrd": 105_000.0}
PEOPLE = {"aged_disabled": 8_000.0, "high_needs": 1_500.0, "esrd": 100.0}


def world(cells=CELLS, **changed):
    """Return one ACO that costs what its region costs, every year the same, at score 1."""
    shape = {"year": list(YEARS), "aco": ["x"], "segment": cells}
    whole = xr.DataArray(1.0, shape, ("year", "aco", "segment"))
    by_cell = {k: [v[c.removesuffix("_voluntary")] for c in cells] for k, v in _TABLES.items()}
    level, people = (whole * xr.DataArray(by_cell[k], dims="segment") for k in _TABLES)
    nation = level.isel(aco=0, drop=True)
    variables = {
        "expenditure_ppy": level,
        "person_years": people,
        "persons": people.sum("segment"),
        "risk_score": whole,
        "inferred_risk_score": whole,
        "untruncated_regional_ppy": level,
        "reference_ppy": nation,
        "uspcc_ppy": nation,
        "rate_book_ppy": level,
        "prospective_factor": xr.ones_like(nation),
        "assigned_share": 0.1 * whole,
        "total_quality_score": whole.isel(segment=0, drop=True),
    }
    attributes = {
        "lead_start": 2027,
        "lead_entry": "renewing",
        "lead_prior_program": "reach",
        "lead_designation": "open",
    }
    made = xr.Dataset(variables)
    for name, value in changed.items():
        made[name] = value(made) if callable(value) else value
    coords = {k: ("aco", [changed.get(k, v)]) for k, v in attributes.items()}
    return made.drop_vars([k for k in attributes if k in made]).assign_coords(coords)


_TABLES = {"level": LEVELS, "people": PEOPLE}


def settled(given, year=2027, option="global", past=(), **terms):
    overrides = [(name.replace("__", "."), value, "test") for name, value in terms.items()]
    lines = contract("lead", year, option, overrides=overrides).settle(given, past)
    return lines.isel(aco=0)


def at(year=None, segment=None, factor=None, value=None):
    """Return a change of one variable in one year or cell: times a factor, or a value."""

    def changed(name):
        def of(made):
            there = xr.ones_like(made[name], dtype=bool)
            for dim, label in (("year", year), ("segment", segment)):
                if label is not None:
                    there = there & (made[dim] == label)
            other = made[name] * factor if factor is not None else value
            return made[name].where(~there, other)

        return of

    return changed


def change(name, **where):
    return {name: at(**where)(name)}


# ---------------------------------------------------------------- the edge cases of section 10


def test_no_people_settle_to_zeros_and_say_so():
    given = world(**change("person_years", year=2027, value=0.0))
    lines = settled(given)
    for name in ("benchmark_usd", "settlement_usd", "savings_share", "payment_usd"):
        assert float(lines[name]) == 0.0
    found = contract("lead", 2027, "global").remarks(lines)
    assert "the benchmark is not positive: nothing is settled" in found


def test_a_negative_benchmark_is_not_settled():
    given = world().assign_coords(stop_loss_elected=("aco", [1.0]))
    given["raw_stop_loss_payout_usd"] = xr.zeros_like(given.persons)
    lines = settled(given, stop_loss_charge=10_000.0)
    assert float(lines.benchmark_usd) < 0.0
    assert float(lines.settlement_usd) == 0.0
    assert float(lines.enhanced_pcc_usd) == 0.0
    assert np.isfinite(lines.savings_share)


def test_an_empty_category_changes_nothing():
    with_it = settled(world(**change("person_years", segment="esrd", value=0.0)))
    without = settled(world(cells=CELLS[:2]))
    assert float(with_it.settlement_usd) == pytest.approx(float(without.settlement_usd))


def test_a_base_year_with_score_zero_is_left_out():
    changes = change("risk_score", year=2025, value=0.0) | change(
        "expenditure_ppy", year=2024, factor=1.3
    )
    lines = settled(world(**changes))
    assert lines.base_weight_1_share.values == pytest.approx([0.5] * 3)
    assert lines.base_weight_2_share.values == pytest.approx([0.0] * 3)
    assert float(lines.trended_benchmark_ppy[0]) == pytest.approx(12_000.0 * 1.15)


def test_a_last_base_year_with_score_zero_leaves_risk_neutral():
    lines = settled(world(**change("risk_score", year=2026, value=0.0)))
    assert lines.risk_ratio_factor.values == pytest.approx([1.0] * 3)
    assert not any(bool(line.isnull().any()) for line in lines.data_vars.values())


@pytest.mark.parametrize(("tie", "lower"), [("higher", 0.0), ("lower", 1.0)])
def test_a_difference_of_exactly_zero_goes_by_the_reading(tie, lower):
    lines = settled(world(), designation_tie=tie)
    assert float(lines.weighted_regional_difference_ppy) == 0.0
    assert float(lines.lower_spending) == lower


@pytest.mark.parametrize("option", ["global", "professional"])
@pytest.mark.parametrize("edge", [0.10, 0.15, 0.20, 0.35, 0.50])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_share_on_a_band_edge_is_the_limit_from_both_sides(option, edge, sign):
    def shared(part):
        given = world().assign(
            benchmark_usd=("aco", [1e8]), expenditure_usd=("aco", [1e8 * (1.0 - sign * part)])
        )
        lines = settled(given, option=option)
        return float(lines.shared_savings_usd + lines.shared_losses_usd)

    on, below, above = (shared(edge + step) for step in (0.0, -1e-9, 1e-9))
    assert on == pytest.approx(below, abs=0.2)
    assert on == pytest.approx(above, abs=0.2)


@pytest.mark.parametrize(("earned", "unearned"), [(0.0, 1.0), (1.0, 0.0)])
def test_quality_earns_back_nothing_or_all(earned, unearned):
    lines = settled(world(**change("total_quality_score", value=earned)))
    discounted = lines.benchmark_before_discount_usd + lines.discount_usd
    assert float(lines.benchmark_usd) == pytest.approx(float(discounted * (1.0 - 0.03 * unearned)))


@pytest.mark.parametrize(("forecast", "held"), [(1.2, 1.003), (0.8, 0.998)])
def test_a_forecast_outside_its_rails_is_held_at_them(forecast, held):
    lines = settled(world(**change("prospective_factor", year=2027, value=forecast)))
    assert lines.guarded_trend_factor.values == pytest.approx([held] * 3)
    assert lines.update_factor.values == pytest.approx([(2.0 + held) / 3.0] * 3)


@pytest.mark.parametrize(("score", "held"), [(1.2, [1.03, 1.04, 1.03]), (0.8, [0.97, 0.96, 0.97])])
def test_risk_is_capped_up_and_down(score, held):
    lines = settled(world(**change("risk_score", year=2027, value=score)))
    assert lines.risk_ratio_factor.values == pytest.approx(held)


@pytest.mark.parametrize(("pcc", "advance"), [(0.03, 0.04), (0.05, 0.02), (0.06, 0.02)])
def test_enhanced_capitation_never_falls_below_its_floor(pcc, advance):
    lines = settled(world(), base_pcc=pcc)
    base = float(lines.benchmark_before_discount_usd)
    assert float(lines.enhanced_pcc_usd) == pytest.approx(advance * base)


def test_a_mixed_history_prorates_each_base_year_and_caps_as_the_others():
    given = world(lead_prior_program="mixed", **change("expenditure_ppy", factor=0.6))
    savings = xr.DataArray([300.0, 0.0, 600.0], {"year": [2024, 2025, 2026]}, ("year",))
    people = float(given.person_years.sum("segment")[0, 0])
    given["prior_savings_ppy"] = (
        savings.reindex(year=given.year, fill_value=0.0) * given.persons**0
    )
    settled_people = xr.where(given.year == 2024, 0.5, 1.0) * people
    given["reconciled_person_years"] = settled_people * given.persons**0
    lines = settled(given)
    assert float(lines.prior_savings_adjustment_ppy) == pytest.approx(0.5 * (150 + 0 + 600) / 3)
    assert float(lines.regional_cap_ppy[0]) == pytest.approx(0.05 * 12_000.0)


def test_a_category_absent_in_base_years_has_the_regions_rate_at_its_own_risk():
    base = xr.DataArray(list(YEARS), dims="year") < 2027
    given = world(**change("risk_score", year=2027, segment="esrd", value=1.4))
    gone = base & (given.segment == "esrd")
    given["person_years"] = given.person_years.where(~gone, 0.0)
    lines = settled(given).sel(segment="esrd")
    assert float(lines.trended_benchmark_ppy) == pytest.approx(105_000.0 * 1.4)
    assert float(lines.adjustment_ppy) == 0.0
    assert float(lines.risk_ratio_factor) == 1.0
    assert float(lines.updated_benchmark_ppy) == pytest.approx(105_000.0 * 1.4)


# --------------------------------------------------------------------------- the readings


def test_a_frozen_designation_is_that_of_the_first_year():
    cheap = world(**change("expenditure_ppy", factor=0.9))
    first = contract("lead", 2027, "global").settle(cheap)
    dear = world(**change("expenditure_ppy", factor=1.1))
    assert float(settled(dear, 2028, past=[first]).lower_spending) == 1.0
    again = settled(dear, 2028, past=[first], designation_regime="each_year")
    assert float(again.lower_spending) == 0.0


def test_a_designation_that_is_given_stands_while_it_is_frozen():
    given = world(lead_designation="higher", **change("expenditure_ppy", factor=0.9))
    assert float(settled(given).lower_spending) == 0.0
    assert float(settled(given, designation_regime="each_year").lower_spending) == 1.0


@pytest.mark.parametrize(
    ("designation", "option", "year", "rate"),
    [
        ("lower", "global", 2027, 0.03),
        ("higher", "global", 2027, 0.0175),
        ("higher", "global", 2030, 0.025),
        ("higher", "global", 2036, 0.03),
        ("lower", "professional", 2027, 0.0),
        ("higher", "professional", 2031, 0.0),
    ],
)
def test_the_discount_goes_by_option_designation_and_year(designation, option, year, rate):
    lines = settled(world(lead_designation=designation), year, option)
    part = float(-lines.discount_usd / lines.benchmark_before_discount_usd)
    assert part == pytest.approx(rate)


@pytest.mark.parametrize(
    ("target", "form", "update"),
    [
        ("acpt_component", "additive", 1.1 + 0.003 / 3),
        ("acpt_component", "relative", 1.1 + 0.0033 / 3),
        ("three_way_blend", "additive", 1.103),
        ("three_way_blend", "relative", 1.1033),
    ],
)
def test_the_guardrail_reads_four_ways(target, form, update):
    changes = {"prospective_factor": 1.5, "reference_ppy": 1.1, "untruncated_regional_ppy": 1.1}
    given = world()
    for name, factor in changes.items():
        given[name] = given[name].where(given.year != 2027, given[name] * factor)
    lines = settled(given, guardrail_target=target, guardrail_form=form)
    assert lines.update_factor.values == pytest.approx([update] * 3)


@pytest.mark.parametrize(("phase", "expected"), [(0.0, 0.9), (0.5, 0.95), (1.0, 1.0)])
def test_the_rate_book_replaces_history_as_far_as_its_phase(phase, expected):
    given = world(lead_designation="higher", **change("expenditure_ppy", factor=0.9))
    given = given.assign(rate_book_phase_share=phase)
    lines = settled(given, 2032)
    assert float(lines.updated_benchmark_ppy[0]) == pytest.approx(12_000.0 * expected)
    before = settled(given, 2031)
    assert float(before.updated_benchmark_ppy[0]) == pytest.approx(12_000.0 * 0.9)


@pytest.mark.parametrize(("own", "held"), [(1.4, 1.1), (1.05, 1.05), (0.7, 0.9)])
def test_a_voluntary_cell_stays_within_its_band_around_the_claims_cell(own, held):
    cells = [*CELLS, "aged_disabled_voluntary"]
    name = "aged_disabled_voluntary"
    given = world(
        cells,
        lead_designation="higher",
        **change("expenditure_ppy", segment=name, factor=own),
    )
    lines = settled(given).sel(segment=name)
    assert float(lines.updated_benchmark_ppy) == pytest.approx(12_000.0 * held)
    assert float(lines.unbanded_benchmark_ppy) == pytest.approx(12_000.0 * own)


def test_a_voluntary_cell_without_history_has_the_claims_cells_rate():
    cells = [*CELLS, "high_needs_voluntary"]
    given = world(cells, **change("expenditure_ppy", segment="high_needs", factor=0.9))
    gone = (given.year < 2027) & (given.segment == "high_needs_voluntary")
    given["person_years"] = given.person_years.where(~gone, 0.0)
    updated = settled(given).updated_benchmark_ppy
    assert float(updated.sel(segment="high_needs_voluntary")) == pytest.approx(
        float(updated.sel(segment="high_needs"))
    )


@pytest.mark.parametrize(
    ("reading", "owed"), [("none", 1.0), ("increase", 1.02), ("decrease", 0.98)]
)
def test_sequestration_of_losses_reads_three_ways(reading, owed):
    given = world().assign(benchmark_usd=("aco", [1e8]), expenditure_usd=("aco", [1.04e8]))
    lines = settled(given, sequestration_on_losses=reading)
    assert float(lines.settlement_usd) == pytest.approx(-4e6 * owed)


def test_the_add_on_is_paid_apart_or_raises_the_benchmark():
    given = world(lead_designation="higher")
    apart, inside = settled(given), settled(given, add_on_mode="benchmark_addition")
    assert float(apart.add_on_usd) == pytest.approx(
        0.015 * float(apart.benchmark_before_discount_usd)
    )
    assert float(apart.separate_add_on_usd) == float(apart.add_on_usd)
    gained = float(inside.benchmark_usd - apart.benchmark_usd)
    assert gained == pytest.approx(float(apart.add_on_usd))
    assert float(settled(world(lead_designation="lower")).add_on_usd) == 0.0


def test_suspect_billing_and_skin_substitutes_are_left_out_of_base_and_performance_years():
    given = world()
    given["suspect_billing_ppy"] = 0.02 * given.expenditure_ppy
    given["skin_substitutes_ppy"] = 0.10 * given.expenditure_ppy
    lines = settled(given)
    assert float(lines.trended_benchmark_ppy[0]) == pytest.approx(12_000.0 * (1 - 0.02 - 0.065))
    assert float(lines.excluded_usd) == pytest.approx(-0.085 * float(lines.claims_usd))


@pytest.mark.parametrize(
    ("year", "option", "spent", "paid"),
    [
        (2028, "global", 8e6, 2e6 * 0.9),
        (2028, "global", 12e6, -2e6),
        (2027, "global", 8e6, 0.0),
        (2028, "professional", 8e6, 0.0),
    ],
)
def test_cara_is_for_global_from_its_second_year_on(year, option, spent, paid):
    given = world().assign_coords(lead_cara_performance_share=("aco", [0.9]))
    given["cara_target_usd"] = xr.full_like(given.persons, 10e6)
    given["cara_expenditure_usd"] = xr.full_like(given.persons, spent)
    lines = settled(given, year, option)
    assert float(lines.cara_usd) == pytest.approx(paid)
    assert float(lines.expenditure_usd) == pytest.approx(float(lines.claims_usd) + paid)


def test_stop_loss_lowers_benchmark_by_its_charge_and_expenditure_by_its_payout():
    given = world().assign_coords(stop_loss_elected=("aco", [1.0]))
    given["raw_stop_loss_payout_usd"] = xr.full_like(given.persons, 3e6)
    lines, plain = settled(given, stop_loss_charge=10.0), settled(world())
    assert float(lines.stop_loss_charge_usd) == pytest.approx(-120.0 * 9_600)
    assert float(lines.expenditure_usd) == pytest.approx(float(plain.expenditure_usd) - 3e6)


def test_an_exit_within_the_year_settles_losses_only():
    given = world().assign(participation_share=("year", np.full(len(YEARS), 0.5)))
    given["participation_share"] = given.participation_share * given.persons**0
    better = given.assign(benchmark_usd=("aco", [1e8]), expenditure_usd=("aco", [0.9e8]))
    worse = given.assign(benchmark_usd=("aco", [1e8]), expenditure_usd=("aco", [1.1e8]))
    assert float(settled(better).settlement_usd) == 0.0
    assert float(settled(worse).settlement_usd) == pytest.approx(-1e7)


def test_the_inferred_score_counts_by_its_weight():
    given = world(**change("inferred_risk_score", value=1.02))
    for year, part in ((2028, 0.0), (2029, 1 / 3), (2030, 2 / 3), (2031, 1.0)):
        score = settled(given, year).blended_risk_score
        assert float(score[0]) == pytest.approx(1.0 + 0.02 * part)


def test_professional_has_no_regional_adjustment_but_prior_savings():
    given = world(**change("expenditure_ppy", factor=0.9))
    given["prior_savings_ppy"] = 100.0 * given.persons**0
    lines = settled(given, option="professional")
    assert float(lines.total_regional_adjustment_ppy) == 0.0
    assert lines.adjustment_ppy.values == pytest.approx([50.0] * 3)


# ------------------------------------------------------------------------------ cells, minimums


def _atoms(order=None):
    names = {"a": ("aged_nondual", False), "b": ("esrd", True), "c": ("disabled", True)}
    coords = {"year": [2027], "aco": ["x"], "segment": list(names)}
    whole = xr.DataArray(np.ones((1, 1, 3)), coords, ("year", "aco", "segment"))
    made = xr.Dataset({"person_years": whole}).assign_coords(
        entitlement=("segment", [kind for kind, _ in names.values()]),
        high_needs=("segment", [needs for _, needs in names.values()]),
        channel=("segment", ["claims", "claims", "voluntary"]),
    )
    changes = [("category_precedence", order, "test")] if order else []
    return contract("lead", 2027, "global", overrides=changes).cells(made.reset_coords())


def test_cells_follow_the_precedence_of_categories():
    assert list(_atoms().segment.values) == ["aged_disabled", "esrd", "high_needs_voluntary"]
    other = _atoms("high_needs esrd aged_disabled")
    assert list(other.segment.values) == ["aged_disabled", "high_needs", "high_needs_voluntary"]


def test_an_unknown_cell_says_what_there_is():
    with pytest.raises(SimulatorError, match="did you mean high_needs"):
        settled(world().assign_coords(segment=["aged_disabled", "high_neds", "esrd"]))


@pytest.mark.parametrize(
    ("entry", "people", "year", "enough"),
    [
        ("renewing", 5_000.0, 2027, True),
        ("renewing", 4_999.0, 2027, False),
        ("newly_entering", 1_000.0, 2027, True),
        ("newly_entering", 1_000.0, 2028, False),
        ("newly_entering", 5_000.0, 2036, True),
    ],
)
def test_minimums_of_people_grow_with_the_cohort(entry, people, year, enough):
    given = world(lead_entry=entry)
    scale = people / given.persons.isel(year=0, aco=0)
    given["person_years"] = given.person_years * scale
    given["persons"] = given.persons * scale
    found = contract("lead", year, "global").notices(given.reset_coords(), [])
    assert (not found) == enough


def test_an_aco_mostly_of_high_needs_has_a_lower_minimum():
    given = world(**change("person_years", segment="aged_disabled", value=0.0))
    given["persons"] = given.person_years.sum("segment")
    assert not contract("lead", 2027, "global").notices(given.reset_coords(), [])


def test_a_year_before_the_first_is_told():
    found = contract("lead", 2027, "global").notices(world(lead_start=2028).reset_coords(), [])
    assert found == ["x: joins in 2028; 2027 is before that"]
