import numpy as np
import pytest
import xarray as xr

from simulator.analysis.paired import advantage, paired
from simulator.errors import ResultsError


def run():
    rng = np.random.default_rng(3)
    common = rng.normal(size=5_000)
    settlements = np.stack([common, common + 0.1, common], axis=1)
    lines = {"settlement_usd": (("trial", "contract"), settlements)}
    return xr.Dataset(lines, coords={"contract": ["stay", "move", "same"]})


def test_a_difference_on_the_same_draws_loses_what_both_share():
    said = advantage(paired(run(), "move", "stay").settlement_usd)
    assert float(said.mean_usd) == pytest.approx(0.1)
    assert float(said.mean_error_usd) == pytest.approx(0.0, abs=1e-12)
    assert float(said.wins_share) == 1.0


def test_a_difference_keeps_every_dim_but_the_contract():
    assert paired(run(), "move", "stay").settlement_usd.dims == ("trial",)


def test_equal_contracts_neither_win_nor_lose():
    said = advantage(paired(run(), "same", "stay").settlement_usd)
    assert (float(said.wins_share), float(said.loses_share)) == (0.0, 0.0)


def test_turning_the_pair_turns_the_sign():
    there = advantage(paired(run(), "move", "stay").settlement_usd)
    back = advantage(paired(run(), "stay", "move").settlement_usd)
    assert float(there.mean_usd) == -float(back.mean_usd)
    assert float(there.wins_share) == float(back.loses_share)


def test_a_contract_that_is_not_in_the_run_is_named_with_the_nearest():
    with pytest.raises(ResultsError, match=r"'mov' is not in the run; .* did you mean move"):
        paired(run(), "mov", "stay")
