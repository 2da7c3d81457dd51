"""Files of beneficiaries: sums over eleven persons or more, and not a word about one of them."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from simulator.engine.checking import check
from simulator.engine.simulate import simulate
from simulator.engine.tracks import tracks
from simulator.errors import ScenarioError
from simulator.population.beneficiaries import grouped, person_year_cv
from simulator.scenario.reading import digest
from simulator.scenario.schema import Scenario
from simulator.scenario.sweep import cases

HEADER = "row_key,year,enrollment_type,months,paid_usd,risk_score,tin_group,died"
YEARS = (2016, 2017, 2018)
SCENARIO = """\
name: persons
years: [2022]
population:
  lakeshore: {beneficiaries: people.csv, agreement: {start: 2019}}
market:
  national_ppy:   {aged_nondual: {2016: 9_900, 2017: 10_100, 2018: 10_500}}
  truncation_usd: {aged_nondual: {2016: 120_000, 2017: 120_000, 2018: 120_000}}
contracts: {e: {program: mssp, option: E}}
"""


def people(count: int = 400, kind: str = "AGND") -> list[list[str]]:
    """Return rows of people whose figures are round: 12 months, or 6 for every tenth."""
    return [
        f"K{n:05d},{year},{kind},{6 if n % 10 == 0 else 12},{100 * n},1.0,G{n % 3},0".split(",")
        for n in range(count)
        for year in YEARS
    ]


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    def written(rows: Sequence[Sequence[str]], header: str = HEADER, tail: str = "") -> Path:
        lines = [header, *(",".join(row) for row in rows)]
        (tmp_path / "people.csv").write_text("\n".join(lines) + "\n" + tail, encoding="utf-8")
        (tmp_path / "x.yaml").write_text(SCENARIO, encoding="utf-8")
        return tmp_path / "x.yaml"

    return written


def lines(path: Path) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        check(path)
    return [message.replace(f"{path.parent}/", "") for message in caught.value.messages]


def part(scenario: Scenario, kind: str = "aged_nondual"):
    return scenario.population["lakeshore"].segments[kind]


def test_person_years_are_months_over_twelve_and_heads_are_counted(put) -> None:
    scenario = check(put(people()))
    assert part(scenario).person_years == dict.fromkeys(YEARS, 380.0)
    assert scenario.population["lakeshore"].persons == dict.fromkeys(YEARS, 400)
    assert scenario.population["lakeshore"].beneficiaries is None


def test_spending_is_annualised_cut_and_weighed_by_months(put) -> None:
    rows = people()
    rows[-3][4] = "200000"
    paid = np.array([float(row[4]) for row in rows if row[1] == "2016"])
    months = np.array([float(row[3]) for row in rows if row[1] == "2016"])
    annual = np.minimum(paid * 12 / months, 120_000.0)
    expected = (annual * months).sum() / months.sum()
    assert part(check(put(rows))).expenditure_ppy[2016] == pytest.approx(expected)


def test_the_spread_of_spending_is_that_of_the_total(put) -> None:
    scenario = check(put(people()))
    law = scenario.experience.severity
    paid = 100.0 * np.arange(400)
    months = np.where(np.arange(400) % 10 == 0, 6.0, 12.0)
    # The total of n independent person-years of this cv varies as that of the persons does.
    total = np.sqrt(400) * paid.std() / paid.sum()
    assert law.cv["aged_nondual"] / np.sqrt(380.0) == pytest.approx(total, rel=1e-5)
    assert law.cv["aged_nondual"] == pytest.approx(person_year_cv(paid, months), abs=1e-6)
    assert "aged_nondual" not in law.zero_share  # one person spends nothing


def test_groups_hold_eleven_persons_and_keep_the_mean(put) -> None:
    rng = np.random.default_rng(1)
    spent = np.append(rng.lognormal(9.0, 1.5, 5_000), np.zeros(300))
    counts, means = grouped(spent)
    assert min(counts) >= 11
    assert len(counts) <= 420
    assert np.dot(counts, means) == pytest.approx(spent.sum())
    cap = np.quantile(spent, 0.995)  # beyond it the largest are averaged, and CMS truncates
    again, cut = np.minimum(np.repeat(means, counts), cap), np.minimum(spent, cap)
    assert again.std() / again.mean() == pytest.approx(cut.std() / cut.mean(), rel=0.005)


@pytest.mark.parametrize("count", [11, 12, 22, 23, 33, 34, 35, 200])
def test_few_persons_make_groups_of_eleven_too(count: int) -> None:
    for zeros in (0, 5, 11, 40):
        counts, _ = grouped(np.append(np.arange(1.0, count + 1.0), np.zeros(zeros)))
        assert min(counts) >= 11, (count, zeros)
        assert sum(counts) == count + zeros


def test_the_empirical_family_draws_from_the_groups(put) -> None:
    path = put(people())
    whole = check(path, ["experience.severity.family=empirical", "experience.trend.sd=0.0"])
    case = cases(whole)[0]
    spent = simulate(case, tracks(case), range(500))["e"].expenditure_usd.values.ravel()
    fitted = check(path, ["experience.severity.family=gamma", "experience.trend.sd=0.0"])
    case = cases(fitted)[0]
    other = simulate(case, tracks(case), range(500))["e"].expenditure_usd.values.ravel()
    # Both have the cv of the file; 500 trials give a standard deviation to 3.2%.
    assert spent.std() == pytest.approx(other.std(), rel=0.13)
    assert spent.mean() == pytest.approx(other.mean(), rel=0.01)


def test_parquet_gives_what_csv_gives(put, tmp_path: Path) -> None:
    path = put(people())
    from_csv = digest(check(path))
    table = pa.csv.read_csv(tmp_path / "people.csv")
    pa.parquet.write_table(table, tmp_path / "people.parquet")
    path.write_text(SCENARIO.replace("people.csv", "people.parquet"), encoding="utf-8")
    assert digest(check(path)) == from_csv


def test_a_segment_table_stands_before_beneficiaries(put, tmp_path: Path) -> None:
    path = put(people())
    rows = [f"lakeshore,BY{n},AGND,{390 + n},20000,1.01" for n in (1, 2, 3)]
    head = "aco_id,period,enrollment_type,person_years,pbpy_usd,risk_score"
    (tmp_path / "t.csv").write_text("\n".join([head, *rows]), encoding="utf-8")
    path.write_text(SCENARIO.replace("people.csv,", "people.csv, segment_table: t.csv,"))
    scenario = check(path)
    assert part(scenario).person_years[2016] == 391.0
    said = [one.found for one in scenario.data_quality.findings if "person_years" in one.check]
    assert said[0] == "380.0 here; 391.0 stands"


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        (0, "", "people.csv:5: row_key is wrong in 1 rows, this one first; must be an opaque key"),
        (1, "1916", "people.csv:5: year is wrong in 1 rows, this one first; must be a calendar"),
        (2, "SECRET", "people.csv:5: enrollment_type is wrong in 1 rows, this one first; must be"),
        (3, "13", "people.csv:5: months is wrong in 1 rows, this one first; must be a whole"),
        (3, "1.5", "people.csv:5: months is wrong in 1 rows"),
        (
            4,
            "SECRET",
            "people.csv:5: paid_usd is wrong in 1 rows, this one first; must be dollars",
        ),
        (4, "nan", "people.csv:5: paid_usd is wrong in 1 rows"),
        (4, "1e99", "people.csv:5: paid_usd is wrong in 1 rows"),
        (5, "0", "people.csv:5: risk_score is wrong in 1 rows"),
        (7, "SECRET", "people.csv:5: died is wrong in 1 rows, this one first; must be 0 or 1"),
        (0, "1EG4-TE5-MK73", "row_key holds what look like Medicare Beneficiary Identifiers"),
        (0, "123-45-6789", "row_key holds what look like social security numbers; must be left"),
        (0, "1eg4te5mk73", "row_key holds what look like Medicare Beneficiary Identifiers"),
        (0, "1EG4 TE5 MK73", "row_key holds what look like Medicare Beneficiary Identifiers"),
        (0, "1EG4\N{EN DASH}TE5\N{EN DASH}MK73", "row_key holds what look like Medicare Benef"),
        (0, "1-E-G-4-T-E-5-M-K-7-3", "row_key holds what look like Medicare Beneficiary"),
        (0, "\N{FULLWIDTH DIGIT ONE}EG4TE5MK73", "row_key holds what look like Medicare Benef"),
        (0, "1EG4\N{ZERO WIDTH SPACE}TE5MK73", "row_key holds what look like Medicare Benefic"),
        (0, "123 45 6789", "row_key holds what look like social security numbers"),
        (0, "123.45.6789", "row_key holds what look like social security numbers"),
        (6, "123-45-6789a", "tin_group holds what look like health insurance claim numbers"),
        (6, "123456789a", "tin_group holds what look like health insurance claim numbers"),
        (6, "01MAY1943", "tin_group holds what look like dates"),
        (6, "may 1 1943", "tin_group holds what look like dates"),
        (6, "1943.05.01", "tin_group holds what look like dates"),
        (6, "60699 1234", "tin_group holds what look like ZIP codes"),
        (6, "+15551234567", "tin_group holds what look like phone numbers"),
        (6, "15551234567", "tin_group holds what look like phone numbers"),
        (6, "A @ B.org", "tin_group holds what look like addresses of electronic mail"),
        (0, "123456789", "row_key holds what look like social security numbers"),
        (6, "123456789A", "tin_group holds what look like health insurance claim numbers"),
        (6, "1943-05-01", "tin_group holds what look like dates"),
        (4, "(555) 123-4567", "paid_usd holds what look like phone numbers"),
        (6, "a@b.org", "tin_group holds what look like addresses of electronic mail"),
    ],
)
def test_a_wrong_cell_is_told_by_line_and_never_quoted(put, column, value, said) -> None:
    rows = people()
    rows[3][column] = value
    found = lines(put(rows))
    assert any(said in line for line in found), found
    assert not any("SECRET" in line or (value and f"'{value}'" in line) for line in found)


@pytest.mark.parametrize("title", ["bene_mbi", "DOB", "First Name", "zip5", "home_phone", "SSN"])
def test_a_column_that_identifies_is_refused_by_its_name(put, title: str) -> None:
    found = lines(put([[*row, "x"] for row in people()], f"{HEADER},{title}"))
    assert found == [
        f"people.csv:1: has a column that identifies people, {title!r}; must be left out"
    ]


def test_persons_are_there_once_a_year(put) -> None:
    rows = people()
    again = lines(put([*rows, rows[5]]))
    assert any(
        "row_key is there twice in a year and type, in fewer than 11 rows" in x for x in again
    )
    other = [rows[5][0], rows[5][1], "ESRD", *rows[5][3:]]
    assert any(
        "more than 12 in a year for fewer than 11 persons" in x for x in lines(put([*rows, other]))
    )


def test_few_persons_of_a_type_may_not_be_stored(put) -> None:
    found = lines(put([*people(), *people(3, "ESRD")]))
    assert any("are 1 to 10 persons of esrd in 2016" in line for line in found)


def test_a_ragged_row_is_told_by_its_line(put) -> None:
    assert lines(put(people(), tail="a,b,c\n"))[0].startswith(
        "x.yaml:4: population.lakeshore.beneficiaries is 'people.csv': people.csv:1202: has not as"
    )


def test_blank_lines_do_not_shift_the_lines(put) -> None:
    rows = people()
    rows[4][3] = "13"
    path = put([*rows[:2], [], *rows[2:]])
    assert lines(path)[0].startswith("people.csv:7: months is wrong")


def test_groups_of_providers_are_shown_without_small_cells(put) -> None:
    rows = people()
    for row in rows:
        if row[0] in ("K00001", "K00002"):
            row[6] = "TINY"
    cells = {one.group: one.persons for one in check(put(rows)).data_quality.cells}
    groups = {name: n for name, n in cells.items() if name.startswith("group")}
    assert "group, 2018, TINY" not in groups, "few people may be named by their group"
    assert groups["group, 2018, all others"] == "suppressed"
    assert list(groups.values()).count("suppressed") == 2


def test_groups_that_are_zip_codes_are_refused(put) -> None:
    rows = people()
    rows[3][6] = "60699"
    assert "tin_group holds what look like ZIP codes" in lines(put(rows))[0]


def test_a_file_without_a_header_is_told_so_and_not_quoted(put) -> None:
    path = put(people())
    table = path.with_name("people.csv")
    held = table.read_text(encoding="utf-8").splitlines()
    first = "row_key0,2016,AGND,12,100.5,1.0,Canary Zip,0"
    table.write_text("\n".join([first, *held[1:]]), encoding="utf-8")
    (told,) = lines(path)
    assert told.startswith("people.csv:1: has no header; must name its columns, row_key, year")
    assert "row_key0" not in told
    assert "Canary" not in told


def test_what_was_found_is_for_an_actuary_to_judge(put) -> None:
    rows = people()
    for row in rows[:36]:
        row[4] = "-10"
    for row in rows:
        row[5] = "6.0"
    quality = check(put(rows)).data_quality
    findings = {one.check: one.found for one in quality.findings}
    assert findings["rows"] == "1,200, years 2016, 2017, 2018"
    assert findings["rows with negative spending"] == "36"
    assert any("risk_score of aged_nondual in 2016: is 6.000" in line for line in quality.warnings)


def test_columns_that_read_alike_are_refused_by_name(put, tmp_path: Path) -> None:
    said = (
        "people.csv:1: has columns that read alike, 'paid_usd' and 'Paid USD'; one of them is"
        " allowed (names are compared without case, spaces and signs)"
    )
    path = put([[*row, "9"] for row in people()], f"{HEADER},Paid USD")
    assert said in lines(path)[0]
    table = pa.csv.read_csv(tmp_path / "people.csv")
    pa.parquet.write_table(table, tmp_path / "people.parquet")
    path.write_text(SCENARIO.replace("people.csv", "people.parquet"), encoding="utf-8")
    assert said.replace(".csv", ".parquet") in lines(path)[0]


def stored(path: Path, table: pa.Table) -> list[str]:
    pa.parquet.write_table(table, path.with_name("people.parquet"))
    path.write_text(SCENARIO.replace("people.csv", "people.parquet"), encoding="utf-8")
    return lines(path)


def test_a_claim_number_kept_as_a_figure_is_seen(put, tmp_path: Path) -> None:
    path = put(people())
    table = pa.csv.read_csv(tmp_path / "people.csv")
    keys = pa.array(np.repeat(np.arange(123_456_000.0, 123_456_400.0), 3))
    told = stored(path, table.set_column(0, "row_key", keys))
    assert "row_key holds what look like social security numbers" in told[0]


def test_a_small_file_of_many_rows_is_refused_unread(put, tmp_path: Path) -> None:
    path = put(people())
    table = pa.csv.read_csv(tmp_path / "people.csv").slice(0, 1)
    many = table.take(pa.array(np.zeros(2_000_001, dtype=np.int32)))
    (told,) = stored(path, many)
    assert "holds 2,000,001 rows; at most 2,000,000 are allowed (keep one row" in told


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (
            pa.DictionaryArray.from_arrays(np.zeros(1200, np.int32), ["x" * 2**20]),
            "bytes unpacked",
        ),
        (pa.array(["x" * 2**20] * 1200), "bytes unpacked; at most 268,435,456 are allowed"),
        (pa.array([[[[1]]]] * 1200), "column 'remark' holds list<"),
        (pa.array([{"a": 1}] * 1200), "column 'remark' holds struct<"),
    ],
)
def test_bombs_of_parquet_are_refused_in_words(put, tmp_path: Path, column, said: str) -> None:
    path = put(people())
    table = pa.csv.read_csv(tmp_path / "people.csv")
    assert said in stored(path, table.append_column("remark", column))[0]


def with_changers(changers: int, count: int = 60) -> list[list[str]]:
    """Return a year of people, the first of whom were disabled for half of it."""
    rows = [f"K{n:03d},2018,AGND,6,{100 + n},1.0,G{n % 3},0".split(",") for n in range(count)]
    return rows + [[row[0], "2018", "DIS", *row[3:]] for row in rows[:changers]]


def yearly(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [[row[0], str(year), *row[2:]] for row in rows for year in YEARS]


NATIONAL = "market.national_ppy.disabled={2016: 9_900, 2017: 10_100, 2018: 10_500}"


def test_how_many_people_changed_type_does_not_follow_from_what_is_shown(put) -> None:
    stays = [f"S{n:03d},2018,DIS,12,{50 + n},1.0,G{n % 3},0".split(",") for n in range(40)]
    few = check(put(yearly([*with_changers(5), *stays])), [NATIONAL])
    assert 2018 not in few.population["lakeshore"].persons
    found = {one.check: one.found for one in few.data_quality.findings}
    assert found["persons in 2018"] == (
        "not taken: 1 to 10 persons of 2018 have two enrollment types"
    )
    assert not [one for one in few.data_quality.cells if one.group.startswith("group")]
    many = check(put(yearly([*with_changers(20), *stays])), [NATIONAL])
    assert many.population["lakeshore"].persons == dict.fromkeys(YEARS, 100)


def test_a_group_is_named_by_persons_and_not_by_rows(put) -> None:
    rows = with_changers(33)
    for row in rows:
        row[6] = "TINY" if row[0] < "K010" else "G0"
    groups = [one.group for one in check(put(yearly(rows)), [NATIONAL]).data_quality.cells]
    assert not [name for name in groups if "TINY" in name]


def test_errors_do_not_count_few_persons(put) -> None:
    rows = people()
    assert any("in fewer than 11 rows" in line for line in lines(put([*rows, *rows[:5]])))
    assert any("in 12 rows" in line for line in lines(put([*rows, *rows[:12]])))


def test_few_who_spend_give_no_spread_and_no_groups(put) -> None:
    rows = people()
    for number, row in enumerate(rows):
        row[4] = "500" if number < 15 else "0"
    scenario = check(put(rows))
    law = scenario.experience.severity
    assert "aged_nondual" not in {**law.cv, **law.zero_share, **law.groups}
    found = {one.check: one.found for one in scenario.data_quality.findings}
    assert found["spread of aged_nondual"] == "not taken: 1 to 10 persons spend anything"


def test_counts_that_leave_few_people_are_not_shown(put) -> None:
    rows = [[*row[:7], "1" if int(row[0][1:]) >= 5 else "0"] for row in people()]
    for row in rows:
        row[4] = "-1" if int(row[0][1:]) in range(12) else "0" if row[0] == "K00012" else row[4]
    found = {one.check: one.found for one in check(put(rows)).data_quality.findings}
    assert found["deaths"] == "suppressed"  # five live
    assert found["rows with negative spending"] == "suppressed"  # one of those without any


@pytest.mark.parametrize("seed", range(12))
def test_no_small_count_can_be_solved_from_what_is_shown(put, seed: int) -> None:
    """Sums over types, over groups, of severity and heads: no combination is 1 to 10."""
    rng = np.random.default_rng(seed)
    rows = with_changers(int(rng.integers(0, 40)), 300)
    rows += [f"S{n:03d},2018,DIS,12,{50 + n},1.0,G0,0".split(",") for n in range(30)]
    for row in rows:
        row[6] = f"G{rng.integers(0, 3) if rng.random() < 0.3 else int(row[0][1:]) % 4}"
        row[4] = "0" if rng.random() < rng.choice([0.02, 0.2]) else row[4]
    scenario = check(put(yearly(rows)), [NATIONAL])
    cells = scenario.data_quality.cells
    shown = {
        one.group: int(one.persons.replace(",", ""))
        for one in cells
        if one.persons != "suppressed" and "2018" in one.group
    }
    groups = [n for name, n in shown.items() if name.startswith("group")]
    whole = [one for one in cells if one.group.startswith("group")]
    kinds = sum(n for name, n in shown.items() if not name.startswith("group"))
    heads = scenario.population["lakeshore"].persons.get(2018)
    law = scenario.experience.severity.groups.get("aged_nondual")
    sums = [kinds, *([sum(groups)] if len(groups) == len(whole) and groups else [])]
    sums += [heads] if heads else []
    for signs in itertools.product((-1, 0, 1), repeat=len(sums)):
        assert not 1 <= int(np.dot(signs, sums)) <= 10, (sums, signs)
    if law is not None:
        part = np.cumsum(law.persons)
        assert min(law.persons) >= 11
        own = next(n for name, n in shown.items() if "aged_nondual" in name)
        assert not any(1 <= own - count <= 10 for count in part)
    assert min([*groups, kinds]) >= 11
