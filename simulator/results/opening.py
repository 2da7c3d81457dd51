"""A run, opened: lazily, all or nothing, with what it rests on."""

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from itertools import pairwise, zip_longest
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from simulator.errors import ResultsError
from simulator.results.folder import RULES, RUN, SCENARIO, run_rules, run_scenario, terms, was_run
from simulator.results.manifest import MANIFEST, entries
from simulator.results.sealing import facts, flaws
from simulator.results.store import STORE, Block, Pin, Store, blocks
from simulator.scenario.schema import Sampling, Scenario
from simulator.scenario.sweep import cases

__all__ = ["assumptions", "digest", "found", "open_run", "refuse_flaws", "unsound"]


def open_run(path: str | Path, *, partial: bool = False, piece: int | None = None) -> xr.Dataset:
    """Return a run's lines, (case, trial, year, aco, contract), lazily; `case` if it sweeps.

    Only lines that all contracts have are in it. Where trials were not drawn independently a
    coordinate `replicate` along trial says which were drawn together. Its attrs hold the
    scenario, the terms behind each contract and what was observed. Lines, `settlement_usd` among
    them, are float32 in USD; what must foot comes from `explain` and the report, in float64.

    Parameters
    ----------
    path : a run's folder
    partial : open what is committed of a run that is not finished
    piece : trials that dask works on at a time, by default all; xarray's quantiles need all

    Raises
    ------
    ResultsError
        If the folder is no run, or a block is missing (unless `partial`) or altered.
    """
    folder = found(path)
    scenario, store = _sound(folder, partial=partial)
    wanted = list(blocks(store.pin.cases, scenario.trials, store.pin.block))
    bad = unsound(folder, wanted)
    _refuse(folder, [b for b in bad if not (partial and bad[b] == "missing")], bad)
    trials = _whole(wanted, bad, scenario.trials)
    lines = _lines(folder, scenario, store, piece or -1).isel(trial=_span(trials))
    _refuse_labels(folder, scenario, lines)
    drawn = {"trial": trials, **together(scenario.sampling, trials)}
    lines = lines.assign_coords({**drawn, **_coordinates(scenario)})
    lines = lines if scenario.sweep else lines.isel(case=0, drop=True)
    return lines.assign_attrs(_attributes(folder, scenario, store, len(trials)))


def _sound(folder: Path, *, partial: bool) -> tuple[Scenario, Store]:
    """Return what was run and its store, or refuse a folder that is not as it was written."""
    if partial and not (folder / RUN).exists():
        scenario, store = run_scenario(folder), Store(folder)
    else:
        refuse_flaws(folder, _sealed(folder))
        scenario, store = run_scenario(folder), Store(folder)
        committed = [entry.block for entry in entries(folder).values()]
        bad = unsound(folder, committed)
        _refuse(folder, list(bad), bad)
    if not was_run(folder, store.pin.digest, store.pin.code):
        raise ResultsError(f"{folder}: {SCENARIO} or {RULES} is not what was run; it was altered")
    return scenario, store


def _sealed(folder: Path) -> Mapping[str, object]:
    """Return what `run.json` says of a run; one that has none is not finished, or no run."""
    if not (folder / RUN).exists():
        run_rules(folder)
        pin, scenario = Store(folder).pin, run_scenario(folder)
        bad = unsound(folder, list(blocks(pin.cases, scenario.trials, pin.block)))
        _refuse(folder, list(bad), bad)
        raise ResultsError(f"{folder} holds no {RUN}: it is not finished{_remedy(folder)}")
    return facts(folder)


def refuse_flaws(folder: Path, sealed: Mapping[str, object]) -> None:
    """Raise ResultsError for a run that has not the files that it was finished with."""
    bad = [*flaws(folder, sealed)]
    if bad:
        others = f" and {len(bad) - 1} more" if bad[1:] else ""
        mended = "" if SCENARIO in {flaw.file for flaw in bad} else _remedy(folder)
        raise ResultsError(f"{folder / bad[0].file} {bad[0].what}{others}{mended}")


