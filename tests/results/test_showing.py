import errno
import json
import subprocess
import sys

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


KILLED = """
import os, signal, sys
from pathlib import Path
from simulator import results

folder = Path(sys.argv[1])
for moment in range(40):
    child = os.fork()
    if child == 0:
        left = [moment]
        def kill(event, args):
            if event in ("os.rename", "os.remove", "shutil.rmtree", "open") and str(args[0]) != "":
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
        with results.showing(folder) as aside:
            for name in ("report.html", "report.xlsx", "summary.parquet"):
                (aside / name).write_text(f"page {moment} of {name}")
            sys.addaudithook(kill)
        os._exit(0)
    ended = os.waitpid(child, 0)[1]
    held = {p.name: p.read_text() for p in folder.glob("report.*")}
    assert all(t == "first" or t.endswith(f"of {n}") for n, t in held.items()), held
    print(moment, ended, len(results.verify(folder).flaws), results.standing(folder).state)
    if ended == 0:
        break
with results.showing(folder) as aside:
    (aside / "report.html").write_text("last")
assert (folder / "report.html").read_text() == "last"
assert not [*folder.glob(".shown.ready")]
print("last", 0, len(results.verify(folder).flaws), results.standing(folder).state)
"""


@pytest.mark.proof
def test_who_is_killed_while_showing_leaves_a_sound_run_whenever_it_is(shown, proof):
    told = subprocess.run(
        [sys.executable, "-c", KILLED, str(shown)], capture_output=True, text=True, check=False
    )
    lines = [line.split() for line in told.stdout.splitlines()]
    assert lines, told.stderr
    assert lines[-1][0] == "last", told.stderr
    killed = sum(line[1] == "9" for line in lines)
    bad = [line for line in lines if line[2:] != ["0", "finished"]]
    proof("killed while showing", f"{len(bad)} unsound runs after {killed} moments of SIGKILL")
    assert killed >= 8
    assert bad == []


def test_what_waits_for_its_place_is_whole_and_comes_with_the_next(shown):
    held = (shown / "report.html").read_text()
    ready = shown / ".shown.ready"
    ready.mkdir()
    (shown / "report.html").replace(ready / "report.html")
    found = results.verify(shown)
    assert (found.flaws, found.pending) == ((), ("report.html",))
    with results.showing(shown) as aside:
        (aside / "summary.parquet").write_text("new")
    assert (shown / "report.html").read_text() == held
    assert not results.verify(shown).pending


def test_a_run_that_goes_on_shows_nothing_of_what_it_was(shown):
    (shown / "notes.txt").write_text("mine")
    run(small(30, ["level_e"]), shown.parent)
    assert not (shown / "report.html").exists()
    assert (shown / "notes.txt").read_text() == "mine"
    (shown / "notes.txt").unlink()
    assert results.verify(shown).flaws == ()
