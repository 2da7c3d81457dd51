"""What is allowed but hardly meant: each doubt says what was probably meant. Nothing is changed.

Figures are judged by the unit that their name ends with, so that a field of any program is
covered: dollars against what its people usually cost, scores and factors against 1, growth and
spreads against what years have shown, people against people.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from statistics import fmean
from typing import NamedTuple

from simulator.loading import Document, Keys, Mistake, Value, at

__all__ = ["doubts", "heads_hint"]

# What an enrolment type costs a year, to tell dollars a month or thousands from dollars a year.
_USUAL_PPY: Mapping[str, float] = {
    "esrd": 85_000.0,
    "disabled": 12_000.0,
    "aged_dual": 18_000.0,
    "aged_nondual": 11_000.0,
    "aged_disabled": 12_000.0,
    "high_needs": 35_000.0,
}
_ANYBODY_PPY = 12_500.0
_MONTHLY = (0.045, 0.14)
_THOUSANDS = (0.0003, 0.004)
_UNLIKE = (0.2, 6.0)
_SCORES = (0.3, 5.0)
_CVS = (0.5, 6.0)
_FACTORS = (0.5, 2.0)
_GROWTH = 0.15
_TWELVE = (8.0, 14.5)
_JUMP = 0.35
_REVERSED = 0.02
_FEWEST = 100.0
_SPREADS: Mapping[str, float] = {
    "experience.trend.sd": 0.1,
    "experience.trend.regional_sd": 0.1,
    "experience.deviation.sd": 0.25,
    "experience.deviation.change_sd": 0.25,
    "experience.effect.sd": 0.25,
    "experience.quality.sd": 0.3,
    "experience.risk_scores.demographic_sd": 0.25,
}
_QUALITIES = {"experience.quality.mean", "experience.total_quality.mean"}
_CODINGS = (0.95, 1.05)
_NEEDY_SCORE, _NEEDY_PPY = 1.3, 20_000.0
_GROWN = {"growth_share", "coding_growth", "growth"}
_NOT_LEVELS = {"prior_savings_ppy", "revenue_ppy"}


class _Leaf(NamedTuple):
    """A number of the scenario and where it stands."""

    keys: Keys
    value: float

    @property
    def name(self) -> str:
        """Return the last word of the path: a year, type or ACO is not one of a unit."""
        words = [key for key in self.keys if isinstance(key, str)]
        units = [word for word in words if _unit(word)]
        return units[-1] if units else (words[-1] if words else "")


def _unit(word: str) -> str:
    ends = ("_ppy", "_usd", "_share", "_score", "_factor", "person_years", "persons")
    return next((end for end in ends if word.endswith(end)), "")


def doubts(document: Document) -> list[Mistake]:
    """Return what of a sound scenario is hardly meant, each with what probably was."""
    leaves = list(_leaves(document.value, ()))
    found: list[tuple[Keys, str]] = []
    for leaf in leaves:
        found += [(leaf.keys, text) for judge in _JUDGES for text in judge(document, leaf)]
    acos = at(document.value, ("population",))
    for aco in acos if isinstance(acos, dict) else ():
        for check in _CHECKS:
            found += check(document, ("population", aco))
    return [document.mistake(keys, text) for keys, text in dict.fromkeys(found)]


def _leaves(value: Value, keys: Keys) -> Iterator[_Leaf]:
    if isinstance(value, dict) and keys[:1] not in (("data_quality",), ("sweep",), ("rules",)):
        for key, held in value.items():
            yield from _leaves(held, (*keys, key))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield _Leaf(keys, float(value))


def _dotted(keys: Keys) -> str:
    return ".".join(map(str, keys))


def _usual(document: Document, keys: Keys) -> float:
    """Return what people of the type that a path names cost a year."""
    words = [key for key in keys if isinstance(key, str)]
    kinds = [word for word in words if word in _USUAL_PPY]
    entitlement = at(document.value, (*keys[:4], "entitlement")) if len(keys) > 4 else None
    if isinstance(entitlement, str):
        kinds.append(entitlement)
    if words[:1] == ["population"] and not kinds:
        return _average(document, keys[:2])
    return _USUAL_PPY[kinds[-1]] if kinds else _ANYBODY_PPY


def _average(document: Document, aco: Keys) -> float:
    """Return what an ACO's people cost a year, by the figures of its own segments."""
    people = [
        (years, spent)
        for segment in _names(document, (*aco, "segments"))
        if (years := _latest(document, (*aco, "segments", segment, "person_years")))
        and (spent := _latest(document, (*aco, "segments", segment, "expenditure_ppy")))
    ]
    total = sum(years for years, _ in people)
    return sum(years * spent for years, spent in people) / total if total else _ANYBODY_PPY


