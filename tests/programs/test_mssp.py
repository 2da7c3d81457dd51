"""MSSP: participation, and what the statements of several agreements remember."""

import pytest
import xarray as xr

from simulator.errors import SimulatorError
from simulator.programs import contract


def _aco(**changed):
    attributes = {
        "agreement_start": 2025,
        "agreement_number": 2,
        "regional_agreement_number": 2,
        "agreement_kind": "renewal",
        "agreement_experience": "inexperienced",
        "revenue_class": "low",
    }
    return xr.Dataset(
        coords={"aco": ["x"]} | {k: ("aco", [v]) for k, v in (attributes | changed).items()}
    )


def test_an_experienced_aco_may_not_start_one_sided():
    notice = contract("mssp", 2025, "A").notices(_aco(agreement_experience="experienced"), [])
    assert notice == ["x: level A of 2025 is not open to it; open: E ENHANCED"]


def test_an_inexperienced_aco_may_start_anywhere():
    assert not contract("mssp", 2025, "A").notices(_aco(), [])


def test_high_revenue_and_experience_left_only_enhanced_before_2024():
    aco = _aco(agreement_start=2022, agreement_experience="experienced", revenue_class="high")
    assert contract("mssp", 2022, "E").notices(aco, [])
    assert not contract("mssp", 2022, "ENHANCED").notices(aco, [])


def test_a_sixth_one_sided_year_is_too_many_for_an_agreement_of_2027():
    years = [contract("mssp", year, "A") for year in range(2027, 2033)]
    aco = _aco(agreement_start=2027, agreement_kind="initial", agreement_number=1)
    assert not years[4].notices(aco, years[:4])
    assert "a renewed agreement of 2032 may not be" in years[5].notices(aco, years[:5])[0]


def test_one_sided_years_before_the_scenario_count():
    aco = _aco(agreement_start=2025, agreement_kind="initial", one_sided_years_before=6)
    years = [contract("mssp", year, "A") for year in (2025, 2026)]
    assert not years[0].notices(aco, [])
    assert "is one-sided year 8" in years[1].notices(aco, years[:1])[0]


def _decade(effect):
    """Return a world of one ACO that spends as its region does, less an effect from 2024 on."""
    years = list(range(2021, 2035))
    level = xr.DataArray(
        [10_000.0 * 1.04 ** (y - 2021) for y in years], {"year": years}, ("year",)
    ).expand_dims({"aco": ["x"], "segment": ["aged_nondual"]}, (1, 2))
    spent = level * (1.0 - effect * (level.year >= 2024))
    one = xr.ones_like(level)
    flat = one.isel(segment=0, drop=True)
    return xr.Dataset(
        {
            "truncated_expenditure_ppy": spent,
            "person_years": 20_000.0 * one,
            "persons": 20_400.0 * flat,
            "risk_score": one,
            "demographic_score": one,
            "national_ppy": level.isel(aco=0, drop=True),
            "regional_ppy": level,
            "assigned_share": 0.1 * one,
            "prospective_factor": (level / 10_000.0).isel(aco=0, drop=True),
            "prior_savings_ppy": 0.0 * flat,
            "quality_score": 0.9 * flat,
            "outcome_quality_met": flat,
            "revenue_usd": 90e6 * flat,
            "circumstances_share": 0.0 * flat,
        },
        {
            **_aco(agreement_start=2024, agreement_number=1, regional_agreement_number=1).coords,
            "elected_minimum_savings": ("aco", [0.0]),
            "low_income_share": ("aco", [0.1]),
            "dual_share": ("aco", [0.1]),
            "aip_balance_usd": ("aco", [2_000_000.0]),
        },
    )


def _settled(effect, option="E"):
    world, past = _decade(effect), []
    for year in range(2024, 2035):
        seen = world.sel(year=slice(None, year))
        past.append(contract("mssp", year, option).settle(seen, past))
    return {int(statement.year): statement for statement in past}


