"""ACO REACH by hand: one ACO, one trial, decimal arithmetic, read afresh from the digest.

It shares no code and no rules file with the simulator. Tables are those of the digest's sections 1
to 7 under their default readings.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal as D
from typing import Any

__all__ = ["Cell", "Input", "settlement"]

YEARS = (2021, 2022, 2023, 2024, 2025, 2026)


def _by_year(*values: str) -> dict[int, D]:
    return dict(zip(YEARS, map(D, values), strict=True))


REGIONAL_STANDARD = _by_year("0.35", "0.35", "0.40", "0.45", "0.45", "0.40")
REGIONAL_OTHERS = _by_year("1", "1", "1", "1", "0.50", "0.45")
CEILING_STANDARD = _by_year("0.05", "0.05", "0.05", "0.05", "0.03", "0.03")
LAST_RECENT_BASE = {2025: 2023, 2026: 2024}
REFERENCE = dict(zip(YEARS, (2019, 2020, 2021, 2022, 2022, 2022), strict=True))
DISCOUNT = _by_year("0.02", "0.02", "0.03", "0.03", "0.04", "0.04")
WITHHOLD = _by_year("0.05", "0.05", "0.02", "0.02", "0.02", "0.05")
RETENTION = _by_year("0.02", "0.02", "0.02", "0", "0", "0")
LADDER = {
    2021: "0 0 0 0 0",
    2022: "0 0 0 0 0",
    2023: "30 0 0 0 -6",
    2024: "30 20 10 0 -10",
    2025: "30 20 10 0 -10",
    2026: "30 20 10 0 -10",
}
GUARANTEE = {"pcc": D("0.03"), "tcc": D("0.04")}


@dataclass
class Cell:
    """One category by alignment; figures by calendar year."""

    category: str
    alignment: str
    people: Mapping[int, D]
    spent: Mapping[int, D]
    score: Mapping[int, D]
    demographic: Mapping[int, D]
    rate_book: D
    geographic: Mapping[int, D]
    uspcc: Mapping[int, D]
    reference: Mapping[int, D]
    coding: D


@dataclass
class Input:
    """One ACO in one trial."""

    year: int
    option: str
    kind: str
    cells: list[Cell]
    quality: D
    base_persons: D
    retention: bool
    tiers: list[D] = field(default_factory=list)
    high_performers: D = D(0)


def settlement(given: Input) -> dict[str, Any]:
    """Return benchmark, expenditure, gross savings, shared amount and settlement."""
    before = sum((_cell(given, cell) for cell in given.cells), D(0))
    people = sum((cell.people[given.year] for cell in given.cells), D(0))
    taken = DISCOUNT[given.year] if given.option == "global" else D(0)
    after = before * (1 - taken)
    amounts = [D(x) for x in LADDER[given.year].split()]
    equity = sum((12 * a * s * people for a, s in zip(amounts, given.tiers, strict=True)), D(0))
    withheld = WITHHOLD[given.year] * after
    kept = RETENTION[given.year] * after if given.retention else D(0)
    benchmark = after - withheld + withheld * given.quality + equity - kept
    spent = sum((c.spent[given.year] * c.people[given.year] for c in given.cells), D(0))
    gross = benchmark - spent
    shared = benchmark * _corridor(given, gross / benchmark)
    paid = shared - D("0.02") * shared if shared > 0 else shared
    return {
        "benchmark_before_discount_usd": before,
        "benchmark_usd": benchmark,
        "expenditure_usd": spent,
        "gross_savings_usd": gross,
        "shared": shared,
        "settlement_usd": paid + given.high_performers * benchmark,
    }


def _cell(given: Input, cell: Cell) -> D:
    year, people = given.year, cell.people[given.year]
    if people == 0:
        return D(0)
    base = cell.rate_book
    standard = given.kind == "standard" and cell.alignment == "claims"
    weight = (REGIONAL_STANDARD if standard else REGIONAL_OTHERS)[year]
    if weight < 1:
        last = 2019 if standard else LAST_RECENT_BASE[year]
        history = _history(given, cell, last)
        move = weight * (cell.rate_book - history)
        top = CEILING_STANDARD[year] if given.kind == "standard" else D("0.05")
        move = min(top * cell.uspcc[year], max(D("-0.02") * cell.uspcc[year], move))
        base = history + move
    return base * _score(given, cell) * _trend(given, cell) * people


def _history(given: Input, cell: Cell, last: int) -> D:
    """Weigh three base years at risk 1; all who are aligned voluntarily share one history."""
    alike = [
        other
        for other in given.cells
        if other.category == cell.category
        and (other.alignment == "claims") == (cell.alignment == "claims")
    ]
    total = D(0)
    for weight, year in zip(
        (D("0.1"), D("0.3"), D("0.6")), (last - 2, last - 1, last), strict=True
    ):
        people = sum(other.people[year] for other in alike)
        spent = sum(other.people[year] * other.spent[year] for other in alike) / people
        score = sum(other.people[year] * other.score[year] for other in alike) / people
        prices = cell.uspcc[given.year] / cell.uspcc[year]
        places = cell.geographic[given.year] / cell.geographic[year]
        total += weight * spent * prices * places / score
    return total


def _score(given: Input, cell: Cell) -> D:
    year, score = given.year, cell.score[given.year]
    high_needs, new = given.kind == "high_needs", cell.alignment == "newly_voluntary"
    reference = REFERENCE[year]
    if not new and _capped(given, cell, reference):
        middle, room = cell.score[reference], D("0.10") if high_needs else D("0.03")
        if year >= 2024 and cell.category == "aged_disabled" and not high_needs:
            middle *= cell.demographic[year] / cell.demographic[reference]
        score = min(middle * (1 + room), max(middle * (1 - room), score))
    if not new:
        ceiling = D("1000")
        if year >= 2024:
            ceiling = D("1.02") if high_needs and year == 2026 else D("1.01")
        score /= max(D(1), min(ceiling, cell.coding))
    if year == 2026 and given.kind == "standard" and not new:
        score = min(score, D("1.03") * cell.score[2019])
    if year == 2026 and high_needs and new:
        score = min(score, D("1.08") * cell.score[2023])
    return score


def _capped(given: Input, cell: Cell, reference: int) -> bool:
    if cell.people[reference] == 0:
        return False
    now = sum(c.people[given.year] for c in given.cells)
    if now >= 3 * sum(c.people[reference] for c in given.cells):
        return False
    if given.kind != "high_needs":
        return True
    least = 750 if given.year >= 2025 else 0
    known = given.base_persons >= 0
    return given.year >= 2023 and (not known or given.base_persons >= least)


def _trend(given: Input, cell: Cell) -> D:
    year, anchor = given.year, given.year - 2
    actual = cell.reference[year] / cell.reference[anchor]
    raw = actual / (cell.uspcc[year] / cell.uspcc[anchor])
    error, sign = abs(raw - 1), 1 if raw > 1 else -1
    if error <= D("0.01"):
        return D(1)
    if year <= 2023:
        return raw
    return 1 + sign * (min(error, D("0.04")) + min(max(error - D("0.04"), D(0)), D("0.04")) / 2)


def _corridor(given: Input, share: D) -> D:
    """Walk up from the first dollar, band by band."""
    if given.option == "professional":
        bands = [("0.05", "0.50"), ("0.10", "0.35"), ("0.15", "0.15"), ("99", "0.05")]
    else:
        first = "0.10" if given.year == 2026 else "0.25"
        bands = [(first, "1"), ("0.35", "0.50"), ("0.50", "0.25"), ("99", "0.10")]
    left, low, kept = abs(share), D(0), D(0)
    for high, rate in bands:
        part = min(left, D(high) - low)
        kept, left, low = kept + D(rate) * part, left - part, D(high)
    return kept if share >= 0 else -kept
