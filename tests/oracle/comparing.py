"""The same cases settled by the oracle and by the contracts, held against each other."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from simulator.programs import contract
from tests.oracle import mssp
from tests.oracle.drawing import TRIALS, draw, inputs
from tests.oracle.terms import LEVELS, YEARS

__all__ = ["OPEN", "Comparison", "compare", "table"]

CONTRACTS = [(year, option) for year in YEARS for option in LEVELS]
RELATIVE = 1e-9
# Below these a difference is the rounding of the sums it comes from, not of the rule.
FLOORS = {"_usd": 1e-5, "_ppy": 1e-9}
SMALLEST = 1e-12

# Branches in which contract and rules note are not yet reconciled, and the lines it shows in;
# no lines means all of them. To close one, delete its row.
OPEN: dict[str, tuple[str, ...]] = {
    "prior savings: initial agreement, earlier savings set aside": (),
    "adjustment: tie of regional and prior savings": (),
    "regional risk: within its cap together, not for each type": (),
    "savings: below the minimum, too few base-year people for reduced sharing": (),
    "savings: barred by termination": ("sharing_share",),
    "repayment mechanism: start before 2022": ("repayment_mechanism_usd",),
}


@dataclass
class Comparison:
    """What two settlements of the same cases came to.

    `worst` is each line's largest difference as a part of what is allowed, `apart` the cases
    beyond it, `reconciling` those that a branch of `OPEN` explains, and `unheld` the lines that
    the oracle does not know.
    """

    cases: int = 0
    branches: Counter = field(default_factory=Counter)
    worst: dict = field(default_factory=dict)
    apart: list = field(default_factory=list)
    unheld: set = field(default_factory=set)
    reconciling: dict = field(default_factory=lambda: {branch: [] for branch in OPEN})


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
            _file(found, (year, option, name), ratio.reshape(len(taken), -1).max(axis=1), taken)
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


def _file(found, contract_and_line, ratios, taken):
    """Keep the largest difference of a line, and every case in which it is more than rounding."""
    name = contract_and_line[-1]
    for n, (ratio, case) in enumerate(zip(ratios.tolist(), taken, strict=True)):
        reasons = [
            branch for branch, lines in OPEN.items() if case[branch] and name in (lines or name)
        ]
        agrees = ratio <= 1.0
        if not reasons:
            found.worst[name] = max(found.worst.get(name, 0.0), ratio if agrees else 0.0)
        if not agrees:
            rows = found.reconciling[reasons[0]] if reasons else found.apart
            rows.append((*contract_and_line, n))


def table(found):
    """Return the branch counts and the largest differences as text."""
    counts = [f"{found.branches[branch]:9,d}  {branch}" for branch in mssp.BRANCHES]
    worst = [f"{share:9.4f}  {name}" for name, share in sorted(found.worst.items())]
    return "\n".join(
        [
            f"{found.cases:,d} cases, {len(found.apart):,d} lines apart",
            *(f"{len(rows):9,d}  apart where {b}" for b, rows in found.reconciling.items()),
            "Times taken, by branch",
            *counts,
            f"Largest difference, as a part of what is allowed ({RELATIVE:g} relative)",
            *worst,
        ]
    )
