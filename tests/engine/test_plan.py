from pathlib import Path

import pytest

from simulator.engine.plan import _size, estimate, plan
from simulator.engine.run import execute, run
from simulator.engine.tracks import tracks
from simulator.errors import ResultsError
from simulator.scenario.schema import Override
from simulator.scenario.sweep import cases
from tests.runs import small


@pytest.mark.parametrize("trials", [10, 10_000, 100_000, 10_000_000])
def test_blocks_are_as_large_however_many_trials_there_are(trials, tmp_path):
    assert plan(small(trials), tmp_path).pin.block == 5_000


def test_a_block_of_many_acos_is_worth_what_it_costs_and_bounded(tmp_path):
    one = small(10_000, ("level_e",))
    aco = one.population["covenant"]
    for acos, block in ((100, 5_000), (1_000, 1_000), (4_820, 400), (20_000, 100)):
        many = one.model_copy(update={"population": {f"a{n}": aco for n in range(acos)}})
        assert _size(many) == block


def test_the_folder_is_named_by_what_decides_the_numbers(tmp_path):
    first, more = plan(small(10), tmp_path), plan(small(20), tmp_path)
    assert first.folder == more.folder
    assert first.folder.name == f"quickstart-{first.pin.digest[:8]}"


def test_a_run_goes_on_in_its_own_blocks(tmp_path):
    run(small(100), tmp_path, block=50)
    assert plan(small(200), tmp_path).pin.block == 50
    with pytest.raises(ResultsError, match="blocks of 50 trials, not 60"):
        plan(small(200), tmp_path, block=60)


def test_a_plan_says_what_is_done_and_what_it_costs(tmp_path):
    run(small(100), tmp_path, block=50)
    cost = estimate(plan(small(300), tmp_path), workers=2)
    assert (cost.blocks, cost.committed) == (6, 2)
    assert cost.disk_bytes == 300 * 2 * 4 * 4
    assert cost.memory_bytes > 100_000
    assert cost.seconds > 0.0


def test_disk_is_what_the_store_takes(tmp_path):
    planned = plan(small(300), tmp_path, block=100)
    execute(planned)
    chunks = [p for p in (planned.folder / "trials.zarr").rglob("c/*/*/*/*") if p.is_file()]
    assert sum(p.stat().st_size for p in chunks) == estimate(planned, workers=1).disk_bytes


def test_nothing_is_written_by_planning(tmp_path):
    estimate(plan(small(100), tmp_path / "out"), workers=1)
    assert not Path(tmp_path / "out").exists()


def test_a_what_if_lies_on_the_contracts_it_names_and_is_assumed():
    rules = {"mssp.2022.E.sharing_rate": Override(value=0.9, why="to see")}
    (case,) = cases(small().model_copy(update={"rules": rules}))
    level_e, enhanced = (track.contracts[0] for track in tracks(case))
    assert level_e.sources["sharing_rate"].status == "assumed"
    assert level_e.sources["sharing_rate"].note == "to see"
    assert enhanced.sources["sharing_rate"].status == "published"
