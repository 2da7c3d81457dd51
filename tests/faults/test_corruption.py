"""Files of a finished run, altered at random: detected, named, and nothing shown."""

import contextlib
import random
import shutil
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from simulator import results
from simulator.cli.verbs import app
from simulator.errors import ResultsError
from simulator.scenario import reading
from tests.runs import small

WAYS = ("bit flipped", "truncated", "deleted", "swapped", "duplicated", "emptied", "appended")
CORE = ("scenario.yaml", "rules.yaml", "manifest.jsonl", "run.json")


class Damage(NamedTuple):
    """What was done to which files; `files` is any of which may be named."""

    way: str
    files: tuple[str, ...]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("made")
    file = out / "small.yaml"
    file.write_text(reading.canonical(small(40)), encoding="utf-8")
    assert acosim("run", file, "--out", out / "runs", "--block", 10).exit_code == 0
    return next((out / "runs").iterdir())


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """Return a run that differs from the first by its seed alone."""
    out = tmp_path_factory.mktemp("other")
    scenario = small(40).model_copy(update={"seed": 7})
    (out / "small.yaml").write_text(reading.canonical(scenario), encoding="utf-8")
    assert acosim("run", out / "small.yaml", "--out", out / "runs", "--block", 10).exit_code == 0
    return next((out / "runs").iterdir())


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / made.name)


def acosim(*words):
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


def files(folder):
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path for path in found if path.name != ".lock"]


def damaged(folder, rng):
    """Alter one file of a run, or two, so that something is not as it was."""
    while True:
        way, one = rng.choice(WAYS), rng.choice(files(folder))
        alike = [p for p in files(folder) if p.suffix == one.suffix and p != one]
        other = rng.choice(alike or [p for p in files(folder) if p != one])
        before = {path: path.read_bytes() for path in (one, other)}
        touched = alter(way, (one, other), rng)
        if any(not p.is_file() or p.read_bytes() != before.get(p) for p in touched):
            names = tuple(str(path.relative_to(folder)) for path in touched)
            return Damage(way, names), before, touched


def alter(way, pair, rng):
    one, other = pair
    held = bytearray(one.read_bytes())
    if way == "bit flipped":
        held[rng.randrange(len(held))] ^= 1 << rng.randrange(8)
        one.write_bytes(held)
    elif way in ("truncated", "emptied"):
        one.write_bytes(held[: rng.randrange(len(held)) if way == "truncated" else 0])
    elif way == "deleted":
        one.unlink()
    elif way == "appended":
        one.write_bytes(held + rng.randbytes(rng.choice([1, 4, 40])))
    elif way == "swapped":
        one.write_bytes(other.read_bytes())
        other.write_bytes(held)
        return one, other
    elif rng.random() < 0.5:
        one.write_bytes(other.read_bytes())
    else:
        copy = one.with_name(rng.choice(["2", f"{one.stem} (1){one.suffix}"]))
        copy.write_bytes(held)
        return (copy,)
    return (one,)


def mended(before, touched):
    for path in touched:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
    for path, held in before.items():
        path.write_bytes(held)


def missed(folder, damage, *, by_verbs):
    """Return which of those that look at a run do not see what is wrong, or do not name it."""
    found = [name for name, seen in looks(folder, damage, by_verbs=by_verbs) if not seen]
    return [f"{damage.way} {damage.files}: not by {name}" for name in found]


def looks(folder, damage, *, by_verbs):
    yield "verify", verified(folder, damage)
    if not any(name in CORE or name.startswith("trials.zarr") for name in damage.files):
        return
    yield "open_run", refused(folder, damage)
    for verb in ("verify", "show", "report") if by_verbs else ():
        answer = acosim(verb, folder)
        named = any(Path(name).name in answer.stderr for name in damage.files)
        yield f"acosim {verb}", (answer.exit_code, answer.stdout) == (7, "") and named


def verified(folder, damage):
    """Return whether a damaged file is named; without `run.json` a run is not finished."""
    try:
        return any(flaw.file in damage.files for flaw in results.verify(folder).flaws)
    except ResultsError as error:
        return any(name in str(error) for name in damage.files)


def refused(folder, damage):
    try:
        results.open_run(folder)
    except ResultsError as error:
        return any(name in str(error) for name in damage.files)
    return False


@pytest.mark.parametrize("times", [40, pytest.param(1_000, marks=pytest.mark.slow)])
def test_whatever_is_altered_is_detected_and_named(folder, proof, times):
    rng, ways, wrong = random.Random(1), Counter(), []
    for turn in range(times):
        damage, before, touched = damaged(folder, rng)
        ways[damage.way] += 1
        wrong += missed(folder, damage, by_verbs=turn % 20 == 0)
        mended(before, touched)
    assert not results.verify(folder).flaws
    told = ", ".join(f"{n} {way}" for way, n in sorted(ways.items()))
    proof(
        f"{times:,} random corruptions of a finished run",
        f"{times - len(wrong):,} detected and the file named ({told}); not: {wrong[:5]}",
    )
    assert wrong == []


def swap_manifest(folder, other):
    shutil.copy(other / "manifest.jsonl", folder / "manifest.jsonl")
    return "manifest.jsonl"


def swap_store(folder, other):
    shutil.rmtree(folder / "trials.zarr")
    shutil.copytree(other / "trials.zarr", folder / "trials.zarr")
    return "trials.zarr"


def swap_block(folder, other):
    for path in (other / "trials.zarr").glob("*/*/c/0/1/**/*"):
        if path.is_file():
            shutil.copy(path, folder / path.relative_to(other))
    lines = [(run / "manifest.jsonl").read_text().splitlines() for run in (folder, other)]
    at, theirs = (
        next(n for n, line in enumerate(held) if '"number": 1,' in line) for held in lines
    )
    lines[0][at] = lines[1][theirs]
    (folder / "manifest.jsonl").write_text("\n".join(lines[0]) + "\n")
    return "manifest.jsonl"


@pytest.mark.parametrize("swap", [swap_manifest, swap_store, swap_block])
def test_what_is_of_another_run_is_detected_and_named(swap, folder, other):
    named = swap(folder, other)
    for verb in ("verify", "show", "report"):
        answer = acosim(verb, folder)
        assert (answer.exit_code, answer.stdout) == (7, "")
        assert named in answer.stderr


@pytest.mark.parametrize("swap", [swap_manifest, swap_store, swap_block])
def test_what_is_of_another_run_is_computed_again(swap, made, folder, other):
    whole = results.digest(folder)
    swap(folder, other)
    assert acosim("run", folder / "scenario.yaml", "--out", folder.parent).exit_code == 0
    assert results.digest(folder) == whole
    assert not results.verify(folder).flaws
