"""A run made again elsewhere, and whether every value is the same."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from simulator import results
from simulator.engine.batch import Progress
from simulator.engine.plan import Plan, plan
from simulator.engine.run import Where, execute_all
from simulator.errors import ResultsError

__all__ = ["Reproduction", "reproduce"]


class Reproduction(NamedTuple):
    """The digests of a run and of the same made again, who made them, and what differs."""

    run: str
    sha256: str
    version: str
    again: str
    again_sha256: str
    again_version: str
    rules_same: bool
    differences: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Return whether every value is the same, to the bit."""
        return self.sha256 == self.again_sha256


def reproduce(
    path: Path, out: Path, where: Where, progress: Progress | None = None, block: int | None = None
) -> Reproduction:
    """Return whether a run's scenario, run again into a folder under `out`, gives its values.

    Raises ResultsError for a run that cannot be opened, and where `out` holds it already.
    """
    first = results.open_run(path)
    planned = _anew(path, out, block)
    for _ in execute_all([planned], where, progress, keep_going=False):
        pass
    digests = results.digest(path), results.digest(planned.folder)
    return Reproduction(
        str(path),
        digests[0],
        str(first.attrs["version"]),
        str(planned.folder),
        digests[1],
        planned.pin.code,
        (Path(path) / results.RULES).read_text(encoding="utf-8") == planned.rules,
        tuple(_differences(Path(path), planned.folder)) if digests[0] != digests[1] else (),
    )


def _anew(path: Path, out: Path, block: int | None) -> Plan:
    """Return the plan of a run in a folder of which nothing is there: every block is computed."""
    scenario = results.run_scenario(path)
    planned = plan(scenario, out)
    if planned.folder.resolve() == Path(path).resolve():
        raise ResultsError(f"{path} is made again elsewhere; name another --out")
    if planned.folder.exists():
        raise ResultsError(
            f"{planned.folder} is there already, and every block is to be computed anew; "
            "remove it, or name another --out"
        )
    return planned if block is None else plan(scenario, out, block)


def _differences(one: Path, other: Path) -> list[str]:
    """Return by how much each line differs at most, and in which trial."""
    first, second = results.open_run(one), results.open_run(other)
    found = []
    for name in sorted({*first.data_vars, *second.data_vars}, key=str):
        if name not in first or name not in second or first[name].dims != second[name].dims:
            found.append(f"{name}: only one of the two has it so")
            continue
        apart = np.abs(first[name].astype(np.float64) - second[name].astype(np.float64))
        worst = apart.max([dim for dim in apart.dims if dim != "trial"], skipna=False).values
        if worst.max() > 0:
            found.append(f"{name}: up to {worst.max():,.2f}, most in trial {int(worst.argmax())}")
    return found
