"""The verb that finds where a goal is met."""

import json

import pytest

from tests.runs import QUICKSTART
from tests.test_cli import acosim

FEW = ("--trials", 200, "--steps", 2)
EFFECT = ("--vary", "experience.effect.mean", "--from", -0.1, "--to", 0.1)
SCENARIO = QUICKSTART.with_name("without_relief.yaml")


def test_a_break_even_is_printed_and_told_to_machines():
    asked = ("solve", SCENARIO, "--contract", "enhanced", "--against", "level_e", *EFFECT, *FEW)
    said = acosim(*asked).stdout
    assert "P(enhanced beats level_e) = 50% at experience.effect.mean -0.0" in said
    told = json.loads(acosim(*asked, "--json").stdout)
    assert told["goal"] == {"kind": "above", "at": 0.0, "target": 0.5}
    assert [one["value"] for one in told["tried"]] == [-0.1, 0.0, 0.1]
    (root,) = told["roots"]
    assert -0.1 < root["value"] < 0.0
    assert 0.0 < root["error"] < 0.02


@pytest.mark.parametrize(
    ("goal", "said"),
    [
        (("--mean", 5e6), "mean = $5,000,000 at"),
        (("--owes", 0.2), "P(level_e owes) = 20% at"),
        (("--wins", 0.8), "P(level_e earns) = 80% at"),
        (("--percentile", 5, -1e6), "p5 = -$1,000,000 at"),
    ],
)
def test_each_goal_is_said_in_words(goal, said):
    assert said in acosim("solve", SCENARIO, "--contract", "level_e", *EFFECT, *FEW, *goal).stdout


def test_single_values_are_scanned():
    path = ("--vary", "population.*.elections.minimum_savings", "--values", "0,0.02,variable")
    asked = ("solve", SCENARIO, "--contract", "level_e", *path, "--mean", 4.4e6, "--trials", 200)
    said = acosim(*asked).stdout
    assert "nearest to the goal is 0" in said
    told = json.loads(acosim(*asked, "--json").stdout)
    assert [one["value"] for one in told["tried"]] == [0.0, 0.02, "variable"]
    assert told["tried"][0]["found"] > told["tried"][1]["found"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((*EFFECT, "--mean", 9e9), 3, "meets the goal, 9e+09: it is"),
        ((*EFFECT,), 3, "one goal is needed of --mean, --wins, --owes, --percentile; there is no"),
        ((*EFFECT, "--mean", 1, "--owes", 0.1), 3, "there is --mean and --owes"),
        ((*EFFECT, "--wins", 1.5), 3, "--wins 1.5 is no chance"),
        ((*EFFECT[:2], "--mean", 1), 2, "give an interval"),
        ((*EFFECT, "--values", "1", "--mean", 1), 2, "give an interval"),
        ((*EFFECT, "--case", 3, "--mean", 1), 2, "--case 3: there are 1"),
        (("--vary", "experience.effect", "--values", "1", "--mean", 1), 3, "--vary"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(words, code, said):
    ended = acosim("solve", SCENARIO, "--contract", "level_e", *FEW, *words)
    assert ended.exit_code == code
    assert said in " ".join(ended.stderr.replace("│", " ").split())
