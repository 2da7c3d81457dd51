"""A small run to break, its right digest, and what may have come of it."""

import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Self

from simulator import results
from simulator.engine.run import run
from simulator.errors import ResultsError
from simulator.scenario import reading
from tests.faults.nursery import Ended, Nursery
from tests.runs import small

BLOCK = 10
CODES = {0, 4, 5, 6, 7, 130, 143}
_MOST_LINES = 8


class Ground(NamedTuple):
    """A scenario file, a run of it that nothing disturbed, and where command lines start."""

    folder: Path
    file: Path
    digest: str
    name: str
    nursery: Nursery

    @classmethod
    def laid(cls, folder: Path, nursery: Nursery, trials: int = 120) -> Self:
        """Return the ground of a folder."""
        scenario = small(trials, ["level_e"])
        file = folder / "small.yaml"
        file.write_text(reading.canonical(scenario), encoding="utf-8")
        whole = Path(run(scenario, folder / "right", block=BLOCK).attrs["path"])
        return cls(folder, file, results.digest(whole), whole.name, nursery)

    def words(self, out: Path, *more: object) -> tuple[object, ...]:
        """Return the words that run the scenario into a folder of runs."""
        return ("run", self.file, "--out", out, "--block", BLOCK, "--json", *more)

    def fresh(self) -> Path:
        """Return a new folder of runs."""
        return self.folder / f"out-{time.monotonic_ns()}"

    def wrong(self, out: Path, ended: Ended) -> str:
        """Return what is wrong with how a run ended, or nothing.

        Right is the whole run with exit 0, or a refusal in a few words with its exit code.
        """
        if ended.code not in CODES:
            return f"exit {ended.code}: {ended.err}"
        if "Traceback" in ended.err or len(ended.err.splitlines()) > _MOST_LINES:
            return f"said too much: {ended.err}"
        if ended.code and not ended.err:
            return f"exit {ended.code} without a word"
        try:
            found = results.digest(results.open_run(out / self.name).attrs["path"])
        except ResultsError:
            return "exit 0, but the run cannot be opened" if ended.code == 0 else ""
        return "" if found == self.digest else f"exit {ended.code} and wrong values"

    def mended(self, out: Path) -> str:
        """Return what is wrong with the run when it is run again, or nothing."""
        run(self.file, out, block=BLOCK, workers=2)
        flaws = results.verify(out / self.name).flaws
        found = results.digest(out / self.name)
        return "; ".join(map(str, flaws)) or ("" if found == self.digest else "mended wrong")


class Told(NamedTuple):
    """What came of a fault at so many moments."""

    codes: Counter[int]
    wrong: list[str]

    @classmethod
    def of(cls, ends: list[Ended], wrong: list[str]) -> Self:
        """Return what came of several ends, with what is wrong of each, if anything."""
        return cls(Counter(end.code for end in ends), [found for found in wrong if found])

    @classmethod
    def nothing(cls) -> Self:
        """Return what came of no fault at all."""
        return cls(Counter(), [])

    def plus(self, other: Self) -> Self:
        """Return what came of both."""
        return self._replace(codes=self.codes + other.codes, wrong=self.wrong + other.wrong)

    def __str__(self) -> str:
        """Return the figures."""
        ends = ", ".join(f"{n} with exit {code}" for code, n in sorted(self.codes.items()))
        return f"{self.codes.total()} moments: {ends}; {len(self.wrong)} wrong or lost"


def repeated(
    times: int, fault: Callable[[random.Random], tuple[Ended, str]], seed: int = 1
) -> Told:
    """Return what comes of a fault at random moments."""
    rng = random.Random(seed)
    found = [fault(rng) for _ in range(times)]
    return Told.of([ended for ended, _ in found], [wrong for _, wrong in found])
