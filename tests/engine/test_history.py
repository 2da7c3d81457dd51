"""What contracts read of earlier years, and what is said of a scenario that lacks it."""

import pytest

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
