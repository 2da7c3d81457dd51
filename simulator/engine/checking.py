"""Every mistake of a scenario, what no program knows included: the last gate before it runs."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from simulator import population, programs
from simulator.engine.history import Choice, Scalar, choices, covers, lacking
from simulator.engine.tracks import tracks
from simulator.errors import RulesError, ScenarioError
from simulator.loading import Document, Key, Keys, Mistake, at, dotted, near, ordered, shown, stop
from simulator.programs.mssp import Mssp
from simulator.scenario import reading
from simulator.scenario.plausibility import doubts
from simulator.scenario.schema import Scenario
from simulator.scenario.sweep import cases
from simulator.variables import STATEMENT

__all__ = ["barred", "check"]

_HISTORY = ("population.", "market.")


def check(path: str | Path, overrides: Sequence[str] = ()) -> Scenario:
    """Return the scenario of a file, with the files that it names, or raise every mistake.

    Parameters
    ----------
    path : a YAML file
    overrides : of the form ``path=value``, as ``--set`` takes them: ``trials=500``

    Raises
    ------
    ScenarioError
        With every mistake at once: file, line, path, value, and what is allowed.
    """
    scenario, mistakes, document = reading.check(path, overrides, population.laid)
    every = _every(document)
    found = [*_unknown(document), *lacking(document, every), *_unasked(document, every)]
    mistakes = ordered([*mistakes, *found])
    if scenario is None or mistakes:
        raise stop(mistakes)
    if swept := [document.mistake(("sweep",), text) for text in _swept(scenario)]:
        raise stop(swept)
    try:
        return population.filled(_doubted(scenario, document), Path(path).parent)
    except ScenarioError as error:
        raise ScenarioError([_placed(text, document) for text in error.messages]) from None


def _placed(message: str, document: Document) -> str:
    """Return a message that starts with a path of the scenario after the place of that path."""
    places = {dotted(keys): place for keys, place in document.places.items() if keys}
    path = message.partition(" ")[0].rstrip(":")
    while path and path not in places:
        path = path.rpartition(".")[0]
    return f"{places[path]}: {message}" if path else message


def _doubted(scenario: Scenario, document: Document) -> Scenario:
    """Return the scenario with a warning for each figure that is hardly meant."""
    quality = scenario.data_quality
    # A scenario written by a run has its warnings, with the places where the user wrote.
    known = {warning.partition(": ")[2] for warning in quality.warnings}
    new = [str(doubt) for doubt in doubts(document)]
    more = tuple(text for text in new if text.partition(": ")[2] not in known)
    warned = quality.model_copy(update={"warnings": (*quality.warnings, *more)})
    return scenario.model_copy(update={"data_quality": warned})


def barred(scenario: Scenario) -> list[str]:
    """Return the elections of a sound scenario that some contract does not let an ACO make."""
    plain: Any = scenario.model_dump()
    found = _elections(Document(plain, {}), choices(scenario))
    return [f"{mistake.path} wrong, which {mistake.text}" for mistake in found]


def _chosen(scenario: Scenario) -> object:
    """Return what decides whether elections are allowed: them, and the contracts."""
    return scenario.contracts, [aco.elections for aco in scenario.population.values()]


def _swept(scenario: Scenario) -> list[str]:
    """Return what is wrong with single cases: their contracts, or the years that these read."""
    found: list[str] = []
    seen = [_chosen(scenario)]
    for case in cases(scenario) if scenario.sweep else ():
        try:
            tracks(case)
            if (chosen := _chosen(case.scenario)) not in seen:
                found += [f"makes {text} (case {case.index})" for text in barred(case.scenario)]
                seen.append(chosen)
        except RulesError as error:
            found.append(f"makes case {case.index} wrong: {error}")
        if any(path.startswith(_HISTORY) for path in case.swept):
            plain: Any = case.scenario.model_dump()
            lacks = lacking(Document(plain, {}), choices(case.scenario))
            found += [f"makes case {case.index} wrong: {lack}" for lack in lacks]
    return found


def _unasked(document: Document, choices: Sequence[Choice]) -> Iterator[Mistake]:
    """Yield which ACOs lack a part that a contract's program asks for."""
    asked = {part: c.program for c in choices for part in programs.PROGRAMS[c.program].asks}
    for name in _keys(document, ("population",)):
        keys: Keys = ("population", name)
        aco = at(document.value, keys)
        if isinstance(aco, dict) and keys not in document.unread:
            for part, program in asked.items():
                if aco.get(part) is None:
                    yield document.mistake(keys, f"lacks {part}; {program} contracts need it")


