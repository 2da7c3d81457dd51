"""The waterfall of a contract: from its historical benchmark to what changes hands, bar by bar."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from simulator.programs import PROGRAMS
from simulator.report.rounding import Figure, figure, scale
from simulator.report.tables import Panel, Row
from simulator.units import round_half_away

__all__ = [
    "Bar",
    "Place",
    "at",
    "bars",
    "footed",
    "groups",
    "limits",
    "noise",
    "panels",
    "program",
]
__all__ += ["records", "split", "to_the_cent", "worth"]


_LARGEST = 9.99e8
_OF = {"settlement": "", "benchmark": " (in the benchmark)", "surety": " (not covered)"}


class Place(NamedTuple):
    """Which figures of a run: a case, a year and an ACO, or all of them added."""

    case: int
    year: str
    aco: str


class Bar(NamedTuple):
    """One bar: what it is called, whether it stands on its own, its mean and standard error."""

    text: str
    kind: str
    mean: float
    error: float


def bars(ledger: pd.DataFrame, run: xr.Dataset, place: Place, contract: str) -> list[Bar]:
    """Return a contract's bars in order, in dollars; none if its program declares none."""
    return _bars(_at(ledger, place, contract, "step"), program(run, contract, place.case))


def _bars(rows: pd.DataFrame, of: str) -> list[Bar]:
    """Return the bars of the rows of one place and contract, whose program is `of`."""
    steps = PROGRAMS[of].waterfall
    return [
        Bar(
            steps[row["place"]].text,
            steps[row["place"]].kind,
            float(row["mean"]),
            float(row["error"]),
        )
        for row in rows.sort_values("place").to_dict("records")
    ]


def to_the_cent(shown: Sequence[Bar]) -> list[float]:
    """Return bars in dollars and cents that foot: each change is what moves the rounded sum.

    A level is rounded, halves away from zero; a change may differ from its own rounding by a cent.

    >>> to_the_cent([Bar("", "change", 0.006, 0), Bar("", "change", 0.006, 0)])
    [0.01, 0.0]
    """
    standing, rounded, cents = 0.0, 0, []
    for bar in shown:
        if bar.kind == "level":
            cents.append(_cents(bar.mean))
            continue
        standing += bar.mean
        now = _cents(standing)
        cents.append(now - rounded)
        rounded = now
    return [cent / 100.0 for cent in cents]


def records(ledger: pd.DataFrame, run: xr.Dataset) -> pd.DataFrame:
    """Return the bars of every place and contract: mean, error, and in dollars that foot.

    A row a bar: case, year, aco, contract, bar, kind, `mean_usd`, its error and `to_the_cent_usd`.
    """
    rows = []
    steps = ledger[ledger["kind"] == "step"]
    held = dict(iter(steps.groupby(["case", "year", "aco", "contract"], sort=False)))
    for place in _places(steps):
        for label in map(str, run["contract"].values):
            of = program(run, label, place.case)
            shown = _bars(held[(*place, label)], of) if (*place, label) in held else []
            for bar, cents in zip(shown, to_the_cent(shown), strict=True):
                said = {"bar": bar.text, "kind": bar.kind, "mean_usd": bar.mean}
                errors = {"mean_error_usd": bar.error, "to_the_cent_usd": cents}
                rows.append({**place._asdict(), "contract": label, **said, **errors})
    return pd.DataFrame(rows)


def _places(steps: pd.DataFrame) -> list[Place]:
    held = steps[["case", "year", "aco"]].drop_duplicates()
    return [Place(int(case), str(year), str(aco)) for case, year, aco in held.to_numpy()]


def footed(ledger: pd.DataFrame) -> tuple[float, float]:
    """Return the least share of trials in which a sum is met, and the largest miss in dollars."""
    foots, misses = (ledger[ledger["kind"] == kind] for kind in ("foots", "misses"))
    least = float(foots["mean"].min()) if len(foots) else float("nan")
    return least, float(misses["most"].max()) if len(misses) else float("nan")


def groups(run: xr.Dataset, case: int) -> Iterator[tuple[str, ...]]:
    """Yield the contracts of each program: they share the lines of a waterfall."""
    found: dict[str, list[str]] = {}
    for label in run["contract"].values:
        found.setdefault(program(run, str(label), case), []).append(str(label))
    yield from (tuple(labels) for labels in found.values())


