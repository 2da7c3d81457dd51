"""The contracts against a slow second reading of the rules note, and that reading itself."""

from decimal import Decimal
from pathlib import Path

import pytest

import simulator
from simulator.loading import parse
from tests.oracle import terms
from tests.oracle.comparing import compare, table
from tests.oracle.mssp import BRANCHES, TYPES, by_size, settle

RULES = Path(simulator.__file__).parent / "rules" / "mssp"
FILES = {year: parse(RULES / f"{year}.yaml").value for year in terms.YEARS}
YEAR_START = [(year, start) for year in FILES for start in range(2019, year + 1)]


@pytest.fixture(scope="module")
def compared():
    return compare(3_000)


def test_contracts_and_oracle_agree_on_every_line(compared):
    assert not compared.apart


def test_every_branch_is_taken(compared):
    assert set(compared.branches) == set(BRANCHES)


def test_the_oracle_knows_every_line(compared):
    assert not compared.unheld


@pytest.mark.slow
def test_contracts_and_oracle_agree_on_a_hundred_thousand_cases():
    compared = compare(100_000, seed=100_000)
    print(table(compared))
    assert not compared.apart
    assert set(compared.branches) == set(BRANCHES)


def _value(leaf, **kinds):
    """Return a rule's value: by number, the latest that is not beyond it."""
    value, names = leaf["value"], leaf.get("by", [])
    for name in [names] if isinstance(names, str) else names:
        kind = kinds[name]
        value = value[kind] if kind in value else terms.since(value, kind)
    return value


def _same(found, expected):
    if expected is None:
        expected = "none"
    if isinstance(expected, Decimal):
        expected = pytest.approx(float(expected), rel=1e-15)
    assert found == expected


READINGS = {
    terms.SCORE: "score_times_rate",
    terms.ALL_OR_NOTHING: "all_or_nothing",
    "deemed met": "all_or_nothing",
    terms.SCALED: "met_or_scaled",
}


@pytest.mark.parametrize("year", FILES)
def test_what_the_year_decides_is_transcribed(year):
    common, ours = FILES[year]["common"], terms.YEARS[year]
    _same(common["quality_rule"]["value"], READINGS[ours["quality"]])
    _same(common["quality_deemed"]["value"], float(ours["quality"] == "deemed met"))
    _same(common["quality_threshold"]["value"], ours["threshold"])
    _same(common["sequestration"]["value"], ours["sequestration"])
    _same(common["nationwide_circumstances"]["value"], ours["nationwide"])
    _same(common["regional_cap_positive"]["value"], terms.POSITIVE_CAP)
    _same(common["risk_cap"]["value"], terms.RISK_CAP)
    _same(common["minimum_persons"]["value"], terms.MINIMUM_PERSONS)
    _same(common["cyberattack_people"]["value"], float(year >= terms.CYBERATTACK))
    scored = ours["quality"] == terms.SCORE
    _same(common["quality_lift_people"]["value"], None if scored else terms.LIFT_PEOPLE)
    _same(common["first_year_reporting"]["value"], float(ours["quality"] == terms.SCALED))
    _same(common["reporting_incentive"]["value"], float(ours["quality"] == terms.SCALED))


@pytest.mark.parametrize("year", [year for year in FILES if year >= 2024])
def test_the_schedule_of_advance_payments_is_transcribed(year):
    assert FILES[year]["common"]["advance_per_person_usd"]["value"] == terms.ADVANCE


@pytest.mark.parametrize(("year", "start"), YEAR_START)
def test_what_the_start_decides_for_the_adjustment_is_transcribed(year, start):
    common, ours, kinds = FILES[year]["common"], *_kinds(start)
    half = terms.PRIOR_SAVINGS_SHARE if ours["prior_savings"] else 0.0
    extra = terms.ADJUSTMENT_CAP if ours["population"] else 0.0
    _same(_value(common["agreement_years"], **kinds), terms.since(terms.AGREEMENT_YEARS, start))
    _same(_value(common["regional_cap_negative"], **kinds), ours["negative_cap"])
    _same(_value(common["regional_offset"], **kinds), float(ours["offset"]))
    _same(_value(common["negative_total_kept"], **kinds), float(not ours["higher_of"]))
    _same(_value(common["prior_savings_share"], agreement_kind="renewal", **kinds), half)
    _same(_value(common["prior_savings_share"], agreement_kind="initial", **kinds), 0.0)
    _same(_value(common["population_adjustment_cap"], **kinds), extra)
    if ours["prior_savings"]:
        _same(common["prior_savings_cap"]["value"], terms.ADJUSTMENT_CAP)
        _same(common["prior_savings_denominator"]["value"], "base_years_average")
    if ours["population"]:
        _same(common["population_minimum"]["value"], terms.POPULATION_MINIMUM)
        _same(common["population_minimum_reading"]["value"], "at_least")


