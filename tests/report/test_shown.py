"""The long forms: what a run shows is what it settled, to the cent and in every trial."""

import shutil
import subprocess

import openpyxl
import pytest

from simulator.engine import run as engine
from simulator.engine.checking import check
from simulator.engine.ledger import ledger
from simulator.report import page, tables, waterfall, workbook
from simulator.report.findings import findings
from tests.report.test_workbook import frame
from tests.runs import QUICKSTART

pytestmark = pytest.mark.slow

SCENARIOS = {"quickstart": 10_000, "without_relief": 10_000, "lead_or_mssp": 1_000}
SCENARIOS |= {"reach_2026_tightening": 5_000}


@pytest.fixture(scope="module", params=SCENARIOS)
def shown(request, tmp_path_factory):
    """Return a run, what it comes to, its ledger, its page and its workbook."""
    out = tmp_path_factory.mktemp(request.param)
    settings = [f"trials={SCENARIOS[request.param]}"]
    opened = engine.run(check(QUICKSTART.parent / f"{request.param}.yaml", settings), out)
    table, known = ledger(opened.attrs["path"]), findings(opened)
    html = page.write(opened, out / "report.html", table, found=known)
    book = workbook.write(opened, out / "report.xlsx", table, found=known)
    return request.param, known, table, html.read_text(encoding="utf-8"), book


def test_every_sum_of_every_statement_is_met_in_every_trial(shown, proof):
    name, known, table, html, _ = shown
    run = known.run
    least, largest = waterfall.footed(table)
    sums = table[table["kind"] == "foots"]["name"].nunique()
    size = {dim: run.sizes[dim] for dim in ("case", "trial", "contract", "year", "aco")}
    said = ", ".join(f"{n:,} {dim}{'s' * (n != 1)}" for dim, n in size.items())
    figures = f"{sums} sums, {said}: met in {100.0 * least:g}%, largest gap ${largest:.1e}"
    proof(f"The waterfall of {name} foots in every trial", figures)
    assert least == 1.0
    assert largest < 0.005
    assert "each is met to half a cent in 100% of trials" in html


def amounts(read, run):
    """Return the waterfalls of a workbook as the page writes them: all years of a run added."""
    year = tables.TOTAL if run.sizes["year"] > 1 else str(run["year"].values[0])
    bars = [row for row in frame(read, "waterfall") if str(row["year"]) == year]
    return {f"{bar['to_the_cent_usd']:,.2f}".replace("-", "\u2212") for bar in bars}


def test_libreoffice_reads_the_totals_of_the_page_and_of_the_json(shown, proof, tmp_path):
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        pytest.skip("LibreOffice is not installed: apt-get install libreoffice-calc")
    name, known, _, html, book = shown
    home = f"-env:UserInstallation={tmp_path.as_uri()}/home"
    calc = [office, home, "--headless", "--convert-to"]
    for kind, of, to in (
        ("ods", book, tmp_path),
        ("xlsx", tmp_path / "report.ods", tmp_path / "b"),
    ):
        made = [*calc, kind, "--outdir", to, of]
        subprocess.run(made, check=True, capture_output=True, timeout=280)
    read = openpyxl.load_workbook(tmp_path / "b" / "report.xlsx", data_only=True)
    cells = [cell for sheet in read for row in sheet for cell in row if cell.value is not None]
    wrong = [cell for cell in cells if cell.data_type in ("e", "f")]
    told = tables.as_json(known.run, known.summary, known.observed)["settlements"]
    held = {tuple(str(row[key]) for key in tables.KEYS): row for row in told}
    gaps = [
        abs(row[column] - held[tuple(str(row[key]) for key in tables.KEYS)][column])
        for row in frame(read, "by_year")
        for column in tables.MEASURES
    ]
    lines = amounts(read, known.run)
    missing = [x for x in lines if x not in html]
    figures = f"{len(cells):,} cells, {len(wrong)} of them formulas or errors; {len(gaps):,} "
    figures += f"figures within ${max(gaps):.1e} of show --json; {len(lines)} amounts of "
    proof(f"LibreOffice reads {name}", f"{figures}waterfalls, {len(missing)} not on the page")
    assert not wrong
    assert max(gaps) < 0.005
    assert len(gaps) == len(held) * len(tables.MEASURES)
    assert lines
    assert not missing
