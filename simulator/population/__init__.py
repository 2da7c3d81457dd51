"""People: who is counted, in expectation."""

from simulator.population.filling import filled
from simulator.population.laying import laid
from simulator.population.segments import project

__all__ = ["filled", "laid", "project"]
