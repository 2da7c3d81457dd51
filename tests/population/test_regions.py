"""Regions from county tables: the worked example, CMS's own file, and a line for every mistake."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from simulator.errors import ScenarioError
from simulator.population import filled, project
from simulator.population.regions import growth, region, tables
from simulator.scenario.schema import Scenario

HEADER = (
    "Year,State Name,County Name,State ID,County ID,"
    "Per capita ESRD expenditures,Average ESRD HCC risk score,ESRD person-years ,"
    "Per capita DISABLED expenditures,Average DISABLED HCC risk score,DISABLED person-years ,"
    "Per capita AGED/DUAL expenditures,Average AGED/DUAL HCC risk score,AGED/DUAL person-years ,"
    "Per capita AGED/NON-DUAL expenditures,Average AGED/NON-DUAL HCC risk score,"
    "AGED/NON-DUAL person-years "
)
OTHERS = "80000,1,50,11000,1,500,16000,1,400"
WORKED = (
    f"2018,Ohio,Adams,36,0,{OTHERS},10000,1.0,10000",
    f"2018,Ohio,Allen,36,10,{OTHERS},9600,0.8,12000",
)
PEOPLE = {"Ohio/Adams": {"aged_nondual": 9_000.0}, "36-10": {"aged_nondual": 2_000.0}}


def table(folder: Path, rows: Sequence[str] = WORKED, name: str = "counties.csv") -> None:
    (folder / name).write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")


def scenario(people: object = PEOPLE, files: Sequence[str] = ("counties.csv",)) -> Scenario:
    part = {
        "person_years": {2018: 11_000},
        "expenditure_ppy": {2016: 10_000, 2017: 10_000, 2018: 10_000},
        "risk_score": {2016: 1.0, 2017: 1.0, 2018: 1.0},
    }
    aco = {"segments": {"aged_nondual": part}, "agreement": {"start": 2019}, "counties": people}
    return Scenario.model_validate(
        {
            "name": "x",
            "years": (2022,),
            "market": {"national_ppy": {"aged_nondual": {2018: 10_000.0}}, "counties": files},
            "population": {"lakeshore": aco},
            "contracts": {"e": {"program": "mssp", "option": "E"}},
        }
    )


def test_the_worked_example_gives_the_national_weight_and_the_region(tmp_path: Path) -> None:
    table(tmp_path)
    found = filled(scenario(), tmp_path)
    part = found.population["lakeshore"].segments["aged_nondual"]
    # V11 4.1.2: 9,000 of 10,000 and 2,000 of 12,000
    assert part.assigned_share[2018] == pytest.approx(9 / 11 * 0.9 + 2 / 11 / 6)
    assert part.regional_ppy[2018] == pytest.approx(9 / 11 * 10_000 + 2 / 11 * 12_000)
    assert not found.population["lakeshore"].counties
    assert found.market.counties == ()


def test_figures_that_are_typed_in_stand(tmp_path: Path) -> None:
    table(tmp_path)
    one = scenario().model_dump(exclude_none=True)
    one["population"]["lakeshore"]["segments"]["aged_nondual"]["regional_ppy"] = {2018: 9_999.0}
    found = filled(Scenario.model_validate(one), tmp_path).population["lakeshore"]
    assert found.segments["aged_nondual"].regional_ppy == {2018: 9_999.0}


def test_an_acos_people_may_stand_in_a_file_of_their_own(tmp_path: Path) -> None:
    table(tmp_path)
    lines = [
        "State,County,ESRD,Disabled,Aged_Dual,Aged_NonDual",
        'Ohio,Adams,,,,"9,000"',
        "ohio,ALLEN,-,,,2000",
    ]
    (tmp_path / "people.csv").write_text("\n".join(lines), encoding="utf-8")
    assert filled(scenario("people.csv"), tmp_path) == filled(scenario(), tmp_path)


def test_years_of_several_tables_give_the_growth_of_the_region(tmp_path: Path) -> None:
    table(tmp_path)
    later = [
        row.replace("2018", "2019", 1).replace(",10000,1.0,", ",10500,1.0,") for row in WORKED
    ]
    table(tmp_path, later, "later.csv")
    counties = tables(["counties.csv", "later.csv"], tmp_path)
    years = {year: region(counties, PEOPLE, "aged_nondual", year) for year in (2018, 2019)}
    blended = 9 / 11 * 10_000 + 2 / 11 * 12_000
    assert growth(years, 2019, 2018) == pytest.approx((blended + 9 / 11 * 500) / blended)


def test_a_scenario_whose_counties_are_not_filled_in_is_refused(tmp_path: Path) -> None:
    one = scenario()
    with pytest.raises(ScenarioError, match=r"population\.lakeshore\.counties: are not read"):
        project(one.population, one.market, one.years, 0.04)


@pytest.mark.parametrize(
    ("row", "people", "said"),
    [
        (WORKED[0], {"Ohio/Adam": {"aged_nondual": 1.0}}, "did you mean ohio/adams?"),
        (WORKED[0], {"Ohio/Adams": {"aged_nondual": 10_001.0}}, "is 10,001 of 10,000 assignable"),
        (
            WORKED[0].replace("10000,1.0,10000", "*,*,*"),
            {"Ohio/Adams": {"aged_nondual": 9.0}},
            "Ohio/Adams: aged_nondual is suppressed at {file}:2: Per capita AGED/NON-DUAL",
        ),
        (
            WORKED[0].replace("10000,1.0,", "10000,0,"),
            {"Ohio/Adams": {"aged_nondual": 9.0}},
            "aged_nondual is 0 at {file}:2",
        ),
        (
            WORKED[0].replace("10000,1.0,", "x,1.0,"),
            {"Ohio/Adams": {"aged_nondual": 9.0}},
            "{file}:2: Per capita AGED/NON-DUAL expenditures: is 'x'; must be a number",
        ),
        (
            WORKED[0].replace("2018", "18", 1),
            {"Ohio/Adams": {"aged_nondual": 9.0}},
            "{file}:2: Year: is '18'; must be a calendar year",
        ),
    ],
)
def test_every_mistake_names_its_file_line_column_and_value(
    row: str, people: object, said: str, tmp_path: Path
) -> None:
    table(tmp_path, [row])
    with pytest.raises(ScenarioError) as caught:
        filled(scenario(people), tmp_path)
    assert len(caught.value.messages) == 1
    assert said.format(file=tmp_path / "counties.csv") in caught.value.messages[0]


@pytest.mark.parametrize("name", ["../outside.csv", "/etc/passwd", "missing.csv", "."])
def test_files_outside_the_scenarios_folder_are_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "outside.csv").write_text(HEADER, encoding="utf-8")
    inner = tmp_path / "inner"
    inner.mkdir()
    with pytest.raises(ScenarioError, match="is not found; allowed is a file in the scenario's"):
        filled(scenario(files=(name,)), inner)


def test_a_link_that_leads_outside_is_refused(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    table(tmp_path)
    (inner / "counties.csv").symlink_to(tmp_path / "counties.csv")
    with pytest.raises(ScenarioError, match="is not found"):
        filled(scenario(), inner)


def test_a_table_that_lacks_columns_names_them(tmp_path: Path) -> None:
    (tmp_path / "counties.csv").write_text("Year,State Name,County\n2018,Ohio,Adams\n")
    with pytest.raises(ScenarioError) as caught:
        filled(scenario(), tmp_path)
    assert "has no column County Name; did you mean County?" in caught.value.messages[0]
    assert len(caught.value.messages) == 15


def test_counties_without_tables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"lakeshore\.counties: needs market\.counties"):
        filled(scenario(files=()), tmp_path)


def test_cmss_own_table_is_read_and_averages_to_the_nation(public_data: Path) -> None:
    counties = tables(["mssp_county_ffs_2018.csv"], public_data)
    names = [key.county for key in counties if key.entitlement == "aged_nondual"]
    everywhere = {
        name: {"aged_nondual": 0.01 * counties[name, "aged_nondual", 2018].person_years}
        for name in names
        if "/" in name and counties[name, "aged_nondual", 2018].expenditure_ppy > 0.0
    }
    found = region(counties, everywhere, "aged_nondual", 2018)
    assert len(everywhere) > 3_000
    assert found.assigned_share == pytest.approx(0.01)
    # The file's own mean is 10,172.87, at a mean score of 1; counties' ratios spread around it.
    assert found.regional_ppy == pytest.approx(10_172.87, rel=0.02)
