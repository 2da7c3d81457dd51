import pytest

from simulator.report import sweep


def test_each_case_is_set_against_the_first_on_the_same_draws(make_run):
    run = make_run(cases=3).assign_coords({"experience.x": ("case", ["0.0", "0.1", "0.2"])})
    table = sweep.effects(run)
    assert len(table) == 2 * 4
    row = table[(table.case == 2) & (table.contract == "full")].iloc[0]
    paid = run.settlement_usd.astype(float).sel(contract="full").squeeze()
    gap = (paid.isel(case=2) - paid.isel(case=0)).values
    assert row["mean_usd"] == pytest.approx(gap.mean())
    assert row["experience.x"] == "0.2"


def test_a_case_that_is_only_noise_is_greyed(make_run):
    run = make_run(cases=2).assign_coords({"experience.x": ("case", ["0.0", "0.1"])})
    (shown,) = sweep.panels(run, sweep.effects(run))
    assert shown.title == "Against experience.x 0.0"
    assert [row.label for row in shown.rows] == ["experience.x 0.1"]
    table = sweep.effects(run)
    hidden = (table.mean_usd.abs() <= 2.0 * table.mean_error_usd).all()
    assert shown.rows[0].kind == ("noise" if hidden else "")


def test_a_run_without_a_sweep_has_no_cases_to_compare(make_run):
    assert sweep.panels(make_run(trials=5), sweep.effects(make_run(trials=5))) == ()
    assert sweep.effects(make_run(trials=5)).empty
