"""Published results recomputed: ten years of CMS's files, a later layout, and bad files."""

import csv
from collections import Counter
from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path

import pytest

from simulator.engine.reconciliation import Replay, Row, replay
from simulator.errors import RulesError, ScenarioError
from tests.engine import layout_2024 as layout

YEARS = range(2013, 2023)
_REPLAYED: dict[int, Replay] = {}


@pytest.fixture
def replayed(public_data: Path) -> Callable[[int], Replay]:
    def once(year: int) -> Replay:
        if year not in _REPLAYED:
            _REPLAYED[year] = replay("mssp", public_data / f"mssp_puf_{year}.csv")
        return _REPLAYED[year]

    return once


def settled(row: Row) -> bool:
    return bool(row.published_usd)


@pytest.mark.parametrize("year", YEARS)
def test_a_published_year_is_met(replayed: Callable[[int], Replay], year: int) -> None:
    totals = replayed(year).totals
    assert totals.unexplained == 0
    assert totals.within_thousandth >= 0.997 * totals.rows
    assert totals.within_thousandth + totals.explained == totals.rows
    paid = [row for row in replayed(year).rows if settled(row)]
    assert sum(row.verdict == "within" for row in paid) >= 0.995 * len(paid)


def test_of_ten_years_one_row_cannot_be_told(replayed: Callable[[int], Replay]) -> None:
    rows = [row for year in YEARS for row in replayed(year).rows]
    others = [row for row in rows if row.verdict != "within"]
    assert len(rows) == 4_342
    assert sum(map(settled, rows)) == 1_949
    assert [row.verdict for row in others] == ["explained"]
    assert "loss limit of 8% of participants' revenue binds" in others[0].note


def test_the_ten_years_go_through_these_branches(replayed: Callable[[int], Replay]) -> None:
    notes = Counter(
        part.partition(":")[0].replace("disadj", "DisAdj")
        for year in YEARS
        for row in replayed(year).rows
        for part in row.note.split("; ")
    )
    assert notes["quality standard not met"] == 39
    assert notes["at the performance payment limit"] == 5
    assert notes["MSR by size"] == 14
    assert notes["six months"] == 166
    assert notes["circumstances of the whole nation relieve the losses"] == 31
    assert notes["relief for circumstances is DisAdj, which no other column gives"] == 28
    assert notes["terminated during the year"] == 1


def test_a_later_layout_is_met_to_the_rounding_of_its_scores(tmp_path: Path) -> None:
    found = replay("mssp", layout.write(tmp_path / "PY2024.csv", layout.TOLD))
    assert {row.verdict for row in found.rows} == {"within"}
    for row, case in zip(found.rows, layout.TOLD, strict=True):
        by_score = case in layout.ALTERNATIVE
        assert abs(row.difference_usd) <= (600.0 if by_score else 1.0), row


def test_a_later_layout_goes_through_these_branches(tmp_path: Path) -> None:
    found = replay("mssp", layout.write(tmp_path / "PY2024.csv", layout.TOLD))
    notes = Counter(part.partition(":")[0] for row in found.rows for part in row.note.split("; "))
    assert notes["reduced sharing below the MSR"] == 13
    assert notes["guardrail"] == 9
    assert notes["alternative quality standard"] == 13
    assert sum("recouped of advance investment payments" in part for part in notes) == 12
    assert not any("prints" in part for part in notes)
    assert notes["at the performance payment limit"] == 2
    assert notes["at the loss limit"] == 3
    assert notes["quality standard not met"] == 5


def test_what_no_public_column_tells_is_named_and_bounded(tmp_path: Path) -> None:
    found = replay("mssp", layout.write(tmp_path / "PY2024.csv", layout.HIDDEN))
    level_e, level_d, enhanced = found.rows
    assert {row.verdict for row in found.rows} == {"explained"}
    assert level_e.note.startswith("the loss limit of 8% of participants' revenue binds")
    assert level_d.note.startswith("the loss limit of 4% of participants' revenue binds")
    assert "does not say after how many months" in enhanced.note
    assert all(row.recomputed_usd <= row.published_usd <= 0.0 for row in found.rows)


def test_a_reason_does_not_excuse_what_it_cannot_explain(tmp_path: Path) -> None:
    path = layout.write(tmp_path / "PY2024.csv", layout.HIDDEN[:1])
    path.write_text(path.read_text().replace('"-2,376,000"', '"-9,376,000"'))
    (row,) = replay("mssp", path).rows
    assert row.verdict == "unexplained"
    assert row.note.startswith("not explained: every printed step agrees with the rules")


