"""Public-use files of every vintage, and files that are not what they should be."""

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from simulator.errors import ScenarioError
from simulator.population.published import Published, read

ROWS = {2013: 220, 2014: 333, 2015: 392, 2016: 432, 2017: 472,
        2018: 548, 2019: 475, 2020: 513, 2021: 475, 2022: 482}  # fmt: skip
OPTIONS = {
    2013: {"TRACK1": 215, "TRACK2": 5},
    2014: {"TRACK1": 330, "TRACK2": 3},
    2015: {"TRACK1": 389, "TRACK2": 3},
    2016: {"TRACK1": 410, "TRACK2": 6, "TRACK3": 16},
    2017: {"TRACK1": 433, "TRACK2": 6, "TRACK3": 33},
    2018: {"TRACK1": 453, "TRACK1PLUS": 52, "TRACK2": 7, "TRACK3": 36},
    2019: {"TRACK1": 389, "TRACK1PLUS": 47, "TRACK2": 7, "TRACK3": 32},
    2020: {"TRACK1": 133, "TRACK1PLUS": 19, "TRACK2": 2, "TRACK3": 5,
           "A": 54, "B": 136, "C": 20, "D": 1, "E": 69, "ENHANCED": 74},
    2021: {"TRACK1": 119, "TRACK1PLUS": 17, "TRACK2": 2, "TRACK3": 5,
           "A": 18, "B": 143, "C": 30, "D": 1, "E": 69, "ENHANCED": 71},
    2022: {"A": 29, "B": 169, "C": 25, "D": 15, "E": 98, "ENHANCED": 146},
}  # fmt: skip
HEADER = "ACO_ID,Current_Track,N_AB,MinSavPerc,EarnSaveLoss,Met_QPS,QualScore,ABtotBnchmk,ABtotExp"
ROW = 'A1,E,"12,345",1.00%,"$1,234,567",1,84.12%,"$150,000,000",140000000'


