"""What an actuary may get wrong in a scenario of ACO REACH: each mistake with its place."""

import shutil
from pathlib import Path

import pytest

from simulator.engine.checking import check
from simulator.engine.plan import plan
from simulator.errors import ScenarioError
from tests.runs import QUICKSTART

NAME = "reach_2026_tightening.yaml"
SEGMENTS = "population.riverside.segments"
BOOK = "        rate_book_ppy: {2026: 15200}\n"
REACH = "population.riverside.reach"
RULES = "rules: {reach.2026.professional.%s: {value: %s, why: a what-if}}\n"
PROFESSIONAL = "contracts:\n  prof: {program: reach, option: professional}\n"
STOP_LOSS = "    stop_loss: {%s}\n    segments:\n"
LAYERS = "attachment_usd: [100000, 250000], payout_share: [0.8, 1.0]"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(QUICKSTART.parent / "base", tmp_path / "base")
    return tmp_path


def mistakes(folder: Path, *swaps: tuple[str, str], base: tuple[str, str] = ("", "")) -> list[str]:
    """Return what is wrong with the tightening scenario once texts of it are others."""
    text = QUICKSTART.with_name(NAME).read_text()
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / NAME).write_text(text)
    book = folder / "base" / "reach_2026.yaml"
    assert base[0] in book.read_text()
    book.write_text(book.read_text().replace(*base, 1))
    try:
        check(folder / NAME)
    except ScenarioError as error:
        return [message.removeprefix(f"{folder}/") for message in error.messages]
    return []


def block(name: str, end: str) -> str:
    """Return the lines of a block of the scenario, to where the next one starts."""
    text = QUICKSTART.with_name(NAME).read_text()
    start = text.index(f"    {name}:")
    return text[start : text.index(f"    {end}:", start)]


def test_a_scenario_without_a_reach_block_is_told_so(folder: Path) -> None:
    assert mistakes(folder, (block("reach", "segments"), "")) == [
        f"{NAME}:14: population.riverside lacks reach; reach contracts need it"
    ]


def test_a_scenario_without_rate_book_rates_is_told_so(folder: Path) -> None:
    assert mistakes(folder, (BOOK, "")) == [
        f"{NAME}:24: {SEGMENTS}.aged_nondual.rate_book_ppy lacks 2026; reach 2026 needs it 2026"
    ]


def test_a_rate_book_of_another_year_is_told_so(folder: Path) -> None:
    assert mistakes(folder, (BOOK, BOOK.replace("2026", "2025"))) == [
        f"{NAME}:28: {SEGMENTS}.aged_nondual.rate_book_ppy lacks 2026; reach 2026 needs it 2026"
    ]


def test_a_market_without_uspcc_is_told_so(folder: Path) -> None:
    text = (folder / "base" / "reach_2026.yaml").read_text()
    whole = text[text.index("  uspcc_ppy:") : text.index("  coding_intensity_factor:")]
    years = "2017, 2018, 2019, 2021, 2022, 2023, 2024, 2026"
    assert mistakes(folder, base=(whole, "")) == [
        f"base/reach_2026.yaml:8: market.uspcc_ppy lacks {years} for aged_disabled, esrd; "
        "reach 2026 needs it"
    ]


def test_a_market_without_the_uspcc_of_one_category_is_told_so(folder: Path) -> None:
    text = (folder / "base" / "reach_2026.yaml").read_text()
    line = text[text.index("    esrd: {2017: 88400") :].partition("\n")[0] + "\n"
    (found,) = mistakes(folder, base=(line, ""))
    assert found.startswith("base/reach_2026.yaml:9: market.uspcc_ppy.esrd lacks 2017, 2018, ")


@pytest.mark.parametrize(
    ("term", "value", "said"),
    [
        ("quality_withhold", "2", "is 2; a share lies between 0 and 1 (2% is written 0.02)"),
        ("discount", "4", "is 4; a share lies between 0 and 1 (4% is written 0.04)"),
        (
            "discount",
            "-0.04",
            "is -0.04; a share lies between 0 and 1 (what is taken off is written without a sign: "
            "0.04)",
        ),
        ("retention_applies", "leaver", "is 'leaver'; allowed: first_year, leavers; did you mean"),
    ],
)
def test_a_term_that_a_what_if_writes_wrongly_is_told_what_was_meant(folder, term, value, said):
    (found,) = mistakes(folder, ("contracts:\n", f"{RULES % (term, value)}{PROFESSIONAL}"))
    assert found.startswith(f"{NAME}:45: rules.reach.2026.professional.{term}.value does not fit")
    assert said in found


