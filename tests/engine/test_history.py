"""What contracts read of earlier years, and what is said of a scenario that lacks it."""

import pytest

from simulator.engine.checking import check
from simulator.errors import ScenarioError
from tests.runs import QUICKSTART

TIGHTENING = QUICKSTART.with_name("reach_2026_tightening.yaml")
TYPES = {"aged_nondual": 27, "aged_dual": 32, "disabled": 37, "esrd": 42}
SEGMENTS = "population.lakeshore.segments"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "{2018: 160, ",
            "{2017: 160, ",
            f"x.yaml:13: {SEGMENTS}.esrd.person_years lacks 2018; "
            "an agreement that starts in 2019 needs 2018",
        ),
        (
            "{2016: 76_000, ",
            "{",
            f"x.yaml:14: {SEGMENTS}.esrd.expenditure_ppy lacks 2016; "
            "an agreement that starts in 2019 needs 2016, 2017, 2018",
        ),
        (
            "2017: 1.01, 2018: 0.99, ",
            "",
            f"x.yaml:15: {SEGMENTS}.esrd.risk_score lacks 2017, 2018; "
            "an agreement that starts in 2019 needs 2016, 2017, 2018",
        ),
        (
            "start: 2019",
            "start: 2020",
            "x.yaml:8: population.lakeshore.agreement.start is 2020; "
            "no segment's expenditure_ppy gives all base years 2017, 2018, 2019",
        ),
    ],
)
def test_what_base_years_lack_is_one_mistake(files, old, new, line):
    files.swap((old, new))
    assert files.checked() == [line]


def test_expenditure_that_is_not_given_at_all_is_said_once(files):
    spent = ["expenditure_ppy: {2016: 76_000, 2017: 75_000, 2018: 80_000}"]
    spent += ["expenditure_ppy: {2016: 10_100, 2017: 10_600, 2018: 10_900}"]
    files.swap(*((line, "growth_share: 0.0") for line in spent))
    assert files.checked() == [
        "x.yaml:8: population.lakeshore.agreement.start is 2019; "
        "no segment's expenditure_ppy gives all base years 2016, 2017, 2018"
    ]


def test_national_levels_are_needed_for_base_years(files):
    files.put("base/market.yaml", files.market.replace("2017: 82_000, ", ""))
    assert files.checked() == [
        "base/market.yaml:3: market.national_ppy.esrd lacks 2017; base years need it"
    ]


def test_national_levels_that_lack_the_same_year_are_one_mistake(files):
    market = files.market.replace("2017: 82_000, ", "").replace("2017: 10_100, ", "")
    files.put("base/market.yaml", market)
    assert files.checked() == [
        "base/market.yaml:2: market.national_ppy lacks 2017 for aged_nondual, esrd; "
        "base years need it"
    ]


def test_an_agreement_swept_past_its_base_years_is_said(files):
    swept = "sweep:\n  grid:\n    population.lakeshore.agreement.start: [2019, 2021]\n"
    files.put("x.yaml", files.scenario + swept)
    (line,) = files.checked()
    assert "makes case 1 wrong" in line
    assert "gives all base years 2018, 2019, 2020" in line


def of_reach(*overrides):
    """Return the mistakes of the tightening scenario with overrides, without its folder."""
    try:
        check(TIGHTENING, overrides)
    except ScenarioError as error:
        return [message.removeprefix(f"{TIGHTENING.parent}/") for message in error.messages]
    return []


def no_scores_of(years):
    """Return the lines which say that no segment gives its score of a year."""
    path = "population.riverside.segments"
    return [
        f"reach_2026_tightening.yaml:{line}: {path}.{kind}.risk_score {years}"
        for kind, line in TYPES.items()
    ]


def test_a_contract_under_another_years_rules_reads_what_those_rules_say():
    old = "contracts.old={program: reach, option: global, rules_year: 2022}"
    assert of_reach(old) == no_scores_of("lacks 2020; reach 2026 needs it 2019, 2020, 2022, 2026")


def test_a_what_if_on_a_year_that_is_read_asks_for_that_year():
    what_if = "rules={reach.2026.global.risk_reference_year: {value: 2021, why: a what-if}}"
    assert of_reach(what_if) == no_scores_of("lacks 2021; reach 2026 needs it 2019, 2021, 2026")


def test_a_year_without_rules_of_its_own_may_have_those_of_another():
    kinds = dict(zip(TYPES, (1.07, 1.64, 1.22, 1.0), strict=True))
    given = ["years=[2027]", "contracts.py2026.rules_year=2026"]
    given += [f"population.riverside.segments.{k}.risk_score.2027={v}" for k, v in kinds.items()]
    given += [f"population.riverside.segments.{k}.rate_book_ppy.2027=15500" for k in kinds]
    given += [f"market.uspcc_ppy.{k}.2027={v}" for k, v in LEVELS.items()]
    given += [f"market.coding_intensity_factor.{k}.2027=1.0" for k in LEVELS]
    given += ["market.projected_from=2026"]
    assert of_reach(*given) == []


LEVELS = {"aged_disabled": 15_700, "esrd": 115_000}
