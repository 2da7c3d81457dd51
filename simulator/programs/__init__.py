"""What the contract says: programs, their rules, and the way to load one contract."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from simulator.errors import RulesError
from simulator.programs.contract import Contract
from simulator.programs.lead import Lead
from simulator.programs.mssp import Mssp
from simulator.programs.reach import Reach
from simulator.programs.rulebook import Leaf, RulesFile, book, nearest, years

__all__ = ["PROGRAMS", "Contract", "applied", "contract", "options", "rules", "years"]

PROGRAMS: dict[str, type[Contract]] = {"mssp": Mssp, "reach": Reach, "lead": Lead}


def rules(program: str, year: int, variant: str | None = None) -> RulesFile:
    """Return the rules of a program's year. Raises RulesError for an unknown one."""
    if program not in PROGRAMS:
        raise RulesError(f"program {program!r} is unknown; {nearest(program, PROGRAMS)}")
    known = years(program)
    if year not in known:
        raise RulesError(f"{program} has no rules for {year}; {nearest(str(year), known)}")
    if variant is not None and variant not in known[year]:
        raise RulesError(
            f"{program} {year} has no variant {variant!r}; {nearest(variant, known[year])}"
        )
    return book(program, year, variant)


def options(program: str, year: int, variant: str | None = None) -> tuple[str, ...]:
    """Return the options of a program's year."""
    return tuple(rules(program, year, variant).options)


def contract(
    program: str,
    year: int,
    option: str,
    *,
    variant: str | None = None,
    overrides: Sequence[tuple[str, object, str]] = (),
    elections: Mapping[str, float] | None = None,
) -> Contract:
    """Return one contract: an option of a program in a performance year.

    `.settle(world, past)` gives its statement, (trial, year, aco), from a world of spending (or
    from the lines of a worksheet); `past` holds its statements of earlier years.

    >>> level_e = contract("mssp", 2022, "E")
    >>> level_e.year, level_e.option, float(level_e.minimum_savings(60_000.0))
    (2022, 'E', 0.02)

    Parameters
    ----------
    program : ``mssp``, ``reach`` or ``lead``
    year : performance year
    option : of the program in that year, whatever its case
    variant : a proposal beside the law
    overrides : sequence of (path, value, why)
        What-ifs on terms, ``term`` or ``term.key`` for a term by kind; each becomes assumed.
    elections : mapping, optional
        What the ACO chose under this contract, instead of its own elections.

    Raises
    ------
    RulesError
        For an unknown program, year, variant, option or term.
    """
    file = rules(program, year, variant)
    names = {name.lower(): name for name in file.options}
    if option.lower() not in names:
        raise RulesError(
            f"{program} {year} has no option {option!r}; {nearest(option, file.options)}"
        )
    leaves = file.leaves(names[option.lower()])
    for path, value, why in overrides:
        leaves = _overridden(leaves, path, value, why)
    where = (
        f"rules/{program}/{year}{f'.{variant}' if variant else ''}.yaml: {names[option.lower()]}"
    )
    return PROGRAMS[program].load(
        leaves, where, year=year, option=names[option.lower()], elections=dict(elections or {})
    )


def applied(contract: Contract, year: int) -> Contract:
    """Return a contract of one year's rules as it would settle another year: all assumed."""
    law = f"the rules of {contract.year}, applied to {year}"
    sources = {
        name: term._replace(status="assumed", note=f"{law}: {term.note}" if term.note else law)
        for name, term in contract.sources.items()
    }
    return replace(contract, year=year, sources=sources)


def _overridden(leaves: Mapping[str, Leaf], path: str, value: object, why: str) -> dict[str, Leaf]:
    name, *keys = path.split(".")
    if name not in leaves:
        raise RulesError(f"rules: {path} is unknown; {nearest(name, leaves)}")
    leaf = leaves[name]
    changed = leaf.model_copy(
        update={
            "value": _placed(leaf.value, keys, value, path),
            "status": "assumed",
            "cite": "scenario rules",
            "note": why,
        }
    )
    return {**leaves, name: changed}


def _placed(old: object, keys: Sequence[str], value: object, path: str) -> object:
    if not keys:
        return value
    if isinstance(old, list | tuple) and keys[0].isdigit() and int(keys[0]) < len(old):
        at = int(keys[0])
        return [*old[:at], _placed(old[at], keys[1:], value, path), *old[at + 1 :]]
    table = {str(key): key for key in old} if isinstance(old, Mapping) else {}
    if keys[0] not in table or not isinstance(old, Mapping):
        raise RulesError(f"rules: {path}: {keys[0]} is unknown; {nearest(keys[0], table)}")
    key = table[keys[0]]
    return {**old, key: _placed(old[key], keys[1:], value, path)}
