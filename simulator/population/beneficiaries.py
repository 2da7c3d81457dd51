"""Files of beneficiaries: years by enrolment type, and how unevenly people spend, from persons."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from simulator.loading import Keys, Mistake, Place
from simulator.population.data_quality import Asked, Control, Given, cells
from simulator.population.persons_file import KINDS, Persons, opened
from simulator.population.suppression import LEAST, SUPPRESSED, small
from simulator.population.tables import located

__all__ = ["People", "beneficiaries", "grouped", "person_year_cv"]

_MONTHS = 12.0
_SCORES = (0.3, 5.0)
_FEWEST = 220  # persons of a type from whom the spread of spending is taken
_MOST_GROUPS = 400
_SHOWN_GROUPS = 20
_TOP = 2 * LEAST


class People(NamedTuple):
    """The persons of one enrolment type in one year."""

    kind: str
    year: int
    persons: int
    person_years: float
    expenditure_ppy: float
    risk_score: float
    truncated: bool


def person_year_cv(paid_usd: np.ndarray, months: np.ndarray) -> float:
    """Return the coefficient of variation of one person-year that gives totals their spread.

    ``cv**2 = person_years * sum((paid - mean)**2) / sum(paid)**2``: so many person-years of that
    cv vary in total as the persons do, short years and deaths included.

    >>> person_year_cv(np.array([0.0, 200.0]), np.array([12.0, 12.0]))
    1.0
    """
    person_years = months.sum() / _MONTHS
    spread = np.square(paid_usd - paid_usd.mean()).sum()
    return float(np.sqrt(person_years * spread) / paid_usd.sum())


def grouped(paid_usd: np.ndarray) -> tuple[list[int], list[float]]:
    """Return like persons in groups of eleven or more: how many, and their mean, from the top.

    The groups widen downwards, so that the tail stays as it is; the mean is kept, and no figure
    is one person's.

    >>> counts, means = grouped(np.arange(100.0))
    >>> counts[0], means[0], sum(counts), min(counts) >= 11
    (11, 94.0, 100, True)
    """
    spent = np.sort(np.maximum(paid_usd, 0.0))[::-1]
    positive = int((spent > 0.0).sum())
    positive = 0 if small(positive) else positive
    ends = [0]
    while positive - ends[-1] > _TOP:
        step = max(LEAST, ends[-1] // 40, positive // _MOST_GROUPS)
        ends.append(min(ends[-1] + step, positive - LEAST))
    ends += [end for end in dict.fromkeys((positive, len(spent))) if end > ends[-1]]
    if small(ends[-1] - ends[-2]):
        del ends[-2]
    pieces = [spent[a:b] for a, b in pairwise(ends)]
    return [len(piece) for piece in pieces], [float(piece.mean()) for piece in pieces]


def beneficiaries(name: str, folder: Path, asked: Asked) -> Given:
    """Return what a file of one ACO's beneficiaries gives, sums over eleven persons or more.

    Person-years are months over twelve; per capita spending is annualised, cut at
    ``market.truncation_usd`` where that is known, and weighed by months, as CMS does; the spread
    of spending is `person_year_cv`. Nothing is completed or taken out: CMS's own reports differ.
    """
    file = located(name, folder)
    given = Given(str(file))
    persons = opened(file, given)
    if persons is None or given.mistakes:
        return given
    _unlike(persons, given)
    people = list(_people(persons, asked, given))
    if given.mistakes:
        return given
    for one in people:
        _put(one, asked, given)
    _counted(persons, asked, given)
    _spread(persons, given)
    _judge(persons, people, given)
    return given


def _unlike(persons: Persons, given: Given) -> None:
    """Note persons who are there twice, or more than a year in one."""
    by_year = persons.person.astype(np.int64) * 100 + (persons.year - 2000).astype(np.int64)
    keys = by_year * len(KINDS) + persons.kind
    twice = len(keys) - len(np.unique(keys))
    if twice:
        text = f"is there twice in a year and type, in {_told(twice)} rows; once is allowed"
        given.mistakes.append(Mistake(Place(given.file), "row_key", text))
    _, place = np.unique(by_year, return_inverse=True)
    long = int((np.bincount(place, persons.months) > _MONTHS).sum())
    if long:
        text = (
            f"add up to more than 12 in a year for {_told(long)} persons; at most 12 are allowed"
        )
        given.mistakes.append(Mistake(Place(given.file), "months", text))


def _told(count: int) -> str:
    return f"fewer than {LEAST}" if small(count) else f"{count:,}"


def _people(persons: Persons, asked: Asked, given: Given) -> Iterator[People]:
    """Yield each type's year; one of fewer than eleven persons may not be stored, and is noted."""
    for year in np.unique(persons.year).astype(int).tolist():
        for k, kind in enumerate(KINDS):
            own = (persons.year == year) & (persons.kind == k)
            count = int(own.sum())
            if small(count):
                text = (
                    f"are 1 to 10 persons of {kind} in {year}, whose figures may not be stored"
                    " or shown; must be none or 11 and more (leave them out, and type what CMS"
                    " reports in the scenario)"
                )
                given.mistakes.append(Mistake(Place(given.file), "", text))
            elif count:
                yield _one(persons, own, (kind, year), asked.thresholds.get(kind, {}).get(year))


