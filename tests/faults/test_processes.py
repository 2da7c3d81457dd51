"""Processes that end in the middle of a run, are told to end, or meet on one folder."""

import json
import re
import shlex
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest

from simulator import results
from simulator.engine.batch import _EACH as EACH
from simulator.engine.checking import check
from simulator.engine.plan import plan
from simulator.engine.run import Where, execute_all, run
from simulator.scenario import reading
from tests.faults.ground import BLOCK, repeated
from tests.faults.nursery import ROOT, Ended
from tests.runs import small

SHORT, LONG = 1, 20
WORKERS = 2
_SPAN = 3.0
times = pytest.mark.parametrize("times", [SHORT, pytest.param(LONG, marks=pytest.mark.slow)])


@times
def test_a_client_that_is_killed_loses_what_was_under_way_and_no_more(ground, proof, times):
    most, again = 0, 0

    def killed(rng):
        nonlocal most, again
        out = ground.fresh()
        command = ground.nursery.start(*ground.words(out, "--workers", WORKERS))
        folder, moment = out / ground.name, rng.randrange(10)
        while command.running() and len(committed(folder)) < moment:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.5))
        command.signal(signal.SIGKILL)
        ended = command.wait()._replace(code=130, err="killed")
        before, sealed = committed(folder), (folder / "run.json").exists()
        lost = len(written(folder)) - len(before)
        wrong = ground.wrong(out, ended) or ground.mended(out)
        told = json.loads((folder / "run.json").read_text())["blocks_computed"]
        if not sealed and told != len(written(folder)) - len(before):
            wrong += f"computed {told} blocks, {len(before)} were committed; "
        if {number: written(folder)[number] for number in before} != before:
            wrong += "wrote a committed block again"
        most, again = max(most, lost), again + told * (not sealed)
        return ended, wrong or changed_by_running_again(ground, out)

    told = repeated(times, killed)
    proof(
        "A client killed (kill -9) at random moments, and run again three times",
        f"{told}; at most {most} blocks written in vain, {again} computed when it went on",
    )
    assert told.wrong == []
    assert most <= EACH * WORKERS


@pytest.fixture(scope="module")
def three(ground):
    """Return the files of three scenarios, and the digest that each run has alone, by folder."""
    found, alone = [ground.file], {ground.name: ground.digest}
    for seed in (2, 3):
        scenario = small(120, ["level_e"]).model_copy(update={"seed": seed, "name": f"s{seed}"})
        found.append(ground.folder / f"s{seed}.yaml")
        found[-1].write_text(reading.canonical(scenario), encoding="utf-8")
        path = run(scenario, ground.folder / "alone", block=BLOCK).attrs["path"]
        alone[Path(path).name] = results.digest(path)
    return found, alone


@times
def test_a_batch_that_is_killed_goes_on_and_each_run_is_as_it_is_alone(
    ground, three, proof, times
):
    files, alone = three

    def killed(rng):
        out, moment = ground.fresh(), rng.randrange(30)
        words = ("run", *files, "--out", out, "--block", BLOCK, "--workers", WORKERS, "--json")
        command = ground.nursery.start(*words)
        while command.running() and sum(len(committed(out / name)) for name in alone) < moment:
            time.sleep(0.01)
        command.signal(signal.SIGKILL)
        ended = command.wait()._replace(code=130)
        before = {name: committed(out / name) for name in alone}
        plans = [plan(check(file), out, BLOCK) for file in files]
        list(execute_all(plans, Where("threads", WORKERS), keep_going=False))
        again = [
            f"{name} {number} written again"
            for name, blocks in before.items()
            for number, files in blocks.items()
            if written(out / name)[number] != files
        ]
        found = {name: results.digest(out / name) for name in alone}
        return ended, "; ".join(again) or ("" if found == alone else f"{found}")

    told = repeated(times, killed)
    proof("A batch of three killed (kill -9) at random moments, and run again", f"{told}")
    assert told.wrong == []


def committed(folder):
    """Return the files of each committed block."""
    found = results.entries(folder).values() if folder.exists() else ()
    there = written(folder)
    return {entry.block.number: there[entry.block.number] for entry in found}


def written(folder):
    """Return the files of each block that is whole, each with what is another if written again."""
    found = defaultdict(dict)
    for path in folder.glob("trials.zarr/*/*/c/0/*/0/0"):
        found[int(path.parts[-3])][path.parts[-6:-4]] = path.stat().st_ino
    lines = max(map(len, found.values()), default=0)
    return {number: files for number, files in found.items() if len(files) == lines}


