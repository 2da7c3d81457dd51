"""Stop-loss from its election in a scenario to the statement."""

import numpy as np

from simulator.engine.checking import check
from simulator.engine.simulate import simulate
from simulator.engine.tracks import tracks
from simulator.scenario.sweep import cases
from tests.runs import QUICKSTART

TIGHTENING = QUICKSTART.with_name("reach_2026_tightening.yaml")
ELECTION = "{attachment_usd: [150000, 300000], payout_share: [0.8, 1.0], charge_ppy: 120}"


def settled(*overrides):
    case = cases(check(TIGHTENING, overrides))[0]
    return simulate(case, tracks(case), range(60))["py2026"]


def test_an_election_charges_pays_and_changes_no_other_draw():
    plain = settled()
    elected = settled(f"population.riverside.stop_loss={ELECTION}")
    assert not plain.stop_loss_payout_usd.any()
    assert not plain.stop_loss_charge_usd.any()
    assert (elected.stop_loss_payout_usd > 0.0).all()
    assert (elected.stop_loss_charge_usd < 0.0).all()
    assert elected.expenditure_usd.equals(plain.expenditure_usd)
    moved = elected.gross_savings_usd - plain.gross_savings_usd
    net = elected.stop_loss_payout_usd + elected.stop_loss_charge_usd
    np.testing.assert_allclose(moved, net, rtol=0, atol=1e-3)
