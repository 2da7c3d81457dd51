import json

from simulator.loading import dump
from simulator.report import grounds


def test_every_experience_value_is_listed_with_its_source_assumed_first(make_run):
    rows = grounds.values(make_run(trials=5))
    assert [tuple(row) for row in rows] == [
        ("experience.trend.mean", "0.04", "Assumed."),
        ("experience.effect.mean", "0", "no source"),
        ("experience.trend", "sd 0.016", "Fitted on nothing; 7 ACOs."),
    ]


def test_what_is_assumed_by_default_is_listed_as_such(make_run):
    run = make_run(trials=5)
    election = {"stop_loss": {"prediction_cv": 0.9, "prediction_correlation": 0.45}}
    sourced = {"population.b.stop_loss": "Fitted by us."}
    given = {"population": {"a": election, "b": election}, "sources": sourced}
    run.attrs["scenario"] = dump(given)
    rows = {row.path: (row.value, row.source) for row in grounds.values(run)}
    spread = rows["population.*.stop_loss.prediction_cv"]
    assert spread[1].startswith("Assumed: how widely people's predictions spread is not published")
    assert "0.9" in spread[0]
    assert rows["population.*.stop_loss.prediction_correlation"][1].startswith("Assumed")
    assert rows["population.b.stop_loss"][1] == "Fitted by us."


def test_terms_come_disputed_and_assumed_first_and_once(make_run):
    rows = grounds.terms(make_run(trials=5))
    assert [(row.kind, row.term) for row in rows] == [
        ("disputed", "mssp.withhold"),
        ("assumed", "mssp.limit"),
        ("published", "mssp.rate"),
    ]
    assert rows[1].contracts == ("shared", "twin", "full")
    assert "0.6" in rows[0].also


def test_reliances_are_those_of_the_scenario(make_run):
    assert grounds.reliances(make_run(trials=5)) == ["The data were typed by a friend."]


def test_a_run_without_a_scenario_rests_on_nothing_told(make_run):
    run = make_run(trials=5)
    run.attrs = {}
    assert (grounds.values(run), grounds.terms(run), grounds.reliances(run)) == ([], [], [])


def test_a_term_that_later_years_carry_appears_once_with_its_years(make_run):
    run = make_run(trials=5)
    row = {"contract": "a", "program": "lead", "term": "cap", "value": 1.0, "status": "assumed"}
    rows = [
        {**row, "years": [2027], "cite": "us", "note": "from memory"},
        {**row, "years": [2028, 2029], "cite": "us", "note": "carried from 2027: from memory"},
        {**row, "years": [2031], "cite": "us", "note": "another note"},
    ]
    run.attrs["terms"] = json.dumps(rows)
    found = [(term.years, term.note) for term in grounds.terms(run)]
    assert found == [("2027 to 2029", "from memory"), ("2031", "another note")]


def test_the_short_names_of_citations_are_spelled_out(make_run):
    run = make_run(trials=5)
    row = {"contract": "a", "program": "lead", "term": "x", "value": 1, "status": "assumed"}
    run.attrs["terms"] = json.dumps([{**row, "years": [2027], "cite": "us §1.5"}])
    found = grounds.documents(run)
    assert found == {"lead: us": "The judgement or memory of this project, to be checked"}
