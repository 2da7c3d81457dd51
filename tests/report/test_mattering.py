"""Terms in the order of what their rivals move, against the ranking itself."""

import pandas as pd
import pytest

from simulator.analysis.rivals import what_matters
from simulator.engine import run as engine
from simulator.engine.checking import check
from simulator.report import grounds, mattering, page, workbook
from simulator.results import held, record, verify
from simulator.scenario.sweep import cases
from tests.engine.test_exit import SCENARIO


def term(name, contracts=("a",)):
    return grounds.Term("assumed", f"lead.{name}", "0.5", tuple(contracts), "us", "", "")


def ranking(*rows):
    columns = ["program", "term", "answer", "value", "change_usd", "change_error_usd"]
    return pd.DataFrame([("lead", *row) for row in rows], columns=columns)


def test_terms_stand_by_the_largest_change_of_their_own_contracts():
    table = ranking(
        ("cap.rates.0", "a", "0.4", -2.0e6, 1e5),
        ("cap.rates.1", "a", "0.6", 1.0e6, 1e5),
        ("loud", "b", "1", 9.0e6, 1e5),
        ("noise", "a", "2", 5.0e5, 4e5),
        ("nothing", "a", "3", 0.0, 0.0),
    )
    terms = [term("quiet"), term("nothing"), term("noise"), term("cap"), term("loud")]
    found = mattering.ordered(terms, table)
    assert [one.term for one in found] == [
        "lead.cap", "lead.nothing", "lead.noise", "lead.quiet", "lead.loud",
    ]  # fmt: skip
    assert found[0].moves == "-2.00 ±0.10 million: a, at 0.4"
    assert found[1].moves == "nothing, at 3"
    assert found[2].moves.endswith("within its noise: a, at 2")
    # Its rival moves another contract, not the one that has this term.
    assert found[4].moves == "no rival tried"
    assert mattering.ordered(terms, ranking()) == [
        one._replace(moves="no rival tried") for one in terms
    ]


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    scenario = check(SCENARIO, ("years=[2027]", "trials=20"))
    one = {"lead_professional": scenario.contracts["lead_professional"]}
    opened = engine.run(scenario.model_copy(update={"contracts": one}), out)
    folder = next(out.iterdir())
    return opened, folder, mattering.rank(folder, 20, folder)


def test_a_run_keeps_its_ranking_and_the_page_is_in_its_order(ran):
    opened, folder, table = ran
    assert mattering.kept(folder).equals(table)
    _, known = what_matters(cases(check(folder / "scenario.yaml"))[0], 20)
    assert table.change_usd.tolist() == known.change_usd.tolist()
    html = page.write(opened, folder / "report.html", None, table).read_text(encoding="utf-8")
    said = html[html.index("<h3>Terms that are") :]
    first = mattering.ordered(grounds.terms(opened), table)[0]
    row = said[said.index("<tbody>") : said.index("</tr>", said.index("<tbody>"))]
    assert first.moves.split(" ")[0].lstrip("-") in row
    assert "those that move a contract most first" in said
    workbook.write(opened, folder / "report.xlsx", None, table)
    with held(folder):
        record(folder)
    assert verify(folder).flaws == ()


def test_a_ranking_of_another_run_or_that_is_broken_is_not_kept(ran, tmp_path):
    _, folder, table = ran
    assert mattering.kept(tmp_path) is None
    other = table.copy()
    other.attrs = {**table.attrs, "digest": "0"}
    saved = (folder / mattering.FILE).read_bytes()
    other.to_parquet(folder / mattering.FILE)
    assert mattering.kept(folder) is None
    (folder / mattering.FILE).write_bytes(saved[:100])
    assert mattering.kept(folder) is None
    (folder / mattering.FILE).write_bytes(saved)


def test_without_a_ranking_the_page_names_the_command(ran, tmp_path):
    html = page.write(ran[0], tmp_path / "report.html").read_text(encoding="utf-8")
    assert "--what-matters</code> tries their rival values" in html
