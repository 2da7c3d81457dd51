"""The stress scenarios that are shipped: sound, and each does to the people what it says."""

import pytest

from simulator.engine.checking import check
from simulator.engine.simulate import simulate
from simulator.engine.tracks import tracks
from simulator.scenario.sweep import cases
from tests.runs import QUICKSTART

TRIALS = range(100)
OTHERS = {"reach": "global", "lead": "lead_global"}


def means(name, line, contract="enhanced"):
    """Return a line's mean in each case, by the case's name."""
    found = {}
    for case in cases(check(QUICKSTART.with_name(f"stress_{name}.yaml"))):
        signed = [track for track in tracks(case) if track.name == contract]
        statement = simulate(case, signed, TRIALS)[contract]
        found[case.swept["list"]] = float(statement[line].mean())
    return found


def test_a_pandemic_lowers_what_people_cost():
    spent = means("pandemic", "expenditure_usd")
    assert spent["pandemic"] / spent["as_expected"] == pytest.approx(0.88, abs=0.02)


def test_the_nations_growth_moves_benchmarks_and_the_acos_own_does_not():
    benchmark, spent = (means("trend", f"{n}_usd") for n in ("benchmark", "expenditure"))
    expected = spent["as_expected"]
    assert spent["nation_above"] / expected == pytest.approx(1.03, abs=0.005)
    assert benchmark["nation_above"] / benchmark["as_expected"] == pytest.approx(1.03, abs=0.005)
    assert spent["aco_above"] / expected == pytest.approx(1.03, abs=0.005)
    assert benchmark["aco_above"] == pytest.approx(benchmark["as_expected"])


def test_a_fifth_of_the_people_is_a_fifth_of_the_person_years():
    people = means("attribution", "total_person_years")
    assert people["a_fifth_lost"] / people["as_expected"] == pytest.approx(0.8, abs=0.001)


def test_a_failed_standard_forfeits_savings():
    paid = means("quality", "settlement_usd")
    assert paid["standard_failed"] <= 0.0 < paid["as_expected"]


@pytest.fixture(scope="module", params=OTHERS)
def stressed(request):
    """Return statements of REACH or LEAD by case, one contract."""
    found, label = {}, OTHERS[request.param]
    for case in cases(check(QUICKSTART.with_name(f"stress_{request.param}.yaml"))):
        signed = [track for track in tracks(case) if track.name == label]
        found[case.swept["list"]] = simulate(case, signed, TRIALS)[label]
    return found


def ratio(stressed, name, line):
    return float(stressed[name][line].mean() / stressed["as_expected"][line].mean())


@pytest.mark.parametrize(
    ("name", "line", "factor"),
    [
        ("pandemic", "expenditure_usd", 0.88),
        ("nation_above", "expenditure_usd", 1.03),
        ("aco_above", "expenditure_usd", 1.03),
        ("a_fifth_lost", "expenditure_usd", 0.80),
        ("a_fifth_lost", "benchmark_usd", 0.80),
        ("aco_above", "benchmark_usd", 1.0),
    ],
)
def test_a_stress_of_reach_and_lead_moves_what_it_says(stressed, name, line, factor):
    assert ratio(stressed, name, line) == pytest.approx(factor, abs=0.01)


def test_failed_quality_costs_part_of_the_benchmark(stressed):
    failed, expected = (stressed[name] for name in ("quality_failed", "as_expected"))
    assert float(failed["settlement_usd"].mean()) < float(expected["settlement_usd"].mean())
    assert ratio(stressed, "quality_failed", "expenditure_usd") == pytest.approx(1.0)
