import pytest

from simulator.engine.checking import check
from simulator.errors import ScenarioError
from tests.runs import QUICKSTART

ABOVE = f"extends: {QUICKSTART.name}\n"


def lines(tmp_path, text, overrides=()):
    """Return the mistakes of a file that extends the quickstart."""
    (tmp_path / QUICKSTART.name).write_text(QUICKSTART.read_text())
    file = tmp_path / "x.yaml"
    file.write_text(ABOVE + text)
    try:
        check(file, overrides)
    except ScenarioError as error:
        return [message.removeprefix(f"{tmp_path}/") for message in error.messages]
    return []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "contracts: {x: {program: mspp, option: E}}",
            "x.yaml:2: contracts.x.program is 'mspp'; programs are mssp, ",
        ),
        (
            "contracts: {x: {program: mssp, option: ENHANCE}}",
            "x.yaml:2: contracts.x.option is 'ENHANCE'; mssp 2022 has A, B, C, D, E, ENHANCED; "
            "did you mean ENHANCED?",
        ),
        (
            "contracts: {x: {program: mssp, option: {2022: Z}}}",
            "x.yaml:2: contracts.x.option.2022 is 'Z'; mssp 2022 has A, B, C, D, E, ENHANCED",
        ),
        (
            "contracts: {x: {program: mssp, option: E, variant: cms1}}",
            "x.yaml:2: contracts.x.variant is 'cms1'; mssp 2022 has variants none",
        ),
        (
            "contracts: {x: {program: mssp, option: E, rules_year: 2010}}",
            "x.yaml:2: contracts.x.rules_year is 2010; mssp has rules for 2013, ",
        ),
        (
            "contracts: {x: {program: mssp, option: track_1, rules_year: 2024}}",
            "x.yaml:2: contracts.x.option is 'track_1'; mssp 2024 has A, B, C, D, E, ENHANCED",
        ),
        ("keep: [settlment_usd]", "did you mean settlement_usd?"),
        ("rules: {mssp.2022.E: {value: 1, why: x}}", "must read program.year.option.term"),
        ("rules: {mssp.2021.E.sharing_rate: {value: 1, why: x}}", "did you mean mssp.2022.E?"),
        ("rules: {mssp.2022.E.sharing_rat: {value: 1, why: x}}", "did you mean sharing_rate?"),
        ("rules: {mssp.2022.E.sharing_rate: {value: 3, why: x}}", "a share lies between 0 and 1"),
        ("rules: {mssp.2022.E.sharing_rate: {value: all, why: x}}", "expects a number in share"),
    ],
)
def test_a_name_that_no_program_knows_is_one_line_with_its_place(tmp_path, text, said):
    (line,) = lines(tmp_path, text)
    assert line.startswith("x.yaml:2: ")
    assert said in line


@pytest.mark.parametrize("rate", ["0.5", "0.03", "0.011"])
def test_a_minimum_savings_rate_that_cannot_be_elected_is_refused(tmp_path, rate):
    text = (
        f"contracts: {{x: {{program: mssp, option: E, elections: {{minimum_savings: {rate}}}}}}}"
    )
    (line,) = lines(tmp_path, text)
    hint = " (0.5% is written 0.005)" if rate == "0.5" else ""
    assert line == (
        f"x.yaml:2: contracts.x.elections.minimum_savings is {rate}; must be one of 0, 0.005, "
        f"0.01, 0.015, 0.02 or variable{hint}"
    )


def test_a_sweep_to_a_rate_that_cannot_be_elected_is_refused_with_its_case(tmp_path):
    path = "population.*.elections.minimum_savings"
    found = lines(tmp_path, f"sweep: {{grid: {{{path}: [0.01, 0.011, 0.02]}}}}")
    assert found == [
        "x.yaml:2: sweep makes population.covenant.elections.minimum_savings wrong, which is "
        "0.011; must be one of 0, 0.005, 0.01, 0.015, 0.02 or variable (case 1)"
    ]


def test_a_year_without_rules_is_said_at_the_year(tmp_path):
    found = lines(tmp_path, "years: [1999]")
    assert any(line.startswith("x.yaml:2: years.0 is 1999") for line in found)


def test_names_are_checked_even_if_the_rest_is_wrong(tmp_path):
    text = "trials: ten\nseed: -1\ncontracts: {x: {program: mspp, option: E}}\nkeep: [nothing]"
    found = lines(tmp_path, text, ["experience.quality.mean=82"])
    assert [line.split(":")[1] for line in found[:4]] == ["2", "3", "4", "5"]
    assert found[4].startswith("--set experience.quality.mean=82: ")


def test_a_what_if_of_any_option_is_checked_for_each(tmp_path):
    assert lines(tmp_path, 'rules: {"mssp.*.*.sharing_rate": {value: 0.6, why: x}}') == []


@pytest.mark.parametrize(
    "text", ["contracts: 3", "contracts: [a]", "years: x", "rules: []", "keep: {}", "years: []"]
)
def test_what_has_another_shape_is_told_once_and_passed_over(tmp_path, text):
    found = lines(tmp_path, text)
    assert found
    assert len({line.split(" is ")[0] for line in found}) == len(found)


def test_a_contract_that_a_sweep_makes_wrong_is_told_at_the_sweep(tmp_path):
    text = "sweep: {grid: {contracts.level_e.option: [E, Q]}}"
    (line,) = lines(tmp_path, text)
    assert line.startswith("x.yaml:2: sweep makes case 1 wrong: mssp 2022 has no option 'Q'")


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("none.csv", "benchmarks 'none.csv' is not found; allowed is a file in "),
        ("x.yaml", "benchmarks "),
    ],
)
def test_a_file_of_benchmarks_that_cannot_be_read_is_told_with_its_line(tmp_path, named, said):
    text = f"experience:\n  quality:\n    measures: {{'236': 70.0}}\n    benchmarks: {named}\n"
    assert lines(tmp_path, text)[0].startswith(f"x.yaml:5: experience.quality.{said}")