def _names(document: Document, keys: Keys) -> list[str | int]:
    held = at(document.value, keys)
    return list(held) if isinstance(held, dict) else []


def _years(document: Document, keys: Keys) -> dict[int, float]:
    held = at(document.value, keys)
    given = held if isinstance(held, dict) else {}
    numbers = {y: v for y, v in given.items() if isinstance(v, int | float)}
    return {y: float(v) for y, v in sorted(numbers.items(), key=str) if isinstance(y, int)}


def _latest(document: Document, keys: Keys) -> float:
    years = _years(document, keys)
    return years[max(years)] if years else 0.0


def _level(document: Document, leaf: _Leaf) -> Iterator[str]:
    """Yield a doubt about dollars per person-year: a month's, thousands, or a total."""
    if not leaf.name.endswith("_ppy") or leaf.name in _NOT_LEVELS or leaf.value <= 0.0:
        return
    usual, value = _usual(document, leaf.keys), leaf.value
    ratio, said = value / usual, f"is {value:,.10g}; such people cost about {usual:,.0f} a year"
    if _within(ratio, _MONTHLY):
        yield f"{said}: dollars a month? a year's are written {value * 12:.10g}"
    elif _within(ratio, _THOUSANDS):
        yield f"{said}: thousands of dollars? dollars are written {value * 1000:.10g}"
    elif not _within(ratio, _UNLIKE):
        people = _latest(document, (*leaf.keys[:4], "person_years"))
        total = people and _within(ratio / people, (0.1, 6.0))
        each = f"; each one's is {value / people:,.0f}" if people else ""
        yield f"{said}: a total of all people?{each}" if total else f"{said}: a slip of units?"


def _within(value: float, span: tuple[float, float]) -> bool:
    return span[0] <= value <= span[1]


def _revenue(document: Document, leaf: _Leaf) -> Iterator[str]:
    if leaf.name == "revenue_ppy":
        ratio = leaf.value / _average(document, leaf.keys[:2])
        if 0.0 < ratio < 0.02:
            yield f"is {leaf.value:g}, {ratio:.2%} of expenditure: dollars a month, or thousands?"
        elif ratio > 3.0:
            yield f"is {leaf.value:,.10g}, {ratio:.1f} times expenditure: a total of all people?"
    elif leaf.name == "prior_savings_ppy":
        ratio = abs(leaf.value) / _average(document, leaf.keys[:2])
        if ratio > 0.5:
            yield f"is {leaf.value:,.10g}, {ratio:.0%} of expenditure: a total of all people?"


def _score(document: Document, leaf: _Leaf) -> Iterator[str]:
    if leaf.name.endswith("_score") and not _within(leaf.value, _SCORES):
        low, high = _SCORES
        yield (
            f"is {leaf.value:g}; scores of a group lie between {low:g} and {high:g}: is it"
            " normalised, so that 1 is the average?"
        )


def _factor(document: Document, leaf: _Leaf) -> Iterator[str]:
    if not leaf.name.endswith("_factor") or leaf.keys[-1] == "sd":
        return
    if "coding_intensity_factor" in leaf.keys and not _within(leaf.value, _CODINGS):
        said = f"is {leaf.value:g}; such factors lie within a few percent of 1"
        rise = leaf.value if leaf.value < 1.0 else leaf.value - 1.0
        yield f"{said}: {rise:.3g}% is written {1.0 + rise / 100.0:g}"
    elif not _within(leaf.value, _FACTORS):
        percent = leaf.value >= 50.0
        meant = leaf.value / 100.0 if percent else 1.0 + leaf.value
        hint = f": growth? the factor is written {meant:g}" if leaf.value < 1.0 else ""
        hint = f": percent? the factor is written {meant:g}" if percent else hint
        yield f"is {leaf.value:g}; no change is the factor 1{hint}"


def _growth(document: Document, leaf: _Leaf) -> Iterator[str]:
    grown = leaf.keys[-1] in _GROWN or _dotted(leaf.keys) == "experience.trend.mean"
    if grown and abs(leaf.value) >= _GROWTH:
        percent, meant = leaf.value * 10.0, leaf.value / 10.0
        said = f"is {leaf.value:g}, growth of {leaf.value:.0%} a year"
        yield f"{said}: {percent:.3g}% is written {meant:.4g}"


