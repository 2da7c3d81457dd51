"""Quality from measures: CMS's cut points of PY2026, inverse and topped out measures, mistakes."""

from pathlib import Path

import pytest

from simulator.errors import ScenarioError
from simulator.population.quality_scores import (
    Benchmark,
    benchmarks,
    graded,
    outcome_met,
    points,
    score,
    scored,
)
from simulator.scenario.schema import Quality

FILE = "app_plus_py2026_quality_benchmarks.csv"


@pytest.fixture
def known(public_data: Path) -> list[Benchmark]:
    return benchmarks(FILE, public_data)


def one(known: list[Benchmark], name: str, rate: float) -> float | None:
    return scored({name: rate}, known)[0].points


def test_every_row_of_the_file_is_read(known: list[Benchmark]) -> None:
    assert len(known) == 29
    without = [(b.measure, b.collection) for b in known if not b.deciles]
    assert {measure for measure, _ in without} == {"112", "113"}


@pytest.mark.parametrize(
    ("name", "rate", "expected"),
    [
        ("236SSP", 70.15, 5.0),  # the fifth decile starts here
        ("236SSP", 71.34, 5.5),  # half way to 72.53
        ("236SSP", 82.81, 10.0),
        ("236SSP", 100.0, 10.0),
        ("236SSP", 13.68, 1.0),
        ("236SSP", 1.0, 1.0),  # below all: one point
        ("001SSP", 7.03, 10.0),  # inverse: lower is better
        ("001SSP", 0.0, 10.0),
        ("001SSP", 49.19, 2.0),
        ("001SSP", 95.0, 1.0),
        ("134 MIPS CQM", 99.91, 6.5),  # topped out: deciles 7 to 9 are left out
        ("134 MIPS CQM", 100.0, 10.0),
        ("134 part b claims", 99.99, 3.9777777777777779),
        ("112 eCQM", 80.0, None),  # no benchmark
    ],
)
def test_points_follow_the_decile_that_a_rate_reaches(
    name: str, rate: float, expected: float | None, known: list[Benchmark]
) -> None:
    found = one(known, name, rate)
    assert found == expected if expected is None else found == pytest.approx(expected, abs=0.01)


def test_a_better_rate_never_earns_less(known: list[Benchmark]) -> None:
    for benchmark in known:
        rates = [step / 10.0 for step in range(1001)]
        earned = [points(rate, benchmark) for rate in rates]
        if benchmark.deciles:
            assert earned == sorted(earned, reverse=benchmark.inverse)


def test_the_parts_of_the_survey_count_as_one_measure(known: list[Benchmark]) -> None:
    rates = {"236SSP": 82.81, "321 Getting Timely Care": 88.42, "321 Care Coordination": 72.95}
    measures = scored(rates, known)
    assert [m.points for m in measures] == [10.0, 10.0, 1.0]
    assert score(measures) == pytest.approx((10.0 + 5.5) / 20.0)


def test_a_measure_without_a_benchmark_is_left_out_of_the_score(known: list[Benchmark]) -> None:
    measures = scored({"236SSP": 70.15, "112 eCQM": 99.0}, known)
    assert score(measures) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("rates", "met"),
    [
        ({"236SSP": 44.86}, False),
        ({"236SSP": 44.87}, True),
        ({"236SSP": 10.0, "001SSP": 40.0}, True),
        ({"134SSP": 90.0}, None),  # a process measure says nothing
    ],
)
def test_the_outcome_standard_is_the_tenth_percentile_on_one_outcome_measure(
    rates: dict[str, float], met: bool | None, known: list[Benchmark]
) -> None:
    assert outcome_met(scored(rates, known)) is met


def test_a_scenarios_measures_become_its_mean_and_its_outcome_standard(public_data: Path) -> None:
    law = Quality(sd=0.02, measures={"236SSP": 70.15, "134SSP": 65.56}, benchmarks=FILE)
    found = graded(law, public_data)
    assert found == Quality(mean=0.55, sd=0.02, outcome_met_share=1.0)
    assert graded(Quality(), public_data) == Quality()


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        ({"236SSB": 50.0}, "236SSB: is no measure of the benchmarks; they have 001, 001SSP"),
        ({"236SSB": 50.0}, "did you mean 236SSP?"),
        ({"001": 50.0}, "001: is 3 measures; say which by a part of its name: 001 MIPS CQM"),
        ({"236SSP": 140.0}, "236SSP: is 140.0; must be a rate in percent, 0 to 100"),
        ({"112 eCQM": 80.0}, "measures: have no benchmark"),
    ],
)
def test_names_and_rates_that_do_not_fit_are_told(
    rates: dict[str, float], said: str, public_data: Path
) -> None:
    with pytest.raises(ScenarioError) as caught:
        graded(Quality(measures=rates, benchmarks=FILE), public_data)
    assert caught.value.messages[0].startswith("experience.quality.measures")
    assert said in caught.value.messages[0]


def test_measures_need_a_file_of_benchmarks(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"measures: need experience\.quality\.benchmarks"):
        graded(Quality(measures={"236SSP": 50.0}), tmp_path)


def test_a_cut_point_that_is_no_figure_has_its_place(tmp_path: Path) -> None:
    deciles = ",".join(f"decile_{number}" for number in range(1, 11))
    header = f"measure_id,title,collection_type,measure_type,inverse,{deciles},topped_out"
    row = "236,Blood,eCQM,Outcome,No,1 - 9,ten,--,--,--,--,--,--,--,>= 90,No"
    (tmp_path / "cuts.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        benchmarks("cuts.csv", tmp_path)
    assert caught.value.messages[0].endswith(
        "cuts.csv:2: decile_2: is 'ten'; must be a range such as 4.76 - 45.27, or --"
    )