@pytest.mark.parametrize("election", ["charge_ppy: 100", "payout_share: [0.8], charge_ppy: 100"])
def test_stop_loss_without_attachment_points_is_refused_in_the_rules_words(folder, election):
    found = mistakes(folder, ("    segments:\n", STOP_LOSS % election))
    assert found[0] == (
        f"{NAME}:23: population.riverside.stop_loss.attachment_usd is missing; must be a list "
        "that is not empty; stop-loss needs its attachment points and payout rates: none is "
        "published, so that none has a default"
    )


def test_stop_loss_without_a_charge_is_refused(folder: Path) -> None:
    assert mistakes(folder, ("    segments:\n", STOP_LOSS % LAYERS)) == [
        f"{NAME}:23: population.riverside.stop_loss needs charge_ppy or charge_share; no charge "
        "is published"
    ]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "type: standard",
            "type: standart",
            f"{NAME}:17: {REACH}.type is 'standart'; must be one of standard, new_entrant, "
            "high_needs; did you mean standard?",
        ),
        (
            "first_year: 2022",
            "first_year: 2027",
            f"{NAME}:18: {REACH}.first_year is 2027; must not lie after the first performance "
            "year, 2026",
        ),
        (
            "top: 0.12",
            "top: 0.21",
            f"{NAME}:22: {REACH}.equity has shares that add up to 1.09 (top 0.21, second 0.09, "
            "third 0.08, middle 0.21, bottom 0.5); they must add up to 1",
        ),
        (
            "top: 0.12",
            "top: 12",
            f"{NAME}:22: {REACH}.equity.top is 12; must lie between 0 and 1 (12% is written 0.12)",
        ),
        (
            "enhanced_pcc_share: 0.04",
            "enhanced_pcc_share: 4",
            f"{NAME}:21: {REACH}.enhanced_pcc_share is 4; must lie between 0 and 1 (4% is written "
            "0.04)",
        ),
    ],
)
def test_a_wrong_figure_of_the_reach_block_is_one_line(folder, old, new, line):
    assert mistakes(folder, (old, new)) == [line]


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (
            f"{SEGMENTS}.aged_nondual.rate_book_ppy.2026=1270",
            "a month? a year's are written 15240",
        ),
        ("market.uspcc_ppy.aged_disabled.2026=1250", "a month? a year's are written 15000"),
        ("market.coding_intensity_factor.aged_disabled.2026=0.6", "0.6% is written 1.006"),
        ("market.coding_intensity_factor.aged_disabled.2026=1.6", "0.6% is written 1.006"),
        ("experience.total_quality.mean=0.02", "83% is written 0.83"),
    ],
)
def test_what_is_hardly_meant_is_doubted(override: str, said: str) -> None:
    (found,) = check(QUICKSTART.with_name(NAME), [override]).data_quality.warnings
    assert said in found


def typed(kind: str) -> list[str]:
    """Return what gives the scenario's ACO another type, with the base years that it has."""
    found = [f"{REACH}.type={kind}", "contracts.py2025_rules=~"]
    for name in ("aged_nondual", "aged_dual", "disabled", "esrd"):
        spent = {"aged_dual": 21_000, "disabled": 14_000, "esrd": 99_000}.get(name, 11_800)
        at = f"{SEGMENTS}.{name}"
        for year in (2022, 2023, 2024):
            found += [f"{at}.expenditure_ppy.{year}={spent}", f"{at}.risk_score.{year}=1.0"]
        found += [f"{at}.person_years.2023=900", f"{at}.risk_score.2026=1.0"]
    return found


def test_a_high_needs_aco_without_people_of_high_needs_is_doubted() -> None:
    few = f"{SEGMENTS}.aged_dual=~"  # whose people cost more than 20,000
    found = check(QUICKSTART.with_name(NAME), [*typed("high_needs"), few]).data_quality.warnings
    said = [text for text in found if f"{REACH}.type is high_needs, but no segment costs" in text]
    assert len(said) == 1
    assert "people of High Needs cost about 35,000, at concurrent scores above 2" in said[0]


def test_a_new_entrant_with_people_of_early_years_is_told(tmp_path: Path) -> None:
    scenario = check(QUICKSTART.with_name(NAME), typed("new_entrant"))
    told = [notice for notice in plan(scenario, tmp_path).notices if "new entrant" in notice]
    assert told == [
        "py2026: riverside: up to 10,705 people aligned by claims in 2017 to 2019; a new entrant "
        "ACO has fewer than 3,000 in each of them"
    ]
