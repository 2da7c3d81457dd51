import shutil
import subprocess
import zipfile

import openpyxl
import pytest

from simulator.engine import run as engine
from simulator.engine.ledger import ledger
from simulator.report import comparison, tables, workbook
from tests.runs import small

SHEETS = ["Summary", "Percentiles", "By year", "Waterfall", "Limits", "Capital", "Sensitivity"]
SHEETS += ["Convergence", "Assumptions", "Audit"]


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """Return a small run, its ledger and its workbook."""
    out = tmp_path_factory.mktemp("runs")
    opened = engine.run(small(300), out)
    table = ledger(opened.attrs["path"])
    return opened, table, workbook.write(opened, out / "report.xlsx", table)


def frame(book, name):
    """Return the rows of a named range, as dicts."""
    ((sheet, area),) = book.defined_names[f"{name}_table"].destinations
    head, *rows = ([cell.value for cell in row] for row in book[sheet][area])
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_the_sheets_are_those_that_are_asked_for(real):
    assert openpyxl.load_workbook(real[2]).sheetnames == SHEETS


def test_the_summary_has_the_figures_of_the_json_to_the_last_digit(real):
    opened, _, path = real
    book = openpyxl.load_workbook(path)
    told = {row["contract"]: row for row in tables.as_json(opened)["settlements"]}
    for name in ("summary", "percentiles", "by_year"):
        for row in frame(book, name):
            for column, value in row.items():
                if isinstance(value, float):
                    assert value == pytest.approx(told[row["contract"]][column], rel=1e-14)


def test_differences_are_those_of_the_page(real):
    opened, _, path = real
    expected = comparison.pairs(opened).reset_index()
    rows = frame(openpyxl.load_workbook(path), "differences")
    assert [row["mean_usd"] for row in rows] == pytest.approx(list(expected["mean_usd"]))


def test_the_waterfall_foots_to_the_cent(real):
    rows = frame(openpyxl.load_workbook(real[2]), "waterfall")
    standing, contract = 0, ""
    assert rows
    for row in rows:
        cents = round(100 * row["to_the_cent_usd"])
        standing = 0 if row["contract"] != contract else standing
        contract = row["contract"]
        if row["kind"] == "level":
            assert cents == standing, row
        else:
            standing += cents


def test_the_audit_says_that_all_sums_are_met_and_nothing_was_lost_in_storing(real):
    book = openpyxl.load_workbook(real[2])
    assert all(row["met_share"] == 1 for row in frame(book, "footing"))
    for row in frame(book, "stored"):
        assert abs(row["gap_usd"]) < 0.05
    facts = {row["what"]: row["is"] for row in frame(book, "provenance")}
    assert facts["Seed"] == str(real[0].attrs["seed"])
    assert facts["To reproduce"].startswith("acosim run ")


def test_no_cell_is_a_formula_and_no_macro_is_there(real):
    with zipfile.ZipFile(real[2]) as held:
        assert not [name for name in held.namelist() if "vba" in name.lower()]
        for name in held.namelist():
            if "worksheets" in name:
                assert b"<f>" not in held.read(name)


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t"])
def test_a_label_that_looks_like_a_formula_is_text(make_run, tmp_path, sign):
    label = f"{sign}cmd|' /C calc'!A0"
    run = make_run(trials=20, contracts=("plain", label), acos=(label,))
    run.attrs["about"] = label
    path = workbook.write(run, tmp_path / "hostile.xlsx")
    with zipfile.ZipFile(path) as held:
        assert all(b"<f>" not in held.read(name) for name in held.namelist())
    found = [cell for sheet in openpyxl.load_workbook(path) for row in sheet for cell in row]
    assert label in {cell.value for cell in found}
    assert all(cell.data_type != "f" for cell in found)


def test_the_same_run_writes_the_same_workbook(make_run, tmp_path):
    run = make_run(trials=50)
    one, other = (workbook.write(run, tmp_path / name) for name in ("a.xlsx", "b.xlsx"))
    assert one.read_bytes() == other.read_bytes()


def test_libreoffice_opens_it_without_error_and_reads_the_same_totals(real, tmp_path):
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        pytest.skip("LibreOffice is not installed: apt-get install libreoffice-calc")
    home = f"-env:UserInstallation={tmp_path.as_uri()}/home"
    made = [office, home, "--headless", "--convert-to", "ods", "--outdir", tmp_path, real[2]]
    subprocess.run(made, check=True, capture_output=True, timeout=280)
    again = [*made[:4], "xlsx:Calc MS Excel 2007 XML", "--outdir", tmp_path / "back"]
    subprocess.run([*again, tmp_path / "report.ods"], check=True, capture_output=True, timeout=280)
    book = openpyxl.load_workbook(tmp_path / "back" / "report.xlsx", data_only=True)
    cells = [cell for sheet in book for row in sheet for cell in row]
    assert not [cell for cell in cells if cell.data_type in ("e", "f")]
    told = {row["contract"]: row for row in tables.as_json(real[0])["settlements"]}
    rows = [row for row in book["Summary"].iter_rows(values_only=True) if row[3] in told]
    for row in rows[: len(told)]:
        assert round(row[4], 2) == round(told[row[3]]["mean_usd"], 2)
