"""Sweeps: grid, zip, list and sample, every case a scenario of its own."""

import pytest

from simulator.errors import ScenarioError
from simulator.scenario import reading
from simulator.scenario.sweep import cases


def swept(files, text):
    files.put("x.yaml", f"{files.scenario}sweep:\n  {text}\n")
    return cases(reading.read(files.path))


def churn(case):
    return [s.churn_share for s in case.scenario.population["lakeshore"].segments.values()]


def test_without_a_sweep_there_is_one_case(files):
    (case,) = cases(reading.read(files.path))
    assert (case.index, dict(case.swept)) == (0, {})


def test_a_grid_is_a_product_whose_last_path_varies_fastest(files):
    found = swept(
        files, "grid: {experience.trend.mean: [0.03, 0.05], experience.effect.mean: [0, 0.01]}"
    )
    assert [tuple(case.swept.values()) for case in found] == [
        (0.03, 0),
        (0.03, 0.01),
        (0.05, 0),
        (0.05, 0.01),
    ]
    assert found[-1].scenario.experience.trend.mean == 0.05
    assert [case.index for case in found] == [0, 1, 2, 3]


def test_a_star_sweeps_every_key_together(files):
    found = swept(files, "grid: {population.*.segments.*.churn_share: [0.3, 0.4]}")
    assert [churn(case) for case in found] == [[0.3, 0.3], [0.4, 0.4]]


def test_times_and_plus_act_on_each_own_value(files):
    (by, to) = swept(files, "zip: {population.*.segments.*.churn_share: {times: [0.5, 2]}}")
    assert churn(by) == [0.1, 0.05]
    assert churn(to) == [0.4, 0.2]
    (case,) = swept(files, "grid: {experience.trend.mean: {plus: [0.01]}}")
    assert case.scenario.experience.trend.mean == pytest.approx(0.05)


def test_a_default_can_be_swept(files):
    found = swept(files, "grid: {experience.trend.sd: {times: [2]}}")
    assert found[0].scenario.experience.trend.sd == pytest.approx(0.032)


def test_zip_steps_through_its_lists_together(files):
    found = swept(
        files, "zip: {experience.trend.mean: [0.03, 0.05], experience.effect.mean: [0, 0.01]}"
    )
    assert [tuple(case.swept.values()) for case in found] == [(0.03, 0), (0.05, 0.01)]


def test_a_list_names_its_cases(files):
    low, high = swept(
        files,
        "list: {low: {experience.trend.mean: 0.02, population.*.elections: {minimum_savings: 0}},"
        " high: {experience.trend.mean: {plus: 0.02}}}",
    )
    assert dict(low.swept) == {"list": "low"}
    assert low.scenario.population["lakeshore"].elections.minimum_savings == 0
    assert high.scenario.experience.trend.mean == pytest.approx(0.06)


@pytest.mark.parametrize("method", ["sobol", "lhs"])
def test_a_sample_fills_its_ranges_evenly_and_repeatably(files, method):
    text = (
        f"sample: {{method: {method}, n: 16, over: {{experience.trend.mean: [0.02, 0.06], "
        "experience.effect.mean: {plus: [-0.01, 0.01]}}}"
    )
    found = [tuple(case.swept.values()) for case in swept(files, text)]
    assert found == [tuple(case.swept.values()) for case in swept(files, text)]
    assert {int((trend - 0.02) / 0.0025) for trend, _ in found} == set(range(16))


def test_every_case_keeps_the_seed_and_has_no_sweep(files):
    for case in swept(files, "grid: {experience.trend.mean: [0.03, 0.05]}"):
        assert case.scenario.seed == 7
        assert case.scenario.sweep is None


