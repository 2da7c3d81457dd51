"""Segment tables: what they give stands in the scenario; every wrong cell has its place."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from simulator.engine.checking import check
from simulator.errors import ScenarioError
from simulator.scenario.reading import canonical, digest, read
from simulator.scenario.schema import Scenario

TABLE = """\
aco_id,period,enrollment_type,person_years,pbpy_usd,risk_score
A1,BY1,ESRD,160,"$76,278",0.982
A1,BY2,ESRD,161,75003,1.010
A1,BY3,ESRD,162,80385,0.990
A1,PY,ESRD,104,85112,1.039
A1,BY1,AGND,11000,10144,1.068
A1,BY2,AGND,11100,10654,1.080
A1,BY3,AGND,11281,10862,1.071
A1,BY3,TOTAL,11443,11846.27,
A2,BY1,AGND,5000,9000,1.0
A2,BY2,AGND,5000,9100,1.0
A2,BY3,AGND,5000,9200,1.0
"""
SCENARIO = """\
name: tabled
years: [2022]
population:
  first:
    aco_id: A1
    segment_table: acos.csv
    agreement: {start: 2019}
    segments: {esrd: {churn_share: 0.2, risk_score: {2018: 1.1}}}
  A2: {segment_table: acos.csv, agreement: {start: 2019}}
market:
  national_ppy:
    esrd:         {2016: 81_000, 2017: 82_000, 2018: 86_000}
    aged_nondual: {2016: 9_900, 2017: 10_100, 2018: 10_500}
