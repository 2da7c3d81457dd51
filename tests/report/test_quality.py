from simulator.report import quality

GIVEN = """
population:
  lakeside:
    persons: {2022: 100}
    segments:
      esrd: {person_years: {2021: 10, 2022: 20}, expenditure_ppy: {2021: 90000, 2022: 91000}}
      aged_nondual: {person_years: {2021: 80, 2022: 75}, expenditure_ppy: {2021: 10000}}
"""


def _found(run, table=None):
    return {row.what: row.found for row in quality.rows(run, table)}


def test_control_totals_are_those_of_the_given_figures(make_run):
    run = make_run(trials=5)
    run.attrs["scenario"] = GIVEN
    found = _found(run)
    total = 10 * 90_000 + 80 * 10_000
    said = f"90.0 person-years at ${total / 90:,.2f} a person-year, ${total:,.0f} in all"
    assert found["Control total 2021"] == said
    assert "Control total 2022" not in found
    assert found["Years with expenditure in some segments only"] == "2022"
    assert found["Person-years over head-count 2022"] == "0.950 (as usual)"


def test_too_few_person_years_are_called_unusual(make_run):
    run = make_run(trials=5)
    run.attrs["scenario"] = GIVEN.replace("2022: 100", "2022: 200")
    assert "UNUSUAL" in _found(run)["Person-years over head-count 2022"]


def test_a_scenario_without_people_has_nothing_to_check(make_run):
    assert quality.rows(make_run(trials=5), None) == []
