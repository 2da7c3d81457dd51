"""Which draws take Sobol' dimensions: the principal ones, in an order that assumptions keep."""

from simulator.sampling import design
from simulator.sampling.sobol import DIMENSIONS
from tests.sampling.people import aco, people


def test_the_nation_comes_first_then_deviations_then_the_claims_that_weigh_most():
    found = design.dimensions(people({"a": aco(), "b": aco()}, (2022, 2023)))
    order = sorted(found, key=found.__getitem__)
    assert order[0] == ("market/trend", "national/2023")
    assert found["deviation", "a"] < found["claims", "a/2022/aged_nondual"]
    assert found["claims", "b/2023/aged_nondual"] < found["claims", "a/2022/esrd"]
    assert found["claims", "a/2022/esrd"] < found["risk_score", "a/esrd/2022"]


def test_no_two_draws_share_a_dimension():
    found = design.dimensions(people({"a": aco(), "b": aco()}, (2022, 2023)))
    widths = [3 if stream == "claims" else 1 for stream, _ in found]
    taken = [
        first + p
        for first, width in zip(found.values(), widths, strict=True)
        for p in range(width)
    ]
    assert sorted(taken) == list(range(sum(widths)))


def test_acos_of_one_region_share_its_dimensions():
    found = design.dimensions(people({"a": aco(), "b": aco()}))
    assert sum(stream == "market/region" for stream, _ in found) == 4


def test_beyond_the_last_dimension_draws_are_left_independent():
    many = {f"aco{i}": aco() for i in range(100)}
    found = design.dimensions(people(many, (2022, 2023)))
    assert max(found.values()) < DIMENSIONS
    assert ("claims", "aco99/2023/aged_nondual") in found


def test_another_scheme_needs_no_dimensions():
    assert design.streams(1, "antithetic", 16, people({"a": aco()})).dimensions == {}