def test_rebasing_takes_most_of_a_sustained_gain_and_prior_savings_give_half_back():
    without, gained = _settled(0.0), _settled(0.05)
    kept = {
        year: float(gained[year].savings_share.item() - without[year].savings_share.item())
        for year in gained
    }
    assert abs(kept[2028] - 0.05) < 1e-9
    assert 0.0 < kept[2029] < 0.035
    back = gained[2029].prior_savings_adjustment_ppy.item()
    region = gained[2029].total_regional_adjustment_ppy.item()
    assert back > 0.0
    assert gained[2029].adjustment_ppy.item() == max(back, region)


def test_an_advance_is_recouped_from_the_first_savings_and_only_once():
    statements = _settled(0.05)
    taken = -sum(s.aip_recoupment_usd.item() for s in statements.values())
    assert abs(taken - 2_000_000.0) < 1e-6
    assert statements[2024].aip_recoupment_usd.item() < 0.0


def test_an_agreement_never_sees_a_later_year():
    world = _decade(0.05)
    early = contract("mssp", 2026, "E").settle(world.sel(year=slice(None, 2026)))
    world["truncated_expenditure_ppy"] = world.truncated_expenditure_ppy.where(
        world.year <= 2026, 1.0
    )
    again = contract("mssp", 2026, "E").settle(world.sel(year=slice(None, 2026)))
    assert early.equals(again)


def _small(**changed):
    years = [2024, 2025, 2026, 2027]
    people = xr.DataArray([[4_000.0], [6_000.0], [6_000.0], [6_000.0]], dims=("year", "aco"))
    aco = _aco(agreement_start=2027, agreement_kind="initial", **changed)
    return aco.assign_coords(year=years).assign(persons=people)


def test_small_early_base_years_leave_the_basic_track_only():
    """Trap: fewer than 5,000 people in an early base year taken to close every level, or none."""
    assert not contract("mssp", 2027, "E").notices(_small(), [])
    (notice,) = contract("mssp", 2027, "ENHANCED").notices(_small(), [])
    assert "fewer than 5,000 people in an early base year; open: A B C D E" in notice


@pytest.mark.parametrize("option", ["E", "A"])
def test_lower_limits_after_small_early_base_years_can_be_switched_on(option):
    """Trap: limits lowered for ACOs that had people enough, or on one side only."""
    year = xr.DataArray([[6_000.0]] * 4, {"year": [2024, 2025, 2026, 2027]}, ("year", "aco"))
    world = _small(revenue_class="low").assign(
        benchmark_usd=("aco", [60e6]),
        expenditure_usd=("aco", [40e6 if option == "A" else 90e6]),
        two_way_benchmark_usd=("aco", [60e6]),
        quality_score=year * 0.0 + 0.9,
        outcome_quality_met=year * 0.0 + 1.0,
        circumstances_share=year * 0.0,
        revenue_usd=year * 0.0 + 50e6,
    )
    world = world.assign_coords(elected_minimum_savings=("aco", [-1.0]))
    halved = [("small_base_limits", 0.5, "what if")]
    plain = contract("mssp", 2027, option).settle(world)
    lower = contract("mssp", 2027, option, overrides=halved).settle(world)
    assert abs(plain.settlement_usd.item()) == (6e6 if option == "A" else 2.4e6)
    assert lower.settlement_usd.item() == plain.settlement_usd.item() / 2
    large = world.assign(persons=world.persons + 2_000.0)
    same = contract("mssp", 2027, option, overrides=halved).settle(large)
    assert same.settlement_usd.item() == plain.settlement_usd.item()


def test_leaving_by_choice_up_to_june_owes_nothing():
    world = _decade(-0.05).assign(participation_share=lambda w: w.persons * 0.0 + 0.5)
    seen = world.sel(year=slice(None, 2024))
    owed = contract("mssp", 2024, "E").settle(seen).settlement_usd.item()
    kind = seen.assign_coords(termination_kind=("aco", ["voluntary"]))
    assert owed < 0.0
    assert contract("mssp", 2024, "E").settle(kind).settlement_usd.item() == 0.0


