"""What a Medicare ACO earns or owes, contract by contract, on the same futures."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator import programs
    from simulator.analysis.paired import advantage, paired
    from simulator.analysis.tail import tail_value_at_risk, value_at_risk
    from simulator.engine.checking import check as read
    from simulator.engine.replay import explain
    from simulator.engine.run import run
    from simulator.report.plots import exceedance
    from simulator.report.tables import summary
    from simulator.results.opening import assumptions, open_run
    from simulator.scenario.sweep import cases

    contract = programs.contract

__all__ = [
    "advantage",
    "assumptions",
    "cases",
    "contract",
    "exceedance",
    "explain",
    "open_run",
    "paired",
    "read",
    "run",
    "summary",
    "tail_value_at_risk",
    "value_at_risk",
]

# Imported when first used: the command line starts quickly, and no module imports this one's.
_FROM = {
    "advantage": "analysis.paired",
    "assumptions": "results.opening",
    "cases": "scenario.sweep",
    "contract": "programs",
    "exceedance": "report.plots",
    "explain": "engine.replay",
    "open_run": "results.opening",
    "paired": "analysis.paired",
    "read": "engine.checking:check",
    "run": "engine.run",
    "summary": "report.tables",
    "tail_value_at_risk": "analysis.tail",
    "value_at_risk": "analysis.tail",
}


def __getattr__(name: str) -> object:
    """Return a public name from the module that has it."""
    if name not in _FROM:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, other = _FROM[name].partition(":")
    return getattr(import_module(f"{__name__}.{module}"), other or name)


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