def changed_by_running_again(ground, out):
    """Return what is wrong with a whole run after it was run twice more, or nothing."""
    before = contents(out / ground.name)
    wrong = "; ".join(filter(None, (ground.mended(out) for _ in range(2))))
    changed = before.items() ^ contents(out / ground.name).items()
    return wrong or f"{[name for name, _ in changed]}" * bool(changed)


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("number", "strokes", "times"),
    [
        (signal.SIGINT, 1, SHORT),
        (signal.SIGTERM, 2, SHORT),
        *(
            pytest.param(number, strokes, LONG, marks=pytest.mark.slow)
            for number in (signal.SIGINT, signal.SIGTERM)
            for strokes in (1, 2)
        ),
    ],
)
def test_an_interrupt_ends_at_once_and_the_last_line_goes_on(
    ground, proof, times, number, strokes
):
    slowest, most = 0.0, 0

    def interrupted(rng):
        nonlocal slowest, most
        out = ground.fresh()
        words = ground.words(out, "--workers", 2)
        command = ground.nursery.start(*words)
        time.sleep(rng.uniform(0.05, _SPAN))
        began = time.monotonic()
        for _ in range(strokes):
            command.signal(number)
        ended = command.wait()
        if ended.code != 0:
            slowest = max(slowest, time.monotonic() - began)
            most = max(most, len(ended.err.splitlines()))
        return ended, wrong_end(ended, words, number) or ground.mended(out)

    told = repeated(times, interrupted)
    proof(
        f"{number.name} {'once' if strokes == 1 else 'twice'} at random moments",
        f"{told}; at most {slowest:.2f} s and {most} lines",
    )
    assert told.wrong == []
    assert slowest <= 5.0


def wrong_end(ended, words, number):
    """Return what is wrong with how an interrupt ended."""
    if ended.code == 0:
        return ""
    lines = ended.err.splitlines()
    typed = shlex.join(["acosim", *map(str, words)])
    if ended.code != 128 + number or len(lines) > 3 or not lines or lines[-1] != typed:
        return f"exit {ended.code}: {ended.err}"
    return ""


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_a_command_of_its_own_ends_as_soon_and_leaves_no_process(ground, proof, scheduler):
    slowest = 0.0
    strays = 0

    def interrupted(rng):
        nonlocal slowest, strays
        out = ground.fresh()
        words = ground.words(out, "--scheduler", scheduler, "--workers", 2)
        command = subprocess.Popen(
            [sys.executable, "-m", "simulator", *map(str, words)],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        time.sleep(rng.uniform(0.3, 9.0))
        began = time.monotonic()
        command.send_signal(signal.SIGINT)
        err = command.communicate(timeout=60)[1]
        if command.returncode:
            slowest = max(slowest, time.monotonic() - began)
        strays += left(command.pid)
        ended = Ended(command.returncode, "", err)
        # Before anything is imported the system ends us, without a word; a shell says 130.
        early = ended.code == -signal.SIGINT and not err
        wrong = "" if early else wrong_end(ended, words, signal.SIGINT)
        return ended, wrong or ground.mended(out)

    told = repeated(LONG, interrupted)
    proof(
        f"Ctrl-C on `acosim run --scheduler {scheduler}`, its start included",
        f"{told}; at most {slowest:.2f} s, {strays} processes left",
    )
    assert told.wrong == []
    assert strays == 0
    assert slowest <= 5.0


def left(session):
    """Return how many processes of a session are still there two seconds later."""
    deadline = time.monotonic() + 2.0
    while (found := members(session)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def members(session):
    listed = subprocess.run(["ps", "-eo", "sid="], capture_output=True, text=True, check=True)
    return len(re.findall(rf"^\s*{session}\s*$", listed.stdout, re.MULTILINE))


@times
def test_a_second_process_on_a_folder_is_refused_and_the_first_goes_on(ground, proof, times):
    refused = 0

    def both(rng):
        nonlocal refused
        out = ground.fresh()
        first = ground.nursery.start(*ground.words(out, "--workers", 1))
        time.sleep(rng.uniform(0, _SPAN))
        second = ground.nursery.start(*ground.words(out, "--workers", 1))
        ends = [first.wait(), second.wait()]
        wrong = [ground.wrong(out, end) for end in ends]
        # Who comes when the other has ended finds the run whole.
        wrong += [f"{end}" for end in ends if end.code not in (0, 7)]
        refused += sum(end.code == 7 for end in ends)
        if all(end.code for end in ends):
            wrong.append("both were refused")
        return max(ends), "; ".join(filter(None, wrong)) or ground.mended(out)

    told = repeated(times, both)
    proof("Two processes on one run folder", f"{told}; {refused} refused")
    assert told.wrong == []
    assert refused or times == SHORT