@pytest.mark.parametrize(("year", "start"), YEAR_START)
def test_what_the_start_decides_for_the_update_is_transcribed(year, start):
    common, ours, kinds = FILES[year]["common"], *_kinds(start)
    share = terms.PROSPECTIVE_SHARE[year] if ours["prospective"] else 0.0
    together = ours["risk_cap"] == "all types together"
    _same(_value(common["prospective_share"], **kinds), share)
    _same(_value(common["two_way_guardrail"], **kinds), float(ours["guardrail"]))
    _same(_value(common["risk_cap_regime"], **kinds), "aggregate" if together else "by_type")
    regional = _value(common["regional_risk_cap_regime"], **kinds) == "market_share"
    _same(regional, ours["regional_risk_cap"])
    if together:
        _same(common["risk_cap_when_binding"]["value"], "by_type")


def _kinds(start):
    return terms.since(terms.STARTS, start), {"agreement_start": start}


@pytest.mark.parametrize("year", FILES)
def test_weights_are_transcribed(year):
    common = FILES[year]["common"]
    for kind, weights in terms.BASE_WEIGHTS.items():
        for n, weight in enumerate(weights, 1):
            _same(_value(common[f"base_weight_{n}"], agreement_kind=kind), weight)
    for side in ("lower", "higher"):
        for n, weight in enumerate(getattr(terms, f"{side.upper()}_SPENDING_WEIGHT"), 1):
            leaf = common[f"regional_weight_{side}"]
            _same(_value(leaf, regional_agreement_number=n), weight)


@pytest.mark.parametrize("year", FILES)
def test_the_table_of_minimum_savings_is_transcribed(year):
    table = FILES[year]["common"]["minimum_savings"]["value"]
    rows = zip(table["at"], table["values"], strict=True)
    ours = [pair for low, high, a, b in terms.MINIMUM_SAVINGS for pair in ((low, a), (high, b))]
    assert [*rows] == [(n, float(x)) for n, x in (*ours, (60_000, terms.MINIMUM_SAVINGS_BEYOND))]


@pytest.mark.parametrize("year", FILES)
@pytest.mark.parametrize("option", terms.LEVELS)
def test_levels_are_transcribed(year, option):
    theirs, ours = FILES[year]["options"][option], terms.LEVELS[option]
    _same(theirs["sides"]["value"], "two" if ours["two_sided"] else "one")
    _same(theirs["sharing_rate"]["value"], ours["rate"])
    _same(theirs["payment_limit"]["value"], ours["payment_limit"])
    of_revenue, of_benchmark = ours.get("loss_limit", (None, 0.0))
    _same(theirs["loss_limit_of_revenue"]["value"], of_revenue)
    _same(theirs["loss_limit_of_benchmark"]["value"], of_benchmark)
    for name, rate in _loss_rates(ours).items():
        _same(theirs[f"loss_rate_{name}"]["value"], rate)


def _loss_rates(level):
    if not level["basic"]:
        return terms.ENHANCED_LOSS_RATE
    rate = terms.BASIC_LOSS_RATE if level["two_sided"] else 0.0
    return {"quality": 0.0, "floor": rate, "ceiling": rate, "failed": rate}


@pytest.mark.parametrize(("year", "start"), YEAR_START)
@pytest.mark.parametrize("option", terms.LEVELS)
def test_reduced_sharing_is_transcribed(year, start, option):
    leaf, basic = FILES[year]["options"][option]["reduced_sharing"], terms.LEVELS[option]["basic"]
    applies = basic and terms.since(terms.STARTS, start)["reduced_sharing"]
    half = terms.REDUCED if applies else 0.0
    _same(_value(leaf, agreement_start=start, revenue_class="low"), half)
    _same(_value(leaf, agreement_start=start, revenue_class="high"), 0.0)


