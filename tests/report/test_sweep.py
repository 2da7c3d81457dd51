import openpyxl
import pytest

from simulator.report import page, sections, sweep, workbook
from simulator.report.findings import findings
from tests.report.test_workbook import frame


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
    (shown,) = sweep.panels(run, sweep.effects(run), "full")
    assert shown.title == "Against experience.x 0.0"
    assert [row.label for row in shown.rows] == ["experience.x 0.1"]
    table = sweep.effects(run)
    hidden = (table.mean_usd.abs() <= 2.0 * table.mean_error_usd).all()
    assert shown.rows[0].kind == ("noise" if hidden else "")


def test_a_run_without_a_sweep_has_no_cases_to_compare(make_run):
    assert sweep.panels(make_run(trials=5), sweep.effects(make_run(trials=5)), "full") == ()
    assert sweep.effects(make_run(trials=5)).empty


def many(make_run, cases=32):
    """Return a run of a grid with more cases than a page can hold."""
    named = ("case", [f"{0.001 * case:.3f}" for case in range(cases)])
    return make_run(trials=400, cases=cases).assign_coords({"experience.x": named})


def test_of_many_cases_the_best_and_the_worst_few_are_shown(make_run):
    run = many(make_run)
    (shown,) = sweep.panels(run, sweep.effects(run), "full")
    means = run.settlement_usd.astype(float).sel(contract="full").squeeze().mean("trial").values
    order = [case for case in (-means).argsort(kind="stable") if case > 0]
    wanted = order[:6] + order[-6:]
    assert [row.label for row in shown.rows] == [f"experience.x {0.001 * c:.3f}" for c in wanted]


def test_as_many_cases_as_fit_are_all_shown_without_a_word(make_run):
    run = many(make_run, cases=25)
    table = sweep.effects(run)
    (shown,) = sweep.panels(run, table, "full")
    assert len(shown.rows) == 24
    assert sweep.cut(table, "full") == ""


def test_the_page_says_how_many_cases_there_are_and_the_workbook_holds_them(make_run, tmp_path):
    run = many(make_run)
    crossed = ("case", [str(case // 8) for case in range(32)])
    run = run.assign_coords({"experience.y": crossed})
    best = sections.best(findings(run))
    html = page.write(run, tmp_path / "page.html").read_text(encoding="utf-8")
    said = f"Of 31 cases set against the first, the 6 in which {best} pays most"
    assert said in html
    book = openpyxl.load_workbook(workbook.write(run, tmp_path / "book.xlsx"))
    assert {row["case"] for row in frame(book, "sensitivity")} == set(range(1, 32))