def _spread(document: Document, leaf: _Leaf) -> Iterator[str]:
    path = _dotted(leaf.keys)
    most = _SPREADS.get(path, 0.25 if path.startswith("experience.risk_scores.sd.") else 2.0)
    if path.startswith("experience.") and "sd" in str(leaf.keys[-1]) and leaf.value > most:
        yield f"is {leaf.value:g}, {leaf.value:.0%}: a few percent are written 0.03"
    elif path.startswith("experience.severity.cv.") and not _within(leaf.value, _CVS):
        hint = f": percent? it is written {leaf.value / 100:g}" if leaf.value >= 50.0 else ""
        yield f"is {leaf.value:g}; one person's spending has a cv of about 2{hint}"


def _share(document: Document, leaf: _Leaf) -> Iterator[str]:
    path = _dotted(leaf.keys)
    if path in _QUALITIES and 0.0 < leaf.value < 0.2:
        yield f"is {leaf.value:g}, {leaf.value:.3g} of full marks: 83% is written 0.83"
    elif path == "experience.effect.mean" and leaf.value < 0.0:
        yield f"is {leaf.value:g}, which spends more: what is saved is written above 0"
    elif path == "experience.effect.mean" and leaf.value > 0.25:
        yield f"is {leaf.value:g}, {leaf.value:.0%} of all spending saved: 3% is written 0.03"
    elif leaf.keys[-1] == "churn_share" and leaf.value > 0.6:
        yield f"is {leaf.value:g}, {leaf.value:.0%} of people replaced a year: 6% is written 0.06"


def _threshold(document: Document, leaf: _Leaf) -> Iterator[str]:
    """Yield a doubt about a truncation point, the dearest hundredth of a type's people."""
    if leaf.name != "truncation_usd":
        return
    ratio = leaf.value / _usual(document, leaf.keys)
    if ratio < 2.0:
        said = f"is {leaf.value:,.10g}, {ratio:.2g} times what such people cost a year"
        meant = f"a month's? a year's is {leaf.value * 12:,.0f}" if ratio > 0.1 else "thousands?"
        yield f"{said}: {meant}"
    elif ratio > 60.0:
        yield f"is {leaf.value:,.10g}, {ratio:.0f} times what such people cost a year: cents?"


_JUDGES: tuple[Callable[[Document, _Leaf], Iterator[str]], ...] = (
    _level,
    _revenue,
    _score,
    _factor,
    _growth,
    _spread,
    _share,
    _threshold,
)


def _heads(document: Document, aco: Keys) -> Iterator[tuple[Keys, str]]:
    """Yield doubts about head-counts: person-years of the year are the same."""
    segments = [(*aco, "segments", name) for name in _names(document, (*aco, "segments"))]
    years = [_years(document, (*keys, "person_years")) for keys in segments]
    for year, heads in _years(document, (*aco, "persons")).items():
        if all(year in given for given in years) and sum(g[year] for g in years) == heads:
            said = f"is {heads:,.10g}, as many as the segments' person-years"
            text = f"{said}: are these heads? who joins, leaves or dies counts for part of a year"
            yield (*aco, "persons", year), text


def heads_hint(heads: float, person_years: float) -> str:
    """Return what was probably meant where heads and person-years cannot be of the same people.

    >>> heads_hint(1_000.0, 11_800.0), heads_hint(12.9, 12_600.0)
    (' (months? person-years are 983.3)', ' (thousands? they are written 12900)')
    """
    if heads <= 0.0 or person_years <= 0.0:
        return ""
    if _within(person_years / heads, _TWELVE):
        return f" (months? person-years are {person_years / 12:,.1f})"
    if _within(heads / person_years, _TWELVE):
        return " (were person-years divided by 12 once too often?)"
    if _within(heads * 1000.0 / person_years, (0.9, 2.0)):
        return f" (thousands? they are written {heads * 1000:g})"
    return ""


