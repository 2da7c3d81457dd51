"""ACO REACH's published results recomputed: two real years, later layouts, and bad rows."""

import csv
from io import StringIO
from pathlib import Path

import pytest

from simulator.engine.initial import initial
from simulator.engine.reconciliation import replay
from simulator.errors import RulesError, ScenarioError

OLD = ((0.25, 1.0), (0.35, 0.5), (0.50, 0.25), (9.0, 0.1))
NARROW = ((0.10, 1.0), (0.35, 0.5), (0.50, 0.25), (9.0, 0.1))
HALF = ((0.05, 0.5), (0.10, 0.35), (0.15, 0.15), (9.0, 0.05))
# Gross savings as a share of the benchmark: every band on both sides, and each edge.
RATES = (0.0, 0.03, -0.03, 0.05, 0.07, -0.12, 0.10, 0.18, 0.25, -0.30, 0.42, -0.60)


def kept(gross, benchmark, bands):
    """Share by bands the slow way: walk up from the first dollar."""
    left, low, shared = abs(gross), 0.0, 0.0
    for high, rate in bands:
        part = min(left, (high - low) * benchmark)
        shared, left, low = shared + rate * part, left - part, high
    return shared if gross >= 0 else -shared


def rows_of(year, *, equity_in_benchmark, base_only=False):
    """Return rows of a later layout: benchmark, equity adjustment, cost, stop-loss, savings."""
    found = []
    for number, rate in enumerate(RATES):
        for option, bands in (
            ("Global", NARROW if year == 2026 else OLD),
            ("Professional", HALF),
        ):
            final = 50_000_000.0 + 1_234_567.89 * number
            up, down = 310_000.0, -95_000.0 - 1_000.0 * number
            whole = final if equity_in_benchmark else final + up + down
            counted = final if base_only else whole
            gross = rate * counted
            cost = counted - gross
            shared = kept(gross, whole, bands)
            found.append(
                {
                    "ACO_ID": f"D{year}{number:02d}{option[0]}",
                    "ACO_NAME": "A, B and Co.",
                    "ACO_TYPE": "STANDARD",
                    "RISK_ARRANGEMENT": option.upper(),
                    "CAPITATION_ARRANGEMENT": "PCC",
                    "STOP_LOSS_ELECTION": "Yes",
                    "PERF_YEAR": str(year),
                    "FIRST_PART_YEAR": "2022",
                    "DISCOUNT": "0.03" if option == "Global" else "0",
                    "RETENTION_WITHHOLD": "0",
                    "FINAL_BENCHMARK": f"{final:.2f}",
                    "UNADJ_BENCHMARK": "*",
                    "TOT_COST_CARE": f"{cost - 150_000.0:.2f}",
                    "TOT_COST_CARE_NET": f"{cost:.2f}",
                    "HEBA_UP_AMT": f"{up:.2f}",
                    "HEBA_DOWN_AMT": f"{down:.2f}",
                    "GROSS_SAVINGS": f"{gross:.2f}",
                    "SHARED_SAVINGS": f"{shared:.2f}",
                    "SHARED_SAVINGS_SEQ": f"{shared * (0.98 if shared > 0 else 1.0):.2f}",
                    "SAV_RATE": f"{rate:.6f}",
                    "CIF_CAP_RISK": "1.021",
                    "QUAL_SCR": "0.79",
                    "HPP_FLAG": "No",
                }
            )
    return found


def written(path, rows, *, columns=None, rename=str):
    columns = columns or list(rows[0])
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow([rename(name) for name in columns])
    writer.writerows([row[name] for name in columns] for row in rows)
    path.write_text(out.getvalue())
    return path


@pytest.fixture
def published(public_data: Path):
    return replay("reach", public_data / "reach_puf_2021_2022.csv")


def test_two_published_years_are_met_but_for_a_row_that_contradicts_itself(published):
    totals = published.totals
    assert published.years == (2021, 2022)
    assert (totals.rows, totals.within_dollar, totals.unexplained) == (152, 151, 0)
    (odd,) = (row for row in published.rows if row.verdict == "explained")
    assert odd.published_usd == 0.0
    assert odd.recomputed_usd == pytest.approx(362_122.0 * 0.98, abs=0.01)
    assert "prints $0 beside shared_savings of $362,122" in odd.note


def test_a_year_of_a_file_of_two_can_be_asked_for(public_data):
    found = replay("reach", public_data / "reach_puf_2021_2022.csv", 2022)
    assert (found.years, len(found.rows)) == ((2022,), 99)


@pytest.mark.parametrize("year", [2023, 2024, 2025, 2026])
@pytest.mark.parametrize("within", [True, False])
def test_a_later_layout_is_met_however_it_prints_the_equity_adjustment(tmp_path, year, within):
    rows = rows_of(year, equity_in_benchmark=within)
    found = replay("reach", written(tmp_path / "results.csv", rows))
    assert {row.verdict for row in found.rows} == {"within"}
    assert max(abs(row.difference_usd) for row in found.rows) <= 0.02
    said = "FINAL_BENCHMARK is without HEBA_UP_AMT and HEBA_DOWN_AMT"
    assert all((said in row.note) is not within for row in found.rows)


