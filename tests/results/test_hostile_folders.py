"""Folders of runs as disks and strangers leave them: every verb ends in words."""

import json
import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner

from simulator import results
from simulator.cli.verbs import app
from simulator.engine.run import run
from simulator.errors import ResultsError, SimulatorError
from tests.runs import small

FORESEEN = {0, 3, 4, 5, 7}
DAMAGES: dict[str, Callable[[Path, random.Random], object]] = {
    "noise": lambda path, rng: path.write_bytes(rng.randbytes(300)),
    "half": lambda path, rng: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "empty": lambda path, rng: path.write_bytes(b""),
    "deep": lambda path, rng: path.write_text("[" * 100_000 + "\n"),
    "deep map": lambda path, rng: path.write_text('{"a":' * 100_000 + "\n"),
    "infinite": lambda path, rng: path.write_text(_numbers(path.read_text("latin-1"), "Infinity")),
    "huge": lambda path, rng: path.write_text(_numbers(path.read_text("latin-1"), "1" + "0" * 40)),
    "negative": lambda path, rng: path.write_text(_numbers(path.read_text("latin-1"), "-1")),
    "nothing": lambda path, rng: path.write_text(_numbers(path.read_text("latin-1"), "0")),
    "list": lambda path, rng: path.write_text("[1, 2]\n"),
    "null": lambda path, rng: path.write_text("null\n"),
    "loop": lambda path, rng: (path.unlink(), path.symlink_to(path)),
    "folder": lambda path, rng: (path.unlink(), path.mkdir()),
    "bytes": lambda path, rng: path.write_bytes(path.read_bytes() + b"\xff\xfe"),
    "gone": lambda path, rng: path.unlink(),
}
FILES = [
    "manifest.jsonl",
    "run.json",
    "rules.yaml",
    "scenario.yaml",
    "trials.zarr/zarr.json",
    "trials.zarr/level_e/zarr.json",
    "trials.zarr/level_e/aco/c/0",
    "trials.zarr/level_e/settlement_usd/zarr.json",
    "trials.zarr/level_e/settlement_usd/c/0/1/0/0",
]


def _numbers(text: str, number: str) -> str:
    """Return a text with every value that is a number replaced."""
    words = text.split(" ")
    return " ".join(number + w[len(w.rstrip(",}]\n")) :] if _is_number(w) else w for w in words)


def _is_number(word: str) -> bool:
    return word.strip(",}]\n").lstrip("-").isdigit()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("hostile")
    run(small(20, ["level_e"]), out, block=10)
    return next(out.glob("quickstart-*"))


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / made.name)


def _sealed(folder: Path, **facts: object) -> None:
    """Seal a run by hand, as whoever crafts one does."""
    held = json.loads((folder / "run.json").read_text())
    del held["seal"]
    (folder / "run.json").write_text(results.sealing._text({**held, **facts}))


def _ends(folder: Path, verb: str, *more: str) -> None:
    told = CliRunner().invoke(app, [verb, *more])
    said = f"{verb} of {folder.name}: {told.exit_code} {told.output[-300:]} {told.exception!r}"
    assert told.exit_code in FORESEEN, said


def _damaged(made: Path, at: Path, name: str, kind: str, *, sealed: bool) -> Path:
    folder = shutil.copytree(made, at / made.name)
    if not sealed and name != "run.json":
        (folder / "run.json").unlink()
    DAMAGES[kind](folder / name, random.Random(f"{name} {kind}"))
    return folder


def _try(folder: Path) -> None:
    _ends(folder, "status", "--out", str(folder.parent))
    for verb in ("verify", "show", "reproduce", "merge"):
        _ends(folder, verb, str(folder))
    _ends(folder, "export", str(folder), "--to", "parquet")
    with suppress(SimulatorError, OSError):
        run(small(20, ["level_e"]), folder.parent, block=10)


SOME = [(n, k) for n in FILES[:5] for k in ("deep", "infinite", "bytes", "folder", "loop")]


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize(("name", "kind"), SOME)
def test_status_and_verify_of_a_damaged_run_end_in_words(made, tmp_path, name, kind, sealed):
    folder = _damaged(made, tmp_path, name, kind, sealed=sealed)
    _ends(folder, "status", "--out", str(tmp_path))
    _ends(folder, "verify", str(folder))
    assert CliRunner().invoke(app, ["verify", str(folder)]).exit_code in {5, 7}


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_every_verb_on_a_damaged_run_ends_in_words(made, tmp_path, name):
    for number, kind in enumerate(DAMAGES):
        sealed = (number + FILES.index(name)) % 2 == 0
        _try(_damaged(made, tmp_path / kind, name, kind, sealed=sealed))


@pytest.mark.parametrize(
    "name", ["../../victim.txt", "../victim.txt", "/etc/x", "..", "a/b", ".lock", "rules.yaml", ""]
)
def test_a_seal_that_names_what_is_no_plain_file_is_refused(folder, name):
    _sealed(folder, shown={name: "0" * 64})
    assert [flaw.file for flaw in results.verify(folder).flaws] == ["run.json"]
    with pytest.raises(ResultsError, match=r"which is no file of this run's folder"):
        results.open_run(folder)


def test_no_file_outside_a_run_is_moved_or_removed(folder, tmp_path):
    victim = tmp_path / "victim.txt"
    victim.write_text("mine")
    (folder / ".shown.ready").mkdir()
    _sealed(folder, shown={"../../victim.txt": results.sealing._hash(victim)})
    with pytest.raises(ResultsError), results.showing(folder) as aside:
        (aside / "report.html").write_text("page")
    run(small(20, ["level_e"]), folder.parent, block=10)
    assert victim.read_text() == "mine"
    assert not (tmp_path.parent / "victim.txt").exists()


def test_what_waits_for_its_place_behind_a_link_stays_there(folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "page.html").write_text("mine")
    (folder / ".shown.ready").symlink_to(other)
    _sealed(folder, shown={"page.html": results.sealing._hash(other / "page.html")})
    with results.showing(folder) as aside:
        (aside / "report.html").write_text("page")
    assert (other / "page.html").read_text() == "mine"
    assert not (folder / ".shown.ready").exists()


def test_a_store_that_is_a_link_is_refused_and_what_it_leads_to_stays(folder, tmp_path):
    (folder / "trials.zarr").rename(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "letter.txt").write_text("mine")
    (folder / "trials.zarr").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ResultsError, match="is a link"):
        run(small(20, ["level_e"]), folder.parent, block=10)
    assert (tmp_path / "elsewhere" / "letter.txt").read_text() == "mine"


@pytest.mark.parametrize("facts", [{"files": 1}, {"shown": None}, {"trials": "9"}, {"files": {}}])
def test_a_seal_without_what_every_run_has_is_a_flaw(folder, facts):
    _sealed(folder, **facts)
    told = CliRunner().invoke(app, ["verify", str(folder)])
    assert told.exit_code == 7, told.output
