"""A run that goes on until its means are as sure as is asked."""

import pytest

from simulator import results
from simulator.results import open_run
from tests.runs import QUICKSTART
from tests.test_cli import acosim

ONE = ("--set", "contracts={level_e: {program: mssp, option: E}}", "--block", 200)


def test_a_run_goes_on_to_the_target_and_is_the_plain_run_of_as_many_trials(tmp_path):
    asked = ("run", QUICKSTART, *ONE, "--trials", 200, "--target-se", "120_000", "--out", tmp_path)
    ended = acosim(*asked)
    (folder,) = tmp_path.iterdir()
    trials = open_run(folder).sizes["trial"]
    assert trials > 200
    assert trials % 200 == 0
    assert f"at {trials:,} trials, at most the $120,000 asked for" in ended.stderr
    first = results.digest(folder)
    again = acosim(*asked)
    assert results.digest(folder) == first
    assert again.stderr == ended.stderr
    acosim("run", QUICKSTART, *ONE[:2], "--trials", trials, "--out", tmp_path / "plain")
    (plain,) = (tmp_path / "plain").iterdir()
    assert results.digest(plain) == first


def test_the_most_trials_are_said_with_exit_four(tmp_path):
    asked = ("run", QUICKSTART, *ONE, "--trials", 200, "--target-se", "1%", "--most-trials", 300)
    ended = acosim(*asked, "--out", tmp_path)
    assert ended.exit_code == 4
    assert "at 300 trials, above the $" in ended.stderr
    assert "--most-trials allows no more" in ended.stderr
    assert "level_e" in ended.stdout


def test_sobol_points_are_doubled_and_have_the_error_of_their_replicates(tmp_path):
    sobol = ("--set", "sampling={scheme: sobol, replicates: 8}", "--trials", 128, *ONE)
    asked = ("run", QUICKSTART, *sobol, "--target-se", 60_000, "--out", tmp_path)
    ended = acosim(*asked)
    assert ended.exit_code == 0
    (folder,) = tmp_path.iterdir()
    assert open_run(folder).sizes["trial"] in (256, 512, 1_024)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--of", "level_e"), "--of says whose --target-se"),
        (("--target-se", "1%", "--blocks", "0:1"), "does not go with --blocks"),
        (("--target-se", "1%", "--trials", 20), "100 trials or more"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(words, said, tmp_path):
    ended = acosim("run", QUICKSTART, *ONE, *words, "--out", tmp_path)
    assert ended.exit_code == 2
    assert said in " ".join(ended.stderr.replace("│", " ").split())
    assert not [*tmp_path.iterdir()]
