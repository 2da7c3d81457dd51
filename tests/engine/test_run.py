import importlib.metadata
import json
import shutil

import numpy as np
import pytest

from simulator import results
from simulator.engine import ClusterError
from simulator.engine.plan import plan
from simulator.engine.run import _soon, run
from simulator.results import folder, store
from tests.runs import small


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the run that others are held against: one block, one worker."""
    return run(small(), tmp_path_factory.mktemp("whole"), workers=1, block=300)


def computed(folder):
    return json.loads((folder / "run.json").read_text())["blocks_computed"]


def only(out):
    (folder,) = out.iterdir()
    return folder


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("block", [70, 128, 500])
def test_a_run_is_the_same_however_it_is_cut_and_spread(whole, tmp_path, block, workers):
    again = run(small(), tmp_path, workers=workers, block=block)
    assert results.digest(again.attrs["path"]) == results.digest(whole.attrs["path"])
    assert again.attrs["digest"] == whole.attrs["digest"]


@pytest.mark.slow
def test_a_run_is_the_same_on_processes(whole, tmp_path):
    again = run(small(), tmp_path, scheduler="processes", workers=2, block=100)
    assert results.digest(again.attrs["path"]) == results.digest(whole.attrs["path"])


def test_the_first_trials_of_a_longer_run_are_those_of_a_shorter_one(tmp_path):
    long = run(small(10_000), tmp_path / "long")
    short = run(small(1_000), tmp_path / "short", block=250)
    assert long.isel(trial=slice(1_000)).equals(short)


def test_more_trials_extend_a_run_and_leave_what_is_there(tmp_path):
    first = run(small(200), tmp_path, block=100)
    chunks = {p: p.read_bytes() for p in only(tmp_path).rglob("c/0/*/0/0")}
    longer = run(small(250), tmp_path)
    assert only(tmp_path) == only(tmp_path).parent / first.attrs["path"].split("/")[-1]
    assert computed(only(tmp_path)) == 1
    assert {p: p.read_bytes() for p in chunks} == chunks
    assert longer.sizes["trial"] == 250
    assert first.equals(longer.isel(trial=slice(200)))


def test_fewer_trials_than_are_there_cost_nothing_and_show_fewer(tmp_path):
    run(small(200), tmp_path, block=100)
    fewer = run(small(150), tmp_path)
    assert fewer.sizes["trial"] == 150
    assert computed(only(tmp_path)) == 0


def test_a_run_that_lost_blocks_computes_them_again_and_no_others(whole, tmp_path):
    run(small(), tmp_path, block=100)
    manifest = only(tmp_path) / "manifest.jsonl"
    lines = manifest.read_text().splitlines(keepends=True)
    manifest.write_text(lines[0] + lines[1][:30])
    (only(tmp_path) / "trials.zarr/enhanced/benchmark_usd/c/0/2/0/0").unlink()
    again = run(small(), tmp_path)
    assert computed(only(tmp_path)) == 2
    assert results.digest(again.attrs["path"]) == results.digest(whole.attrs["path"])


def test_blocks_of_another_run_are_never_taken(tmp_path):
    other = small(200).model_copy(update={"seed": 7})
    run(small(200), tmp_path / "one", block=100)
    alone = run(other, tmp_path / "two", block=100)
    folder = tmp_path / "mixed" / only(tmp_path / "two").name
    shutil.copytree(only(tmp_path / "one"), folder)
    mixed = run(other, tmp_path / "mixed")
    assert computed(folder) == 2
    assert results.digest(mixed.attrs["path"]) == results.digest(alone.attrs["path"])


@pytest.mark.parametrize("sealed", [True, False])
def test_a_run_whose_store_lost_its_root_is_run_again(sealed, tmp_path):
    run(small(200), tmp_path, block=100)
    folder = only(tmp_path)
    (folder / "trials.zarr/zarr.json").unlink()
    if not sealed:
        (folder / "run.json").unlink()
    run(small(200), tmp_path)
    assert computed(folder) == 0
    assert not results.verify(folder).flaws


def test_a_run_that_stopped_before_its_store_was_described_is_run_again(tmp_path):
    folder = plan(small(200), tmp_path).folder
    (folder / "trials.zarr").mkdir(parents=True)
    run(small(200), tmp_path, block=100)
    assert computed(folder) == 2


def test_a_run_is_not_taken_on_under_other_libraries(monkeypatch):
    made, plain = folder.code_version.__wrapped__(), importlib.metadata.version
    for library in ("numpy", "scipy", "numba"):
        other = {library: "0.0"}
        monkeypatch.setattr(importlib.metadata, "version", lambda n, o=other: o.get(n) or plain(n))
        assert folder.code_version.__wrapped__() != made


def test_a_run_whose_blocks_are_on_another_disk_is_not_sealed(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "write_bytes", _elsewhere(store.write_bytes))
    with pytest.raises(ClusterError, match="disk is not shared"):
        run(small(200), tmp_path, workers=1, block=100)
    assert not (only(tmp_path) / "run.json").exists()


def _elsewhere(write):
    """Return a way of writing that loses the second block, as a worker's own disk does."""
    return lambda path, held: None if path.match("c/0/1/0/*") else write(path, held)


