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
import pytest
import xarray as xr
from typer.testing import CliRunner

from simulator import cases, explain, open_run, read
from simulator.cli.verbs import app
from simulator.engine.ledger import kept
from simulator.results import few as few_acos
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


FEW = "population.covenant.segments.esrd.person_years={2018: 8.5371, 2022: 7.25}"
KINDS = ("esrd", "disabled", "aged_dual", "aged_nondual")
KEEP = "[settlement_usd, person_years_share, total_person_years]"


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the run of an ACO with a small cell that keeps what gives it away, and its words."""
    folder = tmp_path_factory.mktemp("few")
    (folder / "x.yaml").write_text(QUICKSTART.read_text(encoding="utf-8"), encoding="utf-8")
    sets = (FEW, "population.covenant.persons=~", f"keep={KEEP}")
    words = [word for one in sets for word in ("--set", one)]
    said = acosim(folder, "run", "x.yaml", "--trials", "40", *words)
    return next((folder / "results").iterdir()), said


def test_a_run_says_that_it_holds_a_small_cell(few: tuple[Path, str]) -> None:
    _, said = few
    assert "covenant: a segment of 1 to 10 people; figures by segment are withheld" in said


def test_counts_of_few_people_are_not_explained(few: tuple[Path, str]) -> None:
    run, _ = few
    words = ("explain", str(run), "--trial", "3", "--contract", "level_e")
    parts = [line.split(maxsplit=2) for line in acosim(run, *words).splitlines()]
    said = {part[1].rstrip(":"): part[0] for part in parts if len(part) > 1}
    assert {f for name, f in said.items() if name.endswith(KINDS)} == {"suppressed"}
    assert said["total_updated_benchmark_ppy"] != "suppressed"
    told = acosim(run, *words, "--json")
    lines = json.loads(told[: told.index("\n}") + 2])["lines"]
    assert {row["value"] for row in lines if row["segment"]} == {None}
    assert all(row["value"] is not None for row in lines if not row["segment"])
    table = explain(open_run(run), 3, "level_e")
    assert table["value"].isna().equals(table["segment"].notna())


def test_counts_of_few_people_are_not_on_the_page(few: tuple[Path, str]) -> None:
    run, _ = few
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "8.5371" not in page
    assert "counts of an ACO where one is 1 to 10" in page


def test_counts_of_few_people_are_not_in_the_ledger(few: tuple[Path, str]) -> None:
    run, _ = few
    table = pd.read_parquet(run / "ledger.parquet")
    assert set(table["segment"].dropna()) == set(KINDS)
    assert table["mean"].isna().equals(table["segment"].notna())
    assert table["most"].isna().equals(table["segment"].notna())
    assert kept(run) is not None


@pytest.mark.parametrize("to", ["csv", "parquet", "netcdf"])
def test_counts_of_few_people_are_not_exported(few: tuple[Path, str], to: str) -> None:
    run, _ = few
    assert "figures by segment are withheld" in acosim(run, "export", str(run), "--to", to)
    path = run.with_name(run.name + {"netcdf": ".nc"}.get(to, f".{to}"))
    assert b"8.5371" not in path.read_bytes()
    if to == "netcdf":
        with xr.open_dataset(path, engine="scipy") as held:
            assert "covenant" in held.attrs["suppressed"]
            assert held["person_years_share"].isnull().all()
            assert held["total_person_years"].notnull().all()
        return
    held = pd.read_csv(path) if to == "csv" else pd.read_parquet(path)
    assert held[[f"person_years_share.{kind}" for kind in KINDS]].isna().all(axis=None)
    assert held["total_person_years"].notna().all()


def test_figures_by_segment_of_many_people_are_shown(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(QUICKSTART.read_text(encoding="utf-8"), encoding="utf-8")
    said = acosim(tmp_path, "run", "x.yaml", "--trials", "40", "--set", f"keep={KEEP}")
    run = next((tmp_path / "results").iterdir())
    assert "withheld" not in said + acosim(tmp_path, "export", str(run), "--to", "parquet")
    held = pd.read_parquet(run.with_name(run.name + ".parquet"))
    assert held[[f"person_years_share.{kind}" for kind in KINDS]].notna().all(axis=None)
    assert pd.read_parquet(run / "ledger.parquet")["mean"].notna().all()


@pytest.mark.parametrize(
    ("given", "growth", "is_few"),
    [
        ({2018: 8.5, 2022: 900.0}, 0.0, True),  # a base year
        ({2018: 12.0}, -0.05, True),  # 9.8 when the performance year is reached
        ({2018: 12.0, 2022: 12.0}, -0.05, True),  # 10.3 in 2021
        ({2018: 12.0}, -0.02, False),
        ({2018: 0.0, 2022: 11.0}, 0.0, False),
    ],
)
def test_a_small_cell_is_found_in_any_year(
    given: dict[int, float], growth: float, is_few: bool
) -> None:
    path = "population.covenant.segments.esrd"
    sets = [f"{path}.person_years={given}", f"{path}.growth_share={growth}"]
    scenario = read(QUICKSTART, [*sets, "population.covenant.persons=~"])
    assert few_acos(cases(scenario)) == (("covenant",) if is_few else ())


def test_a_small_cell_of_one_case_is_withheld_in_all() -> None:
    path = "population.covenant.segments.esrd.person_years.2022"
    swept = [f"sweep.grid={{{path}: [9, 600]}}", "population.covenant.persons=~"]
    assert few_acos(cases(read(QUICKSTART, swept))) == ("covenant",)


@pytest.mark.parametrize(
    ("sets", "why"),
    [
        (
            ["sweep.grid={population.covenant.segments.esrd.person_years.2022: [9, 600]}"],
            "cases that differ in population.covenant.segments.esrd.person_years.2022",
        ),
        (
            [
                f"population.covenant.segments.{k}.person_years={{2018: 900, 2022: 2}}"
                for k in KINDS
            ],
            "covenant has fewer than 11 people in a year",
        ),
    ],
)
def test_a_run_whose_totals_tell_a_small_cell_is_not_exported(
    tmp_path: Path, sets: list[str], why: str
) -> None:
    (tmp_path / "x.yaml").write_text(QUICKSTART.read_text(encoding="utf-8"), encoding="utf-8")
    every = [*sets, "population.covenant.persons=~", "trials=20"]
    acosim(tmp_path, "run", "x.yaml", *(word for one in every for word in ("--set", one)))
    run = next((tmp_path / "results").iterdir())
    for to in ("csv", "netcdf"):
        told = acosim(tmp_path, "export", str(run), "--to", to)
        assert why in told
        assert "Exit: 3" in told or "SystemExit: 3" in told
    assert {path.name for path in (tmp_path / "results").iterdir()} == {run.name}
