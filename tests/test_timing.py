import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from typer.testing import CliRunner

from simulator.cli.answers import profiled
from simulator.cli.verbs import app
from simulator.timing import PARTS, lap, listening


def spend(part, seconds=0.01):
    with lap(part):
        time.sleep(seconds)


def test_laps_of_threads_add_up():
    with listening() as laps, ThreadPoolExecutor(2) as pool:
        list(pool.map(spend, ["sampling", "sampling", "storing"]))
    assert laps.seconds["sampling"] >= 0.02
    assert laps.seconds["storing"] >= 0.01
    assert laps.seconds.keys() == set(PARTS)


def test_a_lap_inside_another_is_the_outers():
    with listening() as laps, lap("start-up"):
        spend("sampling")
    assert laps.seconds["sampling"] == 0.0
    assert laps.seconds["start-up"] >= 0.01


def test_nothing_is_measured_unless_somebody_listens():
    with listening() as laps:
        pass
    spend("sampling")
    assert sum(laps.seconds.values()) == 0.0


def test_a_profile_says_each_part_on_stderr_and_adds_up(capsys):
    with profiled(as_json=False):
        spend("settlement")
    table = capsys.readouterr().err
    assert [line.split()[0] for line in table.splitlines()] == [
        "seconds",
        *PARTS,
        "other",
        "all",
    ]
    with profiled(as_json=True):
        spend("settlement")
    said = json.loads(capsys.readouterr().err)
    assert sum(said["profile"].values()) == pytest.approx(said["seconds"])
    assert said["profile"]["settlement"] >= 0.01


def test_a_profile_of_other_processes_is_refused():
    command = ["run", "scenarios/quickstart.yaml", "--profile", "--scheduler", "processes"]
    found = CliRunner().invoke(app, command)
    assert found.exit_code == 2
    assert "--profile is of threads here" in found.output
