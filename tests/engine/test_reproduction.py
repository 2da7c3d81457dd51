import shutil

import numpy as np
import pytest

from simulator import results
from simulator.engine.reproduction import reproduce
from simulator.engine.run import Where, run
from simulator.errors import ResultsError
from tests.runs import small


@pytest.fixture
def folder(tmp_path):
    run(small(60, ["level_e"]), tmp_path / "first", block=25)
    return next((tmp_path / "first").iterdir())


def test_a_run_made_again_in_other_blocks_is_the_same(folder, tmp_path):
    found = reproduce(folder, tmp_path / "again", Where(workers=2), block=10)
    assert found.same
    assert found.differences == ()
    assert found.sha256 == results.digest(folder)


def test_a_run_that_is_not_reproduced_says_by_how_much(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("simulator.engine.batch.lines", dearer)
    found = reproduce(folder, tmp_path / "again", Where(workers=1))
    assert not found.same
    assert found.differences == ("settlement_usd: up to 64.00, most in trial 7",)


def dearer(case, tracks, trials):
    from simulator.engine.simulate import lines  # noqa: PLC0415

    found = lines(case, tracks, trials)
    settled = found["level_e"]["settlement_usd"]
    step = xr_step(settled, trials)
    found["level_e"] = found["level_e"].assign(settlement_usd=step)
    return found


def xr_step(settled, trials):
    hit = np.array([64.0 if trial == 7 else 0.0 for trial in trials], np.float32)
    return settled + hit[:, None, None]


def test_a_run_is_not_made_again_on_top_of_itself(folder):
    with pytest.raises(ResultsError, match="elsewhere"):
        reproduce(folder, folder.parent, Where())


def test_a_folder_that_holds_the_run_already_proves_nothing(folder, tmp_path):
    shutil.copytree(folder.parent, tmp_path / "copy")
    for block in (None, 10):
        with pytest.raises(ResultsError, match="is there already, and every block is to be"):
            reproduce(folder, tmp_path / "copy", Where(workers=1), block=block)
