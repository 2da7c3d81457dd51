"""When what a program settles changes hands: the calendar of payments, as data."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from simulator import loading
from simulator.errors import RulesError
from simulator.programs.rulebook import nearest

__all__ = ["Due", "Payments", "payments"]

_FILE = Path(__file__).parents[1] / "rules" / "calendar.yaml"


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Due(_Frozen):
    """The calendar quarter in which a performance year's money moves, and why."""

    years_after: int = Field(ge=0, le=5)
    quarter: Literal[1, 2, 3, 4]
    status: Literal["published", "proposed", "reported", "assumed"]
    cite: str

    def of(self, year: int) -> str:
        """Return the quarter for a performance year.

        >>> Due(years_after=1, quarter=4, status="assumed", cite="us").of(2027)
        '2028 Q4'
        """
        return f"{year + self.years_after} Q{self.quarter}"


class Payments(_Frozen):
    """When a program pays what is earned, and when it is paid what is owed."""

    earned: Due
    owed: Due


class _Calendar(_Frozen):
    checked: str
    programs: Mapping[str, Payments]


def payments(program: str) -> Payments:
    """Return when a program's settlements change hands. Raises RulesError if nothing says so."""
    held = _calendar().programs
    if program not in held:
        raise RulesError(f"rules/calendar.yaml lacks {program!r}; {nearest(program, held)}")
    return held[program]


@cache
def _calendar() -> _Calendar:
    return loading.read(_FILE, _Calendar)
