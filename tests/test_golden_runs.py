"""Numbers frozen for each minor version: a change is seen, reviewed, and told in CHANGELOG.md.

`pytest --update-golden tests/test_golden_runs.py` writes them anew; the diff is what is reviewed.
"""

from pathlib import Path

import pytest

from simulator import results
from simulator.engine.checking import check
from simulator.engine.run import run
from simulator.report import tables

ROOT = Path(__file__).parents[1]
MINOR = ".".join(results.version().split(".")[:2])
TRIALS = 256
# Between kinds of processors the last bit of an exponential differs.
WITHIN = 1e-7


def numbers(name, out):
    """Return the named numbers of a small run of a scenario."""
    scenario = check(ROOT / "scenarios" / f"{name}.yaml", [f"trials={TRIALS}"])
    table = tables.summary(run(scenario, out)).drop(columns=["assumed", "reported", "proposed"])
    measures = [column for column in table if column in tables.MEASURES]
    return {
        ".".join([*map(str, key), measure]): float(row[measure])
        for key, row in table.iterrows()
        for measure in measures
    }


@pytest.mark.parametrize("name", ["quickstart", "without_relief"])
def test_a_small_run_gives_the_numbers_of_its_version(name, tmp_path, pytestconfig):
    found = numbers(name, tmp_path)
    path = ROOT / "tests" / "golden" / "runs" / MINOR / f"{name}.txt"
    if pytestconfig.getoption("--update-golden"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{key} {value!r}\n" for key, value in found.items()))
    lines = (line.split(" ") for line in path.read_text().splitlines())
    golden = {key: float(value) for key, value in lines}
    assert found == pytest.approx(golden, rel=WITHIN, abs=WITHIN), (
        "a number changed: say so in CHANGELOG.md under 'Numbers changed', with its size, and "
        "review the diff that --update-golden makes"
    )
