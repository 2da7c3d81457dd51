"""Published files of results, settled again: whether the model pays what CMS paid."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from simulator.engine.reconciliation import Replay, replay
from simulator.errors import RulesError, ScenarioError
from simulator.validation.checks import Check, Report, judged, not_done

__all__ = ["VARIABLE", "report"]

VARIABLE = "ACOSIM_PUBLIC_DATA"
GROUP = "Published settlements"
_WHAT = "CMS's public-use files of results, settled again row by row"
_LEAST = 0.99
_LIMIT = f"none without a reason; {_LEAST:.0%} within $1 or 0.1%"
_PROGRAMS = ("mssp", "reach")


def report(files: Sequence[Path]) -> Report:
    """Yield a check for each public-use file given, else for each in the folder that is named.

    Raises ScenarioError for a file given that is none.
    """
    found = [(file, _replayed(file)) for file in files or _in_folder()]
    unread = [file for file, one in found if isinstance(one, ScenarioError)]
    if files and unread:
        raise ScenarioError(
            f"{unread[0]}: is no public-use file of results of {' or '.join(_PROGRAMS)}"
        )
    checks = [_judged(file, one) for file, one in found if not isinstance(one, ScenarioError)]
    yield from checks or [not_done(GROUP, _WHAT, _lacking(), _LIMIT)]


def _lacking() -> str:
    folder = os.environ.get(VARIABLE)
    where = f"{folder} has none" if folder else f"{VARIABLE} is not set"
    return f"no file was given and {where}: acosim validate FILE"


def _in_folder() -> Iterator[Path]:
    """Yield the CSV files of the folder that the environment names, if it does."""
    folder = os.environ.get(VARIABLE)
    yield from sorted(Path(folder).glob("*.csv")) if folder else ()


def _replayed(file: Path) -> Replay | RulesError | ScenarioError:
    """Return a file settled again by the program that it is of, or why it cannot be."""
    for program in _PROGRAMS:
        try:
            return replay(program, file)
        except RulesError as error:
            return error
        except ScenarioError as error:
            unread = error
    return unread


def _judged(file: Path, found: Replay | RulesError) -> Check:
    if isinstance(found, RulesError):
        return not_done(GROUP, f"{file.name}", str(found), _LIMIT)
    totals = found.totals
    years = " and ".join(f"PY{year}" for year in found.years)
    figure = (
        f"{totals.rows:,} rows, ${totals.paid_usd:,.0f} paid, ${totals.owed_usd:,.0f} owed; "
        f"{totals.within_thousandth:,} within, for a stated reason not {totals.explained:,}, "
        f"without one {totals.unexplained:,}"
    )
    met = totals.unexplained == 0 and totals.within_thousandth >= _LEAST * totals.rows
    what = f"{found.program.upper()} {years}: {file.name}"
    return judged(GROUP, what, figure, _LIMIT, met=met)