def test_a_what_if_on_a_rule_can_be_swept(files):
    rules = "rules:\n  mssp.2022.E.loss_rate: {value: 0.3, why: to see}\n"
    files.put(
        "x.yaml",
        f"{files.scenario}{rules}sweep: {{grid: {{rules.mssp.2022.E.loss_rate: [0.2]}}}}\n",
    )
    (case,) = cases(reading.read(files.path))
    assert case.scenario.rules["mssp.2022.E.loss_rate"].value == 0.2


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "grid: {experience.trend.maen: [0.1]}",
            "sweep.grid.experience.trend.maen names nothing: experience.trend has no 'maen'; "
            "did you mean mean?",
        ),
        (
            "grid: {population.*.segments.*.chrun_share: {times: [2]}}",
            "sweep.grid.population.*.segments.*.chrun_share names nothing: "
            "population.lakeshore.segments.esrd has no 'chrun_share'; did you mean churn_share?",
        ),
        (
            "grid: {population.lakeshor.revenue_ppy: [1]}",
            "sweep.grid.population.lakeshor.revenue_ppy names nothing: "
            "population has no 'lakeshor'; did you mean lakeshore?",
        ),
        (
            "grid: {seed: [1, 2]}",
            "sweep.grid.seed cannot be swept; only market, population, experience, contracts, "
            "rules can",
        ),
        (
            "grid: {experience.quality.mean: [0.5, 3]}",
            "sweep.grid.experience.quality.mean.1 makes experience.quality.mean wrong, "
            "which is 3; must lie between 0 and 1 (3% is written 0.03)",
        ),
        (
            "grid: {experience.quality.mean: {times: [1, 2]}}",
            "sweep.grid.experience.quality.mean.times.1 makes experience.quality.mean wrong, "
            "which is 1.6; must lie between 0 and 1 (1.6% is written 0.016)",
        ),
        (
            "grid: {population.*.region: {times: [2]}}",
            "sweep.grid.population.*.region.times.0 cannot act by times: there is no number "
            "at population.lakeshore.region",
        ),
        (
            "zip: {experience.trend.mean: [0.1], experience.trend.sd: [0.1, 0.2]}",
            "sweep.zip has lists of 1, 2 values; must be of one length",
        ),
        ("grid: {experience.trend.mean: 0.1}", None),
        ("grid: {experience.trend.mean: []}", "sweep.grid.experience.trend.mean has no values"),
        ("grid: {}", "sweep.grid is empty; must name a path"),
        (
            "sample: {n: 100, over: {experience.trend.mean: [0.01, 0.02]}}",
            "sweep.sample has n: 100; sobol needs a power of two; did you mean 128?",
        ),
        (
            "sample: {n: 4, over: {experience.trend.mean: [0.02, 0.01]}}",
            "sweep.sample.over.experience.trend.mean is [0.02, 0.01]; must be [low, high]",
        ),
        (
            "sample: {n: 4, over: {experience.quality.mean: [0, 2]}}",
            "sweep.sample.over.experience.quality.mean makes experience.quality.mean wrong, "
            "which is 2.0; must lie between 0 and 1 (2% is written 0.02)",
        ),
        (
            f"grid: {{experience.trend.mean: {list(range(300))}, experience.trend.sd: "
            f"{list(range(300))}}}",
            "sweep.grid makes 90,000 cases; at most 10,000 are allowed",
        ),
    ],
)
def test_a_wrong_sweep_is_one_mistake_with_its_line(files, text, line):
    files.put("x.yaml", f"{files.scenario}sweep:\n  {text}\n")
    found = files.lines()
    assert len(found) == 1
    said = line or "sweep.grid.experience.trend.mean is 0.1; must be a list or a mapping"
    assert found[0] == f"x.yaml:29: {said}"


def test_two_forms_at_once_are_a_mistake(files):
    forms = "{grid: {experience.trend.mean: [0.1]}, zip: {experience.trend.mean: [0.1]}}"
    files.put("x.yaml", f"{files.scenario}sweep: {forms}\n")
    assert files.lines() == [
        "x.yaml:28: sweep has grid and zip; must have one of grid, zip, list, sample"
    ]