def panels(ledger: pd.DataFrame, run: xr.Dataset, place: Place) -> Iterator[tuple[Panel, Panel]]:
    """Yield the waterfalls of each program's contracts: as rounded estimates, and to the cent."""
    for labels in groups(run, place.case):
        shown = {label: bars(ledger, run, place, label) for label in labels}
        texts = [(bar.text, bar.kind) for bar in shown[labels[0]]]
        if not texts:
            continue
        # Settlements are in millions where benchmarks are in billions.
        largest = max(abs(bar.mean) for each in shown.values() for bar in each)
        unit = scale(min(largest, _LARGEST))
        rough = [
            Row(text, tuple(_rounded(shown[label][at], unit.size) for label in labels), kind)
            for at, (text, kind) in enumerate(texts)
        ]
        cents = {label: to_the_cent(each) for label, each in shown.items()}
        exact = [
            Row(text, tuple(Figure(f"{cents[label][at]:,.2f}", "") for label in labels), kind)
            for at, (text, kind) in enumerate(texts)
        ]
        yield (
            Panel("", f"$ {unit.name}".strip(), labels, tuple(rough)),
            Panel("", "$", labels, tuple(exact)),
        )


def limits(
    ledger: pd.DataFrame, run: xr.Dataset, place: Place
) -> Iterator[tuple[Panel, Panel, tuple[str, ...]]]:
    """Yield how often a program's limits bind, what they are worth, and which never bind."""
    for labels in groups(run, place.case):
        declared = PROGRAMS[program(run, labels[0], place.case)].limits
        found = {
            (label, kind, row["place"]): row
            for label in labels
            for kind in ("binds", "worth")
            for row in _at(ledger, place, label, kind).to_dict("records")
        }
        amounts = [row["mean"] for (_, kind, _), row in found.items() if kind == "worth"]
        if not amounts:
            continue
        unit = scale(max(map(abs, amounts)))
        often, worth, never = [], [], []
        for at, limit in enumerate(declared):
            if (labels[0], "binds", at) not in found:
                continue
            binds = [found[label, "binds", at] for label in labels]
            costs = [found[label, "worth", at] for label in labels]
            text = limit.text + _OF[limit.of]
            if not any(row["mean"] for row in binds):
                never.append(text)
                continue
            often.append(Row(text, tuple(figure(r["mean"], r["error"], 0.01) for r in binds)))
            worth.append(Row(text, tuple(_worth(r, unit.size) for r in costs)))
        yield (
            Panel("How often it binds", "% of trials", labels, tuple(often)),
            Panel(
                "What it is worth to the ACO",
                f"$ {unit.name}, mean over all trials",
                labels,
                tuple(worth),
            ),
            tuple(never),
        )


def worth(ledger: pd.DataFrame, run: xr.Dataset, place: Place) -> pd.DataFrame:
    """Return what each limit on settlements is worth that ever binds, by contract and name."""
    rows = []
    for label in (str(name) for name in run["contract"].values):
        declared = PROGRAMS[program(run, label, place.case)].limits
        found = _at(ledger, place, label, "worth").to_dict("records")
        rows += [
            {"name": row["name"], "contract": label, "mean": row["mean"], "error": row["error"]}
            for row in found
            if declared[row["place"]].of == "settlement"
        ]
    table = pd.DataFrame(rows, columns=["name", "contract", "mean", "error"])
    ever = table.groupby("name")["mean"].transform(lambda means: (means != 0.0).any())
    return table[ever.astype(bool)] if len(table) else table


def program(run: xr.Dataset, contract: str, case: int) -> str:
    """Return the program of a contract, in one case of a sweep over programs."""
    labels = [str(label) for label in run["contract"].values]
    of = run["program"].isel(case=case) if "case" in run["program"].dims else run["program"]
    return str(of.values[labels.index(contract)])


def at(ledger: pd.DataFrame, place: Place) -> pd.DataFrame:
    """Return a ledger's rows of one place; to be asked of in the place of a long ledger."""
    here = (ledger["case"] == place.case) & (ledger["year"] == place.year)
    return ledger[here & (ledger["aco"] == place.aco)]


def _at(ledger: pd.DataFrame, place: Place, contract: str, kind: str) -> pd.DataFrame:
    here = at(ledger, place)
    here = here[(here["contract"] == contract) & (here["kind"] == kind)]
    return here.sort_values("place")


def _rounded(bar: Bar, size: float) -> Figure:
    return figure(bar.mean, bar.error, size)


def _worth(row: dict[str, float], size: float) -> Figure:
    return figure(row["mean"], row["error"], size)


def _cents(dollars: float) -> int:
    return round(float(round_half_away(dollars)) * 100.0)


def noise(mean: float, error: float) -> bool:
    """Return whether an estimate is within two standard errors of nothing.

    >>> noise(1.0, 0.6), noise(1.0, 0.4)
    (True, False)
    """
    return bool(np.abs(mean) <= 2.0 * error)


def split(shown: Sequence[Bar]) -> tuple[list[Bar], list[Bar]]:
    """Return the bars in millions of spending, and those of what is saved or lost of it.

    The second part begins with the first level that is less than half of the first level.
    """
    levels = [at for at, bar in enumerate(shown) if bar.kind == "level"]
    small = (at for at in levels if abs(shown[at].mean) < 0.5 * abs(shown[levels[0]].mean))
    cut = next(small, 0)
    return list(shown[:cut]), list(shown[cut:])