@pytest.mark.parametrize(
    ("column", "printed", "said"),
    [
        ("BnchmkMinExp", "9,000", "BnchmkMinExp prints $9,000, the rules give $10,800,000"),
        ("GenSaveLoss", "0", "GenSaveLoss prints $0, the rules give $10,800,000"),
        ("FinalShareRate", "45.00%", "FinalShareRate prints 45.00%, the rules give 50.00%"),
        ("SNF_Waiver", "1", "every printed step agrees with the rules, the result does not"),
    ],
)
def test_the_first_step_that_parts_is_named(
    tmp_path: Path, column: str, printed: str, said: str
) -> None:
    case = layout.Case("E", 0.06, elected=0.01)
    (row,) = spoiled(tmp_path, case, {column: printed, "EarnSaveLoss": "17"})
    assert row.verdict == "unexplained"
    assert row.note == f"not explained: {said}"


def test_the_recoupment_that_is_printed_is_checked(tmp_path: Path) -> None:
    case = layout.Case("A", 0.05, balance=400_000)
    (row,) = spoiled(tmp_path, case, {"AIPRecoup": "300,000"})
    assert row.verdict == "within"
    assert "AIPRecoup prints $300,000; the rule gives $400,000" in row.note


@pytest.mark.parametrize(
    ("case", "spoilt", "said"),
    [
        ("A", {"ABtotBnchmk": "*"}, "ABtotBnchmk is '*' (suppressed); a dollar amount above 0"),
        ("A", {"ABtotBnchmk": "0"}, "ABtotBnchmk is '0'; a dollar amount above 0 is needed"),
        ("A", {"ABtotExp": "many"}, "ABtotExp is 'many'; a dollar amount is needed"),
        ("A", {"ABtotExp": "1,23"}, "ABtotExp is '1,23'; a dollar amount is needed"),
        ("A", {"ABtotExp": ""}, "ABtotExp is blank; a dollar amount is needed"),
        ("A", {"N_AB": "0"}, "N_AB is '0'; a number of people above 0 is needed"),
        ("A", {"Met_QPS": "*"}, "Met_QPS is '*' (suppressed); 0 or 1 is needed"),
        ("A", {"Met_QPS": ""}, "Met_QPS is blank; 0 or 1 is needed"),
        ("E", {"MinSavPerc": "*"}, "MinSavPerc is '*' (suppressed); a rate of 0 or more"),
        ("E", {"Guardrail": "perhaps"}, "Guardrail is 'perhaps'; 0 or 1 is needed"),
        ("E", {"Current_Track": "G"}, "Current_Track is 'G'; A, B, C, D, E or EN is needed"),
        ("E", {"Current_Track": "1"}, "mssp 2024 has A, B, C, D, E, ENHANCED"),
    ],
)
def test_a_row_that_lacks_a_needed_figure_says_which(
    tmp_path: Path, case: str, spoilt: Mapping[str, str], said: str
) -> None:
    (row,) = spoiled(tmp_path, layout.Case(case, 0.06, elected=0.01), spoilt)
    assert row.verdict == "explained"
    assert row.recomputed_usd is None
    assert row.difference_usd is None
    assert row.published_usd is not None
    assert said in row.note


def test_a_loss_by_quality_needs_its_score_and_its_relief(tmp_path: Path) -> None:
    case = layout.Case("EN", -0.04, elected=0.01, relief=0.1)
    (row,) = spoiled(tmp_path, case, {"QualScore": "*", "DisAdj": "*", "FinalLossRate": "*"})
    assert row.recomputed_usd is None
    assert "QualScore is '*'" in row.note
    assert "DisAdj is '*'" in row.note


def test_a_figure_that_a_row_does_not_need_may_be_missing(tmp_path: Path) -> None:
    case = layout.Case("A", 0.06)
    spoilt = {"QualScore": "*", "MinSavPerc": "*", "DisAdj": "*", "Rev_Exp_Cat": "Low Revenue"}
    (row,) = spoiled(tmp_path, case, spoilt)
    assert row.verdict == "within"


