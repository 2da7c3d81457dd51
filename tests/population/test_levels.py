"""National levels by enrolment type and benchmark category: given, carried, neutral."""

import numpy as np

from simulator.population.levels import Kind, carried, national
from simulator.scenario.schema import Market

KINDS = (Kind("aged_nondual", False), Kind("aged_nondual", True), Kind("esrd", False))
SPAN = range(2017, 2022)


def levels(**tables: object) -> dict[str, np.ndarray]:
    market = Market.model_validate(tables)
    found = national(market, KINDS, SPAN, 0.05).arrays
    return {name: values for name, (_, values) in found.items()}


def test_a_segment_takes_the_levels_of_its_own_category_first() -> None:
    uspcc = {
        "aged_disabled": {2019: 12_000.0},
        "high_needs": {2019: 40_000.0},
        "esrd": {2019: 95_000.0},
    }
    assert levels(uspcc_ppy=uspcc)["uspcc_ppy"][2].tolist() == [12_000.0, 40_000.0, 95_000.0]
    del uspcc["high_needs"]
    assert levels(uspcc_ppy=uspcc)["uspcc_ppy"][2].tolist() == [12_000.0, 12_000.0, 95_000.0]


def test_a_reference_population_that_is_not_given_costs_what_the_uspcc_says() -> None:
    uspcc = {"aged_disabled": {2019: 12_000.0}, "esrd": {2019: 95_000.0}}
    found = levels(uspcc_ppy=uspcc)
    assert np.array_equal(found["reference_ppy"], found["uspcc_ppy"])
    more = levels(
        uspcc_ppy=uspcc, reference_ppy={"aged_disabled": {2019: 12_000.0, 2021: 14_000.0}}
    )
    assert more["reference_ppy"][4, 0] == 14_000.0
    # Expected levels follow what the reference population is expected to cost.
    assert more["national_ppy"][4, 0] / more["national_ppy"][2, 0] == 14_000.0 / 12_000.0


def test_levels_by_enrolment_type_stand_before_those_by_category() -> None:
    found = levels(
        national_ppy={"aged_nondual": {2019: 10_000.0}, "esrd": {2019: 90_000.0}},
        uspcc_ppy={"aged_disabled": {2019: 12_000.0}},
    )
    assert found["national_ppy"][2].tolist() == [10_000.0, 10_000.0, 90_000.0]
    assert found["uspcc_ppy"][2].tolist() == [12_000.0, 12_000.0, 90_000.0]
    assert np.allclose(found["uspcc_ppy"][3] / found["uspcc_ppy"][2], 1.05)


def test_a_coding_intensity_factor_that_is_not_given_is_one() -> None:
    found = levels(
        uspcc_ppy={"aged_disabled": {2019: 12_000.0}, "esrd": {2019: 95_000.0}},
        coding_intensity_factor={"aged_disabled": {2020: 1.006}},
    )["coding_intensity_factor"]
    assert found[3].tolist() == [1.006, 1.006, 1.0]
    assert found[4].tolist() == [1.0, 1.0, 1.0]


def test_what_is_given_nowhere_is_neutral() -> None:
    given = np.full((3, 1), np.nan)
    level = np.array([[2.0], [3.0], [4.0]])
    assert np.array_equal(carried(given, level), level)
    given[1] = 6.0
    assert carried(given, level).ravel().tolist() == [4.0, 6.0, 8.0]