contracts: {e: {program: mssp, option: E}}
"""


@pytest.fixture
def put(tmp_path: Path):
    def written(table: str = TABLE, scenario: str = SCENARIO) -> Path:
        (tmp_path / "acos.csv").write_text(table, encoding="utf-8")
        (tmp_path / "x.yaml").write_text(scenario, encoding="utf-8")
        return tmp_path / "x.yaml"

    return written


def lines(path: Path) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        check(path)
    return [message.replace(f"{path.parent}/", "") for message in caught.value.messages]


def found(path: Path) -> Scenario:
    return check(path)


def test_a_table_gives_each_aco_its_years_and_what_is_typed_stands(put) -> None:
    scenario = found(put())
    first, second = scenario.population["first"], scenario.population["A2"]
    assert list(scenario.population) == ["first", "A2"]
    assert first.segments["esrd"].person_years == {2016: 160, 2017: 161, 2018: 162, 2022: 104}
    assert first.segments["esrd"].expenditure_ppy[2016] == 76_278
    assert first.segments["esrd"].risk_score[2018] == 1.1
    assert first.segments["esrd"].churn_share == 0.2
    assert second.segments["aged_nondual"].expenditure_ppy == {2016: 9000, 2017: 9100, 2018: 9200}
    assert first.segment_table is None


def test_the_resolved_scenario_stands_alone(put, tmp_path: Path) -> None:
    scenario = found(put())
    (tmp_path / "acos.csv").unlink()
    (tmp_path / "again.yaml").write_text(canonical(scenario), encoding="utf-8")
    assert check(tmp_path / "again.yaml") == read(tmp_path / "again.yaml") == scenario


def test_the_digest_covers_the_figures_and_not_the_remarks(put) -> None:
    one = digest(found(put()))
    assert digest(found(put(TABLE.replace("A2,BY1,AGND,5000", "A2,BY1,AGND,5001")))) != one
    assert digest(found(put(TABLE.replace("A1,BY3,TOTAL,11443,11846.27,\n", "")))) == one


def test_optional_columns_give_regions_thresholds_and_shape(put) -> None:
    head, *rows = TABLE.splitlines()
    more = "truncation_usd,regional_pbpy_usd,regional_risk,completion_factor,cv"
    wide = [f"{row},500000,11000,1.1,1.01,2.0" for row in rows if "AGND" in row]
    plain = SCENARIO.replace(
        "    segments: {esrd: {churn_share: 0.2, risk_score: {2018: 1.1}}}\n", ""
    )
    scenario = found(put("\n".join([f"{head},{more}", *wide]), plain))
    part = scenario.population["first"].segments["aged_nondual"]
    assert part.regional_ppy[2016] == pytest.approx(10_000.0)
    assert part.expenditure_ppy[2016] == pytest.approx(10_144 * 1.01)
    assert scenario.market.truncation_usd["aged_nondual"][2018] == 500_000
    assert scenario.experience.severity.cv == {"aged_nondual": 2.0}


def test_parquet_gives_what_csv_gives(put, tmp_path: Path) -> None:
    path = put(TABLE.replace('"$76,278"', "76278"))
    scenario = found(path)
    table = pa.csv.read_csv(tmp_path / "acos.csv")
    pa.parquet.write_table(table, tmp_path / "acos.parquet")
    path.write_text(SCENARIO.replace("acos.csv", "acos.parquet"), encoding="utf-8")
    assert digest(found(path)) == digest(scenario)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("A1,BY1,ESRD,160", "A1,BY4,ESRD,160", "acos.csv:2: period is 'BY4'; must be BY1 to BY3"),
        ("A1,BY1,ESRD", "A1,BY1,ERSD", "acos.csv:2: enrollment_type is 'ERSD'; must be one of"),
        (",0.982", ",98%", "acos.csv:2: risk_score is '98%'; must be a number (98% is written"),
        (",0.982", ',"0,98"', "acos.csv:2: risk_score is '0,98'; must be a number (written 0.98)"),
        (",0.982", ",982", "population.first.segments.esrd.risk_score.2016 is 982.0; must be"),
        (",0.982", ",", "acos.csv:2: risk_score is empty; must be a number"),
        (",0.982", ",*", "acos.csv:2: risk_score is suppressed; must be a number"),
        ("ESRD,160", "ESRD,-160", "acos.csv:2: person_years is -160; must be at least 0"),
        ("A1,BY2,ESRD", "A1,BY1,ESRD", "is ESRD of 2016 again, first in line 2; once is allowed"),
        ("TOTAL,11443", "TOTAL,11500", "11,443.00 against 11,500.00 (-0.50%); must be within"),
        ('"$76,278"', "76,278", "acos.csv:2: has 7 cells and the header 6; must be as many"),
        ("risk_score\n", "risk\n", "acos.csv:1: has no column risk_score"),
        ("aco_id,", "aco_id;", "acos.csv:1: has no column aco_id"),
        ("risk_score\n", "risk_score,DOB\n", "DOB look like what identifies people; must be left"),
        ("A2,BY", "A3,BY", "acos.csv: aco_id has no row of 'A2'; it has 'A1', 'A3'"),
        ("A1,BY1,ESRD,160,", "A1,BY1,ESRD,1e400,", "acos.csv:2: person_years is '1e400'; must"),
    ],
)  # fmt: skip
def test_a_wrong_cell_is_one_line_with_its_place(put, old, new, said) -> None:
    assert old in TABLE
    assert any(said in line for line in lines(put(TABLE.replace(old, new))))


def test_mistakes_of_table_and_scenario_come_in_one_pass(put) -> None:
    path = put(TABLE.replace("160", "x"), SCENARIO.replace("option: E}", "option: Z}"))
    said = lines(path)
    assert any(line.startswith("acos.csv:2: person_years is 'x'") for line in said)
    assert any("contracts.e.option is 'Z'" in line for line in said)
    assert not any("needs people" in line for line in said)


def test_an_aco_without_people_says_so(put) -> None:
    scenario = SCENARIO.replace("A2: {segment_table: acos.csv, ", "A2: {")
    assert lines(put(scenario=scenario)) == [
        "x.yaml:9: population.A2 needs people: segments, or a segment_table or beneficiaries "
        "file of them"
    ]


@pytest.mark.parametrize("name", ["../acos.csv", "/etc/hostname", "https://x.org/a.csv", "link"])
def test_a_file_outside_the_folder_is_refused(put, tmp_path: Path, name: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "link").symlink_to(tmp_path / "acos.csv")
    put()
    path = inner / "x.yaml"
    path.write_text(SCENARIO.replace("acos.csv", name), encoding="utf-8")
    said = lines(path)
    assert len(said) == 2
    assert all("allowed is a file in the scenario's folder" in line for line in said)


def test_small_cells_and_what_gives_them_away_are_not_shown(put) -> None:
    table = TABLE.replace("ESRD,160", "ESRD,7").replace("ESRD,161", "ESRD,150")
    own = found(put(table)).data_quality.cells[:7]
    unseen = [one.group for one in own if one.person_years == "suppressed"]
    assert {"2016, esrd", "2016, aged_nondual"} < set(unseen)
    assert "2018, esrd" not in unseen
    assert all(one.expenditure_usd == one.person_years for one in own if one.group in unseen)


def test_control_totals_are_compared_and_kept(put) -> None:
    findings = {one.check: one for one in found(put()).data_quality.findings}
    assert findings["2018, person-years of all types"].found.startswith("11,443.00 against")
    assert findings["2018, dollars of all types"].holds
    files = found(put()).data_quality.files
    assert [(one.aco, one.rows) for one in files] == [("first", 8), ("A2", 3)]


def test_gaps_and_columns_not_read_are_warned_of(put) -> None:
    table = "\n".join(f"{line},{'note' if i == 0 else ''}" for i, line in enumerate(TABLE.split()))
    warnings = found(put(table)).data_quality.warnings
    assert any("years of aged_nondual: lacks 2022" in line for line in warnings)
    assert any("columns not read: 'note'" in line for line in warnings)


def test_a_table_of_nobody_gives_nobody(put) -> None:
    table = TABLE + "".join(f"A2,BY{n},ESRD,0,0,0\n" for n in (1, 2, 3))
    said = lines(put(table))
    assert np.all(["esrd" in line for line in said])
