"""A published file of results, recomputed row by row: what was paid, and what the rules give."""

import csv
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from simulator import programs
from simulator.engine.corridors import Corridors, chosen
from simulator.engine.remarks import explained, parting, remarks
from simulator.engine.restatement import Restatement
from simulator.errors import ScenarioError
from simulator.loading import inert
from simulator.population import cells
from simulator.population.published import Published, every_year
from simulator.programs.mssp import Mssp
from simulator.programs.reach import Reach
from simulator.units import round_half_away

__all__ = ["Replay", "Row", "Totals", "replay"]

_HEADER = ("ACO_ID", "published_usd", "recomputed_usd", "difference_usd", "note")
_DOLLAR, _THOUSANDTH = 1.0, 0.001
# A spreadsheet takes a cell that begins so for a formula.

Verdict = Literal["within", "explained", "unexplained"]


class Row(NamedTuple):
    """One ACO: what was published, what the rules give, and why, where they differ."""

    aco_id: str
    published_usd: float | None
    recomputed_usd: float | None
    difference_usd: float | None
    note: str
    verdict: Verdict
    repeated: bool = False


class Totals(NamedTuple):
    """A file in seven figures: rows, dollars paid and owed, and how many rows are met."""

    rows: int
    paid_usd: float
    owed_usd: float
    within_dollar: int
    within_thousandth: int
    explained: int
    unexplained: int


@dataclass(frozen=True)
class Replay:
    """A file replayed: every row of it, in its order."""

    program: str
    years: tuple[int, ...]
    file: str
    rows: tuple[Row, ...]

    @property
    def year(self) -> int:
        """Return the performance year; of a file of several, the first."""
        return self.years[0]

    @property
    def totals(self) -> Totals:
        """Return the file in seven figures; a row within a dollar is within 0.1%, too.

        A row of an ACO that the file has before counts as a row, not again as dollars.
        """
        once = [row.published_usd for row in self.rows if not row.repeated]
        published = [usd for usd in once if usd is not None]
        verdicts = Counter(row.verdict for row in self.rows)
        near = [row for row in self.rows if row.verdict == "within"]
        return Totals(
            rows=len(self.rows),
            paid_usd=sum(usd for usd in published if usd > 0.0),
            owed_usd=0.0 - sum(usd for usd in published if usd < 0.0),
            within_dollar=sum(abs(row.difference_usd or 0.0) <= _DOLLAR for row in near),
            within_thousandth=len(near),
            explained=verdicts["explained"],
            unexplained=verdicts["unexplained"],
        )

    def lines(self) -> tuple[str, ...]:
        """Return the totals as the last lines that the command prints."""
        totals = self.totals
        return (
            f"rows {totals.rows:,}",
            f"paid ${totals.paid_usd:,.0f}",
            f"owed ${totals.owed_usd:,.0f}",
            f"rows within $1 {totals.within_dollar:,}",
            f"rows within 0.1% {totals.within_thousandth:,}",
            f"rows explained {totals.explained:,}",
            f"rows unexplained {totals.unexplained:,}",
        )

    def csv(self) -> str:
        """Return the rows as comma-separated text under its five columns."""
        out = StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(_HEADER)
        for row in self.rows:
            amounts = (row.published_usd, row.recomputed_usd, row.difference_usd)
            writer.writerow([inert(row.aco_id), *map(_dollars, amounts), inert(row.note)])
        return out.getvalue()


def replay(program: str, path: str | Path, year: int | None = None) -> Replay:
    """Return a public-use file of results with every row recomputed by the rules.

    Parameters
    ----------
    program : the program whose results the file holds
    path : the file, of any vintage
    year : performance year, if neither a column nor the file's name says it

    Raises
    ------
    ScenarioError
        If the file as a whole cannot be used.
    RulesError
        If there are no rules for its year.
    """
    found = every_year(program, path, year)
    by_line = {line: row for each in found for line, row in _replayed(program, each).items()}
    every = tuple(by_line[line] for line in sorted(by_line))
    return Replay(program, tuple(each.year for each in found), found[0].file, every)