def _every(document: Document) -> list[Choice]:
    labels = _keys(document, ("contracts",))
    return [choice for label in labels for choice in _choices(document, str(label))]


def _unknown(document: Document) -> list[Mistake]:
    """Return every name that no program knows, also where the rest of the scenario is wrong."""
    labels = _keys(document, ("contracts",))
    wrong = [mistake for label in labels for mistake in _contract(document, str(label))]
    choices = [choice for label in labels for choice in _choices(document, str(label))]
    for path in _keys(document, ("rules",)):
        wrong += _override(document, str(path), choices)
    wrong += _elections(document, choices)
    return [*wrong, *_lines(document)]


def _keys(document: Document, keys: Keys) -> list[Key]:
    held = at(document.value, keys)
    return list(held) if isinstance(held, dict) else []


def _years(document: Document) -> list[tuple[Keys, int]]:
    held = at(document.value, ("years",))
    years = held if isinstance(held, list) else []
    return [(("years", i), year) for i, year in enumerate(years) if type(year) is int]


def _contract(document: Document, label: str) -> Iterator[Mistake]:
    keys = ("contracts", label)
    program = at(document.value, (*keys, "program"))
    if not isinstance(program, str):
        return
    if program not in programs.PROGRAMS:
        yield _wrong(document, (*keys, "program"), "programs are", list(programs.PROGRAMS))
        return
    law = at(document.value, (*keys, "rules_year"))
    if type(law) is int:
        yield from _law(document, keys, (*keys, "rules_year"), (program, law))
    for place, year in _years(document):
        if type(law) is int:
            yield from _option(document, keys, (program, law), year)
        else:
            yield from _law(document, keys, place, (program, year))
            yield from _option(document, keys, (program, year), year)


def _law(document: Document, keys: Keys, place: Keys, asked: tuple[str, int]) -> Iterator[Mistake]:
    """Yield that a program has no rules for a year, or none of the contract's variant."""
    program, year = asked
    known, variant = programs.years(program), at(document.value, (*keys, "variant"))
    if year not in known:
        yield _wrong(document, place, f"{program} has rules for", [str(y) for y in known])
    elif variant is not None and variant not in known[year]:
        said = f"{program} {year} has variants"
        yield _wrong(document, (*keys, "variant"), said, list(known[year]))


def _option(
    document: Document, keys: Keys, asked: tuple[str, int], year: int
) -> Iterator[Mistake]:
    """Yield that the rules of a year, where there are any, have no such option."""
    program, law = asked
    variants = programs.years(program).get(law)
    variant = at(document.value, (*keys, "variant"))
    if variants is None or (variant is not None and variant not in variants):
        return
    place, option = _option_in(document, keys, year)
    known = programs.options(program, law, variant if isinstance(variant, str) else None)
    if isinstance(option, str) and option.lower() not in [name.lower() for name in known]:
        yield _wrong(document, place, f"{program} {law} has", list(known))


def _option_in(document: Document, keys: Keys, year: int) -> tuple[Keys, object]:
    place: Keys = (*keys, "option")
    if isinstance(at(document.value, place), dict):
        place = (*place, year)
    return place, at(document.value, place)