def test_a_result_that_is_not_printed_is_recomputed_and_said(tmp_path: Path) -> None:
    (row,) = spoiled(tmp_path, layout.Case("A", 0.06), {"EarnSaveLoss": "*"})
    assert row.published_usd is None
    assert row.recomputed_usd == 4_233_600.0
    assert row.verdict == "explained"
    assert row.note.startswith("EarnSaveLoss is '*' (suppressed); a dollar amount is needed")


@pytest.mark.parametrize("blank", ["", "-", " $ - "])
def test_a_blank_result_counts_as_none_and_is_said(tmp_path: Path, blank: str) -> None:
    (row,) = spoiled(tmp_path, layout.Case("A", 0.02, met=0), {"EarnSaveLoss": blank})
    assert (row.published_usd, row.recomputed_usd, row.verdict) == (0.0, 0.0, "within")
    assert "taken as 0" in row.note


def test_what_is_odd_but_not_needed_is_said_beside_a_settled_row(tmp_path: Path) -> None:
    cases = [layout.Case("A", 0.06)] * 3
    path = layout.write(tmp_path / "PY2024.csv", cases)
    text = path.read_text().replace("A5001,", "A5000,").replace("A5002,", ",")
    path.write_text(text.replace('"11,750"', "0"))
    first, second, third = replay("mssp", path).rows
    assert [row.verdict for row in (first, second, third)] == ["within", "explained", "within"]
    assert "ACO_ID A5000 is on lines 2, 3; once is allowed" in first.note
    assert "ACO_ID A5000 is on lines 2, 3; once is allowed" in second.note
    assert "line 4: ACO_ID is blank; an identifier is needed" in third.note
    assert "N_AB_Year_PY is '0'; person-years above 0 are needed" in first.note


def test_a_ragged_row_is_not_settled(tmp_path: Path) -> None:
    path = layout.write(tmp_path / "PY2024.csv", layout.PLAIN[:2])
    path.write_text(path.read_text().rstrip("\n") + ",extra\n")
    whole, ragged = replay("mssp", path).rows
    assert whole.verdict == "within"
    assert ragged.recomputed_usd is None
    assert "line 3 has 47 cells; the header has 46" in ragged.note


def test_a_half_printed_file_is_still_all_there(tmp_path: Path) -> None:
    path = layout.write(tmp_path / "PY2024.csv", layout.TOLD)
    lines = path.read_text().splitlines()
    spoilt = [line.replace("Low Revenue", "*").replace('"$', '"x') for line in lines[1::2]]
    path.write_text("\n".join([lines[0], *lines[1::2], *spoilt]))
    found = replay("mssp", path)
    assert found.totals.rows == len(lines[1::2]) + len(spoilt)
    assert found.totals.unexplained == 0
    assert all(row.note for row in found.rows if row.verdict == "explained")


@pytest.mark.parametrize(
    ("year", "case", "owed"),
    [
        # Level E: 30% of 2,360,711, less DisAdj 295,350
        (2023, {"ABtotExp": "202,360,711", "DisAdj": "-295,350", "Current_Track": "E",
                "MinSavPerc": "1.00%", "Met_QPS": "1"}, -412_864),
        # ENHANCED: 1 - 0.75 x 54.10% of 358,135, less DisAdj 551
        (2024, {"ABtotExp": "200,358,135", "DisAdj": "-551", "Current_Track": "EN",
                "MinSavPerc": "0.00%", "QualScore": "54.10", "Met_QPS": "1"}, -212_271),
        # Level E by the alternative standard: the loss rate stays at 30%
        (2024, {"ABtotExp": "204,831,264", "DisAdj": "-747", "Current_Track": "E",
                "MinSavPerc": "1.00%", "Met_QPS": "0", "Met_AltQPS": "1"}, -1_448_632),
    ],
)  # fmt: skip
def test_the_published_losses_of_the_rules_note_are_met(
    tmp_path: Path, year: int, case: Mapping[str, str], owed: int
) -> None:
    given = {
        "ABtotBnchmk": "200,000,000", "EarnSaveLoss": f"{owed}", "Guardrail": "",
        "Current_Start_Date": "01/01/2022", "Rev_Exp_Cat": "High Revenue",
    }  # fmt: skip
    (row,) = spoiled(tmp_path, layout.Case("E", -0.02), {**given, **case}, f"PY{year}.csv")
    assert row.verdict == "within"
    assert abs(row.difference_usd) <= 1.0


