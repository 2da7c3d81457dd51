"""The verb that says what a sweep moves."""

import json

import pytest

from simulator.engine.checking import check
from simulator.engine.run import run
from tests.runs import QUICKSTART
from tests.test_cli import acosim

STRESS = QUICKSTART.with_name("stress_quality.yaml")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    run(check(STRESS, ("trials=100",)), out=out)
    return next(out.iterdir())


def test_a_tornado_is_printed_and_told_to_machines(folder):
    said = acosim("sensitivity", folder, "--contract", "enhanced")
    assert "standard_failed" in said.stdout
    told = json.loads(acosim("sensitivity", folder, "--contract", "enhanced", "--json").stdout)
    assert told["tornado"][0]["change_usd"] < 0.0


def test_indices_of_a_saltelli_sample_are_printed(tmp_path):
    over = "{experience.deviation.mean: [-0.05, 0.0], experience.quality.mean: [0.8, 0.9]}"
    sweep = f"sweep={{sample: {{method: saltelli, n: 4, over: {over}}}}}"
    run(check(QUICKSTART, (sweep, "trials=50")), out=tmp_path)
    folder = next(tmp_path.iterdir())
    said = acosim("sensitivity", folder, "--contract", "enhanced", "--against", "level_e")
    assert "share of the mean's variance" in said.stdout
    assert "experience.deviation.mean" in said.stdout
