"""MSSP: participation, and what the statements of several agreements remember."""

import xarray as xr

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
    aco = _aco(agreement_start=2027)
    assert not years[4].notices(aco, years[:4])
    assert "one-sided year 6" in years[5].notices(aco, years[:5])[0]


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
