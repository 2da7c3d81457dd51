"""The mistakes a user can fix, and only those."""

import errno
from collections.abc import Sequence

__all__ = ["ResultsError", "RulesError", "ScenarioError", "SimulatorError", "disk_failed"]

_FAILURES = {errno.EIO, getattr(errno, "ESTALE", errno.EIO)}


class SimulatorError(Exception):
    """Something the caller can change; the message says where, what was found, what is allowed."""


class ScenarioError(SimulatorError):
    """One or more mistakes in a scenario, one line each: ``file:line: path: found; allowed``."""

    def __init__(self, messages: str | Sequence[str]) -> None:
        self.messages = (messages,) if isinstance(messages, str) else tuple(messages)
        super().__init__("\n".join(self.messages))


class RulesError(SimulatorError):
    """A rules file that does not fit the contract that reads it."""


class ResultsError(SimulatorError):
    """A run folder that is missing, foreign, altered or half written."""


def disk_failed(error: Exception) -> bool:
    """Return whether it is the disk that failed, so that no file can be judged by it."""
    return isinstance(error, OSError) and error.errno in _FAILURES
