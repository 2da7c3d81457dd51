"""Several cases in one scenario: grid, zip, list or sample, each a scenario of its own."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from math import prod
from typing import Literal, NamedTuple, TypeAlias

from simulator.loading import (
    Document,
    Keys,
    Mistake,
    Shape,
    Value,
    assign,
    at,
    dotted,
    near,
    plain,
    split,
    stop,
    targets,
    validate,
)
from simulator.scenario.consistency import contradictions
from simulator.scenario.schema import Case, Sample, Scenario, Steps, Sweep

__all__ = ["cases", "mistakes"]

MOST_CASES = 10_000
MOST_PROBES = 200
_OVERRIDE = "--set "
_SWEPT = ("market", "population", "experience", "contracts", "rules")


class _Setting(NamedTuple):
    """One value of one swept path, and where it is written."""

    keys: Keys
    path: str
    act: "_Act"
    value: Value


class _Axis(NamedTuple):
    """A swept path and its values."""

    path: str
    settings: list[_Setting]


class _Range(NamedTuple):
    """A sampled path and the ends of its range."""

    path: str
    act: "_Act"
    ends: tuple[float, ...]


_Act: TypeAlias = Literal["set", "times", "plus"]
_Point: TypeAlias = tuple[_Setting, ...]


def cases(scenario: Scenario) -> tuple[Case, ...]:
    """Return the scenario at each point of its sweep, each validated anew.

    Without a sweep there is one case; the last path of a grid varies fastest. A case has `index`,
    `swept` (what it sets, by path) and `scenario`. All cases draw the same futures.

    Parameters
    ----------
    scenario : as `read` gives it

    Raises
    ------
    ScenarioError
        For a point of the sweep at which the scenario is wrong.
    """
    if scenario.sweep is None:
        return (Case(index=0, swept={}, scenario=scenario),)
    base = Document(_full(scenario), {})
    wrong = mistakes(Document(plain(scenario.model_dump()), {}), scenario)
    if wrong:
        raise stop(wrong)
    found = [_at_point(base, point) for point in _points(scenario.sweep, scenario.seed)]
    wrong = _merged(mistake for _, several in found for mistake in several)
    if wrong:
        raise stop(wrong)
    labels = _labels(scenario.sweep, scenario.seed)
    return tuple(
        Case(index=index, swept=swept, scenario=one)
        for index, (swept, (one, _)) in enumerate(zip(labels, found, strict=True))
        if one is not None
    )


def mistakes(document: Document, scenario: Scenario | None) -> list[Mistake]:
    """Return what is wrong with a sweep: its paths, its form, and each of its values alone."""
    wrong = _astray(document)
    try:
        sweep = Sweep.model_validate(at(document.value, ("sweep",)))
    except ValueError:
        return wrong
    wrong += [*_malformed(document, sweep), *_overridden(document, sweep)]
    if wrong or scenario is None:
        return wrong
    base = Document(_full(scenario), document.places)
    probes = islice(_probes(sweep), MOST_PROBES)
    return _merged(mistake for point in probes for mistake in _at_point(base, point)[1])


def _merged(found: Iterable[Mistake]) -> list[Mistake]:
    """Return one mistake for each swept value, however much it makes wrong."""
    by_value: dict[str, list[Mistake]] = {}
    for mistake in found:
        by_value.setdefault(mistake.path, []).append(mistake)
    return [
        many[0]._replace(text=many[0].text + (f" (and {len(many) - 1} more)" if many[1:] else ""))
        for many in by_value.values()
    ]


def _full(scenario: Scenario) -> Value:
    """Return the scenario's values in full, so that every field has something to act on."""
    return plain(scenario.model_dump(exclude={"sweep"}))


