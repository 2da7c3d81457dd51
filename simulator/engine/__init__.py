"""How a scenario becomes a run: planned, simulated in blocks, written as it goes."""

from simulator.errors import SimulatorError

__all__ = ["ClusterError"]


class ClusterError(SimulatorError):
    """A scheduler that cannot be reached, or workers that died."""
