"""How far a run goes on for a standard error, and what that does to its means."""

import numpy as np
import pytest
import xarray as xr

from simulator.analysis.precision import Reached, Target, further, reached, target
from simulator.errors import ResultsError, SimulatorError


def run(paid, labels=("a", "b")):
    held = np.asarray(paid, dtype=np.float32)
    coords = {"contract": list(labels), "year": [2022], "aco": ["x"]}
    line = xr.DataArray(held[:, None, None, :], coords, ("trial", "year", "aco", "contract"))
    return xr.Dataset({"settlement_usd": line})


@pytest.mark.parametrize("said", ["", "some", "0", "-5", "nan", "inf", "0%"])
def test_a_target_that_is_no_amount_is_refused(said):
    with pytest.raises(SimulatorError, match="no dollars above 0, nor a share"):
        target(said)


def test_the_least_sure_contract_counts_or_the_one_that_is_named():
    paid = np.random.default_rng(1).normal([100.0, 10.0], [10.0, 5.0], (400, 2))
    seen = reached(run(paid), Target(0.4))
    assert (seen.contract, seen.met) == ("a", False)
    assert seen.error_usd == pytest.approx(0.5, rel=0.1)
    # Of its mean the other is known less well.
    relative = reached(run(paid), Target(0.01, relative=True))
    assert relative.contract == "b"
    assert relative.allowed_usd == pytest.approx(0.1, rel=0.1)
    assert reached(run(paid), Target(0.4, of="b")).met
    with pytest.raises(ResultsError, match="'c' is not in the run; it has a, b"):
        reached(run(paid), Target(1.0, of="c"))


def test_a_run_goes_on_in_whole_blocks_and_never_too_far():
    seen = Reached("a", 2.0, 1.0)
    assert further(1_000, seen, Target(1.0), 500, "independent") == 4_500
    assert further(1_000, seen, Target(1.0, most=4_100), 500, "independent") == 4_100
    assert further(1_001, seen, Target(1.0, most=4_101), 499, "antithetic") == 4_100
    assert further(1_024, seen, Target(1.0, most=4_100), 500, "sobol") == 2_048
    assert further(1_024, seen, Target(1.0, most=2_000), 500, "sobol") == 1_024
    assert further(1_000, seen, Target(1.0, most=1_000), 500, "independent") == 1_000
    assert further(1_000, seen, Target(1.0, most=900), 500, "independent") == 1_000
    assert further(1_000, Reached("a", 1.0, 1.0), Target(1.0), 500, "independent") == 1_000
    just = Reached("a", 1.001, 1.0)
    assert further(1_000, just, Target(1.0), 10, "independent") == 1_040


def test_looking_at_the_spread_biases_a_skewed_mean_less_than_a_tenth_of_its_error(proof):
    # Lognormal of sigma 1, skewness 6.2: far more skewed than a settlement.
    rng, mean, sd = np.random.default_rng(2), np.exp(0.5), np.exp(0.5) * np.sqrt(np.e - 1.0)
    asked = Target(sd / np.sqrt(2_000.0))
    off = []
    for _ in range(2_000):
        drawn = rng.lognormal(size=20_000)
        now, more = 0, 500
        while more > now:
            now = more
            seen = Reached("a", float(drawn[:now].std(ddof=1) / np.sqrt(now)), asked.error)
            more = further(now, seen, asked, 100, "independent")
        off.append((drawn[:now].mean() - mean) / asked.error)
    bias, error = np.mean(off), np.std(off) / np.sqrt(len(off))
    proof(
        "Bias of the mean of a run stopped by its standard error, in standard errors",
        f"{bias:.3f} ±{error:.3f} (lognormal, 500 trials to begin with, some 2,000 at the end)",
    )
    assert abs(bias) < 0.1 + 3.0 * error
    assert np.std(off) == pytest.approx(1.0, rel=0.1)
