"""What must hold between the fields of a scenario, checked even where others are wrong."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import get_args

from simulator.loading import Document, Keys, Mistake, Value, at, near, shown
from simulator.scenario.plausibility import heads_hint
from simulator.scenario.schema import Entitlement, EquityTiers, Sampling, Scenario

__all__ = ["contradictions"]

# Person-years over head-count in CMS's files: 0.85 to 0.99, and 0.60 for a first long year.
_LEAST_ENROLLED, _ROUNDED = 0.5, 1.0001
_WHOLE, _PERCENT = 1e-6, 0.0051
_UNSAID: dict[str | int, Value] = {"high_needs": False, "channel": "claims"}
_OF_TAILS = {
    "lognormal_pareto": ("tail_share", "tail_index"),
    "generalized_beta_second_kind": ("tail_index", "peak"),
}
_ENTITLEMENTS: tuple[str, ...] = get_args(Entitlement)


def contradictions(document: Document) -> list[Mistake]:
    """Return every mistake between fields; what is missing or of a wrong type is not repeated."""
    checks: tuple[Callable[[Document], Iterator[Mistake]], ...] = (
        _years_in_order,
        _peopled,
        _known_entitlements,
        _alike_segments,
        _head_counts,
        _advances,
        _terminated,
        _options_by_year,
        _stop_loss,
        _entered,
        _equity,
        _observed,
        _booked,
        _grouped,
        _whole_designs,
        _departing,
        _whole_year,
        _tailed,
    )
    return [mistake for check in checks for mistake in check(document)]


def _names(document: Document, *keys: str | int) -> list[str]:
    """Return the names in the mapping at `keys`, as they are written."""
    held = at(document.value, keys)
    return [str(key) for key in held] if isinstance(held, dict) else []


def _given(document: Document, keys: Keys) -> set[int] | None:
    """Return the years that the mapping at `keys` gives, if it is one."""
    held = at(document.value, keys)
    return {key for key in held if isinstance(key, int)} if isinstance(held, dict) else None


def _performance_years(document: Document) -> list[int]:
    years = at(document.value, ("years",))
    return [year for year in years if type(year) is int] if isinstance(years, list) else []


def _starts(document: Document) -> dict[str, int]:
    """Return the year in which each ACO's agreement starts, where it is given as one."""
    acos = _names(document, "population")
    starts = {aco: at(document.value, ("population", aco, "agreement", "start")) for aco in acos}
    return {aco: start for aco, start in starts.items() if type(start) is int}


def _segments(document: Document) -> Iterator[tuple[Keys, str, str]]:
    """Yield each segment's keys, its ACO, and its enrolment type (its own name by default)."""
    for aco in _names(document, "population"):
        for name in _names(document, "population", aco, "segments"):
            keys = ("population", aco, "segments", name)
            kind = at(document.value, (*keys, "entitlement"))
            yield keys, aco, kind if isinstance(kind, str) else name


def _years_in_order(document: Document) -> Iterator[Mistake]:
    years = _performance_years(document)
    for index, (earlier, later) in enumerate(pairwise(years), 1):
        if later <= earlier:
            text = f"is {later} after {earlier}; years must rise, each given once"
            yield document.mistake(("years", index), text)
    for aco, start in _starts(document).items():
        if years and min(years) < start:
            text = f"is {start}; must not lie after the first performance year, {min(years)}"
            yield document.mistake(("population", aco, "agreement", "start"), text)


def _peopled(document: Document) -> Iterator[Mistake]:
    for aco in _names(document, "population"):
        keys: Keys = ("population", aco, "segments")
        if at(document.value, keys) in (None, {}) and not _unread(document, keys):
            text = "needs people: segments, or a segment_table or beneficiaries file of them"
            yield document.mistake(keys[:2], text)


def _unread(document: Document, keys: Keys) -> bool:
    return any(keys[:n] in document.unread for n in range(1, len(keys) + 1))


def _known_entitlements(document: Document) -> Iterator[Mistake]:
    for keys, _, kind in _segments(document):
        if kind not in _ENTITLEMENTS and kind == keys[-1]:
            allowed = ", ".join(_ENTITLEMENTS)
            text = f"needs a field entitlement, for its name is none; it is one of {allowed}"
            yield document.mistake(keys, f"{text}{near(kind, _ENTITLEMENTS)}")


def _alike_segments(document: Document) -> Iterator[Mistake]:
    """Yield segments that mean something else than another ACO's of the same name."""
    first: dict[Keys, tuple[str, Value]] = {}
    for keys, aco, kind in _segments(document):
        held = at(document.value, keys)
        given = {**_UNSAID, **held, "entitlement": kind} if isinstance(held, dict) else {}
        for field in ("entitlement", "high_needs", "channel") if given else ():
            other, meant = first.setdefault((keys[-1], field), (aco, given[field]))
            if given[field] != meant:
                text = f"is {shown(given[field])}, but {shown(meant)} for {other}"
                yield document.mistake((*keys, field), f"{text}; a name means one thing")


