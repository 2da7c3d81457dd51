"""People: who is counted, in expectation."""

from simulator.population.filling import filled
from simulator.population.segments import project

__all__ = ["filled", "project"]
