"""How a scenario becomes a run: planned, simulated in blocks, written as it goes."""

from simulator.errors import SimulatorError

__all__ = ["AddressError", "ClusterError", "PartlyDoneError"]


class AddressError(SimulatorError):
    """A trial, contract, ACO or year that a run does not have."""


class ClusterError(SimulatorError):
    """A scheduler that cannot be reached, or workers that died."""


class PartlyDoneError(SimulatorError):
    """Some blocks, or some runs of several, could not be computed; the others are saved."""
