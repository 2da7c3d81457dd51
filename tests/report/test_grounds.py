from simulator.report import grounds


def test_every_experience_value_is_listed_with_its_source_assumed_first(make_run):
    rows = grounds.values(make_run(trials=5))
    assert [tuple(row) for row in rows] == [
        ("experience.trend.mean", "0.04", "Assumed."),
        ("experience.effect.mean", "0", "no source"),
        ("experience.trend", "sd 0.016", "Fitted on nothing; 7 ACOs."),
    ]


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