def _segments(document: Document, aco: Keys) -> Iterator[tuple[Keys, str]]:
    """Yield doubts about one segment's years: off by twelve, or jumping."""
    for name in _names(document, (*aco, "segments")):
        own: Keys = (*aco, "segments", name)
        people = _years(document, (*own, "person_years"))
        most = max(people.values(), default=0.0)
        for year, count in people.items():
            if count > 0.0 and _within(most / count, _TWELVE) and most > 12 * _FEWEST:
                text = f"is {count:,.10g}, in another year {most:,.10g}: months for person-years?"
                yield (*own, "person_years", year), text
        yield from _jumps(document, own, max(people.values(), default=0.0))


def _jumps(document: Document, own: Keys, people: float) -> Iterator[tuple[Keys, str]]:
    spent = _years(document, (*own, "expenditure_ppy"))
    for year, level in spent.items():
        before = spent.get(year - 1, 0.0)
        if people >= _FEWEST * 3 and before > 0.0 and abs(level / before - 1.0) > _JUMP:
            text = f"is {level:,.10g} after {before:,.10g}: are two years swapped, or units?"
            yield (*own, "expenditure_ppy", year), text


def _reversed(document: Document, aco: Keys) -> Iterator[tuple[Keys, str]]:
    """Yield the doubt that base years stand in reverse: all fall while the nation's rise."""
    falls = []
    for name in _names(document, (*aco, "segments")):
        spent = list(_years(document, (*aco, "segments", name, "expenditure_ppy")).values())[:3]
        nation = list(_years(document, ("market", "national_ppy", name)).values())
        rising = len(nation) >= 2 and nation == sorted(nation)
        if len(spent) == 3 and rising:
            falls.append(min(1.0 - b / a for a, b in pairwise(spent) if a))
    if len(falls) >= 2 and fmean(falls) > _REVERSED and min(falls) > 0.0:
        yield (
            (*aco, "segments"),
            "has an expenditure_ppy that falls from year to year in every segment, while the"
            " nation's rises: are the base years in reverse order (BY1 is the earliest)?",
        )


def _swapped(document: Document, aco: Keys) -> Iterator[tuple[Keys, str]]:
    dear, cheap = (
        _latest(document, (*aco, "segments", name, "expenditure_ppy"))
        for name in ("esrd", "aged_nondual")
    )
    if 0.0 < dear < cheap:
        text = f"costs less than aged_nondual ({dear:,.10g}, {cheap:,.10g}): are types swapped?"
        yield (*aco, "segments", "esrd", "expenditure_ppy"), text


def _observed(document: Document, aco: Keys) -> Iterator[tuple[Keys, str]]:
    """Yield doubts about what was published: a settlement beyond its benchmark, or tiny."""
    own: Keys = (*aco, "observed")
    paid, benchmark = (at(document.value, (*own, n)) for n in ("settlement_usd", "benchmark_usd"))
    if not isinstance(paid, int | float) or not isinstance(benchmark, int | float):
        return
    if benchmark > 0 and abs(paid) > 0.3 * benchmark:
        text = f"is {paid:,.10g} of a benchmark of {benchmark:,.10g}: thousands, or a slip?"
        yield (*own, "benchmark_usd"), text
    elif 0 < abs(paid) < 1e-5 * benchmark:
        text = f"is {paid:,.10g} of a benchmark of {benchmark:,.10g}: millions or thousands?"
        yield (*own, "settlement_usd"), text


def _needy(document: Document, aco: Keys) -> Iterator[tuple[Keys, str]]:
    """Yield the doubt that an ACO of High Needs has people who cost what others cost."""
    if at(document.value, (*aco, "reach", "type")) != "high_needs":
        return
    segments = [(*aco, "segments", name) for name in _names(document, (*aco, "segments"))]
    others = [keys for keys in segments if not _is_esrd(document, keys)]
    scores = [_latest(document, (*keys, "risk_score")) for keys in others]
    spent = [_latest(document, (*keys, "expenditure_ppy")) for keys in others]
    if scores and max(scores) < _NEEDY_SCORE and 0.0 < max(spent) < _NEEDY_PPY:
        yield (
            (*aco, "reach", "type"),
            f"is high_needs, but no segment costs more than {max(spent):,.0f} a year or scores "
            f"above {max(scores):g}: people of High Needs cost about "
            f"{_USUAL_PPY['high_needs']:,.0f}, at concurrent scores above 2",
        )


def _is_esrd(document: Document, keys: Keys) -> bool:
    return "esrd" in (keys[-1], at(document.value, (*keys, "entitlement")))


_CHECKS = (_needy, _heads, _segments, _reversed, _swapped, _observed)
