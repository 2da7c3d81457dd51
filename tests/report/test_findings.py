"""What a run comes to is worked out once, and is what each part would work out for itself."""

from simulator.report import capital, convergence, sweep, tables
from simulator.report.findings import findings


def test_findings_are_what_each_part_gives(make_run):
    run = make_run(cases=2).assign_coords({"experience.x": ("case", ["0.0", "0.1"])})
    found = findings(run)
    assert found.summary.equals(tables.summary(run))
    assert found.effects.equals(sweep.effects(run))
    assert found.errors.equals(convergence.errors(found.total))
    assert found.cash.equals(capital.cash(run))


def test_a_finding_is_worked_out_once(make_run):
    found = findings(make_run(trials=5))
    assert found.summary is found.summary
    assert found.intervals is found.intervals


def test_a_run_without_cases_is_one_case(make_run):
    run = make_run(trials=5)
    lone = run.isel(case=0, drop=True) if "case" in run.dims else run
    assert findings(lone).run.sizes["case"] == 1