def test_the_answer_has_five_columns_and_a_row_an_aco(tmp_path: Path) -> None:
    path = layout.write(tmp_path / "PY2024.csv", [*layout.HIDDEN, layout.Case("A", 0.06)])
    path.write_text(path.read_text().replace("A5003,", "=1+1,").replace('"$161', '"*161'))
    found = replay("mssp", path)
    header, *rows = csv.reader(StringIO(found.csv()))
    assert header == ["ACO_ID", "published_usd", "recomputed_usd", "difference_usd", "note"]
    assert [row[0] for row in rows] == ["A5000", "A5001", "A5002", "'=1+1"]
    assert rows[0][1:4] == ["-2376000.00", "-5400000.00", "-3024000.00"]


def test_the_last_lines_are_the_seven_totals(tmp_path: Path) -> None:
    cases = [layout.Case("A", 0.06), *layout.HIDDEN]
    found = replay("mssp", layout.write(tmp_path / "PY2024.csv", cases))
    assert found.lines() == (
        "rows 4",
        "paid $4,233,600",
        "owed $4,951,795",
        "rows within $1 1",
        "rows within 0.1% 1",
        "rows explained 3",
        "rows unexplained 0",
    )


def test_a_year_without_rules_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match="no rules for 2011"):
        replay("mssp", layout.write(tmp_path / "x.csv", layout.PLAIN), year=2011)
    with pytest.raises(ScenarioError, match="has no public-use files"):
        replay("msp", tmp_path / "x.csv")


def spoiled(
    folder: Path, case: layout.Case, spoilt: Mapping[str, str], name: str = "PY2024.csv"
) -> tuple[Row, ...]:
    """Return the replay of one case, some cells of which say something else."""
    path = folder / name
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, layout.COLUMNS)
        writer.writeheader()
        writer.writerow(layout.cells(0, case) | spoilt)
    return replay("mssp", path).rows


BELOW = layout.Case("E", 0.011, persons=15_000)


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        ({"Rev_Exp_Cat": "*"}, "Rev_Exp_Cat is '*' (suppressed); Low Revenue or High"),
        ({"Current_Start_Date": "soon"}, "Current_Start_Date is 'soon'; a date is needed"),
    ],
)
def test_savings_below_the_minimum_need_to_know_the_agreement(
    tmp_path: Path, spoilt: Mapping[str, str], said: str
) -> None:
    (row,) = spoiled(tmp_path, BELOW, {**spoilt, "ReducedSS": "*"})
    assert row.verdict == "explained"
    assert said in row.note
    (row,) = spoiled(tmp_path, BELOW, spoilt)
    assert row.verdict == "within"


def test_the_routes_to_the_standard_decide_where_it_is_not_printed(tmp_path: Path) -> None:
    case = layout.Case("A", 0.06)
    routes = {"Met_40pctl": "0", "Met_Incentive": "0", "Met_FirstYear": "1"}
    (row,) = spoiled(tmp_path, case, {"Met_QPS": "", **routes})
    assert row.verdict == "within"
    scaled = layout.Case("A", 0.06, quality=0.55, met=0, alternative=1)
    (row,) = spoiled(tmp_path, scaled, {"Met_QPS": "1", **routes, "Met_FirstYear": "-"})
    assert row.verdict == "within"


def test_a_layout_without_the_standard_itself_is_settled_by_its_routes(tmp_path: Path) -> None:
    path = layout.write(tmp_path / "PY2024.csv", layout.ALTERNATIVE + layout.PLAIN)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [*csv.DictReader(file)]
    for row in rows:
        row["Met_40pctl"] = row.pop("Met_QPS")
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    assert {row.verdict for row in replay("mssp", path).rows} == {"within"}


@pytest.mark.parametrize(
    "case",
    [
        layout.Case("EN", -0.025, elected=0.005, quality=0.5410, met=0, alternative=1),
        layout.Case("B", 0.06, quality=0.55, met=0, alternative=1),
    ],
)
def test_a_score_that_is_not_printed_follows_from_the_rate(
    tmp_path: Path, case: layout.Case
) -> None:
    (row,) = spoiled(tmp_path, case, {"QualScore": "-"})
    assert row.verdict == "within"
    assert "QualScore is not printed; a printed rate says it" in row.note
    (row,) = spoiled(tmp_path, case, {"QualScore": "-", "FinalLossRate": "", "FinalShareRate": ""})
    assert row.verdict == "explained"


