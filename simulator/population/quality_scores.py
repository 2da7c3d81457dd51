"""From measure scores and decile cut points to points, a quality score and the outcome test.

A measure earns as many points as the decile that its rate reaches, and the part of the way to the
next one (42 CFR 414.1380(b)(1)): 1 to 10. The score is the share of all points that measures
with a benchmark can earn.

Not modelled: the reporting incentive, bonus points and adjustments to the score, measures that
CMS computes from claims (type their rates' score in), limits on points of topped out measures.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from simulator.errors import ScenarioError
from simulator.loading import near
from simulator.population.cells import blank, flag
from simulator.population.tables import Row, read
from simulator.scenario.schema import Quality

__all__ = [
    "Benchmark",
    "Scored",
    "benchmarks",
    "graded",
    "outcome_met",
    "points",
    "score",
    "scored",
]

_DECILES = tuple(f"decile_{number}" for number in range(1, 11))
_COLUMNS = ("measure_id", "title", "collection_type", "measure_type", "inverse", *_DECILES)
_FULL_MARKS = 10.0
# 42 CFR 425.512: the alternative standard asks for the 10th percentile on an outcome measure.
_TENTH_PERCENTILE = 2.0
_FIGURE = re.compile(r"\d+(\.\d+)?")


class Benchmark(NamedTuple):
    """A measure's cut points: `deciles` (number, where it starts), from the lowest up."""

    measure: str
    title: str
    collection: str
    outcome: bool
    inverse: bool
    topped_out: bool
    deciles: tuple[tuple[int, float], ...]


class Scored(NamedTuple):
    """A measure with its points; none without a benchmark."""

    benchmark: Benchmark
    points: float | None


def points(rate: float, benchmark: Benchmark) -> float | None:
    """Return a measure's points, 1 to 10; none if it has no benchmark.

    Deciles that CMS leaves out (topped out measures) are passed over. A lower rate is the better
    one where the measure is inverse.

    >>> eye = Benchmark("236", "", "", True, False, False, ((1, 0.0), (2, 40.0), (3, 60.0)))
    >>> points(50.0, eye), points(10.0, eye), points(99.0, eye)
    (2.5, 1.25, 3.0)
    """
    if not benchmark.deciles:
        return None
    sign = -1.0 if benchmark.inverse else 1.0
    reached = [
        at for at, (_, start) in enumerate(benchmark.deciles) if sign * (rate - start) >= 0.0
    ]
    if not reached:
        return 1.0
    number, start = benchmark.deciles[reached[-1]]
    if reached[-1] + 1 == len(benchmark.deciles):
        return float(number)
    _, following = benchmark.deciles[reached[-1] + 1]
    return number + (rate - start) / (following - start)


def score(measures: Sequence[Scored]) -> float:
    """Return the share of full marks; the parts of a survey count as one measure together.

    >>> one = Benchmark("236", "", "", True, False, False, ((1, 0.0),))
    >>> survey = one._replace(measure="321")
    >>> score([Scored(one, 9.0), Scored(survey, 4.0), Scored(survey, 6.0), Scored(one, None)])
    0.7
    """
    by_measure: dict[str, list[float]] = {}
    for one in measures:
        if one.points is not None:
            by_measure.setdefault(one.benchmark.measure, []).append(one.points)
    earned = sum(sum(parts) / len(parts) for parts in by_measure.values())
    return earned / (_FULL_MARKS * len(by_measure))


def outcome_met(measures: Sequence[Scored]) -> bool | None:
    """Return whether an outcome measure reaches its 10th percentile; none if none is scored."""
    outcomes = [one.points for one in measures if one.benchmark.outcome and one.points is not None]
    return max(outcomes) >= _TENTH_PERCENTILE if outcomes else None


