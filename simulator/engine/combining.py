"""Every ACO of a public-use file in one scenario: their drafts, put together."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from simulator.engine.initial import initials
from simulator.errors import ScenarioError
from simulator.loading import dump
from simulator.loading.parsing import LARGEST
from simulator.population.draft import Draft, Tree

__all__ = ["Combined", "combined"]

_OWN = ("name", "about", "population", "sources")
_QUALITY = ("experience", "quality", "mean")
_PERSONS = "persons"
_AVERAGED = "Assumed: the average of the rows' own scores, weighted by beneficiaries."
# Parts stay well below what is read of a file.
_FULL = 0.9


class Combined(NamedTuple):
    """A scenario of many ACOs as files by name, the one to run last; and who is not in it."""

    files: Mapping[str, str]
    acos: int
    mistakes: tuple[str, ...]
    warnings: tuple[str, ...]


def combined(program: str, path: str | Path, year: int | None = None) -> Combined:
    """Return one scenario of all the ACOs of a public-use file that a scenario can be drafted of.

    A file of a scenario is bounded, so the ACOs lie in parts that it extends. Everybody shares
    one quality score, the average. Raises ScenarioError where two drafts say different things of
    what ACOs share, or if there is no draft at all.
    """
    found = list(initials(program, path, year))
    drafts = [each.draft for each in found if each.draft is not None]
    mistakes = tuple(message for each in found for message in each.mistakes)
    if not drafts:
        raise ScenarioError([*mistakes] or [f"{path}: has no ACO that a scenario can be made of"])
    name = f"{program}-{'-'.join(map(str, _years(drafts[0])))}"
    parts = {f"{name}_{n}.part.yaml": text for n, text in enumerate(_parts(drafts), 1)}
    files = {**parts, f"{name}.yaml": dump(_whole(drafts, name, path, [*parts]))}
    warnings = tuple(f"{draft.aco_id}: {said}" for draft in drafts for said in draft.warnings)
    return Combined(files, len(drafts), mistakes, warnings)


def _years(draft: Draft) -> list[object]:
    years = draft.tree["years"]
    return list(years) if isinstance(years, list) else []


def _whole(drafts: Sequence[Draft], name: str, path: str | Path, parts: list[str]) -> Tree:
    """Return the scenario without its ACOs: what the drafts share, on the bases and the parts."""
    shared: Tree = {}
    for draft in drafts:
        own = {key: value for key, value in draft.tree.items() if key not in _OWN}
        _join(shared, _without(own, _QUALITY), draft.aco_id, "")
    bases = shared.pop("extends")
    quality = {"quality": {"mean": _quality(drafts)}}
    experience = shared.get("experience")
    shared["experience"] = {**(experience if isinstance(experience, dict) else {}), **quality}
    return {
        "extends": [*(bases if isinstance(bases, list) else [bases]), *parts],
        "name": name,
        "about": f"The {len(drafts)} ACOs of {Path(path).name} that a scenario can be made of.",
        **shared,
        "sources": _sources(drafts),
    }


def _join(whole: Tree, more: Tree, aco_id: str, at: str) -> None:
    """Lay one draft's shared figures into the others'; ScenarioError if they contradict them."""
    for key, value in more.items():
        path = f"{at}.{key}" if at else str(key)
        held = whole.setdefault(key, {} if isinstance(value, dict) else value)
        if isinstance(held, dict) and isinstance(value, dict):
            _join(held, value, aco_id, path)
        elif held != value:
            raise ScenarioError(
                f"{aco_id}: {path} is {value!r}, of ACOs before it {held!r}; ACOs in one scenario "
                "share it: write a scenario for each, without --together"
            )


def _without(tree: Tree, keys: tuple[str, ...]) -> Tree:
    """Return a tree without what stands at some keys, one inside another."""
    first, *rest = keys
    held = tree.get(first)
    if first not in tree or (rest and not isinstance(held, dict)):
        return tree
    others = {key: value for key, value in tree.items() if key != first}
    inside = _without(held, tuple(rest)) if rest and isinstance(held, dict) else {}
    return {**others, first: inside} if inside else others


def _quality(drafts: Sequence[Draft]) -> float:
    """Return the average quality score of the drafts, by beneficiaries."""
    scores, people = [], []
    for draft in drafts:
        held: object = draft.tree
        for key in _QUALITY:
            held = held[key] if isinstance(held, dict) else 0.0
        (aco,) = _acos(draft).values()
        persons = aco[_PERSONS] if isinstance(aco, dict) else {}
        scores.append(float(str(held)))
        people.append(float(sum(persons.values())))
    return round(sum(s * n for s, n in zip(scores, people, strict=True)) / sum(people), 4)


def _acos(draft: Draft) -> Tree:
    population = draft.tree["population"]
    return population if isinstance(population, dict) else {}


def _sources(drafts: Sequence[Draft]) -> Tree:
    """Return every source once: what is said of all ACOs alike has a path with ``*``."""
    said: dict[str, dict[object, list[str]]] = {}
    for draft in drafts:
        sources = draft.tree["sources"]
        for path, text in sources.items() if isinstance(sources, dict) else ():
            (name,) = map(str, _acos(draft))
            start, _, rest = str(path).partition(f"population.{name}")
            general = str(path) if start or not rest else f"population.*{rest}"
            said.setdefault(general, {}).setdefault(text, []).append(str(path))
    found: Tree = {}
    for general, texts in said.items():
        for text, paths in texts.items():
            alike = len(texts) == 1 and len(paths) > 1
            found |= dict.fromkeys([general] if alike else paths, text)
    return {**found, ".".join(_QUALITY): _AVERAGED}


def _parts(drafts: Sequence[Draft]) -> Iterator[str]:
    """Yield the ACOs as texts that may be extended, none too large to be read."""
    held: list[str] = []
    for draft in drafts:
        text = dump({"population": _acos(draft)}).partition("\n")[2]
        if held and sum(map(len, held)) + len(text) > _FULL * LARGEST:
            yield "population:\n" + "".join(held)
            held = []
        held.append(text)
    yield "population:\n" + "".join(held)
