"""Disks that refuse in the middle of a run."""

import json
import shutil
import subprocess
import sys

import pytest

from tests.faults.ground import repeated
from tests.faults.nursery import ROOT

LONG = 20


def apart(module, *words):
    """Return what a module prints when it runs in namespaces of its own, which it may mount in."""
    if shutil.which("unshare") is None:
        pytest.skip("no unshare on this machine")
    flags = "-rm" if module.endswith("disks") else "-rmn"
    probe = subprocess.run(["unshare", flags, "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("this machine lets nobody make namespaces (user.max_user_namespaces)")
    done = subprocess.run(
        ["unshare", flags, sys.executable, "-m", module, *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_a_disk_that_refuses_is_exit_five_and_with_room_the_run_goes_on(proof, tmp_path):
    found = apart("tests.faults.disks", tmp_path, LONG)
    for name, (figures, _) in found.items():
        proof(f"A disk that is {name}, at a random write", figures)
    assert [wrong for _, wrong in found.values()] == [[], []]


@pytest.mark.parametrize("times", [1, pytest.param(LONG, marks=pytest.mark.slow)])
def test_files_that_may_not_grow_are_exit_five_too(ground, proof, times):
    def limited(rng):
        out = ground.fresh()
        limits = {"file": int(10 ** rng.uniform(1, 5.3))}
        ended = ground.nursery.run(*ground.words(out, "--workers", 2), limits=limits)
        wrong = ground.wrong(out, ended) or ("" if ended.code in (0, 5) else f"{ended}")
        return ended, wrong or ground.mended(out)

    told = repeated(times, limited)
    proof("A quota on the size of files (RLIMIT_FSIZE), 10 B to 200 kB", f"{told}")
    assert told.wrong == []


def test_an_answer_that_cannot_be_written_is_exit_five(ground):
    out = ground.fresh()
    ended = ground.nursery.run(*ground.words(out))
    assert ended.code == 0
    words = [sys.executable, "-m", "simulator", "show", str(out / ground.name)]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            words, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 5
    assert "No space left" in done.stderr