def _one(
    persons: Persons, own: np.ndarray, what: tuple[str, int], threshold: float | None
) -> People:
    months, cap = persons.months[own], np.inf if threshold is None else threshold
    annual = np.clip(persons.paid_usd[own] * _MONTHS / months, -cap, cap)
    total = months.sum()
    return People(
        *what,
        int(own.sum()),
        float(total / _MONTHS),
        float((annual * months).sum() / total),
        float((persons.risk_score[own] * months).sum() / total),
        threshold is not None,
    )


def _put(one: People, asked: Asked, given: Given) -> None:
    place, own = Place(given.file), ("population", asked.aco, "segments", one.kind)
    for field in ("person_years", "expenditure_ppy", "risk_score"):
        given.put((*own, field, one.year), round(getattr(one, field), 6), place)
    if one.kind == "high_needs":
        given.put((*own, "high_needs"), True, place)


def _counted(persons: Persons, asked: Asked, given: Given) -> None:
    """Put head-counts, and keep control totals by type and by group of the last year."""
    last = int(persons.year.max())
    for year in np.unique(persons.year).astype(int).tolist():
        there = persons.year == year
        heads = len(np.unique(persons.person[there]))
        keys: Keys = ("population", asked.aco, "persons", year)
        if _few_twice(persons.person[there]):
            text = f"not taken: 1 to 10 persons of {year} have two enrollment types"
            given.note(f"persons in {year}", text)
        else:
            given.put(keys, heads, Place(given.file))
    given.cells += cells(given.file, list(_by_kind(persons)), counted=True)
    given.cells += cells(given.file, _groups(persons, last, given), counted=True)


def _few_twice(person: np.ndarray) -> bool:
    """Return whether 1 to 10 of those there are there again: sums over rows would tell it."""
    times = np.unique(person, return_counts=True)[1]
    return bool(small((times > 1).sum()) or small((times - 1).sum()))


def _groups(persons: Persons, year: int, given: Given) -> list[Control]:
    """Return the controls by group, none where their sum beside others would give few away."""
    controls = list(_by_group(persons, year))
    there = persons.year == year
    total, rows = sum(int(one.persons) for one in controls), int(there.sum())
    heads = len(np.unique(persons.person[there]))
    counted = not _few_twice(persons.person[there])
    if small(rows - total) or (counted and small(total - heads)):
        text = "not shown: 1 to 10 persons are in two groups, or in one with two enrollment types"
        given.note(f"groups in {year}", text)
        return []
    return controls


def _by_kind(persons: Persons) -> Iterator[Control]:
    for year in np.unique(persons.year).astype(int).tolist():
        for k, kind in enumerate(KINDS):
            own = (persons.year == year) & (persons.kind == k)
            if own.any():
                yield _control(persons, own, (kind, str(year)))


