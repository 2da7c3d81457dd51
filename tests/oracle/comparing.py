"""The same cases settled by the oracle and by the contracts, held against each other."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from simulator.programs import contract
from tests.oracle import mssp
from tests.oracle.drawing import TRIALS, draw, inputs
from tests.oracle.terms import LEVELS, YEARS

__all__ = ["Comparison", "compare", "table"]

CONTRACTS = [(year, option) for year in YEARS for option in LEVELS]
RELATIVE = 1e-9
# Below these a difference is the rounding of the sums it comes from, not of the rule.
FLOORS = {"_usd": 1e-5, "_ppy": 1e-9}
SMALLEST = 1e-12


@dataclass
class Comparison:
    """What two settlements of the same cases came to.

    `worst` is each line's largest difference as a part of what is allowed, `apart` the cases
    beyond it, and `unheld` the lines that the oracle does not know.
    """

    cases: int = 0
    branches: Counter = field(default_factory=Counter)
    worst: dict = field(default_factory=dict)
    apart: list = field(default_factory=list)
    unheld: set = field(default_factory=set)


def compare(cases, seed=2019):
    """Settle about `cases` ACOs and trials both ways, spread evenly over every contract."""
    found = Comparison()
    acos = -(-cases // (len(CONTRACTS) * TRIALS))
    for i, (year, option) in enumerate(CONTRACTS):
        world = draw(seed + i, year, acos, regional_scores=bool((i + i // len(LEVELS)) % 2))
        statement = contract("mssp", year, option).settle(world)
        expected, taken = _settle_each(world, year, option)
        found.cases += len(taken)
        for case in taken:
            found.branches.update(case)
        found.unheld |= set(statement) - set(expected)
        for name in sorted(set(expected) & set(statement)):
            ratio = _ratio(name, expected[name], statement[name])
            _file(found, (year, option, name), ratio.reshape(len(taken), -1).max(axis=1))
    return found


def _settle_each(world, year, option):
    """Return every line by trial, ACO and type, and the branches that each case took."""
    taken, rows = [], []
    for given in inputs(world):
        taken.append(Counter())
        rows.append(mssp.settle(given, year, option, taken[-1]))
    return {name: _gathered(rows, name, world) for name in rows[0]}, taken


def _gathered(rows, name, world):
    shape = (world.sizes["trial"], world.sizes["aco"])
    values = [row[name] for row in rows]
    if isinstance(values[0], dict):
        values = [[float(value[k]) for k in mssp.TYPES] for value in values]
        shape = (*shape, len(mssp.TYPES))
    return np.array(values, dtype=float).reshape(shape)


def _ratio(name, expected, line):
    """Return how far apart a line is, as a part of what rounding allows."""
    dims = ("trial", "aco", "segment")[: expected.ndim]
    absent = [i for i, dim in enumerate(dims) if dim not in line.dims]
    actual = line.transpose(*(dim for dim in dims if dim in line.dims)).to_numpy()
    floor = next((size for end, size in FLOORS.items() if name.endswith(end)), SMALLEST)
    return np.abs(np.expand_dims(actual, absent) - expected) / (
        RELATIVE * np.abs(expected) + floor
    )


def _file(found, contract_and_line, ratios):
    """Keep the largest difference of a line, and every case in which it is more than rounding."""
    name = contract_and_line[-1]
    for n, ratio in enumerate(ratios.tolist()):
        if ratio > 1.0:
            found.apart.append((*contract_and_line, n))
        else:
            found.worst[name] = max(found.worst.get(name, 0.0), ratio)


def table(found):
    """Return the branch counts and the largest differences as text."""
    counts = [f"{found.branches[branch]:9,d}  {branch}" for branch in mssp.BRANCHES]
    worst = [f"{share:9.4f}  {name}" for name, share in sorted(found.worst.items())]
    return "\n".join(
        [
            f"{found.cases:,d} cases, {len(found.apart):,d} lines apart",
            "Times taken, by branch",
            *counts,
            f"Largest difference, as a part of what is allowed ({RELATIVE:g} relative)",
            *worst,
        ]
    )
