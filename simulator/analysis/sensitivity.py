"""Sensitivity: how far swept values move an answer, one at a time (a tornado) and all together.

An answer is a DataArray (case, trial) in USD: what is paid at each point of a sweep, on the same
draws. All that is said of it is paired, trial by trial.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from simulator.analysis.columns import gathered
from simulator.analysis.convergence import REPLICATE, Measure, estimate, standard_error
from simulator.analysis.paired import paired
from simulator.errors import ResultsError
from simulator.scenario.schema import Scenario
from simulator.scenario.sweep import cases

__all__ = ["answer", "settings", "sobol", "tornado"]

Floats = npt.NDArray[np.float64]
Settings = Sequence[Mapping[str, object]]

_MEAN = Measure("mean")
_RESAMPLES = 1_000


def answer(run: xr.Dataset, contract: str, against: str | None = None) -> xr.DataArray:
    """Return what a contract pays, or pays more than another, in USD: (case, trial).

    Years and ACOs are added. Raises ResultsError for a run without a sweep or a contract that
    it does not have.
    """
    if "case" not in run.dims:
        raise ResultsError(f"{run.attrs['path']} has one case; sensitivity needs a `sweep`")
    lines = run[["settlement_usd"]].astype(np.float64)
    if against is None:
        paired(lines, contract, contract)
        paid = lines.sel(contract=contract, drop=True)
    else:
        paid = paired(lines, contract, against)
    total = paid.settlement_usd.sum(["year", "aco"], skipna=False)
    return gathered(total.transpose("case", "trial"))


def settings(scenario: Scenario) -> list[dict[str, object]]:
    """Return what each case of a scenario's sweep sets, by path; nothing for the case as it is.

    A named case that sets several paths stands for one, under its name.
    """
    sweep = scenario.sweep
    if sweep is not None and sweep.list is not None:
        return [
            {name: f"{len(held)} paths together"} if len(held) > 1 else dict(held)
            for name, held in sweep.list.items()
        ]
    return [dict(case.swept) for case in cases(scenario)]


def tornado(paid: xr.DataArray, at: Settings, base: int = 0) -> pd.DataFrame:
    """Return each path's lowest and highest case less the base case: the widest path first.

    A case counts if it differs from the base in one path; `left_out` in the table's attrs says
    how many differ in more. A change is `noise` if it is within two standard errors of zero.

    Parameters
    ----------
    paid : DataArray (case, trial), USD
    at : what each case sets, by path
    base : the case that all others are held against

    Raises
    ------
    ResultsError
        If no case differs from the base in one path alone.

    >>> paid = xr.DataArray([[0.0, 2.0], [5.0, 9.0], [-3.0, -1.0]], dims=("case", "trial"))
    >>> tornado(paid, [{}, {"trend": 0.05}, {"trend": 0.03}])[["end", "value", "change_usd"]]
        end  value  change_usd
    0   low   0.03        -3.0
    1  high   0.05         6.0
    """
    apart = [_apart(one, at[base]) for one in at]
    found: dict[str, list[int]] = {}
    for case, paths in enumerate(apart):
        if len(paths) == 1:
            found.setdefault(paths[0], []).append(case)
    if not found:
        raise ResultsError(
            f"no case differs from case {base} in one path alone; a tornado needs such cases, as "
            "of `sweep.list` with a case as it is ({}) and one for each end of each path"
        )
    rows = [
        {"path": path, "end": end, "value": at[case].get(path, "as it is"), "case": case}
        | _change(paid, case, base)
        for path, several in found.items()
        for end, case in _ends(path, several, at, base)
    ]
    return _widest_first(pd.DataFrame(rows), sum(len(paths) > 1 for paths in apart))


def _apart(one: Mapping[str, object], other: Mapping[str, object]) -> list[str]:
    """Return the paths that two cases set otherwise."""
    return [path for path in {**one, **other} if one.get(path) != other.get(path)]


def _ends(path: str, found: Sequence[int], at: Settings, base: int) -> list[tuple[str, int]]:
    """Return the cases with a path's lowest and highest value; of one alone, its side of base."""
    ranked = sorted(found, key=lambda case: _number(at[case].get(path), 0.0))
    if len(ranked) > 1:
        return [("low", ranked[0]), ("high", ranked[-1])]
    only = _number(at[ranked[0]].get(path), 0.0)
    return [("low" if only < _number(at[base].get(path), only) else "high", ranked[0])]


