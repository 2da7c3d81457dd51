"""What parts two contracts, term by term: it adds up, and says what has no effect."""

import numpy as np
import pytest

from simulator.engine.attribution import attribution
from simulator.errors import ScenarioError
from simulator.report.attribution import rows, sequence
from simulator.scenario import reading
from tests.runs import QUICKSTART

SCENARIOS = QUICKSTART.parent


@pytest.fixture(scope="module")
def tightening():
    path = SCENARIOS / "reach_2026_tightening.yaml"
    return attribution(reading.read(path, overrides=["trials=400"]), "py2025_rules", "py2026")


def test_changes_in_turn_lead_from_one_contract_to_the_other(tightening):
    assert (tightening.changes[-1].so_far == tightening.second).all()
    assert (tightening.changes[0].so_far == tightening.changes[0].alone).all()
    whole = (tightening.second - tightening.first).mean()
    in_turn = sum(row.figures["mean"][0] for row in sequence(tightening))
    assert in_turn == pytest.approx(whole, abs=1e-6)


def test_changes_alone_and_their_interaction_are_the_whole(tightening):
    *_, interaction, whole, _ = table = rows(tightening)
    for measure, (value, _) in whole.figures.items():
        alone = sum(row.figures[measure][0] for row in table[1:-3])
        assert alone + interaction.figures[measure][0] == pytest.approx(value, abs=1e-6)


def test_every_change_of_2026_is_told_apart(tightening):
    found = {", ".join(change.terms): change for change in tightening.changes}
    lost = {name: (c.alone - tightening.first).mean() for name, c in found.items()}
    for name in ("regional_weight_standard", "second_cap", "quality_withhold"):
        assert lost[name] < 0.0
    assert lost["savings_bands, loss_bands"] <= 0.0
    assert lost["high_needs_second_cap"] == 0.0
    assert (found["regional_weight_standard"].old, found["second_cap"].new) == ("0.45", "0.03")


def test_levels_of_mssp_are_told_apart_too():
    scenario = reading.read(SCENARIOS / "without_relief.yaml", overrides=["trials=300"])
    found = attribution(scenario, "level_c", "level_e")
    assert (found.changes[-1].so_far == found.second).all()
    assert any("loss_limit_of_benchmark" in change.terms for change in found.changes)
    gains = np.maximum(found.first, 0.0)
    np.testing.assert_allclose(np.maximum(found.second, 0.0), gains)


def test_a_label_that_is_not_there_offers_the_nearest():
    scenario = reading.read(SCENARIOS / "without_relief.yaml")
    with pytest.raises(ScenarioError, match="did you mean level_e"):
        attribution(scenario, "level_c", "levle_e")


def test_two_programs_are_not_parted_by_terms():
    path = SCENARIOS / "reach_2026_tightening.yaml"
    scenario = reading.read(path).model_copy()
    choices = dict(scenario.contracts)
    choices["py2026"] = choices["py2026"].model_copy(update={"program": "mssp", "option": "E"})
    mixed = scenario.model_copy(update={"contracts": choices})
    with pytest.raises(ScenarioError, match="are of reach and mssp; one is needed"):
        attribution(mixed, "py2025_rules", "py2026")


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("elections: {minimum_savings: 0.02}", "differ in elections, which no term says"),
        ("exit: {losses_in_a_row: 1}", "differ in exit, which no term says"),
    ],
)
def test_what_is_no_term_is_not_left_to_the_interaction(choice, said):
    other = f"contracts.other={{program: mssp, option: E, {choice}}}"
    scenario = reading.read(SCENARIOS / "without_relief.yaml", overrides=["trials=10", other])
    with pytest.raises(ScenarioError, match=said):
        attribution(scenario, "level_e", "other")