def written(folder: Path, *lines: str, name: str = "py2022.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes("\n".join(lines).encode(encoding))
    return path


@pytest.fixture(params=sorted(ROWS))
def published(request: pytest.FixtureRequest, public_data: Path) -> Published:
    return read("mssp", public_data / f"mssp_puf_{request.param}.csv")


def test_every_row_of_every_vintage_is_read(published: Published) -> None:
    assert len(published) == ROWS[published.year]
    assert Counter(published.options) == OPTIONS[published.year]
    assert not published.ragged


def test_shares_are_fractions_whatever_the_vintage_prints(published: Published) -> None:
    minimum = published.figures("minimum_savings_share")
    assert ((minimum >= 0.0) & (minimum < 0.26)).all()
    assert np.median(minimum) > 0.01
    sharing = published.figures("sharing_share")
    assert ((sharing >= 0.0) & (sharing <= 0.75)).all()
    assert 0.4 <= np.median(sharing) <= 0.5


def test_the_printed_savings_are_benchmark_less_expenditure(published: Published) -> None:
    found = published.figures("benchmark_usd") - published.figures("expenditure_usd")
    assert np.abs(found - published.figures("gross_savings_usd")).max() <= 1.0


def test_total_person_years_are_those_of_the_four_types(published: Published) -> None:
    kinds = ("esrd", "disabled", "aged_dual", "aged_nondual")
    parts = [published.figures(f"person_years.{kind}.PY") for kind in kinds]
    total = published.figures("person_years")
    known = np.isfinite(np.sum(parts, axis=0))
    assert known.mean() > 0.9
    assert np.abs(np.sum(parts, axis=0) - total)[known].max() <= 2.0


def test_a_header_with_its_missing_name_put_in_reads_the_same(
    public_data: Path, tmp_path: Path
) -> None:
    shifted = read("mssp", public_data / "mssp_puf_2013.csv")
    with (public_data / "mssp_puf_2013.csv").open(encoding="utf-8-sig", newline="") as file:
        header, *rows = list(csv.reader(file))
    at = header.index("Total savings/losses ($)")
    lost = header.index("Total performance year spending per assigned beneficiary")
    mended = [*header[:at], "Total expenditures ($)", *header[at:lost], *header[lost + 1 :]]
    with (tmp_path / "py2013.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([mended, *rows])
    straight = read("mssp", tmp_path / "py2013.csv")
    assert straight.columns == shifted.columns


def test_names_are_known_in_any_case_and_spelling(tmp_path: Path) -> None:
    for header in (
        HEADER,
        HEADER.lower(),
        HEADER.replace("ABtotB", "ab_tot_b"),
        f"\ufeff{HEADER}",
    ):
        found = read("mssp", written(tmp_path, header, ROW))
        assert found.figures("persons") == [12_345.0]
        assert found.figures("benchmark_usd") == [150_000_000.0]
        assert found.figures("minimum_savings_share") == [0.01]


def test_a_file_of_windows_is_read(tmp_path: Path) -> None:
    header, row = f"{HEADER},ACO_Name", f"{ROW},Clínica"
    found = read("mssp", written(tmp_path, header, row, encoding="cp1252"))
    assert found.texts("name") == ("Clínica",)


@pytest.mark.parametrize(
    "name",
    ["py2022.csv", "PY_Financial_and_Quality_Results_2022_revised 2026_07_17.csv", "x-2022-b.csv"],
)
def test_the_year_is_read_from_the_name(tmp_path: Path, name: str) -> None:
    assert read("mssp", written(tmp_path, HEADER, ROW, name=name)).year == 2022


def test_the_year_of_a_column_stands_before_that_of_the_name(tmp_path: Path) -> None:
    path = written(tmp_path, f"{HEADER},Performance_Year", f"{ROW},2021.0")
    assert read("mssp", path).year == 2021
    assert read("mssp", path, year=2020).year == 2020


def test_a_file_of_no_year_or_of_two_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no column and no file name says the year"):
        read("mssp", written(tmp_path, HEADER, ROW, name="results.csv"))
    two = written(tmp_path, f"{HEADER},year", f"{ROW},2021", f"{ROW},2022")
    with pytest.raises(ScenarioError, match="year holds 2021, 2022; one year is needed"):
        read("mssp", two)


def test_each_missing_column_is_a_line_with_the_nearest_name(tmp_path: Path) -> None:
    header = HEADER.replace("ABtotBnchmk", "ABtotBnchmrk").replace("EarnSaveLoss", "Paid")
    with pytest.raises(ScenarioError) as error:
        read("mssp", written(tmp_path, header, ROW))
    benchmark, settlement = error.value.messages
    assert ":1: has no column ABtotBnchmk or Total benchmark" in benchmark
    assert benchmark.endswith("did you mean 'ABtotBnchmrk'?")
    assert "has no column EarnSaveLoss" in settlement


def test_a_file_without_a_track_is_refused(tmp_path: Path) -> None:
    header = HEADER.replace("Current_Track", "Level")
    with pytest.raises(ScenarioError, match="has no column Current_Track"):
        read("mssp", written(tmp_path, header, ROW))


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="has n_ab twice, in columns 3 and 10; once"):
        read("mssp", written(tmp_path, f"{HEADER},n_ab", f"{ROW},7"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no rows"),
        (HEADER.encode(), "holds no rows"),
        (HEADER.encode("utf-16-le"), "is no comma-separated text: it holds null bytes"),
        (b"\x81\x8d\x8f\xff", "is no comma-separated text"),
    ],
)
def test_what_holds_no_results_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "py2022.csv"
    path.write_bytes(content)
    with pytest.raises(ScenarioError, match=said):
        read("mssp", path)


def test_a_name_with_two_years_does_not_say_which(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER, ROW, name="2026_revised_2024.csv")
    with pytest.raises(ScenarioError, match="its name has 2026, 2024; say which is the year"):
        read("mssp", path)
    assert read("mssp", path, 2024).year == 2024
    again = written(tmp_path, HEADER, ROW, name="2026_revised_PY2024.csv")
    assert read("mssp", again).year == 2024


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot be read: No such file") as error:
        read("mssp", tmp_path / "none.csv")
    assert len(error.value.messages) == 1


def test_another_program_has_no_public_use_files(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="'tcoc' has no public-use files"):
        read("tcoc", tmp_path / "none.csv")


def test_one_mistyped_cell_does_not_change_the_unit_of_a_column(tmp_path: Path) -> None:
    rows = [ROW.replace("84.12%", score) for score in ("0.8412", "0.9", "84.12", "1")]
    found = read("mssp", written(tmp_path, HEADER, *rows)).figures("quality_score")
    np.testing.assert_array_equal(found, [0.8412, 0.9, np.nan, 1.0])


def test_empty_lines_hold_no_row_and_ragged_ones_are_told(tmp_path: Path) -> None:
    found = read("mssp", written(tmp_path, HEADER, ROW, "", ",,,,,,,,", "A2,E,3", f"{ROW},,9"))
    assert found.aco_ids == ("A1", "A2", "A1")
    assert found.lines == (2, 5, 6)
    assert found.ragged == {
        1: "line 5 has 3 cells; the header has 9",
        2: "line 6 has 11 cells; the header has 9",
    }
