"""The classic slips: an error where one is certain, else a warning; both say what was meant."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from simulator.cli.verbs import app
from simulator.engine.checking import check
from simulator.errors import ScenarioError
from simulator.scenario.reading import canonical
from tests.runs import QUICKSTART

SCENARIOS = sorted(QUICKSTART.parent.glob("*.yaml"))
SEGMENT = "population.covenant.segments.aged_nondual"
HEADS = "population.covenant.persons"
MSR = "population.covenant.elections.minimum_savings"
YEARS = "{2016: %s, 2017: %s, 2018: %s}"


def warnings(*overrides: str) -> list[str]:
    return list(check(QUICKSTART, overrides).data_quality.warnings)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_what_we_ship_is_not_doubted(path: Path) -> None:
    assert check(path).data_quality.warnings == ()


WARNED = [
    ("dollars a month", [f"{SEGMENT}.expenditure_ppy={YEARS % (845, 887, 905)}"], "written 10140"),
    ("thousands", [f"{SEGMENT}.expenditure_ppy={YEARS % (10.1, 10.7, 10.9)}"], "written 10900"),
    ("a total", ["population.covenant.segments.esrd.expenditure_ppy.2018=800000"], "units?"),
    ("a regional level a month", [f"{SEGMENT}.regional_ppy={{2018: 890}}"], "written 10680"),
    ("a national level a month", ["market.national_ppy.esrd.2018=7300"], "written 87600"),
    ("a benchmark a month", ["population.covenant.historical_benchmark_ppy=1034"], "12408"),
    ("revenue a month in thousands", ["population.covenant.revenue_ppy=3.6"], "or thousands?"),
    ("revenue in total", ["population.covenant.revenue_ppy=460000"], "a total of all people?"),
    ("savings in total", ["population.covenant.prior_savings_ppy={2021: 9100}"], "a total of all"),
    ("heads for person-years", ["population.covenant.persons={2022: 12573}"], "are these heads?"),
    (
        "months for person-years",
        [f"{SEGMENT}.person_years={{2018: 11281, 2022: 136440}}", "population.covenant.persons=~"],
        "months",
    ),
    ("a score not normalised", [f"{SEGMENT}.risk_score.2022=0.21"], "is it normalised"),
    ("a score as a sum", [f"{SEGMENT}.risk_score.2022=10.4"], "is it normalised"),
    ("growth for a factor", ["population.covenant.regional_growth_factor=0.02"], "written 1.02"),
    ("percent for a factor", ["population.covenant.regional_growth_factor=102"], "written 1.02"),
    ("tenfold growth", ["experience.trend.mean=0.4"], "4% is written 0.04"),
    ("growing people", [f"{SEGMENT}.growth_share=0.3"], "3% is written 0.03"),
    ("a spread in percent", ["experience.trend.sd=0.8"], "a few percent are written 0.03"),
    ("a cv in percent", ["experience.severity.cv.esrd=120"], "written 1.2"),
    ("quality in percent of percent", ["experience.quality.mean=0.0083"], "83% is written 0.83"),
    ("savings with the wrong sign", ["experience.effect.mean=-0.02"], "written above 0"),
    ("savings in tens", ["experience.effect.mean=0.3"], "3% is written 0.03"),
    ("churn in tens", [f"{SEGMENT}.churn_share=0.9"], "6% is written 0.06"),
    ("a threshold a month", ["market.truncation_usd.aged_nondual={2022: 12000}"], "a month's?"),
    ("a threshold in thousands", ["market.truncation_usd.esrd={2022: 500}"], "thousands?"),
    ("base years swapped", [f"{SEGMENT}.expenditure_ppy.2017=20000"], "are two years swapped"),
    (
        "base years in reverse",
        [
            f"population.covenant.segments.{name}.expenditure_ppy={YEARS % (c, b, a)}"
            for name, (a, b, c) in {
                "esrd": (76_278, 79_003, 82_385),
                "disabled": (9_361, 9_800, 10_249),
                "aged_dual": (17_636, 18_380, 19_517),
                "aged_nondual": (10_144, 10_554, 10_962),
            }.items()
        ],
        "reverse order",
    ),
    (
        "types swapped",
        [
            f"population.covenant.segments.esrd.expenditure_ppy={YEARS % (10100, 10600, 10800)}",
            f"{SEGMENT}.expenditure_ppy={YEARS % (76000, 77000, 78000)}",
        ],
        "are types swapped?",
    ),
    (
        "a benchmark in thousands",
        ["population.covenant.observed.benchmark_usd=162375"],
        "thousands",
    ),
    ("a settlement in millions", ["population.covenant.observed.settlement_usd=5.35"], "millions"),
]


@pytest.mark.parametrize(
    ("overrides", "meant"), [w[1:] for w in WARNED], ids=[w[0] for w in WARNED]
)
def test_a_slip_is_warned_of_with_what_was_meant(overrides: list[str], meant: str) -> None:
    found = warnings(*overrides)
    assert any(meant in warning for warning in found), found


CERTAIN = [
    ("percent for a share", "experience.quality.mean=83", "(83% is written 0.83)"),
    ("a percent of growth", "experience.trend.mean=5", "(5% is written 0.05)"),
    ("a factor for growth", "experience.trend.mean=1.05", "factor 1.05 is written 0.05)"),
    ("a percent of savings", "experience.effect.mean=3", "(3% is written 0.03)"),
    ("basis points", "experience.effect.mean=150", "(150 basis points are written 0.015)"),
    ("an MSR in percent", f"{MSR}=2", "(2% is written 0.02)"),
    ("half a percent of MSR", f"{MSR}=0.5", "written 0.005)"),
    ("a score in percent", f"{SEGMENT}.risk_score.2022=104", "(104% is written 1.04)"),
    ("a total for per capita", f"{SEGMENT}.expenditure_ppy.2018=122534222", "(a total of all"),
    ("a share with its sign", "experience.quality.mean=83%", "(written 0.83)"),
    ("heads below person-years", f"{HEADS}={{2022: 12000}}", "one to two times them"),
    ("months", f"{HEADS}={{2022: 1048}}", "(months? person-years are 1,047.8)"),
    ("divided by 12 twice", f"{HEADS}={{2022: 125730}}", "once too often?)"),
    ("thousands of people", f"{HEADS}={{2022: 12.9}}", "(thousands? they are written 12900)"),
    ("years in reverse", "years=[2023, 2022]", "years must rise"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("override", "meant"), [c[1:] for c in CERTAIN], ids=[c[0] for c in CERTAIN]
)
def test_what_cannot_be_is_an_error_that_says_what_was_meant(override: str, meant: str) -> None:
    """Trap: an MSR of 2 for 2%, among other slips of unit."""
    with pytest.raises(ScenarioError) as caught:
        check(QUICKSTART, [override])
    assert any(meant in message for message in caught.value.messages), caught.value.messages


@pytest.fixture
def doubtful(tmp_path: Path) -> Path:
    """Return a file with a slip in its third line."""
    path = tmp_path / "x.yaml"
    (tmp_path / QUICKSTART.name).write_text(QUICKSTART.read_text(encoding="utf-8"))
    path.write_text(f"extends: {QUICKSTART.name}\nexperience:\n  trend: {{mean: 0.4}}\n")
    return path


def test_a_warning_has_file_line_path_and_value(doubtful: Path) -> None:
    (warning,) = check(doubtful).data_quality.warnings
    assert warning == (
        f"{doubtful}:3: experience.trend.mean is 0.4, growth of 40% a year: 4% is written 0.04"
    )


def test_warnings_are_shown_by_check_plan_run_and_on_the_page(doubtful: Path) -> None:
    out, said = doubtful.parent / "out", "experience.trend.mean is 0.4, growth of 40% a year"
    words = (["check", doubtful], ["plan", doubtful], ["run", doubtful, "--trials", 50])
    for each in words:
        more = [] if each[0] == "check" else ["--out", out]
        told = CliRunner().invoke(app, [str(word) for word in [*each, *more]])
        assert told.exit_code == 0
        assert f"warning: {doubtful}:3: {said}" in told.stdout
    (run,) = out.iterdir()
    assert said in (run / "report.html").read_text(encoding="utf-8")
    assert said in json.dumps((run / "scenario.yaml").read_text(encoding="utf-8"))


def test_a_scenario_that_was_run_keeps_its_warnings_once(doubtful: Path, tmp_path: Path) -> None:
    first = check(doubtful)
    again = tmp_path / "again.yaml"
    again.write_text(canonical(first), encoding="utf-8")
    assert check(again).data_quality == first.data_quality


def test_the_table_of_slips_is_long() -> None:
    assert len(WARNED) + len(CERTAIN) >= 40
