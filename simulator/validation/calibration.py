"""How unevenly people spend: the default book against what was published, and draws against it."""

import numpy as np

from simulator.sampling import aggregate, persons
from simulator.sampling.persons import Cell
from simulator.sampling.severity import DEFAULTS, Severity, pooled, standard
from simulator.sampling.streams import Streams
from simulator.validation.checks import Check, Report, judged, near
from simulator.validation.references import Book, references

__all__ = ["report"]

GROUP = "Severity"
_EXACT = 1e-6
_PEOPLE, _FEW = 5_000, 500
_TRIALS, _SEED = 4_000, 20_261_231
_TOP = 0.01


def report() -> Report:
    """Yield whether the default book is as published, and whether draws follow it."""
    book = _book(references().book)
    yield _concentration(book)
    yield _variation(book)
    yield _types(references().book)
    for persons_of, by in ((_PEOPLE, "as a sum"), (_FEW, "one by one")):
        yield from _draws(persons_of, by)


def _book(given: Book) -> Severity:
    laws = [standard(name, given.means_usd[name]) for name in given.shares]
    return pooled(list(given.shares.values()), laws)


def _concentration(book: Severity) -> Check:
    """Return whether the dearest people have as much of all spending as was published."""
    asked = references().concentration
    found = {
        top: float(book.above(book.exceeded(top), 1)) / book.mean
        for top, _ in asked.spending_share
    }
    worst = max(abs(found[top] - share) for top, share in asked.spending_share)
    told = (f"top {top:.0%} {found[top]:.1%} ({share:.1%})" for top, share in asked.spending_share)
    return judged(
        GROUP,
        f"Shares of spending of the dearest people ({asked.cite})",
        ", ".join(told),
        f"within {asked.within:.0%} of all spending",
        met=worst <= asked.within,
    )


def _variation(book: Severity) -> Check:
    """Return whether spending truncated as MSSP truncates it varies as published."""
    asked = references().truncated_variation
    point = book.exceeded(_TOP)
    found = np.sqrt(book.limited_second(point) / book.limited_mean(point) ** 2 - 1.0)
    return judged(
        GROUP,
        f"Coefficient of variation, truncated at the 99th percentile ({asked.cite})",
        f"{float(found):.3f}",
        f"{asked.low:.2f} to {asked.high:.2f}",
        met=asked.low <= float(found) <= asked.high,
    )


def _types(given: Book) -> Check:
    """Return whether each enrolment type has the spread and the zeros that it states."""
    laws = {name: standard(name, given.means_usd[name]) for name in given.shares}
    apart = [
        max(abs(law.sd / law.mean - DEFAULTS[name].cv), abs(law.p_zero - DEFAULTS[name].p_zero))
        for name, law in laws.items()
    ]
    stated = (
        f"{name} {DEFAULTS[name].cv:g}, {DEFAULTS[name].p_zero:.0%} of nothing" for name in laws
    )
    return judged(
        GROUP,
        f"Each type's coefficient of variation and people without spending: {'; '.join(stated)}",
        f"the largest difference is {max(apart):.1g}",
        f"at most {_EXACT:g}",
        met=max(apart) <= _EXACT,
    )


def _draws(count: int, by: str) -> Report:
    """Yield whether what is drawn for a cell of people has the mean and spread of its law."""
    law = standard("aged_nondual", references().book.means_usd["aged_nondual"])
    cell = Cell(count, law, truncation=float(law.exceeded(_TOP)))
    streams, trials = Streams(_SEED), range(_TRIALS)
    if by == "as a sum":
        drawn = aggregate.draw(aggregate.book([cell]), streams, "validation", trials)
    else:
        drawn = persons.totals([cell], streams, "validation", trials)
    named = f"{count:,} people drawn {by}, aged without Medicaid"
    for part, totals, mean, sd in zip(
        ("below", "above"), drawn, cell.means, cell.sds, strict=True
    ):
        per_person = totals[:, 0] / count
        what = f"{named}: spending {part} the truncation point, USD a person"
        yield near(GROUP, what, per_person, mean / count)
        squared = (per_person - mean / count) ** 2
        yield near(GROUP, f"{what}: its variance", squared, (sd / count) ** 2)
