"""Scenarios from files: extends, overrides, canonical text, digest."""

import pytest

from simulator.errors import ScenarioError
from simulator.loading import parse_text
from simulator.scenario import reading
from simulator.scenario.template import template
from tests.runs import QUICKSTART


def test_a_scenario_lies_on_its_base(files):
    scenario = reading.read(files.path)
    assert scenario.market.national_ppy["esrd"][2018] == 86_000
    assert scenario.population["lakeshore"].segments["esrd"].person_years[2022] == 100


def test_later_bases_lie_on_earlier_ones(files):
    files.put("base/second.yaml", "market: {national_ppy: {esrd: {2018: 90_000}}}")
    files.swap(("extends: base/market.yaml", "extends: [base/market.yaml, base/second.yaml]"))
    levels = reading.read(files.path).market.national_ppy["esrd"]
    assert levels == {2016: 81_000, 2017: 82_000, 2018: 90_000}


def test_bases_may_extend_bases_in_their_own_folder(files):
    files.put("base/top.yaml", "extends: market.yaml\nabout: chained\n")
    files.swap(("extends: base/market.yaml", "extends: base/top.yaml"))
    assert reading.read(files.path).about == "chained"


def test_a_base_that_two_files_share_is_read_once(files):
    files.put("base/one.yaml", "extends: market.yaml\n")
    files.put("base/two.yaml", "extends: market.yaml\n")
    files.swap(("extends: base/market.yaml", "extends: [base/one.yaml, base/two.yaml]"))
    assert not files.lines()


def test_shipped_bases_are_found_from_any_folder(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(template("mine"))
    assert len(reading.read(path).contracts) == 6


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ("x.yaml", "extends itself"),
        ("/etc/passwd", "leaves the scenario's folder; must be a path relative to it"),
        ("https://example.org/x.yaml", "leaves the scenario's folder; must be a path relative"),
        ("../outside.yaml", "leaves the scenario's folder"),
        ("base/../../outside.yaml", "leaves the scenario's folder"),
        ("base/link.yaml", "leaves the scenario's folder"),
        ("base", "was not found; shipped are base/"),
        ("3", "is no file name"),
    ],
)
def test_extends_stays_in_the_scenarios_folder(files, tmp_path, named, reason):
    (tmp_path.parent / "outside.yaml").write_text("about: secret\n")
    (tmp_path / "base" / "link.yaml").symlink_to(tmp_path.parent / "outside.yaml")
    files.swap(("extends: base/market.yaml", f"extends: [base/market.yaml, {named}]"))
    (line,) = files.lines()
    assert line.startswith("x.yaml:1: extends is ")
    assert f"which {reason}" in line


def test_a_missing_base_gets_the_nearest_name(files):
    files.swap(("extends: base/market.yaml", "extends: base/mssp_2022x.yaml"))
    (line,) = files.lines()
    assert line.endswith("did you mean base/mssp_2022.yaml?")


def test_a_circle_of_bases_is_refused(files):
    files.put("base/market.yaml", "extends: other.yaml\n")
    files.put("base/other.yaml", "extends: market.yaml\n")
    assert files.lines() == ["base/other.yaml:1: extends is 'market.yaml', which extends itself"]


def test_a_long_chain_of_bases_is_refused(files):
    for i in range(30):
        files.put(f"base/b{i}.yaml", f"extends: b{i + 1}.yaml\n")
    files.put("base/b30.yaml", "about: end\n")
    files.swap(("extends: base/market.yaml", "extends: [base/market.yaml, base/b0.yaml]"))
    (line,) = files.lines()
    assert "is one of more than 20 files" in line


def test_mistakes_in_a_base_name_the_base(files):
    files.put("base/market.yaml", files.market.replace("82_000", "-1"))
    assert files.lines() == [
        "base/market.yaml:3: market.national_ppy.esrd.2017 is -1; "
        "must be above 0 and at most 1,000,000"
    ]


