"""Scenarios of REACH's public-use file: sound, ready to run, and on their rows' benchmarks."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from simulator.engine.checking import check
from simulator.engine.initial import initial, initials
from simulator.engine.simulate import simulate
from simulator.engine.tracks import tracks
from simulator.errors import ScenarioError
from simulator.population.draft import Draft
from simulator.scenario.sweep import cases

FILE = "reach_puf_2021_2022.csv"
# Both years, both options, every type; most people have ESRD in D0013, D0175 left the model.
ROWS = [
    ("D0004", 2022),
    ("D0103", 2021),
    ("D0131", 2021),
    ("D0131", 2022),
    ("D0013", 2022),
    ("D0175", 2021),
    ("D0207", 2022),
]


# Nobody's spending, market or score strays: what is left is what is expected.
CERTAIN = (
    "trials=2",
    "experience.trend.sd=0",
    "experience.trend.regional_sd=0",
    "experience.deviation.sd=0",
    "experience.deviation.change_sd=0",
    "experience.severity.noise=false",
    *(f"experience.risk_scores.sd.{kind}=0" for kind in ("esrd", "aged_nondual")),
)


def written(folder: Path, made: Draft) -> Path:
    path = folder / f"{made.name}.yaml"
    path.write_text(made.text(), encoding="utf-8")
    return path


@pytest.mark.parametrize(("aco_id", "year"), ROWS)
def test_the_expected_final_benchmark_is_the_rows(
    public_data: Path, tmp_path: Path, aco_id: str, year: int
) -> None:
    made = initial("reach", public_data / FILE, aco_id, year)
    assert made.warnings == ()
    scenario = check(written(tmp_path, made), CERTAIN)
    (aco,) = scenario.population.values()
    assert aco.observed is not None
    (case,) = cases(scenario)
    settled = simulate(case, tracks(case), range(2))[aco.observed.contract]
    months = sum(part.person_years[year] for part in aco.segments.values()) * 12.0
    for line in ("benchmark_usd", "expenditure_usd"):
        missed = float(settled[line].mean()) - getattr(aco.observed, line)
        assert abs(missed) / months < 1.0, line
    # A payment that was not sequestered is the file's own slip (PY2022 has one).
    assert abs(float(settled.settlement_usd.mean()) - aco.observed.settlement_usd) / months < 1.0


def test_what_is_assumed_says_so(public_data: Path) -> None:
    made = initial("reach", public_data / FILE, "D0103", 2021)
    said = [str(text) for text in made.tree["sources"].values()]
    assert sum(text.startswith("assumed: ") for text in said) == len(said) - 1
    assert made.tree["population"]["d0103"]["observed"]["settlement_usd"] != 0.0


def test_an_aco_of_two_years_needs_one_of_them(public_data: Path) -> None:
    with pytest.raises(ScenarioError, match="D0004 is there in 2021 and 2022; say which with --y"):
        initial("reach", public_data / FILE, "D0004")


def test_every_row_has_a_scenario(public_data: Path) -> None:
    made = list(initials("reach", public_data / FILE))
    assert len(made) == 152
    assert all(one.draft is not None and one.mistakes == () for one in made)
    assert len({one.draft.name for one in made if one.draft}) == 152


def later(tmp_path: Path, columns: Mapping[str, str]) -> Path:
    path = tmp_path / "py2023.csv"
    path.write_text(f"{','.join(columns)}\n{','.join(columns.values())}\n", encoding="utf-8")
    return path


LATER = {
    "ACO_ID": "D9001",
    "ACO_NAME": "Made Up",
    "PERF_YEAR": "2023",
    "FIRST_PART_YEAR": "2023",
    "ACO_TYPE": "Standard",
    "RISK_ARRANGEMENT": "Global",
    "BENE_CNT": "10000",
    "QUAL_SCR": "80",
    "DISCOUNT": "3",
    "UNADJ_BENCHMARK": "150000000",
    "FINAL_BENCHMARK": "141500000",
    "TOT_COST_CARE": "140000000",
    "GROSS_SAVINGS": "1500000",
    "SHARED_SAVINGS": "1500000",
    "SHARED_SAVINGS_SEQ": "1470000",
    "HEBA_UP_AMT": "360000",
    "HEBA_DOWN_AMT": "-360000",
}


def test_a_later_layout_is_drafted_with_its_equity_adjustment(tmp_path: Path) -> None:
    made = initial("reach", later(tmp_path, LATER), "D9001")
    scenario = check(written(tmp_path, made), CERTAIN)
    (case,) = cases(scenario)
    settled = simulate(case, tracks(case), range(2))["global"]
    assert abs(float(settled.benchmark_usd.mean()) - 141_500_000) / 120_000 < 1.0
    assert abs(float(settled.equity_adjustment_usd.mean())) < 1.0


def test_a_later_layout_that_lacks_columns_is_refused_with_their_names(tmp_path: Path) -> None:
    left_out = ("UNADJ_BENCHMARK", "HEBA_UP_AMT")
    path = later(tmp_path, {name: v for name, v in LATER.items() if name not in left_out})
    with pytest.raises(ScenarioError) as caught:
        initial("reach", path, "D9001")
    assert [message.split(";")[0] for message in caught.value.messages] == [
        "D9001: UNADJ_BENCHMARK is not in the file",
        "D9001: HEBA_UP_AMT is not in the file",
    ]