def test_a_block_that_was_altered_is_computed_again(whole, tmp_path):
    run(small(), tmp_path, block=100)
    chunk = only(tmp_path) / "trials.zarr/enhanced/settlement_usd/c/0/1/0/0"
    chunk.write_bytes(np.full(100, 7.0, "<f4").tobytes())
    again = run(small(), tmp_path)
    assert computed(only(tmp_path)) == 1
    assert results.digest(again.attrs["path"]) == results.digest(whole.attrs["path"])


def test_progress_is_told_from_what_is_there_to_all(tmp_path):
    told = []
    run(small(), tmp_path, block=100, progress=lambda tally: told.append(tally[:2]))
    run(small(350), tmp_path, progress=lambda tally: told.append(tally[:2]))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3), (3, 4), (4, 4)]


def test_what_is_interrupted_is_kept(tmp_path):
    def stop_at_two(tally):
        if tally.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(small(), tmp_path, workers=1, block=50, progress=stop_at_two)
    again = run(small(), tmp_path)
    assert computed(only(tmp_path)) == 4
    assert again.sizes["trial"] == 300


def test_every_case_of_a_sweep_has_the_same_draws(tmp_path):
    sweep = {"grid": {"experience.effect.mean": [0.0, 0.02]}}
    scenario = small(100).model_validate({**small(100).model_dump(), "sweep": sweep})
    swept = run(scenario, tmp_path)
    alone = run(small(100), tmp_path)
    assert swept.settlement_usd.dims == ("case", "trial", "year", "aco", "contract")
    assert swept["experience.effect.mean"].values.tolist() == ["0.0", "0.02"]
    first = swept.settlement_usd.isel(case=0, drop=True)
    assert np.array_equal(first.values, alone.settlement_usd.values)
    assert (swept.settlement_usd.mean("trial").diff("case") > 0).all()


def test_a_scheduler_that_was_silent_is_asked_again():
    answers = iter([TimeoutError(), AssertionError(), None])

    def connect():
        answer = next(answers)
        if answer is None:
            return "client"
        raise answer

    assert _soon(connect, 60.0) == "client"


@pytest.mark.parametrize("error", [ConnectionRefusedError, ValueError])
def test_a_scheduler_that_is_not_there_is_asked_once(error):
    asked = []

    def connect():
        asked.append(1)
        raise error("no")

    with pytest.raises(error):
        _soon(connect, 60.0)
    assert asked == [1]


def test_a_scheduler_that_stays_silent_is_given_up():
    def connect():
        raise TimeoutError

    with pytest.raises(TimeoutError):
        _soon(connect, 0.05)
