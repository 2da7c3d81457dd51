import json
import re

import openpyxl
from markupsafe import escape

from simulator.engine import run as engine
from simulator.engine.checking import check
from simulator.population.suppression import SUPPRESSED
from simulator.report import grounds, page, quality, workbook
from simulator.results import open_run
from tests.runs import QUICKSTART

GIVEN = """
population:
  lakeside:
    persons: {2022: 100}
    segments:
      esrd: {person_years: {2021: 10, 2022: 20}, expenditure_ppy: {2021: 90000, 2022: 91000}}
      aged_nondual: {person_years: {2021: 80, 2022: 75}, expenditure_ppy: {2021: 10000}}
"""


def _found(run, table=None):
    return {row.what: row.found for row in quality.rows(run, table)}


def test_control_totals_are_those_of_the_given_figures(make_run):
    run = make_run(trials=5)
    run.attrs["scenario"] = GIVEN
    found = _found(run)
    total = 10 * 90_000 + 80 * 10_000
    said = f"90.0 person-years at ${total / 90:,.2f} a person-year, ${total:,.0f} in all"
    assert found["Control total 2021"] == said
    assert "Control total 2022" not in found
    assert found["Years with expenditure in some segments only"] == "2022"
    assert found["Person-years over head-count 2022"] == "0.950 (as usual)"


def test_too_few_person_years_are_called_unusual(make_run):
    run = make_run(trials=5)
    run.attrs["scenario"] = GIVEN.replace("2022: 100", "2022: 200")
    assert "UNUSUAL" in _found(run)["Person-years over head-count 2022"]


def test_a_scenario_without_people_has_nothing_to_check(make_run):
    assert quality.rows(make_run(trials=5), None) == []


SMALL = GIVEN.replace("{2021: 10, 2022: 20}", "{2021: 6, 2022: 20}")


def test_a_total_that_gives_a_small_cell_away_is_suppressed(make_run):
    run = make_run(trials=5)
    run.attrs["scenario"] = SMALL.replace("2021: 80,", "2021: 0,").replace(
        "{2022: 100}", "{2021: 7}"
    )
    found = _found(run)
    assert found["Control total 2021"] == SUPPRESSED
    assert found["Person-years over head-count 2021"] == SUPPRESSED


def test_a_small_cell_does_not_follow_from_its_total(make_run):
    run = make_run(trials=5)
    sources = "\nsources:\n" + "".join(
        f"  population.lakeside.segments.{name}: typed\n" for name in ("esrd", "aged_nondual")
    )
    run.attrs["scenario"] = SMALL + sources
    assert "86.0 person-years" in _found(run)["Control total 2021"]
    shown = " ".join(row.value for row in grounds.values(run))
    assert SUPPRESSED in shown
    # 86 less 80 is 6: the other count is not shown either.
    assert not {"6", "80", "75", "2021 6", "2021 80"} & set(re.findall(r"\w+", shown))


def given_files(tmp_path, esrd=6):
    """Return the run of a scenario whose people come from a table with a small cell."""
    table = (QUICKSTART.parents[1] / "notebooks" / "lakeshore.csv").read_text(encoding="utf-8")
    table = table.replace("BY1,ESRD,146,", f"BY1,ESRD,{esrd},")
    (tmp_path / "lakeshore.csv").write_text(table, encoding="utf-8")
    path = tmp_path / "lakeshore.yaml"
    path.write_bytes((QUICKSTART.parents[1] / "notebooks" / "lakeshore.yaml").read_bytes())
    run = engine.run(check(path, ["trials=20"]), tmp_path / "runs")
    (tmp_path / "lakeshore.csv").unlink()
    return open_run(run.attrs["path"])


def test_files_of_people_are_on_the_page_and_in_the_workbook_without_the_file(tmp_path):
    run = given_files(tmp_path)
    html = page.write(run, tmp_path / "page.html").read_text(encoding="utf-8")
    book = openpyxl.load_workbook(workbook.write(run, tmp_path / "book.xlsx"))
    audit = {str(cell.value) for row in book["Audit"] for cell in row}
    held = json.loads(run.attrs["data_quality"])
    texts = [str(row[key]) for key in ("file", "aco", "sha256", "rows") for row in held["files"]]
    texts += [row[key] for key in ("check", "found") for row in held["findings"]]
    texts += [row[key] for key in ("group", "person_years") for row in held["cells"]]
    assert held["files"]
    assert held["findings"]
    assert held["cells"]
    for text in texts:
        assert str(escape(text)).replace("-", "\u2212") in html.replace("-", "\u2212")
        assert text in audit


def test_a_single_small_cell_of_a_file_cannot_be_derived_from_what_is_shown(tmp_path):
    run = given_files(tmp_path)
    cells = {row["group"]: row["person_years"] for row in quality.files(run).cells}
    hidden = [group for group, text in cells.items() if text == SUPPRESSED]
    first = {group.split(", ")[0] for group in hidden}
    assert any("esrd" in group for group in hidden)
    for year in first:
        assert sum(group.startswith(f"{year}, ") for group in hidden) >= 2
    for name in {group.split(", ")[1] for group in hidden}:
        assert sum(group.endswith(f", {name}") for group in hidden) >= 2


def test_a_file_with_nothing_to_hide_is_shown_whole(tmp_path):
    run = given_files(tmp_path, esrd=146)
    assert SUPPRESSED not in {row["person_years"] for row in quality.files(run).cells}
