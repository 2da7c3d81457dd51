"""Terms by what they move: the ranking of `what-matters`, kept with a run, laid on its terms."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from simulator import results
from simulator.analysis.rivals import what_matters
from simulator.report.grounds import Term
from simulator.report.rounding import figure, scale
from simulator.scenario.sweep import cases

__all__ = ["FILE", "kept", "ordered", "rank"]

FILE = "what_matters.parquet"
_PLAIN = ("value", "now")


def rank(folder: Path, trials: int, into: Path) -> pd.DataFrame:
    """Return how far rival values move each contract of a run, most first; kept in `into`.

    The first case of a sweep, on the first trials of the run.
    """
    case = cases(results.run_scenario(folder))[0]
    _, table = what_matters(case, min(trials, case.scenario.trials))
    table = table.assign(**{name: table[name].map(str) for name in _PLAIN if name in table})
    table.attrs = _stamp(folder) | {"trials": min(trials, case.scenario.trials)}
    table.to_parquet(into / FILE, index=False)
    return table


def kept(folder: Path) -> pd.DataFrame | None:
    """Return the ranking that is kept with a run, if it is that run's."""
    if not (folder / FILE).is_file():
        return None
    try:
        table = pd.read_parquet(folder / FILE)
    except (OSError, ValueError):
        return None
    stamp = _stamp(folder)
    return table if {name: table.attrs.get(name) for name in stamp} == stamp else None


def _stamp(folder: Path) -> dict[str, object]:
    """Return what a ranking rests on: the run, and the code that settles again."""
    return {"digest": results.Store(folder).pin.digest, "code": results.code_version()}


def ordered(terms: Sequence[Term], ranking: pd.DataFrame) -> list[Term]:
    """Return terms by how far a rival value moves a contract, the furthest first.

    What is nothing but noise comes after what is not; then terms without a rival, as they were.
    """
    told = [(term, _furthest(term, ranking)) for term in terms]
    unit = scale(float(ranking["change_usd"].abs().max()) if len(ranking) else 1.0)
    ranked = sorted(told, key=lambda pair: -_size(pair[1]))
    return [term._replace(moves=_said(row, unit.size, unit.name)) for term, row in ranked]


def _furthest(term: Term, ranking: pd.DataFrame) -> Mapping[str, object] | None:
    """Return the row of a term's rival that moves one of its contracts most."""
    if ranking.empty:
        return None
    names = ranking["program"] + "." + ranking["term"]
    whole = names.eq(term.term) | names.str.startswith(f"{term.term}.")
    rows = ranking[whole & ranking["answer"].isin(term.contracts)]
    if rows.empty:
        return None
    found: Mapping[str, object] = rows.loc[rows["change_usd"].abs().idxmax()].to_dict()
    return found


def _change(row: Mapping[str, object]) -> tuple[float, float]:
    return float(str(row["change_usd"])), float(str(row["change_error_usd"]))


def _size(row: Mapping[str, object] | None) -> float:
    """Return how far a rival moves a contract; less than nothing for noise, or for no rival."""
    if row is None:
        return -2.0
    change, error = _change(row)
    return abs(change) if abs(change) > 2.0 * error else -1.0


def _said(row: Mapping[str, object] | None, size: float, name: str) -> str:
    if row is None:
        return "no rival tried"
    change, error = _change(row)
    if change == 0.0 and error == 0.0:
        return f"nothing, at {row['value']}"
    moved = figure(change, error, size)
    hidden = "" if abs(change) > 2.0 * error else ", within its noise"
    return f"{moved} {name}{hidden}: {row['answer']}, at {row['value']}".replace("  ", " ")