@pytest.mark.parametrize(("year", "start"), YEAR_START)
@pytest.mark.parametrize("option", ["C", "D", "E", "ENHANCED"])
def test_the_repayment_mechanism_is_transcribed(year, start, option):
    theirs, kind = FILES[year]["options"][option], "basic" if option < "EN" else "enhanced"
    of_expenditure, of_revenue = terms.since(terms.REPAYMENT, start)[kind]
    _same(_value(theirs["repayment_of_expenditure"], agreement_start=start), of_expenditure)
    _same(_value(theirs["repayment_of_revenue"], agreement_start=start), of_revenue)


def _typed(value):
    return value if isinstance(value, dict) else dict.fromkeys(TYPES, value)


def _given(start, year, benchmark=10_000.0, spent=10_000.0, **changes):
    """Return an ACO whose benchmark is what it always cost, in one type of 10,000 person-years."""
    years = (start - 3, start - 2, start - 1, year)
    people = dict.fromkeys(TYPES, 0.0) | {"aged_nondual": 10_000.0}
    steady = {y: _typed(benchmark) for y in years}
    ones = {y: _typed(1.0) for y in years}
    return {
        "agreement_start": start,
        "agreement_kind": "initial",
        "regional_agreement_number": 1,
        "revenue_class": "high",
        "elected_minimum_savings": 0.01,
        "low_income_share": 0.0,
        "dual_share": 0.0,
        "aip_balance_usd": 0.0,
        "persons": dict.fromkeys(years, 60_000),
        "person_years": dict.fromkeys(years, people),
        "truncated_expenditure_ppy": steady | {year: _typed(spent)},
        "risk_score": ones,
        "demographic_score": ones,
        "regional_ppy": steady,
        "national_ppy": steady,
        "assigned_share": {y: _typed(0.0) for y in years},
        "prospective_factor": ones,
        "prior_savings_ppy": dict.fromkeys(years, 0.0),
        "reconciled_person_years": dict.fromkeys(years, 0.0),
        "quality_score": 1.0,
        "outcome_quality_met": 1.0,
        "revenue_usd": 1e9,
        "circumstances_share": 0.0,
        "affected_people_share": 0.0,
        "cyberattack_months_share": 0.0,
        "incentive_met": 0.0,
        "first_year_reported": 0.0,
        "deprivation_share": {1: 0.0},
        "participation_share": 1.0,
        "termination_kind": "involuntary",
        "agreement_experience": "inexperienced",
        "agreement_number": 1,
    } | changes


def _close(value, expected, within=0.005):
    assert float(value) == pytest.approx(expected, abs=within)


def test_example_1_a_real_statement_of_2022():
    trended = dict(zip(TYPES, (97_295.81, 12_634.95, 18_839.48, 12_133.25), strict=True))
    at_risk = dict(zip(TYPES, (90_323.50, 12_779.99, 20_335.92, 12_320.45), strict=True))
    growth = dict(zip(TYPES, (0.996947, 1.075242, 1.134812, 1.042889), strict=True))
    risk = dict(zip(TYPES, (0.950133, 0.997830, 0.993596, 1.049539), strict=True))
    base = dict(zip(TYPES, (0.0107157, 0.1766919, 0.0922112, 0.7203812), strict=True))
    now = (0.0033932, 0.1267621, 0.0811506, 0.7886942)
    given = _given(2019, 2022, trended, 13_085.88, agreement_kind="renewal")
    given["regional_ppy"] = dict.fromkeys((2016, 2017, 2018), at_risk)
    given["regional_ppy"][2022] = {k: at_risk[k] * growth[k] for k in TYPES}
    given["risk_score"] = given["risk_score"] | {2022: risk}
    given["person_years"] = dict.fromkeys((2016, 2017, 2018), base)
    given["person_years"][2022] = {
        k: share * 6_999.3333 for k, share in zip(TYPES, now, strict=True)
    }
    given["persons"] = dict.fromkeys((2016, 2017, 2018, 2022), 7_207)
    lines = settle(given, 2022, "B")
    _close(lines["weighted_regional_difference_ppy"], 223.76, 0.01)
    _close(lines["total_historical_benchmark_ppy"], 13_831.17, 0.01)
    _close(lines["updated_benchmark_ppy"]["aged_nondual"], 13_103.62, 0.01)
    _close(lines["total_updated_benchmark_ppy"], 14_136.69, 0.01)
    _close(lines["minimum_savings_share"], 0.0335855855855856, 1e-15)
    # Per capita figures are to the cent: a cent for 7,000 person-years at 39.2% is 27 dollars.
    _close(lines["settlement_usd"], 2_883_145.53, 40.0)