def _head_counts(document: Document) -> Iterator[Mistake]:
    """Yield head-counts that cannot be those of the person-years of the same year."""
    for aco in _names(document, "population"):
        for year in sorted(_given(document, ("population", aco, "persons")) or ()):
            keys: Keys = ("population", aco, "persons", year)
            people, years = at(document.value, keys), _person_years(document, aco, year)
            if not isinstance(people, int | float) or years is None:
                continue
            if not _LEAST_ENROLLED * people <= years <= _ROUNDED * people:
                text = f"is {people:,.0f}, but person-years of {year} add up to {years:,.0f}"
                allowed = f"a head-count is one to two times them{heads_hint(people, years)}"
                yield document.mistake(keys, f"{text}; {allowed}")


def _person_years(document: Document, aco: str, year: int) -> float | None:
    """Return an ACO's person-years of a year, if every segment gives them."""
    segments = [keys for keys, owner, _ in _segments(document) if owner == aco]
    parts = [at(document.value, (*keys, "person_years", year)) for keys in segments]
    known = [float(part) for part in parts if isinstance(part, int | float)]
    return sum(known) if known and len(known) == len(parts) else None


def _advances(document: Document) -> Iterator[Mistake]:
    for aco in _names(document, "population"):
        keys: Keys = ("population", aco, "advance_payments")
        held = at(document.value, keys)
        shares = list(held.values()) if isinstance(held, dict) else []
        plain = [share for share in shares if isinstance(share, int | float)]
        if plain and len(plain) == len(shares) and abs(sum(plain) - 1.0) > _WHOLE:
            text = f"has shares that add up to {sum(plain):g}; they must add up to 1"
            yield document.mistake(keys, text)


def _terminated(document: Document) -> Iterator[Mistake]:
    years = [str(year) for year in _performance_years(document)]
    for aco in _names(document, "population"):
        yield from _one_of(document, ("population", aco, "termination", "year"), years)


def _options_by_year(document: Document) -> Iterator[Mistake]:
    for name in _names(document, "contracts"):
        keys: Keys = ("contracts", name, "option")
        given = _given(document, keys)
        lacks = [year for year in _performance_years(document) if year not in (given or ())]
        if given is not None and lacks:
            text = f"lacks {_listed(lacks)}; every performance year needs an option"
            yield document.mistake(keys, text)


def _stop_loss(document: Document) -> Iterator[Mistake]:
    """Yield elections of stop-loss that lack what nobody has published, or do not fit together."""
    for aco in _names(document, "population"):
        keys: Keys = ("population", aco, "stop_loss")
        held = at(document.value, keys)
        if not isinstance(held, dict):
            continue
        if all(held.get(name) is None for name in ("charge_ppy", "charge_share")):
            text = "needs charge_ppy or charge_share; no charge is published"
            yield document.mistake(keys, text)
        points, rates = held.get("attachment_usd"), held.get("payout_share")
        if isinstance(points, list) and isinstance(rates, list):
            yield from _layers(document, keys, points, rates)


def _layers(
    document: Document, keys: Keys, points: Sequence[Value], rates: Sequence[Value]
) -> Iterator[Mistake]:
    if len(points) != len(rates):
        text = f"has {len(rates)} rates for {len(points)} attachment points; one for each"
        yield document.mistake((*keys, "payout_share"), text)
    numbers = [point for point in points if isinstance(point, int | float)]
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        yield document.mistake((*keys, "attachment_usd"), "must rise")
    segments = _names(document, *keys[:2], "segments")
    for name in _names(document, *keys, "predicted_ppy"):
        if name not in segments:
            text = f"is no segment of {keys[1]}; must be one of {', '.join(segments)}"
            yield document.mistake((*keys, "predicted_ppy", name), text)


def _entered(document: Document) -> Iterator[Mistake]:
    years = _performance_years(document)
    for aco in _names(document, "population"):
        keys: Keys = ("population", aco, "reach", "first_year")
        first = at(document.value, keys)
        if type(first) is int and years and min(years) < first:
            text = f"is {first}; must not lie after the first performance year, {min(years)}"
            yield document.mistake(keys, text)


def _equity(document: Document) -> Iterator[Mistake]:
    """Yield shares by decile of the equity score that do not add up; some may be by default."""
    for aco in _names(document, "population"):
        keys: Keys = ("population", aco, "reach", "equity")
        held = at(document.value, keys)
        shares: dict[str | int, Value] = {}
        if isinstance(held, dict):
            shares = shares | EquityTiers().model_dump() | held
        plain = [share for share in shares.values() if isinstance(share, int | float)]
        fit = plain and len(plain) == len(shares) and all(0.0 <= share <= 1.0 for share in plain)
        if fit and abs(sum(plain) - 1.0) > _PERCENT:
            said = ", ".join(f"{name} {share:g}" for name, share in shares.items())
            text = f"has shares that add up to {sum(plain):g} ({said}); they must add up to 1"
            yield document.mistake(keys, text)


