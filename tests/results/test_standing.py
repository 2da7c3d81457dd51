import pytest

from simulator import results
from simulator.engine.run import run
from tests.runs import small


@pytest.fixture
def folder(tmp_path):
    run(small(60, ["level_e"]), tmp_path, block=25)
    return next(tmp_path.iterdir())


def test_a_run_is_finished_running_or_stopped(folder):
    one = results.standing(folder)
    assert (one.state, one.done, one.blocks) == ("finished", 3, 3)
    with results.held(folder):
        assert results.standing(folder).state == "running"
    manifest = folder / "manifest.jsonl"
    manifest.write_text("".join(manifest.read_text().splitlines(keepends=True)[:2]))
    (folder / "run.json").unlink()
    one = results.standing(folder)
    assert (one.state, one.done, one.blocks) == ("stopped", 2, 3)
    assert one.next == f"acosim run {folder}/scenario.yaml --out {folder.parent}"


def test_every_run_of_a_folder_is_told_also_one_that_cannot_be_read(folder):
    other = folder.with_name("other")
    other.mkdir()
    (other / "scenario.yaml").write_text("name: [")
    found = {one.run: one.state for one in results.standings(folder.parent)}
    assert found == {str(folder): "finished", str(other): "unreadable"}
    assert list(results.standings(folder / "nowhere")) == []
