"""A scenario to start from: one ACO of a public-use file, made to meet what was published."""

from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from itertools import starmap
from pathlib import Path
from typing import Any, NamedTuple

from simulator import programs
from simulator.engine.history import choices, lacking
from simulator.engine.initial_reach import drafted, drafts, years_of
from simulator.errors import ScenarioError
from simulator.loading import Document, at, merge, scan_text, validate
from simulator.population import project
from simulator.population.draft import Draft, Tree, draft, label
from simulator.population.growth import Levels, levels
from simulator.population.published import Published, read
from simulator.programs.contract import Contract
from simulator.programs.mssp import Mssp
from simulator.scenario import reading
from simulator.scenario.consistency import contradictions
from simulator.scenario.schema import Aco, Scenario

__all__ = ["Initial", "initial", "initials"]

# Of these there are public-use files of results; REACH's print totals alone.
_DRAFTED = ("mssp", "reach")
_REACH_BASE = "reach_2026.yaml"
# A growth that a region does not have in a few years: then something else is amiss.
_SLOWEST, _FASTEST = 0.5, 1.5
# QualScore is printed to a hundredth of a percent.
_PRINTED = 5e-5
# What a year without a base of its own extends: every published level, forecasts, experience.
_MARKETS = ("market_2022.yaml", "market_2027.yaml", "experience.yaml")
_GAUGED = (
    "Assumed: CMS's level of the nearest year that is given, with the growth of what the ACOs of "
    "this file cost per capita, from base year to base year, weighted by their person-years."
)


class Initial(NamedTuple):
    """One ACO's scenario, or why there is none."""

    aco_id: str
    draft: Draft | None
    mistakes: tuple[str, ...]


class _Base(NamedTuple):
    """What a file's scenarios extend: shipped files, read together, and the nation's levels."""

    names: tuple[str, ...]
    document: Document
    levels: Levels


def initial(program: str, path: str | Path, aco_id: str, year: int | None = None) -> Draft:
    """Return a scenario of one ACO of a public-use file, ready to run.

    National levels of base years that no shipped file has are the ACOs' own growth; its
    `sources` say so.

    Raises ScenarioError if the file cannot be used, lacks the ACO, or is of a year that is only
    replayed; RulesError if there are no rules for the year.
    """
    if program == "reach":
        (of_year,) = years_of(path, year, aco_id)
        return drafted(of_year, aco_id, *_reach_base())
    published = _simulated(program, path, year)
    return _completed(program, published, aco_id, _base(program, published))


def initials(program: str, path: str | Path, year: int | None = None) -> Iterator[Initial]:
    """Yield the scenario of every ACO of a file, or why it has none, in the file's order."""
    if program == "reach":
        yield from starmap(Initial, drafts(path, year, *_reach_base()))
        return
    published = _simulated(program, path, year)
    base = _base(program, published)
    for aco_id in published.places:
        try:
            yield Initial(aco_id, _completed(program, published, aco_id, base), ())
        except ScenarioError as error:
            yield Initial(aco_id, None, error.messages)


def _simulated(program: str, path: str | Path, year: int | None) -> Published:
    if program not in _DRAFTED:
        allowed = ", ".join(_DRAFTED)
        raise ScenarioError(
            f"{path}: {program!r} has no scenarios drafted from its files, which can be replayed "
            f"only; {allowed} has"
        )
    published = read(program, path, year)
    if programs.rules(program, published.year).replay_only:
        raise ScenarioError(
            f"{published.file}: {program} {published.year} can be replayed, not simulated: the "
            "rules of its benchmark are not modelled"
        )
    return published


def _base(program: str, published: Published) -> _Base:
    """Return what scenarios of a file's year extend: that year's base, else market and people."""
    own = (f"{program}_{published.year}.yaml",)
    names = own if _shipped(own[0]) else _MARKETS
    documents = [reading.document(path)[0] for name in names if (path := _shipped(name))]
    document = reduce(merge, documents)
    known = at(document.value, ("market", "national_ppy"))
    given: Any = known if isinstance(known, dict) else {}
    paths = tuple(f"base/{name}" for name in names)
    return _Base(paths, document, levels(published, given))


def _reach_base() -> tuple[Document, str]:
    """Return the file that REACH's scenarios extend, whatever their year, and its name."""
    path = _shipped(_REACH_BASE)
    if path is None:
        raise ScenarioError(f"base/{_REACH_BASE} is missing; it is shipped with the program")
    return reading.document(path)[0], f"base/{_REACH_BASE}"


def _shipped(name: str) -> Path | None:
    package = Path(__file__).resolve().parents[1]
    folders = (package / "base", package.parent / "scenarios" / "base")
    return next((f / name for f in folders if (f / name).is_file()), None)