def _at_point(base: Document, point: _Point) -> tuple[Scenario | None, list[Mistake]]:
    """Return the scenario at one point, and what the point makes wrong."""
    document, blame = base, dict[Keys, _Setting]()
    for setting in point:
        for keys in _targets(base.value, setting.path):
            new, text = _acted(at(base.value, keys), setting)
            if text:
                place = base.place(setting.keys)
                return None, [Mistake(place, dotted(setting.keys), f"{text} at {dotted(keys)}")]
            document = assign(document, keys, new, None)
            blame[keys] = setting
    scenario, found = validate(document, Scenario)
    found = [*found, *contradictions(document)]
    return scenario, [_blamed(base, mistake, blame, point) for mistake in found]


def _acted(held: Value, setting: _Setting) -> tuple[Value, str]:
    """Return the value that a setting makes of the one held, or why it cannot."""
    if setting.act == "set":
        return setting.value, ""
    numbers = (held, setting.value)
    if any(isinstance(x, bool) or not isinstance(x, int | float) for x in numbers):
        return None, f"cannot act by {setting.act}: there is no number"
    old, new = (float(x) for x in numbers if isinstance(x, int | float))
    return (old * new if setting.act == "times" else old + new), ""


def _blamed(
    base: Document, mistake: Mistake, blame: Mapping[Keys, _Setting], point: _Point
) -> Mistake:
    """Return a case's mistake as one of the sweep that makes it, if the case sets anything."""
    if not point:
        return mistake
    near_it = (s for keys, s in blame.items() if mistake.path.startswith(dotted(keys)))
    guilty = next(near_it, point[0])
    text = f"makes {mistake.path} wrong, which {mistake.text}"
    return Mistake(base.place(guilty.keys), dotted(guilty.keys), text)


def _targets(value: Value, path: str) -> list[Keys]:
    """Return the keys a path names; a what-if on a rule is set by its value."""
    found = targets(value, path)
    return [(*keys, "value") if keys[0] == "rules" and len(keys) == 2 else keys for keys in found]


def _points(sweep: Sweep, seed: int) -> Iterator[_Point]:
    if sweep.grid is not None:
        yield from product(*(axis.settings for axis in _axes("grid", sweep.grid)))
    elif sweep.zip is not None:
        yield from zip(*(axis.settings for axis in _axes("zip", sweep.zip)), strict=True)
    elif sweep.list is not None:
        yield from _named(sweep.list)
    elif sweep.sample is not None:
        ranges = list(_ranges(sweep.sample))
        for shares in _spread(sweep.sample, seed):
            yield tuple(_drawn(*pair) for pair in zip(ranges, shares, strict=True))


def _drawn(within: _Range, share: float) -> _Setting:
    low, high = within.ends
    keys = ("sweep", "sample", "over", within.path)
    return _Setting(keys, within.path, within.act, low + share * (high - low))


def _labels(sweep: Sweep, seed: int) -> Iterator[Mapping[str, object]]:
    """Yield each case's swept values as written, by path; a named case has its name."""
    if sweep.list is not None:
        yield from ({"list": name} for name in sweep.list)
        return
    for point in _points(sweep, seed):
        yield {setting.path: setting.value for setting in point}


def _probes(sweep: Sweep) -> Iterator[_Point]:
    """Yield every value alone, and the ends of every range."""
    if sweep.list is not None:
        yield from _named(sweep.list)
    axes = [*_axes("grid", sweep.grid or {}), *_axes("zip", sweep.zip or {})]
    yield from ((setting,) for axis in axes for setting in axis.settings)
    for path, act, ends in _ranges(sweep.sample) if sweep.sample else ():
        keys = ("sweep", "sample", "over", path)
        yield from ((_Setting(keys, path, act, end),) for end in ends)


def _axes(form: str, paths: Mapping[str, tuple[object, ...] | Steps]) -> list[_Axis]:
    axes = []
    for path, written in paths.items():
        keys: Keys = ("sweep", form, path)
        if isinstance(written, Steps):
            act: _Act = "plus" if written.times is None else "times"
            steps = written.times or written.plus or ()
            settings = [_Setting((*keys, act, i), path, act, x) for i, x in enumerate(steps)]
        else:
            settings = [_setting((*keys, i), path, x) for i, x in enumerate(written)]
        axes.append(_Axis(path, settings))
    return axes


