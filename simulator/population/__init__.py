"""People: who is counted, in expectation."""

from simulator.population.segments import project

__all__ = ["project"]
