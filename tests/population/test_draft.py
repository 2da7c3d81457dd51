"""A scenario drafted from one row: what the row says, and no more."""

import csv
from collections.abc import Mapping
from pathlib import Path

import pytest

from simulator.errors import ScenarioError
from simulator.loading import scan_text
from simulator.population.draft import Draft, draft
from simulator.population.published import read


@pytest.fixture
def row(public_data: Path) -> dict[str, str]:
    with (public_data / "mssp_puf_2022.csv").open(encoding="utf-8-sig") as file:
        return next(row for row in csv.DictReader(file) if row["ACO_ID"] == "A2021")


def drafted(folder: Path, row: Mapping[str, str], aco_id: str = "A2021") -> Draft:
    path = folder / "py2022.csv"
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, list(row))
        writer.writeheader()
        writer.writerow(row)
    return draft(read("mssp", path), aco_id)


def aco(made: Draft) -> dict[str, object]:
    (only,) = made.tree["population"].values()
    return only


def test_the_text_reads_back_as_the_values(tmp_path: Path, row: dict[str, str]) -> None:
    made = drafted(tmp_path, row | {"ACO_Name": 'North: "#1"\n& South\x07, Inc.'})
    found = scan_text(made.text(), "draft")
    assert not found.mistakes
    assert found.value == made.tree
    assert 'North: "#1" & South, Inc.' in made.tree["about"]


def test_every_figure_has_the_column_it_comes_from(tmp_path: Path, row: dict[str, str]) -> None:
    text = drafted(tmp_path, row).text()
    assert "historical_benchmark_ppy: 12416  # HistBnchmk" in text
    assert "minimum_savings: 0.01  # MinSavPerc 1.00%" in text
    assert "start: 2019  # Current_Start_Date 07/01/2019" in text


def test_a_type_with_a_suppressed_figure_is_left_out_and_said(
    tmp_path: Path, row: dict[str, str]
) -> None:
    made = drafted(tmp_path, row | {"N_AB_Year_ESRD_PY": "*"})
    assert set(aco(made)["segments"]) == {"disabled", "aged_dual", "aged_nondual"}
    assert "esrd" not in aco(made)["observed"]["expenditure_ppy"]
    said = "Left out: N_AB_Year_ESRD_PY is '*' (suppressed); a number is needed."
    (at,) = (path for path in made.tree["sources"] if path.endswith(".segments.esrd"))
    assert made.tree["sources"][at] == said
    assert made.warnings == ()


def test_a_row_without_any_type_is_refused(tmp_path: Path, row: dict[str, str]) -> None:
    spoilt = {name: "*" for name in row if name.startswith("Per_Capita_Exp_ALL")}
    with pytest.raises(ScenarioError) as error:
        drafted(tmp_path, row | spoilt)
    assert len(error.value.messages) == 4


def test_a_row_that_lacks_what_every_scenario_needs_says_so_at_once(
    tmp_path: Path, row: dict[str, str]
) -> None:
    spoilt = {"HistBnchmk": "*", "Current_Track": "?", "Current_Start_Date": "-"}
    with pytest.raises(ScenarioError) as error:
        drafted(tmp_path, row | spoilt)
    assert error.value.messages == (
        "A2021: Current_Track is '?'; A, B, C, D, E or EN is needed",
        "A2021: HistBnchmk is '*' (suppressed); a dollar amount is needed",
        "A2021: Current_Start_Date is '-'; a date is needed",
    )


def test_an_unknown_aco_is_told_the_nearest(tmp_path: Path, row: dict[str, str]) -> None:
    with pytest.raises(ScenarioError, match="ACO_ID has no 'A2012'; did you mean A2021"):
        drafted(tmp_path, row, "A2012")


@pytest.mark.parametrize(
    ("spoilt", "elected"),
    [
        ({"MinSavPerc": "0.00%"}, 0),
        ({"MinSavPerc": "2.00%"}, 0.02),
        ({"MinSavPerc": "2.86%"}, "variable"),
        ({"MinSavPerc": "*"}, "variable"),
        ({"MinSavPerc": "1.00%", "Risk_Model": "One-Sided"}, "variable"),
    ],
)
def test_a_rate_is_an_election_where_it_can_be_one(
    tmp_path: Path, row: dict[str, str], spoilt: Mapping[str, str], elected: float | str
) -> None:
    made = drafted(tmp_path, row | spoilt)
    assert aco(made)["elections"]["minimum_savings"] == elected


def test_revenue_is_given_only_where_it_is_low(tmp_path: Path, row: dict[str, str]) -> None:
    assert aco(drafted(tmp_path, row))["revenue_ppy"] == 3_600
    high = aco(drafted(tmp_path, row | {"Rev_Exp_Cat": "High Revenue"}))
    assert high["revenue_class"] == "high"
    assert "revenue_ppy" not in high


def test_later_files_bring_demographic_scores_and_advances(
    tmp_path: Path, row: dict[str, str]
) -> None:
    scores = {f"Demog_RiskScore_AGND_{year}": "1.01" for year in ("BY3", "PY")}
    made = aco(drafted(tmp_path, row | scores | {"AIPBalance": "$250,000"}))
    assert made["segments"]["aged_nondual"]["demographic_score"] == {2018: 1.01, 2022: 1.01}
    assert "demographic_score" not in made["segments"]["esrd"]
    assert made["aip_balance_usd"] == 250_000