@pytest.mark.parametrize(("score", "earned"), [(1.0, 5_096_000), (0.45, 2_293_200)])
def test_example_2_savings_at_level_b(score, earned):
    given = _given(2022, 2023, 50_000.0, 48_700.0, quality_score=score)
    _close(settle(given, 2023, "B")["settlement_usd"], earned)


@pytest.mark.parametrize(("alternative", "owed"), [(0.0, 1_686_750.0), (1.0, 1_489_962.5)])
def test_example_3_losses_of_enhanced(alternative, owed):
    changes = {"quality_score": 0.45, "outcome_quality_met": alternative}
    given = _given(2022, 2024, 13_000.0, 13_260.0, circumstances_share=0.135, **changes)
    _close(settle(given, 2024, "ENHANCED")["settlement_usd"], -owed)


def test_example_4_loss_limit_of_revenue():
    given = _given(2022, 2024, 9_341.1313, 9_900.0, revenue_usd=13_630_983.0)
    lines = settle(given, 2024, "E")
    _close(lines["loss_limit_usd"], 1_090_479, 0.5)
    _close(lines["settlement_usd"], -1_090_479, 0.5)


@pytest.mark.parametrize(
    ("year", "option", "loss", "relief", "score", "owed"),
    [
        (2023, "E", 2_360_711, 295_350 / 708_213 - 5 / 12, 1.0, 412_864),
        (2024, "ENHANCED", 358_135, 551 / 212_822, 0.541, 212_271),
        (2024, "E", 4_831_264, 747 / 1_449_379, 0.5, 1_448_632),
    ],
)
def test_examples_5_to_7_losses_owed(year, option, loss, relief, score, owed):
    given = _given(2022, year, 10_000.0, 10_000.0 + loss / 10_000)
    changes = {"circumstances_share": relief, "quality_score": score}
    lines = settle(given | changes | {"elected_minimum_savings": 0.0}, year, option)
    _close(lines["settlement_usd"], -owed, 1.0)


def test_example_8_offset_of_a_negative_regional_adjustment():
    given = _given(2024, 2024, 13_000.0, dual_share=0.3)
    years = (2021, 2022, 2023, 2024)
    given["national_ppy"] = dict.fromkeys(years, _typed(11_610.30))
    given["regional_ppy"] = dict.fromkeys(years, _typed(5_000.0))
    given["risk_score"] = dict.fromkeys(years, _typed(1.1))
    lines = settle(given, 2024, "A")
    _close(lines["regional_offset_share"], 0.40, 1e-12)
    _close(lines["regional_adjustment_ppy"]["aged_nondual"], -104.49)


@pytest.mark.parametrize(("year", "factor"), [(2024, 1.0759), (2025, 1.0718)])
def test_example_9_the_prospective_trend(year, factor):
    years = (2021, 2022, 2023)
    given = _given(2024, year, 10_800.0)
    given["national_ppy"] = dict.fromkeys((*years, year), _typed(11_610.0))
    given["risk_score"] = dict.fromkeys((*years, year), _typed(1.05))
    given["prospective_factor"] = dict.fromkeys(years, _typed(1.0)) | {year: _typed(1.049)}
    # A region at the ACO's own cost, then 8% dearer: no regional adjustment, two-way 1.080.
    given["regional_ppy"] = dict.fromkeys(years, _typed(10_800 / 1.05))
    given["regional_ppy"][year] = _typed(10_800 * 1.08 / 1.05)
    _close(settle(given, year, "A")["update_factor"]["aged_nondual"], factor, 5e-5)


def test_the_minimum_savings_rate_is_interpolated_and_not_rounded():
    _close(by_size(7_207), 0.0335855855855856, 1e-15)
    _close(by_size(5_333), 0.038, 1e-4)