def _remedy(folder: Path) -> str:
    out = f" --out {folder.parent}" if str(folder.parent) != "results" else ""
    return f"; to complete it: acosim run {folder / SCENARIO}{out}"


def unsound(folder: Path, wanted: Sequence[Block]) -> dict[Block, str]:
    """Return the blocks that are ``missing`` from the manifest, or have an ``altered`` file.

    What is altered since it was committed is named with its file.
    """
    store, committed = Store(folder), entries(folder)
    found: dict[Block, str] = {}
    for block in wanted:
        entry = committed.get((block.case, block.number))
        if entry is None or entry.block != block:
            found[block] = "missing"
        elif (sums := store.checksum(block)) != entry.sums:
            pairs = zip_longest(store.files(block), sums.lines, entry.sums.lines, fillvalue="")
            names = [f"{STORE}/{name}" for name, now, then in pairs if now != then and name]
            found[block] = f"altered: {', '.join(names) or MANIFEST}"
    return found


def digest(path: str | Path) -> str:
    """Return one sha256 of a run's trials: the same however it was cut, resumed or spread."""
    folder = found(path)
    return Store(folder).digest(run_scenario(folder).trials)


def assumptions(run: xr.Dataset) -> pd.DataFrame:
    """Return every term behind a run that is not published in CMS's own text, or is disputed.

    A row for each term and contract that has it: contract, years, program, term, value, unit,
    status, cite and, where there are any, note and also (rival readings).

    Parameters
    ----------
    run : Dataset, as `open_run` gives it
    """
    rows = json.loads(run.attrs["terms"])
    return pd.DataFrame(r for r in rows if r["status"] != "published" or r.get("also"))


def found(path: str | Path) -> Path:
    """Return a run's folder, or raise ResultsError with the nearest run beside it."""
    folder = Path(path)
    if folder.is_dir():
        return folder
    beside = folder.parent if folder.parent.is_dir() else Path("results")
    runs = sorted(p.parent.name for p in beside.glob(f"*/{SCENARIO}"))
    close = get_close_matches(folder.name, runs, n=1, cutoff=0.3)
    hint = (
        f"; did you mean {beside / close[0]}?" if close else f"; {beside} holds {len(runs)} runs"
    )
    raise ResultsError(f"{folder} was not found{hint}")


def _refuse_labels(folder: Path, scenario: Scenario, lines: xr.Dataset) -> None:
    """Refuse a store whose years or ACOs are not those of the scenario that was run."""
    held = [int(year) for year in lines["year"].values], [str(a) for a in lines["aco"].values]
    if held != ([*scenario.years], [*scenario.population]):
        raise ResultsError(f"{folder / STORE}: the years or ACOs are not what was run")


def _refuse(folder: Path, refused: Sequence[Block], why: Mapping[Block, str]) -> None:
    if refused:
        first, more = refused[0], len(refused) - 1
        others = f" and {more} more" if more else ""
        raise ResultsError(f"{folder}: {first} is {why[first]}{others}{_remedy(folder)}")


def _whole(wanted: Sequence[Block], bad: Mapping[Block, str], trials: int) -> pd.Index:
    """Return the trials that every case has: a range, which takes no memory, if it is one."""
    lacking = {block.number for block in bad}
    found = {block.number: block.range for block in wanted if block.number not in lacking}
    spans = [found[number] for number in sorted(found)]
    if all(one.stop == after.start for one, after in pairwise(spans)):
        first, last = (spans[0].start, spans[-1].stop) if spans else (0, 0)
        return pd.RangeIndex(first, min(last, trials))
    every = np.concatenate([np.array(span) for span in spans])
    return pd.Index(every[every < trials])


def _span(trials: pd.Index) -> slice | np.ndarray:
    """Return trials as a slice where none is missing between them, which copies nothing."""
    gapless = isinstance(trials, pd.RangeIndex)
    return slice(trials.start, trials.stop) if gapless else trials.to_numpy()