def _completed(program: str, published: Published, aco_id: str, base: _Base) -> Draft:
    plain = draft(published, aco_id)
    tree: Tree = {"extends": base.names[0] if len(base.names) == 1 else list(base.names)}
    tree |= plain.tree
    option = published.options[published.places[aco_id][0]]
    if base.names == tuple(f"base/{name}" for name in _MARKETS):
        tree["contracts"] = {label(option): {"program": program, "option": option}}
    contract = programs.contract(program, published.year, option)
    plain = _doubting(_with_levels(replace(plain, tree=tree), base), contract)
    scenario, missing_lines = _resolved(base.document, plain)
    if scenario is None or missing_lines:
        return replace(plain, warnings=(*plain.warnings, *map(_to_add, missing_lines)))
    return _fitted(plain, scenario, contract)


def _doubting(plain: Draft, contract: Contract) -> Draft:
    """Return a draft that says so if its quality score is where lifted scores stand."""
    experience: Any = plain.tree["experience"]
    score = experience["quality"]["mean"]
    if not isinstance(contract, Mssp) or contract.quality_lift_people is None:
        return plain
    if abs(score - contract.quality_threshold) > _PRINTED:
        return plain
    said = (
        f"experience.quality.mean is {score:g}, the threshold itself, to which circumstances lift "
        "a lower score: the ACO's own is not printed"
    )
    return replace(plain, warnings=(*plain.warnings, said))


def _with_levels(plain: Draft, base: _Base) -> Draft:
    """Return a draft with the national levels of its base years that its bases do not give."""
    known: Any = at(base.document.value, ("market", "national_ppy")) or {}
    (aco,) = (Aco.model_validate(aco) for aco in _acos(plain.tree).values())
    years = [aco.agreement.start - back for back in (3, 2, 1)]
    kinds = [kind for kind in aco.segments if kind in base.levels]
    added: Tree = {
        kind: {y: base.levels[kind][y] for y in years if _gauged(base, known, kind, y)}
        for kind in kinds
    }
    added = {kind: found for kind, found in added.items() if found}
    if not added:
        return plain
    gauged = sorted({year for kind in kinds for year in years if _gauged(base, known, kind, year)})
    sources: Any = plain.tree["sources"]
    said = {f"market.national_ppy.*.{year}": _GAUGED for year in gauged}
    tree = {**plain.tree, "market": {"national_ppy": added}, "sources": {**sources, **said}}
    return replace(plain, tree=tree)


def _gauged(base: _Base, known: Any, kind: str, year: int) -> bool:
    return year in base.levels[kind] and year not in known.get(kind, {})


def _to_add(missing: str) -> str:
    return f"to be added before it runs: {missing}"


def _resolved(base: Document, plain: Draft) -> tuple[Scenario | None, list[str]]:
    """Return a draft laid on its base, and what they lack together."""
    own = {key: value for key, value in plain.tree.items() if key != "extends"}
    whole = merge(base, scan_text(replace(plain, tree=own).text(), plain.aco_id))
    scenario, mistakes = validate(whole, Scenario)
    found = [*mistakes, *contradictions(whole)]
    found += lacking(whole, choices(scenario)) if scenario else []
    return scenario, [f"{mistake.path} {mistake.text}" for mistake in found]


def _fitted(plain: Draft, scenario: Scenario, contract: Contract) -> Draft:
    """Return a draft whose expected updated benchmark is the published one.

    It is linear in the growth of the region, so two points tell which growth that is.
    """
    (name, aco), *_ = scenario.population.items()
    published = aco.observed.updated_benchmark_ppy if aco.observed else None
    if published is None:
        return plain
    at_one, at_two = (_updated_ppy(scenario, name, contract, factor) for factor in (1.0, 2.0))
    factor = round(1.0 + (published - at_one) / (at_two - at_one), 5)
    if not _SLOWEST < factor < _FASTEST:
        missed = f"the expected updated benchmark is {at_one:,.0f}, not {published:,.0f}"
        return replace(plain, warnings=(*plain.warnings, missed))
    return replace(plain, tree=_grown(plain.tree, name, factor))


def _updated_ppy(scenario: Scenario, name: str, contract: Contract, factor: float) -> float:
    """Return the expected updated benchmark if the region grows by a factor of the nation's."""
    aco = scenario.population[name].model_copy(update={"regional_growth_factor": factor})
    trend = scenario.experience.trend.mean
    people = project({name: aco}, scenario.market, scenario.years, trend)
    world = people.rename(expenditure_ppy="truncated_expenditure_ppy").assign(
        quality_score=people.persons * 0.0 + 1.0,
        outcome_quality_met=people.persons * 0.0,
        circumstances_share=people.persons * 0.0,
    )
    return float(contract.settle(world).total_updated_benchmark_ppy.item())


def _acos(tree: Tree) -> Tree:
    population = tree["population"]
    return population if isinstance(population, dict) else {}


def _grown(tree: Tree, name: str, factor: float) -> Tree:
    """Return a draft's tree with the growth of the ACO's region, beside its benchmark."""
    aco = _acos(tree)[name]
    parts: Tree = {}
    for key, value in aco.items() if isinstance(aco, dict) else ():
        parts[key] = value
        if key == "historical_benchmark_ppy":
            parts["regional_growth_factor"] = factor
    return {**tree, "population": {name: parts}}
