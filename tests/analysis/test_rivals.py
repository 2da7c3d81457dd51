"""What matters: rival values, one after another, on the same draws."""

import numpy as np
import pytest

from simulator.analysis.rivals import rivals, what_matters
from simulator.engine.checking import check
from simulator.engine.simulate import simulate
from simulator.engine.tracks import tracks
from simulator.errors import ResultsError
from simulator.scenario.sweep import cases
from tests.engine.test_exit import SCENARIO

TRIALS = 40
YEARS = "years=[2027, 2028]"


def case(*overrides):
    return cases(check(SCENARIO, (YEARS, *overrides)))[0]


@pytest.fixture(scope="module")
def asked():
    return what_matters(case(), TRIALS, ("lead_professional", "level_e"))


def test_every_rival_and_value_to_try_is_asked_once():
    found = rivals(tracks(case()))
    keys = [(one.program, one.term, repr(one.value)) for one in found]
    assert len(set(keys)) == len(keys)
    assert ("lead", "sequestration_on_losses", "'increase'") in keys
    assert ("lead", "savings_bands.rates.0", "0.5") in keys
    assert {one.program for one in found} == {"lead", "mssp"}
    # A term that both years have is changed in both.
    band = next(one for one in found if one.term == "savings_bands.rates.0")
    assert len(band.paths) == 2


def test_a_change_is_that_of_the_same_trials_settled_anew(asked):
    now, table = asked
    path = "rules={lead.*.professional.savings_bands.rates.0: {value: 0.5, why: test}}"
    worth = []
    for one in (case(), case(path)):
        made = simulate(one, tracks(one), range(TRIALS))
        lead = made["lead_professional"].economic_result_usd
        gap = (lead - made["level_e"].settlement_usd).sum("aco")
        factors = xr_factors(gap.year)
        worth.append((gap * factors).sum("year").values)
    moved = worth[1] - worth[0]
    row = table[table.term == "savings_bands.rates.0"].iloc[0]
    assert row.change_usd == pytest.approx(moved.mean())
    assert row.change_error_usd == pytest.approx(moved.std(ddof=1) / np.sqrt(TRIALS))
    assert row.then_usd == pytest.approx(worth[1].mean())
    assert now.mean_usd.tolist() == pytest.approx([worth[0].mean()])


def xr_factors(year):
    return 1.0 / 1.05 ** (year - 2027 + 2.0)


def test_the_ranking_is_by_the_size_of_the_change(asked):
    sizes = asked[1].change_usd.abs().tolist()
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 0.0


def test_a_contract_that_is_not_there_says_which_are():
    with pytest.raises(ResultsError, match="there are lead_global, lead_professional"):
        what_matters(case(), TRIALS, ("lead_globe", "level_e"))