def _by_group(persons: Persons, year: int) -> Iterator[Control]:
    """Yield the largest groups, and all others together: of few people the name may be theirs."""
    there = persons.year == year
    pairs = np.unique(np.stack([persons.group[there], persons.person[there]]), axis=1)
    counts = np.bincount(pairs[0], minlength=len(persons.groups))
    largest = np.argsort(-counts, kind="stable")[:_SHOWN_GROUPS]
    largest = largest[counts[largest] >= LEAST]
    for place in largest.tolist():
        name = persons.groups[place][:40] or "no group"
        yield _control(persons, there & (persons.group == place), (name, f"group, {year}"))
    rest = there & ~np.isin(persons.group, largest)
    if rest.any():
        yield _control(persons, rest, ("all others", f"group, {year}"))


def _control(persons: Persons, own: np.ndarray, names: tuple[str, str]) -> Control:
    years = float(persons.months[own].sum() / _MONTHS)
    heads = len(np.unique(persons.person[own]))
    return Control(*names, heads, years, float(persons.paid_usd[own].sum() / years))


def _spread(persons: Persons, given: Given) -> None:
    """Put the spread of spending of each type, and its persons in groups, from the last year."""
    place = Place(given.file)
    for k, kind in enumerate(KINDS[:4]):
        own = (persons.year == persons.year.max()) & (persons.kind == k)
        paid, months = persons.paid_usd[own], persons.months[own]
        if own.sum() < _FEWEST or not paid.sum() > 0.0:
            given.note(f"spread of {kind}", f"not taken from fewer than {_FEWEST} persons")
            continue
        if small((paid > 0.0).sum()):
            given.note(f"spread of {kind}", "not taken: 1 to 10 persons spend anything")
            continue
        law: Keys = ("experience", "severity")
        given.put((*law, "cv", kind), round(person_year_cv(paid, months), 6), place)
        none = float(months[paid <= 0.0].sum() / months.sum())
        if small((paid <= 0.0).sum()):
            given.note(f"zero_share of {kind}", "not taken: 1 to 10 persons spend nothing")
        else:
            given.put((*law, "zero_share", kind), round(none, 6), place)
        counts, means = grouped(paid)
        given.put((*law, "groups", kind, "persons"), [*counts], place)
        given.put((*law, "groups", kind, "mean_usd"), [round(mean, 2) for mean in means], place)


def _rows(persons: Persons, own: np.ndarray, parts: Sequence[np.ndarray]) -> str:
    """Return how many rows are so, if neither they nor what they leave are of few people."""
    if not own.any():
        return "0"
    counts = [len(np.unique(persons.person[part])) for part in (*parts, ~own)]
    return SUPPRESSED if any(map(small, counts)) else f"{int(own.sum()):,}"


def _judge(persons: Persons, people: list[People], given: Given) -> None:
    """Note what an actuary would ask of the file (ASOP 23)."""
    years = np.unique(persons.year).astype(int)
    given.note("rows", f"{given.rows:,}, years {', '.join(map(str, years))}")
    lacks = sorted(set(range(years[0], years[-1] + 1)) - set(years.tolist()))
    if lacks:
        given.note("years", f"lack {', '.join(map(str, lacks))}", holds=False)
    paid = np.sign(persons.paid_usd)
    given.note("rows with negative spending", _rows(persons, paid < 0, (paid < 0, paid == 0)))
    died = persons.died > 0.0
    given.note("deaths", _rows(persons, died, (died, ~died)))
    for one in people:
        low, high = _SCORES
        if not low <= one.risk_score <= high:
            text = f"is {one.risk_score:.3f} on average; expected between {low} and {high}"
            given.note(f"risk_score of {one.kind} in {one.year}", text, holds=False)
    uncut = dict.fromkeys(one.kind for one in people if not one.truncated)
    if uncut:
        text = f"market.truncation_usd gives no threshold for every year of {', '.join(uncut)}"
        given.note("spending is not truncated", text, holds=False)
    given.note("completion", "paid amounts stand as they are; nothing is completed or netted")