def _observed(document: Document) -> Iterator[Mistake]:
    for aco in _names(document, "population"):
        keys: Keys = ("population", aco, "observed")
        segments = _names(document, "population", aco, "segments")
        years = [str(year) for year in _performance_years(document)]
        yield from _one_of(document, (*keys, "contract"), _names(document, "contracts"))
        yield from _one_of(document, (*keys, "year"), years)
        strange = [kind for _, owner, kind in _segments(document) if owner == aco]
        if not set(strange) <= set(_ENTITLEMENTS):
            continue
        for name in _names(document, "population", aco, "observed", "expenditure_ppy"):
            if segments and name not in segments:
                text = f"is no segment of {aco}; must be one of {', '.join(segments)}"
                yield document.mistake((*keys, "expenditure_ppy", name), text)


def _booked(document: Document) -> Iterator[Mistake]:
    """Yield what is booked of an unfinished year for an ACO, segment or year that is not there."""
    keys: Keys = ("experience", "run_out")
    years, acos = _performance_years(document), _names(document, "population")
    yield from _one_of(document, (*keys, "year"), [str(year) for year in years])
    for aco in _names(document, *keys, "observed_ppy"):
        place: Keys = (*keys, "observed_ppy", aco)
        if acos and aco not in acos:
            text = f"is no ACO of the scenario; must be one of {', '.join(acos)}{near(aco, acos)}"
            yield document.mistake(place, text)
            continue
        segments = _names(document, "population", aco, "segments")
        for name in _names(document, *place):
            if segments and name not in segments:
                text = f"is no segment of {aco}; must be one of {', '.join(segments)}"
                yield document.mistake((*place, name), f"{text}{near(name, segments)}")


def _departing(document: Document) -> Iterator[Mistake]:
    """Yield groups that leave an ACO or in a year that is not there."""
    keys: Keys = ("experience", "membership", "departures")
    years, acos = _performance_years(document), _names(document, "population")
    for name in _names(document, *keys):
        yield from _one_of(document, (*keys, name, "aco"), acos)
        yield from _one_of(document, (*keys, name, "year"), [str(year) for year in years])


def _whole_year(document: Document) -> Iterator[Mistake]:
    """Yield enrolment types of which nobody is there all year."""
    keys: Keys = ("experience", "severity", "partial_years")
    shares = {name: at(document.value, (*keys, name, "share")) for name in _names(document, *keys)}
    for kind in _ENTITLEMENTS:
        held = [share.get(kind) for share in shares.values() if isinstance(share, dict)]
        total = sum(share for share in held if isinstance(share, int | float))
        if total >= 1.0:
            text = f"leave nobody of {kind} all year: their shares add up to {total:g}"
            yield document.mistake(keys, f"{text}; allowed is less than 1")


def _tailed(document: Document) -> Iterator[Mistake]:
    """Yield a family of severities without the parameters of its tail."""
    keys: Keys = ("experience", "severity")
    family = at(document.value, (*keys, "family"))
    for field in _OF_TAILS.get(family, ()) if isinstance(family, str) else ():
        if at(document.value, (*keys, field)) is None:
            yield document.mistake((*keys, "family"), f"is {family}, which needs {field}")


def _whole_designs(document: Document) -> Iterator[Mistake]:
    """Yield trials that are no whole number of mirrored pairs, or of Sobol' points in balance."""
    asked = Scenario.model_fields
    scheme = at(document.value, ("sampling", "scheme"))
    trials = at(document.value, ("trials",)) or asked["trials"].default
    replicates = at(document.value, ("sampling", "replicates")) or Sampling().replicates
    if type(trials) is not int or type(replicates) is not int:
        return
    if scheme == "antithetic" and trials % 2:
        yield document.mistake(("trials",), f"is {trials}; antithetic trials come in pairs")
    if scheme == "sobol":
        least = replicates
        while 2 * least <= trials:
            least *= 2
        if trials != least:
            text = f"is {trials}; {replicates} replicates of Sobol' points need {replicates} times"
            near_by = f"a power of two, such as {least} or {2 * least}"
            yield document.mistake(("trials",), f"{text} {near_by}")


def _grouped(document: Document) -> Iterator[Mistake]:
    for kind in _names(document, "experience", "severity", "groups"):
        keys: Keys = ("experience", "severity", "groups", kind)
        persons, means = (at(document.value, (*keys, name)) for name in ("persons", "mean_usd"))
        if not isinstance(persons, list) or not isinstance(means, list):
            continue
        if len(persons) != len(means):
            text = f"has {len(persons)} groups of persons and {len(means)} means; must be as many"
            yield document.mistake(keys, text)
        elif len({mean for mean in means if isinstance(mean, int | float) and mean > 0}) < 2:
            yield document.mistake(keys, "holds no two unlike means above 0; must hold some")


def _one_of(document: Document, keys: Keys, known: list[str]) -> Iterator[Mistake]:
    value = at(document.value, keys)
    if isinstance(value, str | int) and known and str(value) not in known:
        hint = near(value, known) if isinstance(value, str) else ""
        yield document.mistake(keys, f"is {shown(value)}; must be one of {', '.join(known)}{hint}")


def _listed(years: Iterable[int]) -> str:
    return ", ".join(map(str, years))
