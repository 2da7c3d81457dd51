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
# A name of a file of numbers, the scenario it is a run of, and what is set of it.
RUNS = {
    "quickstart": ("quickstart", []),
    "without_relief": ("without_relief", []),
    "reach": ("reach_2026_tightening", []),
    "lead": ("lead_or_mssp", ["years=[2027]", "contracts.level_e=~", "valuation=~"]),
    "sweep": ("stress_quality", []),
}
# Between kinds of processors the last bit of an exponential differs.
WITHIN = 1e-7


def numbers(name, out):
    """Return the numbers of a small run, by where they stand in its table."""
    file, set_of_it = RUNS[name]
    scenario = check(ROOT / "scenarios" / f"{file}.yaml", [f"trials={TRIALS}", *set_of_it])
    table = tables.summary(run(scenario, out)).drop(columns=["assumed", "reported", "proposed"])
    measures = [column for column in table if column in tables.MEASURES]
    return {
        ".".join([*map(str, key), measure]): float(row[measure])
        for key, row in table.iterrows()
        for measure in measures
    }


@pytest.mark.parametrize("name", RUNS)
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
