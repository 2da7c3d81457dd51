"""Two contracts on the same draws: the difference, how sure it is, and how often one wins."""

from difflib import get_close_matches

import xarray as xr

from simulator.analysis.columns import by_column
from simulator.analysis.convergence import Measure, estimate, standard_error
from simulator.errors import ResultsError

__all__ = ["advantage", "paired"]


def paired(run: xr.Dataset, a: str, b: str) -> xr.Dataset:
    """Return `a` less `b`, trial by trial, of every line; dims of `run` less `contract`.

    >>> coords = {"contract": ["stay", "move"]}
    >>> run = xr.Dataset({"settlement_usd": (("trial", "contract"), [[1.0, 3.0]])}, coords)
    >>> float(paired(run, "move", "stay").settlement_usd.sum())
    2.0

    Parameters
    ----------
    run : Dataset (case, trial, year, aco, contract), as `open_run` gives it
    a, b : labels of contracts of the run

    Raises
    ------
    ResultsError
        For a contract that the run does not have; it names the nearest.
    """
    return _lines(run, a) - _lines(run, b)


def advantage(difference: xr.DataArray, dim: str = "trial") -> xr.Dataset:
    """Return what a paired difference says, each with its standard error; dims less `dim`.

    `wins_share` is the chance that the first contract is strictly better, `loses_share` that
    it is strictly worse; the rest are ties.

    >>> gap = xr.DataArray([100.0, 300.0, 0.0, -40.0], dims="trial")
    >>> said = advantage(gap)
    >>> float(said.mean_usd), float(said.wins_share), float(said.loses_share)
    (90.0, 0.5, 0.25)

    Parameters
    ----------
    difference : DataArray (trial, ...), USD; what `paired` gives of one line
    dim : the dim of the trials
    """
    return by_column(lambda column: _advantage(column, dim), difference, dim)


_MEASURES = {
    "mean_usd": Measure("mean"),
    "wins_share": Measure("above"),
    "loses_share": Measure("below"),
}


def _advantage(difference: xr.DataArray, dim: str) -> xr.Dataset:
    said = xr.Dataset()
    for name, measure in _MEASURES.items():
        what, unit = name.rsplit("_", 1)
        said[name] = estimate(difference, measure, dim)
        said[f"{what}_error_{unit}"] = standard_error(difference, measure, dim)
    return said


def _lines(run: xr.Dataset, contract: str) -> xr.Dataset:
    labels = [str(label) for label in run["contract"].values]
    if contract in labels:
        return run.sel(contract=contract, drop=True)
    near = get_close_matches(contract, labels, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ResultsError(
        f"contract {contract!r} is not in the run; it has {', '.join(labels)}{hint}"
    )