def _choices(document: Document, label: str) -> Iterator[Choice]:
    if any(_contract(document, label)):
        return
    keys = ("contracts", label)
    program, variant, law = (
        at(document.value, (*keys, name)) for name in ("program", "variant", "rules_year")
    )
    for _, year in _years(document):
        option = _option_in(document, keys, year)[1]
        if isinstance(program, str) and isinstance(option, str):
            under = law if type(law) is int else year
            named = variant if isinstance(variant, str) else None
            plain = Choice(program, year, option, named, under)
            yield plain._replace(overrides=tuple(_what_ifs(document, plain)))


def _what_ifs(document: Document, choice: Choice) -> Iterator[tuple[str, Scalar, str]]:
    """Yield each what-if about a choice that fits the term it names, and its value."""
    own = [choice.program, str(choice.year), choice.option]
    for path in _keys(document, ("rules",)):
        value, parts = at(document.value, ("rules", path, "value")), str(path).split(".", 3)
        if len(parts) < 4 or not covers(str(path), own) or not isinstance(value, Scalar):
            continue
        what_if = (parts[3], value, "")
        if not _unfit(choice, what_if):
            yield what_if


def _unfit(choice: Choice, what_if: tuple[str, Scalar, str]) -> str:
    """Return why a what-if does not fit the term it names; empty if it does."""
    try:
        choice._replace(overrides=(what_if,)).contract()
    except RulesError as error:
        return str(error)
    return ""


def _override(document: Document, path: str, choices: list[Choice]) -> Iterator[Mistake]:
    """Yield what is wrong with a what-if: its path, or its value for the term it names."""
    keys, parts = ("rules", path), path.split(".", 3)
    if len(parts) < 4:
        yield document.mistake(keys, "is no term; must read program.year.option.term")
        return
    if not choices:
        return
    fitting = [c for c in choices if covers(path, [c.program, str(c.year), c.option])]
    if not fitting:
        used = sorted({f"{c.program}.{c.year}.{c.option}" for c in choices})
        hint = near(".".join(parts[:3]), used)
        yield document.mistake(keys, f"is used by no contract; they use {', '.join(used)}{hint}")
        return
    value = at(document.value, (*keys, "value"))
    if not isinstance(value, Scalar):
        return
    for choice in fitting:
        if why := _unfit(choice, (parts[3], value, "")):
            yield document.mistake((*keys, "value"), f"does not fit: {why}")


def _elections(document: Document, choices: list[Choice]) -> Iterator[Mistake]:
    """Yield an elected minimum savings rate that some contract does not let an ACO elect."""
    offered = list(dict.fromkeys(rates for choice in choices if (rates := _electable(choice))))
    for kind, name in ((k, n) for k in ("population", "contracts") for n in _keys(document, (k,))):
        keys: Keys = (kind, name, "elections", "minimum_savings")
        value = at(document.value, keys)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            continue
        if barred := [rates for rates in offered if value not in map(float, rates.split())]:
            small = f" ({value:g}% is written {value / 100:g})" if value >= 0.5 else ""
            allowed = ", ".join(barred[0].split())
            text = f"is {value}; must be one of {allowed} or variable{small}"
            yield document.mistake(keys, text)


def _electable(choice: Choice) -> str:
    """Return the rates that a contract lets an ACO elect; empty if its program knows none."""
    contract = choice.contract()
    if not isinstance(contract, Mssp) or contract.electable_minimum_savings is None:
        return ""
    return " ".join(str(rates) for _, rates in contract.electable_minimum_savings.leaves())


def _lines(document: Document) -> Iterator[Mistake]:
    held = at(document.value, ("keep",))
    for i, line in enumerate(held if isinstance(held, list) else []):
        if isinstance(line, str) and line not in STATEMENT:
            hint = near(line, list(STATEMENT))
            yield document.mistake(("keep", i), f"is {shown(line)}, which is no line{hint}")


def _wrong(document: Document, keys: Keys, said: str, known: list[str]) -> Mistake:
    value = at(document.value, keys)
    allowed = ", ".join(known) or "none"
    return document.mistake(keys, f"is {shown(value)}; {said} {allowed}{near(value, known)}")
