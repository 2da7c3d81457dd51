"""What a test shows in figures: told by the `proof` fixture, printed when all tests have run."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

__all__ = ["KEY", "Proof", "Tell", "lines", "proofs"]

KEY = "proof"
_WORDS = {"passed": "holds", "failed": "FAILS", "error": "FAILS", "skipped": "NOT SHOWN"}

Tell: TypeAlias = Callable[[str, str], None]


class Proof(NamedTuple):
    """One sentence that a test shows, its figures, and how the test ended."""

    name: str
    figures: str
    outcome: str


def proofs(stats: Mapping[str, Sequence[object]], *, strict: bool) -> list[Proof]:
    """Return what was shown; if `strict`, also each test that failed or was left out."""
    return [proof for outcome in _WORDS for proof in _of(outcome, stats.get(outcome, ()), strict)]


def _of(outcome: str, reports: Sequence[object], strict: bool) -> Iterator[Proof]:
    for report in reports:
        told = [value for key, value in getattr(report, "user_properties", ()) if key == KEY]
        yield from (Proof(str(name), str(figures), outcome) for name, figures in told)
        if strict and outcome != "passed" and not told:
            yield Proof(str(getattr(report, "nodeid", "")), _why(report), outcome)


def _why(report: object) -> str:
    """Return the last line of why a test did not pass."""
    held = getattr(report, "longrepr", "")
    text = str(held[2] if isinstance(held, tuple) else held).strip()
    return text.splitlines()[-1] if text else ""


def lines(found: Sequence[Proof]) -> list[str]:
    """Return proofs for reading, those that do not hold last."""
    return [f"{_WORDS[p.outcome]:>9}  {p.name}\n{'':11}{p.figures}" for p in found]
