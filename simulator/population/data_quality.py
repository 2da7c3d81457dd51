"""What was found in files of people (ASOP 23): what they give, checks, and control totals.

Nothing here names a person; counts of 1 to 10, and what would give them away, are not shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np

from simulator.loading import Key, Keys, Mistake, Place, Value
from simulator.population.suppression import SUPPRESSED, hidden

__all__ = ["TOLERANCE", "Asked", "Control", "Given", "cells", "compared", "sha"]

TOLERANCE = 0.001  # person-years and dollars against their control totals


class Asked(NamedTuple):
    """Whose people a file is to give: the ACO, its id there, its years, and thresholds known."""

    aco: str
    aco_id: str
    start: int
    first: int
    thresholds: Mapping[str, Mapping[int, float]]


@dataclass
class Given:
    """What a file gives, each value with its place, and what was found on the way."""

    file: str
    values: dict[Keys, tuple[Value, Place]] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    findings: list[dict[Key, Value]] = field(default_factory=list)
    cells: list[dict[Key, Value]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    rows: int = 0

    def put(self, keys: Keys, value: Value, place: Place) -> None:
        """Keep a value that the file gives, unless it gives the same one already."""
        held = self.values.setdefault(keys, (value, place))
        if held[0] != value:
            text = f"is {value}, but {held[0]} in line {held[1].line}; one value is allowed"
            self.mistakes.append(Mistake(place, ".".join(map(str, keys)), text))

    def note(self, check: str, found: str, *, holds: bool = True) -> None:
        """Keep one check of the file; one that does not hold is a warning too."""
        self.findings.append({"file": self.file, "check": check, "found": found, "holds": holds})
        if not holds:
            self.warnings.append(f"{self.file}: {check}: {found}")


class Control(NamedTuple):
    """One cell of a file: an enrolment type in a year, or a group of a file's people."""

    row: str
    column: str
    persons: float
    person_years: float
    expenditure_ppy: float


def compared(found: float, control: float) -> tuple[str, bool]:
    """Return in words how far a sum is from its control total, and whether it is within 0.1%.

    >>> compared(1000.5, 1000.0)
    ('1,000.50 against 1,000.00 (+0.05%)', True)
    """
    off = found / control - 1.0 if control else (0.0 if found == 0.0 else np.inf)
    return f"{found:,.2f} against {control:,.2f} ({off:+.2%})", bool(abs(off) <= TOLERANCE)


def cells(file: str, controls: Sequence[Control], *, counted: bool) -> list[dict[Key, Value]]:
    """Return the cells of a file as text, small ones and their complements suppressed.

    counted : whether the controls have counts of persons; else person-years stand for them
    """
    rows, columns = (list(dict.fromkeys(c[i] for c in controls)) for i in (0, 1))
    counts = np.zeros((len(rows), len(columns)))
    for one in controls:
        at = rows.index(one.row), columns.index(one.column)
        counts[at] = one.persons if counted else one.person_years
    unseen = hidden(counts)
    return [
        _shown(file, one, counted, bool(unseen[rows.index(one.row), columns.index(one.column)]))
        for one in controls
    ]


def _shown(file: str, one: Control, counted: bool, unseen: bool) -> dict[Key, Value]:
    figures: dict[Key, Value] = {
        "persons": f"{one.persons:,.0f}" if counted else "",
        "person_years": f"{one.person_years:,.2f}",
        "expenditure_ppy": f"{one.expenditure_ppy:,.2f}",
        "expenditure_usd": f"{one.person_years * one.expenditure_ppy:,.0f}",
    }
    if unseen:
        figures = {name: SUPPRESSED if text else "" for name, text in figures.items()}
    return {"file": file, "group": f"{one.column}, {one.row}", **figures}


def sha(file: Path) -> str:
    """Return the sha256 of a file."""
    sums = sha256()
    with file.open("rb") as opened:
        while piece := opened.read(2**20):
            sums.update(piece)
    return sums.hexdigest()
