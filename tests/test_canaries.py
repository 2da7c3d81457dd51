"""Canaries planted in a file of persons, looked for in all that every verb says and leaves."""

from pathlib import Path

import pytest

from tests.canaries import Planted, Sandbox, plant, search, stored
from tests.faults.clusters import Cluster

SETTLED = Path(__file__).parent / "golden" / "mssp"


def lived(box: Sandbox) -> Path:
    """Run every verb that reads people or a run of them; return the run's folder."""
    x, out = "private.yaml", box.folder / "results"
    for words in (("check", x), ("check", x, "--json"), ("plan", x), ("plan", x, "--json")):
        assert box.acosim(*words) == 0, box.said[-1]
    assert box.acosim("run", x, "--dry-run") == 0
    assert box.acosim("run", x, "--profile") == 0, box.said[-1]
    (run,) = out.glob("private-*")
    assert box.acosim("run", "columnar.yaml", "swept.yaml", "--json") == 0, box.said[-1]
    (swept,) = out.glob("swept-*")
    for words in (
        *(("show", run), ("show", run, "--json"), ("status",), ("status", run, "--json")),
        *(("verify", run), ("verify", run, "--json"), ("reproduce", run, "--json")),
        *(("export", run, "--to", to) for to in ("csv", "parquet", "netcdf")),
        *(("report", run, "--what-matters", "--trials", "20"), ("capital", run, "--json")),
        *(("compare", run, "e", "enhanced"), ("compare", run, swept)),
        ("compare", x, "e", "enhanced", "--by-term", "--out", "terms.png"),
        ("explain", run, "--trial", "3", "--contract", "e"),
        ("explain", run, "--trial", "3", "--contract", "e", "--json"),
        ("what-matters", x, "--trials", "20"),
        (
            *("solve", x, "--contract", "e", "--vary", "experience.effect.mean", "--from", "0"),
            *("--to", "0.2", "--owes", "0.2", "--trials", "20"),
        ),
        ("sensitivity", swept, "--contract", "e"),
        *(("rules", "mssp", "2022", "E"), ("schema",), ("init", "mine.yaml")),
        ("settle", next(iter(sorted(SETTLED.glob("*.yaml"))))),
        ("run", x, "--trials", "120", "--target-se", "40%", "--json"),
    ):
        box.acosim(*map(str, words))
    return run


def spread(box: Sandbox) -> None:
    """Run it on processes, on a cluster and in parts, each frame that dask sends kept."""
    box.acosim("run", "private.yaml", "--out", "own", "--scheduler", "processes", CANARY_COMM="1")
    with Cluster(box.root / "tmp", 1) as cluster:
        words = ("run", "private.yaml", "--out", "far", "--scheduler", cluster.address)
        box.acosim(*words, CANARY_COMM="1")
    for span in ("0:1", "1:2"):
        box.acosim("run", "private.yaml", "--out", "parts", "--block", "30", "--blocks", span)
    part = next((box.folder / "parts").glob("*.part-*"))
    box.acosim("merge", str(part).partition(".part-")[0])


def failed(box: Sandbox) -> None:
    """Fail in every way: a poison block, a full disk, an interrupt, a file in a wrong place."""
    for where in ("threads", "processes"):
        words = ("run", "private.yaml", "--out", f"poison-{where}", "--scheduler", where)
        assert box.acosim(*words, CANARY_POISON="1") == 4, box.said[-1]
    assert box.acosim("run", "private.yaml", "--out", "full", limit=3_000) == 5, box.said[-1]
    for number, seconds in enumerate((2.0, 3.0, 4.0)):
        box.acosim("run", "private.yaml", "--out", f"cut{number}", interrupted=seconds)
    for verb in ("check", "plan", "run", "settle", "what-matters", "show", "verify", "validate"):
        assert box.acosim(verb, "people.csv"), box.said[-1]
    for program in ("mssp", "reach"):
        assert box.acosim("replay", program, "people.csv")
        assert box.acosim("init", "people.csv", "--from-published", program, "--all")
    for path in ("segment_table=people.csv", "counties=people.csv", "beneficiaries=people.txt"):
        assert box.acosim("check", "private.yaml", "--set", f"population.lakeshore.{path}")


@pytest.mark.slow
def test_no_verb_says_or_leaves_anything_of_a_person(tmp_path: Path, proof) -> None:
    box = Sandbox(tmp_path, tmp_path / "work")
    plant(box.folder, Planted())
    lived(box)
    spread(box)
    failed(box)
    looked = search([*box.artefacts(), *stored(tmp_path)], Planted())
    grave = [path.name for path in box.grave.iterdir()]
    frames = sum(name.endswith(".frames") for name in grave)
    control = search([("people", path.read_bytes()) for path in _planted(box)], Planted())
    proof(
        "canaries over every verb",
        f"{len(looked.found)} found by {len(box.said)} commands in {looked.artefacts:,} artefacts,"
        f" read {looked.readings:,} ways, {looked.size:,} bytes ({len(grave)} of them removed or "
        f"sent, {frames} of dask's frames); in the planted files themselves {len(control.found)}",
    )
    assert frames
    assert len({found.partition(": ")[2] for found in control.found}) >= len(Planted().words())
    assert looked.found == ()


def _planted(box: Sandbox) -> list[Path]:
    return [box.folder / "people.csv", box.folder / "people.parquet"]
