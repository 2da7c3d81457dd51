"""What a run shows is what the contracts settled: contract by contract, trial by trial."""

import numpy as np

from simulator import results
from simulator.engine.run import run
from simulator.engine.simulate import simulate
from simulator.engine.tracks import tracks
from simulator.scenario.sweep import cases
from tests.runs import small

LINES = ("benchmark_usd", "expenditure_usd", "gross_savings_usd", "settlement_usd")


def test_every_contract_of_an_opened_run_is_its_own_settlement(tmp_path):
    labels = ("level_a", "level_c", "level_e", "enhanced")
    scenario = small(300, labels)
    run(scenario, tmp_path, block=300)
    opened = results.open_run(next(tmp_path.glob("quickstart-*"))).compute()
    case = cases(scenario)[0]
    settled = simulate(case, tracks(case), range(300))
    for label in labels:
        for line in LINES:
            stored = opened[line].sel(contract=label).transpose(*settled[label][line].dims)
            np.testing.assert_allclose(stored, settled[label][line], rtol=1e-6, atol=1e-6)
    means = opened.settlement_usd.mean("trial").values.ravel()
    assert len(set(means.tolist())) > 2