def test_an_equity_adjustment_in_the_base_of_the_corridor_alone_is_met(tmp_path):
    rows = rows_of(2023, equity_in_benchmark=False, base_only=True)
    found = replay("reach", written(tmp_path / "results.csv", rows))
    assert {row.verdict for row in found.rows} == {"within"}
    assert "savings are without" in found.rows[0].note


def test_columns_may_stand_in_any_order_and_case(tmp_path):
    rows = rows_of(2024, equity_in_benchmark=True)
    path = written(
        tmp_path / "x.csv", rows, columns=sorted(rows[0], reverse=True), rename=str.lower
    )
    assert replay("reach", path).totals.within_dollar == len(rows)


@pytest.mark.parametrize("name", ["py3_fncl_qltypuf.csv", "ACO REACH PY2023.csv"])
def test_the_year_may_stand_in_the_name_of_the_file(tmp_path, name):
    rows = rows_of(2023, equity_in_benchmark=True)
    columns = [column for column in rows[0] if column != "PERF_YEAR"]
    assert replay("reach", written(tmp_path / name, rows, columns=columns)).years == (2023,)


def test_shared_savings_are_compared_where_nothing_says_what_was_paid(tmp_path):
    rows = rows_of(2023, equity_in_benchmark=True)
    columns = [column for column in rows[0] if column != "SHARED_SAVINGS_SEQ"]
    found = replay("reach", written(tmp_path / "x.csv", rows, columns=columns))
    assert found.totals.within_dollar == len(rows)


def test_percentages_and_fractions_are_told_apart(tmp_path):
    rows = [{**row, "DISCOUNT": "3.0"} for row in rows_of(2023, equity_in_benchmark=True)]
    rows = [row for row in rows if row["RISK_ARRANGEMENT"] == "GLOBAL"]
    found = replay("reach", written(tmp_path / "x.csv", rows))
    assert not any("DISCOUNT" in row.note for row in found.rows)


def test_a_discount_that_is_not_the_rules_is_said(tmp_path):
    rows = rows_of(2025, equity_in_benchmark=True)
    found = replay("reach", written(tmp_path / "x.csv", rows))
    said = "DISCOUNT prints 3.00%; the rules file says 4.00%"
    assert [said in row.note for row in found.rows][:2] == [True, False]


@pytest.mark.parametrize(
    ("column", "text", "verdict", "said"),
    [
        ("FINAL_BENCHMARK", "*", "explained", "FINAL_BENCHMARK is '*' (suppressed)"),
        ("TOT_COST_CARE_NET", "", "explained", "TOT_COST_CARE_NET is blank"),
        ("RISK_ARRANGEMENT", "Both", "explained", "reach 2023 has global, professional"),
        ("GROSS_SAVINGS", "9", "unexplained", "GROSS_SAVINGS prints $9, the rules give $0"),
        ("SHARED_SAVINGS", "99", "unexplained", "SHARED_SAVINGS prints $99, the rules give $0"),
        ("SHARED_SAVINGS_SEQ", "7", "unexplained", "SHARED_SAVINGS_SEQ prints $7"),
        ("GROSS_SAVINGS", "*", "within", ""),
    ],
)
def test_what_is_wrong_with_a_row_is_said(tmp_path, column, text, verdict, said):
    rows = rows_of(2023, equity_in_benchmark=True)
    rows[0] = {**rows[0], column: text}
    first, *others = replay("reach", written(tmp_path / "x.csv", rows)).rows
    assert first.verdict == verdict
    assert said in first.note
    assert {row.verdict for row in others} == {"within"}


MONEY = {"final_benchmark", "unadj_benchmark", "tot_cost_care", "tot_cost_care_net"}
MONEY |= {"gross_savings", "shared_savings", "shared_savings_seq", "cap_pmt"}
PERCENT = {"sav_rate", "discount", "retention_withhold", "perc_dual", "qual_scr"}
OPTIONAL = {"stop_loss", "discount", "retention_withhold", "first_part_year", "aco_type"}
OPTIONAL |= {
    "tot_cost_care_net",
    "heba_up_amt",
    "heba_down_amt",
    "enhanced_pcc",
    "unadj_benchmark",
}


def dollars(text):
    sign = "({})" if float(text) < 0.0 else "{}"
    return sign.format(f"${abs(float(text)):,.4f}")


def drifted(name, drift):
    """Return a change of one cell, by its column's name."""
    return {
        "dollars": lambda text: dollars(text) if name in MONEY and text else text,
        "percent": lambda text: f"{float(text):.4f} %" if name in PERCENT and text else text,
        "years": lambda text: f"PY{int(text) - 2020}" if name == "perf_year" else text,
        "words": lambda text: f"{text} Risk Option" if name == "risk_arrangement" else text,
        "masked": lambda text: text or "*",
        "dots": lambda text: text or ".",
    }.get(drift, str)