def benchmarks(name: str, folder: Path) -> list[Benchmark]:
    """Return the measures of CMS's file of benchmarks; every cell that is no figure is raised."""
    found: list[Benchmark] = []
    mistakes: list[str] = []
    for row in read(name, folder, _COLUMNS):
        try:
            found.append(_benchmark(row))
        except ScenarioError as error:
            mistakes += error.messages
    if mistakes:
        raise ScenarioError(mistakes)
    return found


def _benchmark(row: Row) -> Benchmark:
    starts = [(number, _start(row, name)) for number, name in enumerate(_DECILES, 1)]
    return Benchmark(
        row.text("measure_id").split()[0] if row.text("measure_id") else "",
        row.text("title"),
        row.text("collection_type"),
        "outcome" in row.text("measure_type").casefold(),
        flag(row.text("inverse")) == 1.0,
        flag(row.text("topped_out")) == 1.0,
        tuple((number, start) for number, start in starts if start is not None),
    )


def _start(row: Row, decile: str) -> float | None:
    """Return where a decile starts: ``4.76 - 45.27``, ``>= 84.04``, ``<= 10.00`` or ``100.00``."""
    text = row.text(decile)
    if blank(text):
        return None
    figure = _FIGURE.search(text)
    if figure is None:
        raise ScenarioError(
            row.mistake(decile, f"is {text[:40]!r}; must be a range such as 4.76 - 45.27, or --")
        )
    return float(figure[0])


def scored(rates: Mapping[str, float], known: Sequence[Benchmark]) -> list[Scored]:
    """Return each measure's points. Raises ScenarioError for names and rates that do not fit.

    rates : percent, by measure: its number, and where that has several rows the collection type
        or a part of the title, such as ``001 eCQM`` or ``321 Care Coordination``
    """
    found: list[Scored] = []
    mistakes: list[str] = []
    for name, rate in rates.items():
        fitting = [one for one in known if _fits(name, one)]
        if len(fitting) != 1:
            mistakes.append(f"{name}: {_unclear(name, fitting, known)}")
        elif not 0.0 <= rate <= 100.0:
            mistakes.append(f"{name}: is {rate!r}; must be a rate in percent, 0 to 100")
        else:
            found.append(Scored(fitting[0], points(rate, fitting[0])))
    if mistakes:
        raise ScenarioError(mistakes)
    return found


def _fits(name: str, benchmark: Benchmark) -> bool:
    number, _, rest = name.partition(" ")
    among = f"{benchmark.collection} {benchmark.title}".casefold()
    return number.casefold() == benchmark.measure.casefold() and rest.strip().casefold() in among


def _unclear(name: str, fitting: Sequence[Benchmark], known: Sequence[Benchmark]) -> str:
    if fitting:
        choices = "; ".join(f"{one.measure} {one.collection}, {one.title}" for one in fitting)
        return f"is {len(fitting)} measures; say which by a part of its name: {choices}"
    numbers = list(dict.fromkeys(one.measure for one in known))
    hint = near(name.partition(" ")[0], numbers)
    return f"is no measure of the benchmarks; they have {', '.join(numbers)}{hint}"


def graded(law: Quality, folder: Path) -> Quality:
    """Return the quality law with the mean and the outcome standard that its measures lead to."""
    path = "experience.quality"
    if not law.measures:
        return law
    if law.benchmarks is None:
        raise ScenarioError(f"{path}.measures: need {path}.benchmarks, a file of cut points")
    try:
        known = benchmarks(law.benchmarks, folder)
    except ScenarioError as error:
        raise ScenarioError([f"{path}.benchmarks {text}" for text in error.messages]) from None
    try:
        measures = scored(law.measures, known)
    except ScenarioError as error:
        raise ScenarioError([f"{path}.measures.{message}" for message in error.messages]) from None
    if not any(one.points is not None for one in measures):
        raise ScenarioError(f"{path}.measures: have no benchmark; one with a benchmark is needed")
    met = outcome_met(measures)
    changed = {} if met is None else {"outcome_met_share": float(met)}
    mean = {"mean": score(measures), "measures": {}, "benchmarks": None}
    return law.model_copy(update=mean | changed)
