"""How a scenario becomes a run: planned, simulated in blocks, written as it goes."""

from simulator.errors import SimulatorError

__all__ = ["AddressError", "ClusterError"]


class AddressError(SimulatorError):
    """A trial, contract, ACO or year that a run does not have."""


class ClusterError(SimulatorError):
    """A scheduler that cannot be reached, or workers that died."""