@pytest.fixture
def drift(public_data, tmp_path):
    """Return a function that writes the two published years in another layout."""
    with (public_data / "reach_puf_2021_2022.csv").open() as file:
        header, *rows = csv.reader(file)

    def write(kind="", *, above=(), below=(), without=(), encoding="utf-8", end="\n"):
        held = [n for n, name in enumerate(header) if name not in without]
        out = StringIO()
        writer = csv.writer(out, lineterminator=end)
        writer.writerows(above)
        writer.writerow([*(header[n].upper() for n in held), "NEW_1", "NEW_2"])
        for row in rows:
            cells = [drifted(header[n], kind)(row[n]) for n in held]
            writer.writerow([*cells, "*", "what next"])
        writer.writerows(below)
        path = tmp_path / "later.csv"
        path.write_bytes(out.getvalue().encode(encoding))
        return path

    return write


@pytest.mark.parametrize("kind", ["", "dollars", "percent", "years", "words", "masked", "dots"])
def test_cells_may_be_written_otherwise(drift, kind):
    totals = replay("reach", drift(kind)).totals
    assert (totals.rows, totals.within_dollar, totals.unexplained) == (152, 151, 0)


@pytest.mark.parametrize(
    ("encoding", "end"), [("utf-8-sig", "\r\n"), ("cp1252", "\r\n"), ("utf-16", "\n")]
)
def test_a_file_may_be_stored_otherwise(drift, encoding, end):
    totals = replay("reach", drift(encoding=encoding, end=end)).totals
    assert (totals.rows, totals.within_dollar, totals.unexplained) == (152, 151, 0)


def test_stop_loss_that_is_not_printed_is_what_gross_savings_imply(drift):
    found = replay("reach", drift(without=OPTIONAL))
    assert (found.totals.within_dollar, found.totals.unexplained) == (151, 0)
    implied = [row.note for row in found.rows if "of stop-loss" in row.note]
    assert len(implied) == 120
    assert "TOT_COST_CARE_NET is not in the file; GROSS_SAVINGS implies $" in implied[0]


def test_titles_above_are_passed_over_and_notes_below_are_rows_that_say_so(drift):
    notes = (["Note: as of October.", ""], ["* stands for 1 to 10 people"])
    found = replay("reach", drift(above=[["Results of PY2021 and PY2022"], []], below=notes))
    assert (len(found.rows), found.totals.within_dollar, found.totals.unexplained) == (154, 151, 0)
    assert [row.verdict for row in found.rows[-2:]] == ["explained", "explained"]
    assert all("RISK_ARRANGEMENT is blank" in row.note for row in found.rows[-2:])


def test_what_is_wrong_with_a_header_has_its_line(drift):
    with pytest.raises(ScenarioError, match=r"later\.csv:2: has no column FINAL_BENCHMARK"):
        replay("reach", drift(above=[["A title"]], without={"final_benchmark"}))


def test_a_row_without_a_year_is_not_settled_by_anothers(tmp_path):
    rows = rows_of(2023, equity_in_benchmark=True)
    rows[1] = {**rows[1], "PERF_YEAR": ""}
    first, second, *_ = replay("reach", written(tmp_path / "x.csv", rows)).rows
    assert (first.verdict, second.verdict) == ("within", "explained")
    assert "PERF_YEAR is ''; a year is needed" in second.note


def test_a_blank_payment_beside_shared_savings_is_said(tmp_path):
    rows = rows_of(2023, equity_in_benchmark=True)
    rows[2] = {**rows[2], "SHARED_SAVINGS_SEQ": "."}
    row = replay("reach", written(tmp_path / "x.csv", rows)).rows[2]
    assert (row.verdict, row.published_usd) == ("explained", 0.0)
    assert "SHARED_SAVINGS_SEQ is blank beside SHARED_SAVINGS of $" in row.note


def test_a_file_without_results_is_refused(tmp_path):
    path = tmp_path / "PY2023.csv"
    path.write_text("ACO_ID,FINAL_BENCHMARK\nD1,5\n")
    with pytest.raises(ScenarioError, match="has no column RISK_ARRANGEMENT"):
        replay("reach", path)


def test_a_year_without_rules_is_refused(tmp_path):
    rows = [{**row, "PERF_YEAR": "2031"} for row in rows_of(2023, equity_in_benchmark=True)]
    with pytest.raises(RulesError, match="reach has no rules for 2031"):
        replay("reach", written(tmp_path / "x.csv", rows))


def test_no_scenario_is_drafted_from_a_file_that_prints_too_little(tmp_path):
    path = written(tmp_path / "x.csv", rows_of(2023, equity_in_benchmark=True))
    with pytest.raises(ScenarioError, match="BENE_CNT is not in the file"):
        initial("reach", path, "D202300G")