def _named(listed: Mapping[str, Mapping[str, object]]) -> Iterator[_Point]:
    for name, settings in listed.items():
        yield tuple(
            _setting(("sweep", "list", name, path), path, value)
            for path, value in settings.items()
        )


def _setting(keys: Keys, path: str, written: object) -> _Setting:
    """Return a value to set, or to act by if it is ``{times: x}`` or ``{plus: x}``."""
    value = plain(written)
    if isinstance(value, dict) and len(value) == 1:
        if "times" in value:
            return _Setting(keys, path, "times", value["times"])
        if "plus" in value:
            return _Setting(keys, path, "plus", value["plus"])
    return _Setting(keys, path, "set", value)


def _ranges(sample: Sample) -> Iterator[_Range]:
    for path, written in sample.over.items():
        if not isinstance(written, Steps):
            yield _Range(path, "set", written)
        elif written.times is not None:
            yield _Range(path, "times", written.times)
        else:
            yield _Range(path, "plus", written.plus or ())


def _spread(sample: Sample, seed: int) -> Sequence[Sequence[float]]:
    """Return points in the unit cube: (cases, number of paths)."""
    from scipy.stats import qmc  # noqa: PLC0415  # takes longer to import than to check a file

    paths = len(sample.over)
    if sample.method == "saltelli":
        return _saltelli(qmc.Sobol(2 * paths, rng=seed).random(sample.n).tolist(), paths)
    engine = qmc.Sobol if sample.method == "sobol" else qmc.LatinHypercube
    points: Sequence[Sequence[float]] = engine(paths, rng=seed).random(sample.n).tolist()
    return points


def _saltelli(drawn: Sequence[Sequence[float]], paths: int) -> Sequence[Sequence[float]]:
    """Return the points of A, of B, and of A with each path's share in turn from B.

    >>> _saltelli([[0.1, 0.2, 0.3, 0.4]], 2)
    [[0.1, 0.2], [0.3, 0.4], [0.3, 0.2], [0.1, 0.4]]
    """
    a, b = [point[:paths] for point in drawn], [point[paths:] for point in drawn]
    mixed = [
        [*one[:i], other[i], *one[i + 1 :]]
        for i in range(paths)
        for one, other in zip(a, b, strict=True)
    ]
    return [*a, *b, *mixed]


def _malformed(document: Document, sweep: Sweep) -> list[Mistake]:
    """Return what is wrong with a sweep's form, beyond its schema."""
    forms = [name for name, held in sweep if held is not None]
    if len(forms) != 1:
        given = f"has {' and '.join(forms)}" if forms else "has no form"
        return [document.mistake(("sweep",), f"{given}; must have one of grid, zip, list, sample")]
    form = forms[0]
    axes = _axes(form, getattr(sweep, form)) if form in ("grid", "zip") else []
    texts = [
        *(((form, axis.path), "has no values") for axis in axes if not axis.settings),
        *((("sample", "over", path), text) for path, text in _bad_ranges(sweep.sample)),
        *(((form,), text) for text in _bad_counts(sweep, [len(axis.settings) for axis in axes])),
    ]
    return [document.mistake(("sweep", *keys), text) for keys, text in texts]


def _bad_counts(sweep: Sweep, lengths: Sequence[int]) -> Iterator[str]:
    if sweep.zip is not None and len(set(lengths)) > 1:
        yield f"has lists of {', '.join(map(str, lengths))} values; must be of one length"
    if prod(lengths) > MOST_CASES and sweep.grid is not None:
        yield f"makes {prod(lengths):,} cases; at most {MOST_CASES:,} are allowed"
    if sweep.sample is not None:
        yield from _bad_sample(sweep.sample)
    if not lengths and sweep.sample is None and not sweep.list:
        yield "is empty; must name a path"


