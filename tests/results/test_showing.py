import errno
import json

import pytest
import xlsxwriter

from simulator import results
from simulator.engine.run import run
from simulator.report import workbook
from tests.runs import small


@pytest.fixture
def folder(tmp_path):
    return run(small(20, ["level_e"]), tmp_path, block=10).attrs["path"]


@pytest.fixture
def shown(folder):
    """Return a run's folder with a page that is recorded."""
    with results.showing(results.found(folder)) as aside:
        (aside / "report.html").write_text("first")
    return results.found(folder)


def test_what_is_written_aside_is_in_its_place_and_recorded(shown):
    assert (shown / "report.html").read_text() == "first"
    assert list(json.loads((shown / "run.json").read_text())["shown"]) == ["report.html"]
    assert results.verify(shown).flaws == ()
    assert not list(shown.glob(".shown.*"))


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_what_ends_half_way_leaves_the_run_as_it_was(shown, error):
    with pytest.raises(type(error)), results.showing(shown) as aside:  # noqa: PT012
        (aside / "report.html").write_text("second, half")
        (shown / "ledger.parquet").write_text("new beside it")
        raise error
    assert (shown / "report.html").read_text() == "first"
    assert results.verify(shown).flaws == ()
    assert not list(shown.glob(".shown.*"))


def test_a_full_disk_is_told_with_the_place_of_the_file(shown):
    with pytest.raises(OSError, match="No space left") as told, results.showing(shown) as aside:
        raise OSError(errno.ENOSPC, "No space left", str(aside / "report.html"))
    assert told.value.filename == str(shown / "report.html")


def test_a_workbook_that_the_disk_refuses_says_what_the_disk_said(folder, tmp_path, monkeypatch):
    def refuses(*_):
        raise xlsxwriter.exceptions.FileCreateError(OSError(errno.ENOSPC, "No space left"))

    monkeypatch.setattr(xlsxwriter.Workbook, "close", refuses)
    with pytest.raises(OSError, match="No space left"):
        workbook.write(results.open_run(folder), tmp_path / "report.xlsx")