def _number(written: object, otherwise: float) -> float:
    """Return a swept value as a number: what is set, or the factor or amount it acts by.

    >>> _number(0.03, 0.0), _number({"times": 1.1}, 0.0), _number("given", 0.0)
    (0.03, 1.1, 0.0)
    """
    held = next(iter(written.values())) if isinstance(written, Mapping) and written else written
    return float(held) if isinstance(held, int | float) else otherwise


def _change(paid: xr.DataArray, case: int, base: int) -> dict[str, object]:
    moved = paid.isel(case=case, drop=True) - paid.isel(case=base, drop=True)
    change, error = float(estimate(moved, _MEAN)), float(standard_error(moved, _MEAN))
    # A change without error (all trials move alike) is no noise unless it is none.
    return {
        "change_usd": change,
        "change_error_usd": error,
        "noise": abs(change) <= 2.0 * error or change == 0.0,
    }


def _widest_first(table: pd.DataFrame, left_out: int) -> pd.DataFrame:
    reach = table["change_usd"].abs().groupby(table["path"]).transform("max")
    order = reach.sort_values(ascending=False, kind="stable").index
    table = table.loc[order].reset_index(drop=True)
    table.attrs["left_out"] = left_out
    return table


def sobol(
    paid: xr.DataArray, paths: Sequence[str], confidence: float = 0.95, seed: int = 0
) -> pd.DataFrame:
    """Return the Sobol' indices of the mean answer: what share of its variance each path makes.

    `first_share` is what the path makes alone, `total_share` with all that it does together with
    others, each with a percentile interval from 1,000 resamples of the points and of the trials
    (of the replicates, where trials were drawn together).

    Parameters
    ----------
    paid : DataArray (case, trial), USD, at the cases of a `saltelli` sample in their order
    paths : the sampled paths, in the sample's order
    confidence : of the intervals
    seed : of the resampling

    Raises
    ------
    ResultsError
        If there are not (paths + 2) times a power of two cases, or the answer never moves.
    """
    n, rest = divmod(paid.sizes["case"], len(paths) + 2)
    if rest or n < 2 or n & (n - 1):
        raise ResultsError(
            f"{paid.sizes['case']} cases of {len(paths)} paths are no saltelli sample; it has "
            "(paths + 2) times a power of two"
        )
    held = _independent(paid)
    now = _shares(held.mean(axis=1), np.arange(n), len(paths))
    if not np.isfinite(now).all():
        raise ResultsError("the answer is the same in all cases: there is no variance to share")
    tails = [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0]
    low, high = np.nanquantile(_resampled(held, n, len(paths), seed), tails, axis=0)
    return pd.DataFrame(
        {
            "path": list(paths),
            **{f"first_{k}share": x[0] for k, x in (("", now), ("low_", low), ("high_", high))},
            **{f"total_{k}share": x[1] for k, x in (("", now), ("low_", low), ("high_", high))},
        }
    )


def _independent(paid: xr.DataArray) -> Floats:
    """Return the answer by case and by what is independent: trials, or their replicates."""
    if REPLICATE in paid.coords:
        paid = paid.groupby(REPLICATE).mean().rename({REPLICATE: "trial"})
    return np.asarray(paid.transpose("case", "trial").values, dtype=np.float64)


def _resampled(held: Floats, n: int, paths: int, seed: int) -> Floats:
    """Return the indices of each resample: (resample, first or total, path)."""
    rng, trials = np.random.default_rng(seed), held.shape[1]
    found = []
    for _ in range(_RESAMPLES):
        drawn = np.bincount(rng.integers(0, trials, trials), minlength=trials) / trials
        found.append(_shares(held @ drawn, rng.integers(0, n, n), paths))
    return np.array(found)


def _shares(means: Floats, points: npt.NDArray[np.intp], paths: int) -> Floats:
    """Return first-order and total indices at some of the sample's points: (2, path)."""
    from scipy.stats import sobol_indices  # noqa: PLC0415  # takes longer than all else here

    both, n = means.reshape(paths + 2, -1)[:, points], len(points)
    if np.ptp(both[:2]) <= 1e-12 * np.abs(means).max():
        return np.full((2, paths), np.nan)
    found = sobol_indices(func={"f_A": both[:1], "f_B": both[1:2], "f_AB": both[2:, None]}, n=n)
    return np.array([found.first_order.reshape(-1), found.total_order.reshape(-1)])