def _bad_sample(sample: Sample) -> Iterator[str]:
    n, made = sample.n, sample.n * (len(sample.over) + 2)
    if sample.method != "lhs" and (n & (n - 1) or (sample.method == "saltelli" and n == 1)):
        more = 1 << n.bit_length()
        yield f"has n: {n}; {sample.method} needs a power of two; did you mean {more}?"
    if sample.method == "saltelli" and made > MOST_CASES:
        yield f"makes {made:,} cases; at most {MOST_CASES:,} are allowed"


def _bad_ranges(sample: Sample | None) -> Iterator[tuple[str, str]]:
    for path, _, ends in _ranges(sample) if sample else ():
        if len(ends) != 2 or ends[0] >= ends[1]:
            yield path, f"is {list(ends)}; must be [low, high]"


def _astray(document: Document) -> list[Mistake]:
    """Return the paths that name nothing in the scenario, or what may not be swept."""
    shape = Shape.of(Scenario)
    sweep: Keys = ("sweep",)
    forms = [(*sweep, "grid"), (*sweep, "zip"), (*sweep, "sample", "over")]
    forms += [(*sweep, "list", name) for name in _names(document, (*sweep, "list"))]
    found = ((*form, path) for form in forms for path in _names(document, form))
    texts = ((keys, _stray(document, shape, str(keys[-1]))) for keys in found)
    return [document.mistake(keys, text) for keys, text in texts if text]


def _overridden(document: Document, sweep: Sweep) -> Iterator[Mistake]:
    """Yield each override of a value that every case of the sweep sets again."""
    fixed = {keys: at for keys, at in document.places.items() if at.file.startswith(_OVERRIDE)}
    for setting in _set_in_every_case(sweep) if fixed else ():
        swept = _targets(document.value, setting.path)
        text = (
            f"is swept in {dotted(setting.keys[:2])} ({document.place(setting.keys)}), which sets "
            "it in every case; change the sweep, or leave it out with --set sweep=~"
        )
        for keys, place in fixed.items():
            if any(keys[: len(path)] == path for path in swept):
                yield Mistake(place, dotted(keys), text)


def _set_in_every_case(sweep: Sweep) -> Iterator[_Setting]:
    """Yield one setting of each path that takes its value from the sweep in every case."""
    axes = [*_axes("grid", sweep.grid or {}), *_axes("zip", sweep.zip or {})]
    points = [*_named(sweep.list or {})]
    firsts = [axis.settings[0] for axis in axes if axis.settings]
    always = [s for s in (points[0] if points else ()) if all(_sets(p, s.path) for p in points)]
    for path, act, ends in _ranges(sweep.sample) if sweep.sample else ():
        firsts.append(_Setting(("sweep", "sample", "over", path), path, act, ends[0]))
    yield from (setting for setting in (*firsts, *always) if setting.act == "set")


def _sets(point: _Point, path: str) -> bool:
    return any(setting.path == path and setting.act == "set" for setting in point)


def _names(document: Document, keys: Keys) -> list[str]:
    held = at(document.value, keys)
    return [str(key) for key in held] if isinstance(held, dict) else []


def _stray(document: Document, shape: Shape, path: str) -> str:
    found = _targets(document.value, path)
    if split(path)[0] not in _SWEPT:
        return f"cannot be swept; only {', '.join(_SWEPT)} can{near(split(path)[0], _SWEPT)}"
    if not found:
        return "names nothing: a '*' must stand for the keys of a mapping, and here is none"
    return next((text for keys in found if (text := _unknown(document, shape, keys))), "")


def _unknown(document: Document, shape: Shape, keys: Keys) -> str:
    for n, key in enumerate(keys):
        held = at(document.value, keys[:n])
        names = shape.fields() or (list(map(str, held)) if isinstance(held, dict) else [])
        if str(key) not in names:
            return f"names nothing: {dotted(keys[:n])} has no {key!r}{near(key, names)}"
        shape = shape.child(key)
    return ""
