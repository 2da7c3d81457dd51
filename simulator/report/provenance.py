"""What made a run and what it leaves out: versions, digests, how to repeat it, limitations."""

import inspect
import json
from collections.abc import Mapping
from pathlib import Path

import xarray as xr

from simulator.engine.simulate import by_person
from simulator.programs import PROGRAMS
from simulator.report import sentences
from simulator.results import run_scenario
from simulator.results.folder import SCENARIO

__all__ = ["command", "facts", "limitations", "use"]


def limitations(run: xr.Dataset) -> list[str]:
    """Return what the programs do not model, and which contracts are what-ifs."""
    used = {str(program) for program in run.get("program", xr.DataArray([])).values.flat}
    docs = {name: inspect.getdoc(PROGRAMS[name]) or "" for name in sorted(used & set(PROGRAMS))}
    unmodelled = [
        f"{name}: {' '.join(part.split())}"
        for name, doc in docs.items()
        for part in doc.split("\n\n")
        if part.startswith("Not modelled")
    ]
    notices = json.loads(run.attrs.get("notices", "[]"))
    doubts = json.loads(run.attrs.get("data_quality", "{}")).get("warnings", [])
    warned = [f"Warning: {doubt}" for doubt in doubts]
    what_if = [f"What if: {notice}." for notice in notices]
    return warned + unmodelled + what_if + _each_drawn(run)


def _each_drawn(run: xr.Dataset) -> list[str]:
    """Return which ACOs' people were drawn one by one, if the run's folder is there to say."""
    folder = Path(str(run.attrs.get("path", "nowhere")))
    few = by_person(run_scenario(folder)) if (folder / SCENARIO).is_file() else ()
    return [f"Fewer than 1,000 people, each of whom is drawn: {', '.join(few)}."] if few else []


def _record(run: xr.Dataset) -> Mapping[str, object]:
    """Return what `run.json` says of the run."""
    path = Path(str(run.attrs.get("path", ""))) / "run.json"
    held: Mapping[str, object] = (
        json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    )
    return held


def _drawn(run: xr.Dataset) -> str:
    """Return how many trials there are, how they were drawn and what that does to errors."""
    scheme = str(run.attrs.get("scheme", "independent"))
    told = sentences.drawn(run.sizes["trial"], scheme, int(run.attrs.get("replicates", 1)))
    if scheme == "independent":
        return f"{told}, independent"
    return f"{told}; standard errors come from the spread between them"


def facts(run: xr.Dataset) -> list[tuple[str, str]]:
    """Return what made the run, when, from which seed, and the digests that prove it."""
    held = _record(run)
    made_with = held.get("versions")
    versions = made_with if isinstance(made_with, Mapping) else {}
    told = {
        "Version": run.attrs.get("version"),
        "Seed": run.attrs.get("seed"),
        "Trials": _drawn(run),
        "Scenario, rules and code (sha256)": run.attrs.get("digest"),
        "Trials (sha256)": held.get("sha256"),
        "Made": held.get("began"),
        "On": held.get("machine"),
        "With": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }
    return [(name, str(fact)) for name, fact in told.items() if fact]


def use(run: xr.Dataset) -> list[tuple[str, str]]:
    """Return what a reader must know before relying on a run, as far as the run holds it.

    What ASOP 56, 41 and 25 ask for: purpose, users, information date, validation, credibility.
    """
    began = str(_record(run).get("began") or "")[:10]
    since = (
        f"Scenario and rules are as they stood on {began}, when the run was made. "
        if began
        else ""
    )
    told = {
        "Purpose": str(run.attrs.get("about") or "The scenario states none (about)."),
        "Intended users": "The run does not name them, nor the actuary responsible for it: "
        "whoever passes this page on states both.",
        "Information date": f"{since}How old figures are is in their sources, above.",
        "Range": "Percentiles and tails are of chance under the values above, taken as known. "
        "What other values would do is in them only where a value has a spread of its own.",
        "Validation": "The run holds none. acosim validate replays a public file and checks the "
        "model on the machine in use.",
        "Credibility": "None is weighed: an ACO's figures are taken as given, spreads from their "
        "sources.",
    }
    return list(told.items())


def command(run: xr.Dataset) -> str:
    """Return the command that makes the run again."""
    return f"acosim run {run.attrs.get('path', '')}/scenario.yaml"
