"""The same to the bit: again, in other blocks, on one thread, and as the start of a longer run."""

from pathlib import Path

from simulator.engine.run import run
from simulator.results import Store, digest
from simulator.validation.checks import Check, Report, judged
from simulator.validation.runs import NAMES, scenario

__all__ = ["digests", "report"]

GROUP = "Reproducibility"
_BLOCK, _FEWER = 300, 700


def digests(folders: dict[str, Path]) -> dict[str, str]:
    """Return the sha256 of all values of each run, to be compared with another machine's."""
    return {name: digest(folder) for name, folder in folders.items()}


def report(folders: dict[str, Path], out: Path) -> Report:
    """Yield whether runs made again below `out` have the same values, to the bit.

    folders : the run of each scenario of the package, by name
    """
    for name in NAMES:
        first = digest(folders[name])
        yield _same(name, "run again", first, digest(_again(name, out / "again")))
        blocks = f"in blocks of {_BLOCK} trials, on one thread"
        yield _same(name, blocks, first, digest(_again(name, out / "blocks", block=_BLOCK)))
    name = NAMES[0]
    fewer = digest(_again(name, out / "fewer", trials=_FEWER))
    start = Store(folders[name]).digest(_FEWER)
    yield _same(name, f"in its first {_FEWER} trials, run alone", start, fewer)


def _again(name: str, out: Path, block: int | None = None, trials: int | None = None) -> Path:
    workers = 1 if block else None
    made = run(scenario(name, trials), out, block=block, workers=workers)
    return Path(made.attrs["path"])


def _same(name: str, how: str, first: str, second: str) -> Check:
    return judged(
        GROUP,
        f"{name.upper()}: the same values {how}",
        f"sha256 {first[:16]} and {second[:16]}",
        "the same to the bit",
        met=first == second,
    )