def test_a_first_year_meets_the_quality_standard_by_reporting():
    world = _decade(0.05).assign(
        quality_score=lambda w: w.persons * 0.0 + 0.3,
        outcome_quality_met=lambda w: w.persons * 0.0,
        first_year_reported=lambda w: w.persons * 0.0 + 1.0,
        agreement_kind=("aco", ["initial"]),
    )
    first = contract("mssp", 2024, "E").settle(world.sel(year=slice(None, 2024)))
    second = contract("mssp", 2025, "E").settle(world.sel(year=slice(None, 2025)))
    assert (first.quality_share.item(), second.quality_share.item()) == (1.0, 0.0)


def test_prior_savings_that_nobody_gives_are_said():
    years = list(range(2022, 2027))
    known = xr.DataArray([[0.0], [10_000.0], [0.0], [0.0], [0.0]], dims=("year", "aco"))
    aco = _aco().assign_coords(year=years).assign(reconciled_person_years=known)
    (notice,) = contract("mssp", 2025, "E").notices(aco, [])
    assert "savings of base years 2022, 2024 are neither given" in notice
    assert not contract("mssp", 2026, "E").notices(aco, [contract("mssp", 2025, "E")])


def test_advances_that_are_not_open_to_an_aco_are_said_and_not_paid():
    shares = (("aco", "deprivation_rank"), [[1.0]])
    world = _decade(0.05).assign(deprivation_share=shares).assign_coords(deprivation_rank=[100])
    world = world.assign_coords(agreement_kind=("aco", ["initial"]))
    (notice,) = contract("mssp", 2024, "ENHANCED").notices(world, [])
    assert "advance investment payments are not open to it under ENHANCED of 2024" in notice
    settled = contract("mssp", 2024, "E").settle(world.sel(year=slice(None, 2024)))
    assert settled.aip_payment_usd.item() == 250_000.0 + 4 * 45.0 * 10_000.0


def test_a_line_that_is_given_and_comes_out_otherwise_is_refused():
    world = _decade(0.05).sel(year=slice(None, 2024)).assign(unshared_usd=("aco", [1.0]))
    with pytest.raises(SimulatorError, match="unshared_usd is given, but the other inputs"):
        contract("mssp", 2024, "E").settle(world)


def _levels(world, **changed):
    """Return a world with some of its variables otherwise from or in a year: (year, factor)."""
    return world.assign(
        {
            name: world[name].where(world.year != y, world[name] * f)
            for name, (y, f) in changed.items()
        }
    )


def test_an_elected_minimum_is_locked_for_the_agreement_but_for_a_year_of_too_few_people():
    """Trap: a MSR that moves with size, or stays by size once the ACO fell below 5,000."""
    world = _decade(0.0).assign_coords(elected_minimum_savings=("aco", [0.01]))
    world = _levels(world, persons=(2026, 4_000 / 20_400))
    shares = {
        year: contract("mssp", year, "E")
        .settle(world.sel(year=slice(None, year)))
        .minimum_savings_share.item()
        for year in range(2024, 2029)
    }
    by_size = shares.pop(2026)
    assert {*shares.values()} == {0.01}
    # 3,000 to 4,999 people: from 5.0% down to 3.9%.
    assert by_size == pytest.approx((0.05 * 999 + 0.039 * 1_000) / 1_999)