def _replayed(program: str, published: Published) -> dict[int, Row]:
    """Return the rows of one performance year, by their line in the file."""
    known = programs.options(program, published.year)
    rows: dict[int, Row] = {}
    for option in dict.fromkeys(published.options):
        places = np.flatnonzero([named == option for named in published.options])
        if option in known:
            rows |= _settled(program, published, option, places)
            continue
        allowed = f"{program} {published.year} has {', '.join(known)}"
        for place in map(int, places):
            fault = f"{published.option_fault(place)}; {allowed}"
            rows[place] = _unsettled(published, place, [fault])
    return {published.lines[place]: row for place, row in rows.items()}


def _settled(
    program: str, published: Published, option: str, places: np.ndarray
) -> dict[int, Row]:
    restated = _restated(program, published, option, places)
    rows = {}
    for row, place in enumerate(map(int, places)):
        if faults := restated.faults(row):
            rows[place] = _unsettled(published, place, faults)
            continue
        reasons = restated.reasons[row]
        verdict: Verdict = (
            "within" if restated.met[row] else "explained" if reasons else "unexplained"
        )
        why = {"within": [], "explained": reasons, "unexplained": [restated.parting(row)]}
        told = [*why[verdict], *restated.said[row]]
        rows[place] = _row(published, place, restated.settled[row], told, verdict)
    return rows


class _Restated(NamedTuple):
    """The rows of one option, settled again, and all that is to be said of them."""

    settled: np.ndarray
    met: Sequence[bool]
    said: Sequence[list[str]]
    reasons: Sequence[list[str]]
    faults: Callable[[int], list[str]]
    parting: Callable[[int], str]


def _restated(program: str, published: Published, option: str, places: np.ndarray) -> _Restated:
    contract = programs.contract(program, published.year, option)
    if isinstance(contract, Reach):
        every = programs.options(program, published.year)
        others = {name: programs.contract(program, published.year, name) for name in every}
        reading = chosen(published, {n: c for n, c in others.items() if isinstance(c, Reach)})
        rows = Corridors(published, contract, places, reading)
        met, said, reasons = rows.met().tolist(), rows.remarks(), rows.explained()
        return _Restated(rows.settled, met, said, reasons, rows.faults, rows.parting)
    if not isinstance(contract, Mssp):
        raise ScenarioError(f"{program} cannot be replayed; mssp and reach can")
    one = Restatement(published, contract, places)
    settled = one.line("settlement_usd")
    met = [_met(*pair) for pair in zip(published.settlement_usd[places], settled, strict=True)]
    said, reasons = remarks(one), explained(one)
    return _Restated(settled, met, said, reasons, one.faults, lambda row: parting(one, row))


def _unsettled(published: Published, place: int, faults: Sequence[str]) -> Row:
    """Return a row that lacks a figure that the rules need; the note says which."""
    return _row(published, place, math.nan, faults, "explained")


def _met(published: float, recomputed: float) -> bool:
    return abs(recomputed - published) <= max(_DOLLAR, _THOUSANDTH * abs(published))


def _row(
    published: Published, place: int, recomputed: float, said: Sequence[str], verdict: Verdict
) -> Row:
    printed = float(published.settlement_usd[place])
    unprinted = [] if math.isfinite(printed) else [published.fault(published.paid, place)]
    aco_id = published.aco_ids[place]
    repeated = bool(aco_id) and published.places[aco_id][0] != place
    verdict = "explained" if unprinted or repeated else verdict
    return Row(
        aco_id,
        _known(printed),
        _known(recomputed),
        _known(recomputed - printed),
        "; ".join([*unprinted, *said, *_oddities(published, place)]),
        verdict,
        repeated,
    )


def _known(usd: float) -> float | None:
    return float(round_half_away(usd, 2)) + 0.0 if math.isfinite(usd) else None


def _oddities(published: Published, place: int) -> Iterator[str]:
    """Yield what is odd about a row, though the settlement does not need it."""
    aco_id = published.aco_ids[place]
    lines = [str(published.lines[row]) for row in published.places[aco_id]]
    if not aco_id:
        yield f"line {published.lines[place]}: {published.fault('aco_id', place)}"
    elif len(lines) > 1:
        name = published.name("aco_id")
        yield f"{name} {aco_id} is on lines {', '.join(lines)}; once is allowed"
    if cells.blank(published.texts(published.paid)[place]):
        yield f"{published.name(published.paid)} is blank; taken as 0"
    if published.has("person_years") and not published.figures("person_years")[place] > 0.0:
        yield published.fault("person_years", place)


def _dollars(usd: float | None) -> str:
    return "" if usd is None else f"{usd:.2f}"