def test_a_relief_below_the_nations_counts_as_printed(tmp_path: Path) -> None:
    case = layout.Case("EN", -0.04, elected=0.01, relief=0.30, start="01/01/2022")
    path = layout.write(tmp_path / "PY2023.csv", [case])
    (row,) = replay("mssp", path).rows
    assert row.verdict == "within"


def test_rows_of_2027_and_later_need_no_early_base_years(tmp_path: Path) -> None:
    cases = [layout.Case("A", 0.02, start="01/01/2024"), layout.Case("E", -0.03, elected=0.01)]
    found = replay("mssp", layout.write(tmp_path / "PY2027.csv", cases))
    assert [row.verdict for row in found.rows] == ["within", "within"]


def test_a_row_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    path = layout.write(tmp_path / "PY2024.csv", [layout.Case("A", 0.06), layout.Case("B", 0.07)])
    once = replay("mssp", path).totals
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines, lines[1]]), encoding="utf-8")
    found = replay("mssp", path)
    assert found.totals.rows == 3
    assert found.totals.paid_usd == once.paid_usd
    assert (found.totals.within_thousandth, found.totals.explained) == (2, 1)
    assert "A5000 is on lines 2, 4; once is allowed" in found.rows[2].note


WORDS = {"ABtotBnchmk": "AB_tot Bnchmk ($)", "QualScore": "Qual Score (%)", "N_AB": " n ab "}
MANGLED: Mapping[str, Callable[[str], str]] = {
    "header in capitals": lambda name: name.upper(),
    "header in small letters": lambda name: name.lower(),
    "header with spaces": lambda name: name.replace("_", " "),
    "header with other signs": lambda name: WORDS.get(name, f" {name}. "),
}


@pytest.mark.parametrize("how", MANGLED)
def test_headers_are_known_however_they_are_written(tmp_path: Path, how: str) -> None:
    plain, path = tmp_path / "PY2024.csv", tmp_path / "other_PY2024.csv"
    with layout.write(plain, layout.TOLD).open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    order = sorted(range(len(header)), key=lambda place: header[place][::-1])
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["More", *(MANGLED[how](header[place]) for place in order)])
        writer.writerows([["*", *(row[place] for place in order)] for row in rows])
    for row, other in zip(replay("mssp", path).rows, replay("mssp", plain).rows, strict=True):
        assert (row[:4], row.verdict) == (other[:4], other.verdict)


def accounting(text: str) -> str:
    """Return an amount as a spreadsheet's accounting format shows it."""
    bare = text.removeprefix("-")
    return f" $ ({bare}) " if text.startswith("-") else f" $ {bare} "


def as_fraction(text: str) -> str:
    return str(float(text.rstrip("%")) / 100) if text else "."


@pytest.mark.parametrize(
    ("columns", "change"),
    [
        (("BnchmkMinExp", "GenSaveLoss", "EarnSaveLoss"), accounting),
        (("DisAdj", "AIPBalance"), lambda text: text or " $ -   "),
        (("MinSavPerc", "Sav_rate"), as_fraction),
        (("QualScore",), lambda text: f"{text} %"),
        (("FinalShareRate", "FinalLossRate"), as_fraction),
        (
            ("N_AB", "ABtotBnchmk", "ABtotExp"),
            lambda text: text.strip("$").replace(",", "") + ".0",
        ),
        (("Met_AltQPS", "Guardrail"), lambda text: text or "N/A"),
        (("Current_Track",), lambda text: f"{'BASIC Level ' * (text != 'EN')}{text}"),
        (("Current_Start_Date",), lambda text: f"{text[-4:]}-{text[:2]}-{text[3:5]}T00:00:00.000"),
    ],
)
def test_cells_are_read_however_they_are_written(
    tmp_path: Path, columns: tuple[str, ...], change: Callable[[str], str]
) -> None:
    path = layout.write(tmp_path / "PY2024.csv", layout.TOLD)
    plain = replay("mssp", path).rows
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [*csv.DictReader(file)]
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, rows[0].keys())
        writer.writeheader()
        writer.writerows({**r, **{name: change(r[name]) for name in columns}} for r in rows)
    changed = replay("mssp", path).rows
    assert [row.verdict for row in changed] == [row.verdict for row in plain]
    for row, other in zip(changed, plain, strict=True):
        assert row.recomputed_usd == pytest.approx(other.recomputed_usd, abs=0.01), row
