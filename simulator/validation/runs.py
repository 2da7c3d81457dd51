"""The scenarios that travel with the package, run on this machine."""

from pathlib import Path

from simulator.engine.checking import check
from simulator.engine.run import run
from simulator.scenario.schema import Scenario

__all__ = ["NAMES", "made", "scenario"]

NAMES = ("mssp", "reach", "lead")


def scenario(name: str, trials: int | None = None) -> Scenario:
    """Return a scenario of the package, with as many trials as asked for."""
    whole = check(Path(__file__).with_name(f"{name}.yaml"))
    return whole if trials is None else whole.model_copy(update={"trials": trials})


def made(name: str, folder: Path) -> Path:
    """Run a scenario below `folder` and return its run's folder."""
    return Path(run(scenario(name), folder / name).attrs["path"])