def test_a_total_benchmark_is_its_per_capita_times_person_years_and_the_msr_reads_heads():
    """Trap: a per capita taken for a total, and head-count for person-years (2% apart).

    One-sided: the guardrail of a two-sided option would put a benchmark of one person right again.
    """
    settled = contract("mssp", 2024, "A")
    statement = settled.settle(_decade(0.0).sel(year=slice(None, 2024)))
    for total, per_capita in (
        (statement.benchmark_usd, statement.total_updated_benchmark_ppy),
        (statement.expenditure_usd, statement.total_expenditure_ppy),
    ):
        assert 10_000.0 < per_capita.item() < 20_000.0
        assert total.item() == pytest.approx(per_capita.item() * 20_000.0, rel=1e-12)
    by_size = float(settled.minimum_savings(xr.DataArray(20_400.0)))
    assert statement.minimum_savings_share.item() == by_size


def test_a_benchmark_settles_at_the_final_trend_and_its_prospective_share_stays():
    """Trap: the preliminary benchmark taken for the final one, which drifted by 12% in 2023."""
    preliminary = _decade(0.0)
    drift = (2024, 1.12)
    final = _levels(preliminary, national_ppy=drift, regional_ppy=drift)
    benchmark = [
        contract("mssp", 2024, "E").settle(world.sel(year=slice(None, 2024))).benchmark_usd.item()
        for world in (preliminary, final)
    ]
    # The prospective share is one sixth in PY2024.
    assert benchmark[1] / benchmark[0] == pytest.approx(1.0 + 0.12 * 5.0 / 6.0, rel=1e-9)


def _totals(year, benchmark, spent, **changed):
    """Return a world of one ACO of 20,000 people whose totals are given."""
    each = {"year": range(year - 3, year + 1)}
    flat = xr.DataArray([[1.0]] * 4, each, ("year", "aco"))
    aco = {"agreement_start": year, "elected_minimum_savings": 0.01} | changed
    return _aco(**aco).assign(
        persons=20_000.0 * flat,
        quality_score=0.9 * flat,
        outcome_quality_met=flat,
        circumstances_share=0.0 * flat,
        revenue_usd=1e9 * flat,
        benchmark_usd=("aco", [benchmark]),
        two_way_benchmark_usd=("aco", [benchmark]),
        expenditure_usd=("aco", [spent]),
    )


@pytest.mark.parametrize(
    ("option", "changed", "shared"),
    [
        ("A", {}, 0.20),
        ("E", {}, 0.25),
        ("E", {"revenue_class": "high"}, 0.0),
        ("E", {"agreement_start": 2022}, 0.0),
        ("ENHANCED", {}, 0.0),
    ],
)
def test_half_the_rate_below_the_minimum_is_for_low_revenue_in_the_basic_track_from_2024_on(
    option, changed, shared
):
    """Trap: nothing below the MSR, the full rate, or the half for every ACO."""
    world = _totals(2024, 200e6, 199e6, **changed)
    found = contract("mssp", 2024, option).settle(world).settlement_usd.item()
    assert found == pytest.approx(1e6 * shared * 0.98)
    small = world.assign(persons=world.persons.where(world.year < 2024, 4_999.0))
    assert contract("mssp", 2024, option).settle(small).settlement_usd.item() == 0.0


@pytest.mark.parametrize(
    ("start", "small", "shared"),
    [(2027, 2024, 0), (2027, 2025, 0), (2027, 2026, 1), (2026, 2024, 1)],
)
def test_reduced_sharing_is_barred_by_a_small_first_or_second_base_year_from_2027_on(
    start, small, shared
):
    """Trap: 5,000 people asked of base year 3 too, of the wrong years, or of older agreements."""
    world = _totals(2027, 200e6, 199e6, agreement_start=start)
    years = {"year": range(2023, 2028)}
    persons = world.persons.reindex(years, fill_value=20_000.0)
    world = world.reindex(years).assign(persons=persons.where(persons.year != small, 4_999.0))
    found = contract("mssp", 2027, "A").settle(world).settlement_usd.item()
    assert found == pytest.approx(1e6 * 0.20 * 0.98 * shared)


