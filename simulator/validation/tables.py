"""Rules against the law's own tables: the minimum savings rate, for every number of people."""

import numpy as np

from simulator.programs import contract
from simulator.programs.mssp import Mssp
from simulator.validation.checks import Report, judged
from simulator.validation.references import references

__all__ = ["report"]

GROUP = "Tables of the law"
_EXACT = 1e-12


def report() -> Report:
    """Yield whether each year's minimum savings rate is the table's, and never rises."""
    table = references().minimum_savings
    sizes = np.arange(table.rows[0][0], table.rows[-1][1] + 1)
    expected = np.concatenate([_line(*row) for row in table.rows])
    found = [_rates(year, sizes) for year in table.years]
    worst = max(float(np.abs(rates - expected).max()) for rates in found)
    rises = max(float(np.diff(rates).max()) for rates in found)
    years = f"{table.years[0]} to {table.years[-1]}"
    each = f"every number of people from {sizes[0]:,} to {sizes[-1]:,}, {years} ({table.cite})"
    yield judged(
        GROUP,
        f"The minimum savings rate for {each}",
        f"{len(sizes) * len(found):,} rates; the largest difference is {worst:.1g}",
        f"at most {_EXACT:g}",
        met=worst <= _EXACT,
    )
    yield judged(
        GROUP,
        "It never rises with the number of people",
        f"the largest step up is {max(rises, 0.0):.1g}",
        f"at most {_EXACT:g}",
        met=rises <= _EXACT,
    )


def _line(fewest: int, most: int, first: float, last: float) -> np.ndarray:
    """Return a row's rates: on a line between its ends."""
    return np.linspace(first, last, most - fewest + 1)


def _rates(year: int, sizes: np.ndarray) -> np.ndarray:
    chosen = contract("mssp", year, "A")
    if not isinstance(chosen, Mssp):
        raise TypeError(f"mssp {year} A is no MSSP contract")
    return np.asarray(chosen.minimum_savings(sizes), np.float64)