def test_overrides_change_one_value_each(files):
    scenario = reading.read(
        files.path,
        ["trials=50", "population.*.segments.*.churn_share=0.5", "contracts.move=~"],
    )
    assert scenario.trials == 50
    churn = {s.churn_share for s in scenario.population["lakeshore"].segments.values()}
    assert churn == {0.5}
    assert set(scenario.contracts) == {"stay"}


def test_overrides_may_be_mappings_and_lists(files):
    scenario = reading.read(files.path, ["years=[2022, 2023]", "experience.effect={mean: 0.02}"])
    assert scenario.years == (2022, 2023)
    assert scenario.experience.effect.mean == 0.02


def test_an_override_of_a_rule_becomes_a_what_if(files):
    scenario = reading.read(files.path, ["rules.mssp.2022.E.loss_rate=0.25"])
    (path,) = scenario.rules
    assert path == "mssp.2022.E.loss_rate"
    assert scenario.rules[path].value == 0.25
    assert scenario.rules[path].why


@pytest.mark.parametrize(
    ("override", "found"),
    [
        ("trials", "is no assignment of the form path=value"),
        ("=5", "is no assignment of the form path=value"),
        ("trials=many", "trials is 'many'; must be a whole number between 1 and 100,000,000"),
        ("trials=[1", "trials has a bracket that is not closed, or lacks a comma"),
        ("trials=*a", "trials uses '*a'; anchors and aliases are not allowed"),
        ("trials.x=3", "trials.x cannot be set: trials is 1000, not a mapping"),
        ("nothing.*.x=3", "nothing.*.x names nothing"),
        ("contracts.none=~", "contracts.none is empty; must be a mapping"),
    ],
)
def test_a_wrong_override_is_named_as_typed(files, override, found):
    (line,) = files.lines([override])
    assert line.startswith(f"--set {override}: {found}")


def test_canonical_text_reads_back_as_the_same_scenario(files):
    scenario = reading.read(files.path)
    text = reading.canonical(scenario)
    files.put("x.yaml", text)
    again = reading.read(files.path)
    assert again == scenario
    assert reading.canonical(again) == text


def test_the_digest_depends_on_every_value_but_trials(files):
    scenario = reading.read(files.path)
    more = reading.read(files.path, ["trials=9"])
    other = reading.read(files.path, ["experience.trend.mean=0.05"])
    assert reading.digest(scenario) == reading.digest(more)
    assert reading.digest(scenario) != reading.digest(other)
    assert reading.digest(scenario, leave_out=()) != reading.digest(more, leave_out=())


def test_the_digest_does_not_depend_on_order_or_layout(files):
    before = reading.digest(reading.read(files.path))
    files.swap(
        ("name: small\nseed: 7\n", "seed: 7\nname: small\n"),
        ("churn_share: 0.2", "churn_share: 2e-1"),
    )
    assert reading.digest(reading.read(files.path)) == before


def test_write_makes_a_file_that_needs_no_base(files, tmp_path):
    scenario = reading.read(files.path)
    path = tmp_path / "resolved.yaml"
    reading.write(scenario, path)
    assert "extends" not in parse_text(path.read_text(), "x").value
    assert reading.read(path) == scenario


def test_a_template_bears_its_name():
    assert parse_text(template("lakeshore"), "x").value["name"] == "lakeshore"


def test_a_template_of_no_name_is_refused():
    with pytest.raises(ScenarioError, match="is no name"):
        template("a: b")


def test_a_field_that_has_no_value_is_removed_in_vain():
    kept = reading.digest(reading.read(QUICKSTART))
    for path in ("beneficiaries", "termination.month"):
        override = f"population.covenant.{path}=~"
        assert reading.digest(reading.read(QUICKSTART, [override])) == kept
    with pytest.raises(ScenarioError, match=r"covenant\.beneficiary is not a field"):
        reading.read(QUICKSTART, ["population.covenant.beneficiary=~"])


def test_the_least_and_the_most_of_a_list_are_told():
    groups = "experience.severity.groups.esrd={persons: [20], mean_usd: [5]}"
    with pytest.raises(ScenarioError, match="must be a list of at least 2"):
        reading.read(QUICKSTART, [groups])