@pytest.mark.parametrize(("local", "months"), [(0.0, 7), (0.25, 4), (7 / 12, 0), (1.0, 0)])
def test_losses_of_2023_are_owed_for_seven_months_of_twelve_and_never_turn_into_gains(
    local, months
):
    """Trap: relief of nation and county added up to more than the whole loss."""
    world = _totals(2023, 100e6, 110e6, agreement_start=2022)
    world = world.assign(circumstances_share=world.persons * 0.0 + local)
    owed = contract("mssp", 2023, "E").settle(world).settlement_usd.item()
    assert owed == pytest.approx(-3e6 * months / 12, abs=1e-6)


@pytest.mark.parametrize(
    ("level", "prior", "regional", "adjustment"),
    [
        (1.0, 0.0, 0.0, 0.0),
        (1.5, 0.0, 0.05, 0.05),
        (0.5, 0.0, -0.0135, 0.0),
        (0.5, 10_000.0, -0.0135, 0.05),
    ],
)
def test_adjustments_stop_at_their_caps_of_the_national_level(level, prior, regional, adjustment):
    """Trap: caps of the ACO's own level, or none; an overall negative amount kept after 2023."""
    world = _decade(0.0).sel(year=slice(None, 2024))
    world = world.assign_coords(agreement_kind=("aco", ["renewal"])).assign(
        truncated_expenditure_ppy=1.2 * world.truncated_expenditure_ppy,
        regional_ppy=1.2 * level * world.regional_ppy,
        prior_savings_ppy=world.prior_savings_ppy + prior,
    )
    statement = contract("mssp", 2024, "E").settle(world)
    national = world.national_ppy.sel(year=2023).item()
    # A negative amount is 1.5%, less a tenth of it for a tenth of duals.
    assert statement.regional_adjustment_ppy.item() / national == pytest.approx(regional)
    assert statement.adjustment_ppy.item() / national == pytest.approx(adjustment)


@pytest.mark.parametrize(("start", "owed"), [(2024, 0.0), (2022, 1.2e6)])
def test_only_agreements_of_2024_on_are_spared_by_the_guardrail(start, owed):
    """Trap: no guardrail, one for every agreement, or savings shared behind it."""
    world = _totals(2024, 200e6, 204e6, agreement_start=start)
    world = world.assign(two_way_benchmark_usd=("aco", [210e6]))
    found = contract("mssp", 2024, "E").settle(world).settlement_usd.item()
    assert found == pytest.approx(-owed)


def test_lifted_scores_pile_up_at_the_threshold_and_others_stay():
    """Trap: a lift for all, or for none."""
    own = xr.DataArray([0.3, 0.6, 0.77, 0.771, 0.9], {"trial": range(5)}, ("trial",))
    world = _totals(2024, 200e6, 210e6, agreement_start=2022)
    world = world.assign(quality_score=own * (world.persons > 0.0))
    settled = contract("mssp", 2024, "ENHANCED")
    plain, lifted = (
        settled.settle(world.assign(affected_people_share=world.persons * 0.0 + affected))
        for affected in (0.1, 0.25)
    )
    assert plain.final_quality_score.values.ravel().tolist() == own.values.tolist()
    scores = lifted.final_quality_score.values.ravel().tolist()
    assert scores == [0.7705, 0.7705, 0.7705, 0.771, 0.9]


def test_a_shock_of_a_performance_year_is_in_the_benchmark_whose_base_year_it_becomes():
    """Trap: a base year drawn apart from the performance year that it was."""
    world = _decade(0.0)
    shocked = _levels(world, truncated_expenditure_ppy=(2026, 1.1))
    lines = [
        [
            contract("mssp", year, "E").settle(w.sel(year=slice(None, year)))
            for year in (2026, 2029)
        ]
        for w in (world, shocked)
    ]
    (then, later), (then_shocked, later_shocked) = lines
    assert then_shocked.expenditure_usd.item() == pytest.approx(1.1 * then.expenditure_usd.item())
    grown = later_shocked.trended_benchmark_ppy.item() / later.trended_benchmark_ppy.item()
    assert grown == pytest.approx(3.1 / 3.0)