def _lines(folder: Path, scenario: Scenario, store: Store, piece: int) -> xr.Dataset:
    """Return the lines that all contracts have, side by side in the scenario's order."""
    labels = list(scenario.contracts)
    # A block that is longer is a piece: it would be read again for each that it was cut into.
    piece = max(piece, store.pin.block) if piece > 0 else piece
    opened = [_contract(folder, label, store.pin, piece) for label in labels]
    # By name: a folder lists its files in an order of its own.
    every = sorted(opened[0].data_vars, key=str)
    shared = [name for name in every if all(name in other for other in opened[1:])]
    by_contract = pd.Index(labels, name="contract", dtype=object)
    return xr.concat([one[shared] for one in opened], dim=by_contract, coords="minimal").transpose(
        "case", "trial", "year", "aco", ..., "contract"
    )


def _contract(folder: Path, label: str, pin: Pin, piece: int) -> xr.Dataset:
    found = xr.open_zarr(folder / STORE, group=label, consolidated=False, chunks=None)
    # Not the store's pieces along trial: a sum must not depend on the size of blocks. Named by
    # what it holds, so that a run opened before it was extended is not taken for the longer one.
    named = f"{folder.resolve()}-{label}-{pin.digest}-{found.sizes['trial']}-{piece}"
    words = {
        name: (name, coord.values.astype(object))
        for name, coord in found.coords.items()
        if coord.dtype.kind not in "if"
    }
    return found.chunk({"case": 1, "trial": piece}, token=named).assign_coords(words)


def together(sampling: Sampling, trials: pd.Index | np.ndarray) -> dict[str, object]:
    """Return which trials were drawn together: only the replicates are independent."""
    if sampling.scheme == "antithetic":
        return {"replicate": ("trial", np.asarray(trials) // 2)}
    if sampling.scheme == "sobol":
        return {"replicate": ("trial", np.asarray(trials) % sampling.replicates)}
    return {}


def _coordinates(scenario: Scenario) -> dict[str, object]:
    """Return what the dims case and contract stand for; what a sweep sets has the dim case."""
    points = cases(scenario)
    coordinates: dict[str, object] = {
        "program": _by_case([_programs(point.scenario) for point in points], "contract"),
        "option": _by_case([_options(point.scenario) for point in points], "contract", "year"),
    }
    if scenario.sweep is not None:
        coordinates["case"] = [case.index for case in points]
        for path in points[0].swept:
            coordinates[path] = ("case", [str(case.swept[path]) for case in points])
    return coordinates


def _programs(scenario: Scenario) -> list[str]:
    return [choice.program for choice in scenario.contracts.values()]


def _options(scenario: Scenario) -> list[list[str]]:
    choices = scenario.contracts.values()
    return [[choice.option_in(year) for year in scenario.years] for choice in choices]


def _by_case(words: Sequence[object], *dims: str) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the words of every case, with the dim case only where they differ by it."""
    if all(one == words[0] for one in words):
        return dims, np.array(words[0], object)
    return ("case", *dims), np.array(words, object)


def _attributes(
    folder: Path, scenario: Scenario, store: Store, trials: int
) -> dict[str, str | int]:
    return {
        "name": scenario.name,
        "about": scenario.about,
        "seed": scenario.seed,
        "trials": trials,
        "scheme": scenario.sampling.scheme,
        "replicates": scenario.sampling.replicates,
        "version": store.pin.code,
        "path": str(folder),
        "digest": store.pin.digest,
        "block": store.pin.block,
        "scenario": (folder / SCENARIO).read_text(encoding="utf-8"),
        "terms": json.dumps(terms(run_rules(folder))),
        "observed": json.dumps(_observed(scenario)),
        "notices": json.dumps(_notices(folder)),
        "data_quality": scenario.data_quality.model_dump_json(),
    }


def _notices(folder: Path) -> list[str]:
    """Return which contracts the ACOs could not really sign, as `run.json` has it."""
    held = facts(folder) if (folder / RUN).exists() else {}
    notices = held.get("notices")
    return list(notices) if isinstance(notices, list) else []


def _observed(scenario: Scenario) -> list[dict[str, object]]:
    return [
        {"aco": name, **aco.observed.model_dump(exclude_none=True)}
        for name, aco in scenario.population.items()
        if aco.observed is not None
    ]
