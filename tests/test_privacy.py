"""Planted canaries: nothing of a person leaves a file of beneficiaries, sound or refused."""

import io
import json
import os
import traceback
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from typer.testing import CliRunner

from simulator.cli.verbs import app
from tests.runs import QUICKSTART

KEY, MBI, SSN, ZIP = "CANARYKEY", "1EG4TE5MK73", "987-65-4320", "60699-1234"
BORN, NAME, PHONE, PAID = "1931-07-09", "Canary Birdsong", "(555) 867-5309", "98765.4321"
HEADER = "row_key,year,enrollment_type,months,paid_usd,risk_score,tin_group"
SCENARIO = """\
name: private
years: [2022]
trials: 60
population:
  lakeshore: {beneficiaries: people.csv, agreement: {start: 2019}}
market:
  national_ppy: {aged_nondual: {2016: 9_900, 2017: 10_100, 2018: 10_500}}
contracts:
  e: {program: mssp, option: E}
  enhanced: {program: mssp, option: ENHANCED}
"""
# What is wrong with one file each, and what must not be seen of it anywhere.
WRONG = {
    "mbi": (0, MBI),
    "ssn": (0, SSN),
    "zip": (6, ZIP),
    "born": (6, BORN),
    "phone": (6, PHONE),
    "name in a number": (4, NAME),
    "name for a type": (2, NAME),
    "name for a year": (1, NAME),
    "name for months": (3, NAME),
    "amount beyond reason": (4, "98765432198.76"),
    "ragged": (6, f"x,{NAME}"),
    "open quote": (6, f'"{NAME}'),
}


def people() -> list[list[str]]:
    rng = np.random.default_rng(5)
    rows = [
        f"{KEY}{n:04d},{year},AGND,12,{rng.lognormal(9, 1):.4f},1.0,G{n % 4}".split(",")
        for n in range(400)
        for year in (2016, 2017, 2018)
    ]
    rows[7][4] = PAID
    return rows


def written(folder: Path, rows: Sequence[Sequence[str]], header: str = HEADER) -> None:
    folder.mkdir()
    lines = [header, *(",".join(row) for row in rows)]
    (folder / "people.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "x.yaml").write_text(SCENARIO, encoding="utf-8")


def acosim(folder: Path, *words: str) -> str:
    """Return all that a command says, with the traceback of whatever went wrong."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        told = CliRunner().invoke(app, list(words))
    finally:
        os.chdir(before)
    trace = "".join(traceback.format_exception(*told.exc_info)) if told.exc_info else ""
    return f"{told.stdout}\n{told.stderr}\n{trace}"


def texts(root: Path) -> Iterator[tuple[str, str]]:
    """Yield every file under a folder as text: as it stands, and as a reader would open it."""
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.name != "people.csv":
            raw = path.read_bytes()
            yield path.name, raw.decode("latin-1")
            if path.suffix == ".parquet":
                yield path.name, pd.read_parquet(path).to_csv()
            if zipfile.is_zipfile(path):
                packed = zipfile.ZipFile(io.BytesIO(raw))
                yield (
                    path.name,
                    "".join(packed.read(n).decode("latin-1") for n in packed.namelist()),
                )


def leaks(root: Path, said: str, canaries: Sequence[str]) -> list[str]:
    every = [("output", said), *texts(root)]
    return [f"{where}: {c}" for where, text in every for c in canaries if c in text]


def lived(folder: Path) -> str:
    """Return all that is said while a run of the folder's scenario is made, shown and exported."""
    said = acosim(folder, "check", "x.yaml") + acosim(folder, "check", "x.yaml", "--json")
    said += acosim(folder, "plan", "x.yaml") + acosim(folder, "run", "x.yaml")
    run = next((folder / "results").glob("private-*"), None)
    assert run is not None, said
    words = [["show"], ["show", "--json"], ["report"], ["status"], ["verify"]]
    words += [["explain", "--trial", "3", "--contract", "e"], ["export", "--to", "csv"]]
    words += [["export", "--to", "parquet"]]
    return said + "".join(acosim(folder, w[0], str(run), *w[1:]) for w in words)


def test_a_sound_file_leaves_no_trace_of_a_person(tmp_path: Path, proof) -> None:
    folder = tmp_path / "sound"
    written(folder, people())
    assert KEY in (folder / "people.csv").read_text()
    said = lived(folder)
    assert "sound; 1 case" in said
    found = leaks(folder, said, [KEY, PAID, "98765.43", "98,765.43"])
    files = sum(1 for path in folder.rglob("*") if path.is_file())
    proof("canaries of a sound file of persons", f"{len(found)} found in {files} files and output")
    assert found == []


def test_a_refused_file_is_not_quoted(tmp_path: Path, proof) -> None:
    found: list[str] = []
    for number, (what, (column, value)) in enumerate(WRONG.items()):
        rows = people()
        rows[11][column] = value
        folder = tmp_path / f"wrong{number}"
        written(folder, rows)
        said = acosim(folder, "check", "x.yaml") + acosim(folder, "run", "x.yaml")
        assert "people.csv" in said, what
        assert "Exit: 3" in said or "SystemExit: 3" in said, said
        found += leaks(folder, said, [KEY, value.strip('"'), NAME])
    for title in ("MBI", "birth_date", "zip5", "last_name"):
        folder = tmp_path / title
        written(folder, [[*row, NAME] for row in people()], f"{HEADER},{title}")
        said = acosim(folder, "run", "x.yaml")
        assert "identifies people" in said
        found += leaks(folder, said, [KEY, NAME])
    proof(
        "canaries of refused files of persons", f"{len(found)} found in {len(WRONG) + 4} refusals"
    )
    assert found == []


def test_counts_of_few_people_are_shown_nowhere(tmp_path: Path) -> None:
    folder = tmp_path / "few"
    folder.mkdir()
    (folder / "x.yaml").write_text(QUICKSTART.read_text(encoding="utf-8"), encoding="utf-8")
    few = "population.covenant.segments.esrd.person_years={2018: 8.5371, 2022: 7.25}"
    words = ["--trials", "40", "--set", few, "--set", "population.covenant.persons=~"]
    acosim(folder, "run", "x.yaml", *words)
    run = next((folder / "results").iterdir())
    told = acosim(folder, "explain", str(run), "--trial", "3", "--contract", "level_e")
    parts = [line.split(maxsplit=2) for line in told.splitlines()]
    said = {part[1].rstrip(":"): part[0] for part in parts if len(part) > 1}
    assert said["person_years_share.esrd"] == said["base_person_years_share.esrd"] == "suppressed"
    assert said["person_years_share.aged_dual"] == "suppressed"
    # Benchmarks by segment and their total would give two hidden shares away.
    kinds = ("esrd", "disabled", "aged_dual", "aged_nondual")
    assert {f for name, f in said.items() if name.endswith(kinds)} == {"suppressed"}
    assert said["total_updated_benchmark_ppy"] != "suppressed"
    told = acosim(folder, "explain", str(run), "--trial", "3", "--contract", "level_e", "--json")
    lines = json.loads(told[: told.index("\n}") + 2])["lines"]
    assert {row["value"] for row in lines if row["segment"]} == {None}
    assert all(row["value"] is not None for row in lines if not row["segment"])
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "8.5371" not in page
    assert "counts of an ACO where one is 1 to 10" in page
