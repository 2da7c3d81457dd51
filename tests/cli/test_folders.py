import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from simulator import results
from simulator.results.sealing import forget_shown
from tests.test_cli import QUICKSTART, acosim

WORDS = ("run", QUICKSTART, "--trials", 60, "--block", 30)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("out")


@pytest.fixture(scope="module")
def folder(out):
    assert acosim(*WORDS, "--out", out).exit_code == 0
    return next(out.iterdir())


def test_status_tells_of_one_run_and_of_all(folder, out):
    assert "finished" in acosim("status", folder).stdout
    assert folder.name in acosim("status", "--out", out).stdout
    assert json.loads(acosim("status", "--out", out, "--json").stdout)[0]["blocks"] == 2
    assert "holds no runs" in acosim("status", "--out", out / "none").stdout


def test_status_says_what_does_not_show_a_run_yet_and_how_to_go_on(folder, tmp_path):
    bare = shutil.copytree(folder, tmp_path / folder.name)
    assert results.standing(bare).next == ""
    (bare / ".shown.ready").mkdir()
    (bare / "report.html").rename(bare / ".shown.ready" / "report.html")
    assert results.standing(bare).lacks == ("report.html",)
    forget_shown(bare)
    assert results.standing(bare).lacks == ()
    results.seal(bare, {"began": ""})
    for words in ((bare,), ("--out", tmp_path)):
        said = acosim("status", *words).stdout
        assert "its page, table and pictures" in said
        assert f"acosim report {bare}" in said.replace("\n", "")


def test_status_of_all_says_why_a_run_is_unreadable_and_how_to_go_on(folder, tmp_path):
    stopped = shutil.copytree(folder, tmp_path / folder.name)
    (stopped / "run.json").unlink()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "scenario.yaml").write_text("name: [")
    said = acosim("status", "--out", tmp_path).stdout
    assert f"{stopped.name}: acosim run {stopped}/scenario.yaml --out {tmp_path}" in said
    assert f"other: {tmp_path}/other" in said


def test_verify_says_all_is_well_or_names_the_file_and_exits_seven(folder):
    assert "sha256" in acosim("verify", folder).stdout
    page = folder / "report.html"
    held = page.read_bytes()
    page.write_bytes(held + b" ")
    answer = acosim("verify", folder)
    page.write_bytes(held)
    assert (answer.exit_code, answer.stdout) == (7, "")
    assert answer.stderr == f"{folder}/report.html is altered\n"


def test_reproduce_says_the_same_to_the_bit(folder):
    answer = acosim("reproduce", folder, "--block", 20)
    assert answer.exit_code == 0
    assert answer.stdout.endswith("every value is the same, to the bit\n")


def test_export_knows_three_formats(folder, tmp_path):
    target = tmp_path / "x.csv"
    assert acosim("export", folder, "--to", "csv", "--out", target).exit_code == 0
    assert len(target.read_text().splitlines()) == 1 + 60 * 6
    assert acosim("export", folder, "--to", "xls").exit_code == 2


def test_parts_are_run_apart_and_merged(folder, tmp_path):
    for span in ("0:1", "1:2"):
        assert acosim(*WORDS, "--out", tmp_path, "--blocks", span).exit_code == 0
    answer = acosim("merge", tmp_path / folder.name)
    assert answer.exit_code == 0
    assert "2 parts are merged" in answer.stdout
    assert acosim(*WORDS, "--out", tmp_path, "--blocks", "0-1").exit_code == 2
    assert acosim(*WORDS, "--out", tmp_path, "--blocks", "1:9").exit_code == 2


INTERRUPTED = """
import os, signal
from simulator.cli.guard import aside, interruptible

interruptible()
with aside() as folder:
    (folder / "trials").write_text("some")
    print(folder, flush=True)
    os.kill(os.getpid(), signal.SIGINT)
"""


def test_an_interrupt_leaves_nothing_of_what_is_not_kept():
    told = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=False
    )
    assert told.returncode == 130
    assert not Path(told.stdout.strip()).exists()


EXPORTED = """
import os, signal, sys
from simulator.cli.main import main
from simulator.results import exporting

def begun(run, path):
    path.write_text("half of it")
    os.kill(os.getpid(), signal.SIGINT)

exporting._csv = begun
main()
"""


def test_an_interrupted_export_leaves_nothing_half_written(folder, tmp_path):
    words = ["export", str(folder), "--to", "csv", "--out", str(tmp_path / "trials.csv")]
    ended = subprocess.run(
        [sys.executable, "-c", EXPORTED, *words], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 130
    assert ended.stderr.endswith(f"acosim {' '.join(words)}\n")
    assert [*tmp_path.iterdir()] == []


STARTING = """
import multiprocessing, os, signal, threading, time
from multiprocessing import popen_spawn_posix

import psutil

from simulator.cli.guard import interruptible

def slow(*args, **kwargs):
    threading.Event().wait()

interruptible()
popen_spawn_posix.open = slow  # what a process is to do is never written
process = multiprocessing.get_context("spawn").Process(target=print)
threading.Thread(target=process.start, daemon=True).start()
while not [p for p in psutil.Process().children() if "spawn_main" in str(p.cmdline())]:
    time.sleep(0.05)
time.sleep(1.0)
os.kill(os.getpid(), signal.SIGINT)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="processes are started otherwise there")
def test_a_process_that_is_being_started_does_not_complain_of_an_interrupt():
    ended = subprocess.run(
        [sys.executable, "-c", STARTING], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 130
    assert len(ended.stderr.splitlines()) == 2


SHORT_OF_MEMORY = """
import sys
from simulator.cli import answers
from simulator.cli.main import main

def opened(path):
    raise {error}

answers.opened = opened
main()
"""


@pytest.mark.parametrize(
    "error",
    [
        "MemoryError",
        'RuntimeError("can\'t start new thread")',
        'ImportError("some.so: failed to map segment from shared object")',
    ],
)
def test_where_memory_runs_out_the_last_line_goes_on(folder, error):
    ended = subprocess.run(
        [sys.executable, "-c", SHORT_OF_MEMORY.format(error=error), "show", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 5
    assert ended.stderr.startswith("memory ran out")
    assert ended.stderr.endswith(f"\nacosim show {folder}\n")


def test_another_error_of_its_kind_is_ours():
    code = SHORT_OF_MEMORY.format(error='RuntimeError("a slip")')
    ended = subprocess.run(
        [sys.executable, "-c", code, "show", "x"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "our mistake" in ended.stderr