def test_paths_are_checked_even_where_the_scenario_is_wrong(files):
    files.swap(("mean: 0.04", "maen: 0.04"))
    files.put(
        "x.yaml", f"{files.path.read_text()}sweep: {{grid: {{experience.trnd.mean: [0.1]}}}}\n"
    )
    assert len(files.lines()) == 2


def test_cases_that_are_wrong_together_are_refused(files):
    files.put(
        "x.yaml",
        f"{files.scenario}sweep: {{list: {{bad: {{population.*.agreement.start: 2023}}}}}}\n",
    )
    with pytest.raises(ScenarioError, match=r"sweep\.list\.bad"):
        reading.read(files.path)


@pytest.mark.parametrize(
    ("sweep", "override", "where"),
    [
        ("grid: {experience.trend.mean: [0.02, 0.03]}", "experience.trend.mean=0.05", "grid"),
        ("zip: {experience.trend: [{mean: 0.02}]}", "experience.trend.mean=0.05", "zip"),
        ("list: {a: {experience.trend.mean: 0.02}}", "experience.trend.mean=0.05", "list"),
        (
            "sample: {n: 2, over: {experience.trend.mean: [0.02, 0.03]}}",
            "experience.trend.mean=0.05",
            "sample",
        ),
    ],
)
def test_an_override_of_a_swept_path_is_refused(files, sweep, override, where):
    files.put("x.yaml", f"{files.scenario}sweep:\n  {sweep}\n")
    (line,) = files.lines([override])
    assert line.startswith(f"--set {override}: experience.trend.mean is swept in sweep.{where} (")
    assert "which sets it in every case; change the sweep, or leave it out with" in line


@pytest.mark.parametrize(
    "sweep",
    [
        "grid: {experience.trend.mean: {times: [1, 2]}}",
        "list: {a: {experience.trend.mean: 0.02}, b: {experience.effect.mean: 0.01}}",
        "grid: {experience.effect.mean: [0, 0.01]}",
    ],
)
def test_an_override_that_some_case_uses_is_allowed(files, sweep):
    files.put("x.yaml", f"{files.scenario}sweep:\n  {sweep}\n")
    assert not files.lines(["experience.trend.mean=0.05"])


def test_a_case_that_changes_nothing_is_kept_when_the_scenario_is_written(files):
    text = "list: {as_it_is: {}, low: {experience.trend.mean: 0.02}}"
    files.put("x.yaml", f"{files.scenario}sweep: {{{text}}}\n")
    scenario = reading.read(files.path)
    again = files.put("again.yaml", reading.canonical(scenario))
    assert reading.read(again) == scenario
    assert [case.swept["list"] for case in cases(scenario)] == ["as_it_is", "low"]


def test_a_saltelli_sample_exchanges_one_path_at_a_time(files):
    text = (
        "sample: {method: saltelli, n: 4, over: {experience.trend.mean: [0.02, 0.06], "
        "experience.effect.mean: {plus: [-0.01, 0.01]}}}"
    )
    found = [tuple(case.swept.values()) for case in swept(files, text)]
    a, b, first, second = (found[i : i + 4] for i in range(0, 16, 4))
    assert len(found) == 16
    assert first == [(theirs[0], mine[1]) for mine, theirs in zip(a, b, strict=True)]
    assert second == [(mine[0], theirs[1]) for mine, theirs in zip(a, b, strict=True)]


def test_a_saltelli_sample_too_large_or_of_no_power_of_two_is_refused(files):
    over = "over: {experience.trend.mean: [0.02, 0.06]}"
    for n, said in (
        (1, "has n: 1; saltelli needs a power of two; did you mean 2?"),
        (4096, "makes 12,288 cases; at most 10,000 are allowed"),
    ):
        with pytest.raises(ScenarioError, match=said.replace("?", r"\?")):
            swept(files, f"sample: {{method: saltelli, n: {n}, {over}}}")
