"""Every check, done in turn, and what came out of them together."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from simulator import results
from simulator.errors import SimulatorError
from simulator.validation import (
    calibration,
    convergence,
    footing,
    replaying,
    reproducibility,
    runs,
    tables,
)
from simulator.validation.checks import Check, Outcome, Report, judged, not_done

__all__ = ["Told", "Validation", "validate"]

Told = Callable[[Check], None]
_RUNS = "Runs"


@dataclass(frozen=True)
class Validation:
    """What was checked, in order, on which version and machine, and when.

    digests : the sha256 of the values of each run that was made, by scenario of the package
    """

    checks: tuple[Check, ...]
    digests: Mapping[str, str]
    version: str
    versions: Mapping[str, str]
    machine: str
    began: str
    seconds: float

    def count(self, outcome: Outcome) -> int:
        """Return how many checks ended so."""
        return sum(check.outcome == outcome for check in self.checks)

    @property
    def verdict(self) -> str:
        """Return what came out, in a sentence."""
        failed, left = self.count("failed"), self.count("not done")
        said = f" {left} not done: what they would show is not known." if left else ""
        if failed:
            return (
                f"{failed} of {len(self.checks)} checks failed: this installation is not to be "
                f"relied on.{said}"
            )
        return f"All {self.count('passed')} checks that were done passed.{said}"


def validate(files: Sequence[Path] = (), told: Told | None = None) -> Validation:
    """Return whether the model does what it says, checked here and now; it takes a minute or so.

    Parameters
    ----------
    files : public-use files of results to settle again; by default those in the folder that
        ACOSIM_PUBLIC_DATA names. Without any, that check is not done, and says so.
    told : called with each check as it ends

    Raises
    ------
    ScenarioError
        For a file given that is no public-use file of results.
    """
    began, clock = datetime.now(UTC), time.perf_counter()
    checks: list[Check] = []
    made: dict[str, Path] = {}
    with TemporaryDirectory(prefix="acosim-validate-") as folder:
        for check in _checks(files, made, Path(folder)):
            checks.append(check)
            if told is not None:
                told(check)
        digests = reproducibility.digests(made)
    here = results.made_with()
    return Validation(
        tuple(checks),
        digests,
        results.code_version(),
        here.versions,
        here.machine,
        began.isoformat(timespec="seconds"),
        round(time.perf_counter() - clock, 1),
    )


def _checks(files: Sequence[Path], made: dict[str, Path], folder: Path) -> Report:
    """Yield every check; the runs that they share are put into `made`."""
    yield from replaying.report(files)
    yield from _safely(tables.GROUP, tables.report())
    yield from _safely(calibration.GROUP, calibration.report())
    yield from _safely(_RUNS, _ran(made, folder))
    shared: dict[str, Callable[[], Report]] = {
        footing.GROUP: lambda: footing.report(made),
        convergence.GROUP: lambda: convergence.report(made),
        reproducibility.GROUP: lambda: reproducibility.report(made, folder),
    }
    for group, report in shared.items():
        if len(made) == len(runs.NAMES):
            yield from _safely(group, report())
        else:
            yield not_done(group, "All checks of this group", "a run that it needs failed", "")


def _ran(made: dict[str, Path], folder: Path) -> Report:
    """Yield for each scenario of the package that it ran, and put its run into `made`."""
    for name in runs.NAMES:
        scenario = runs.scenario(name)
        made[name] = runs.made(name, folder)
        figure = f"{scenario.trials:,} trials of {len(scenario.contracts)} contracts"
        yield judged(_RUNS, f"{scenario.about}", figure, "it runs and opens", met=True)


def _safely(group: str, report: Report) -> Iterator[Check]:
    """Yield the checks of a group; what stops it is a check that failed."""
    try:
        yield from report
    except SimulatorError as error:
        yield judged(
            group, "The checks of this group go through", str(error), "no error", met=False
        )
