import json

import numpy as np
import pytest
import xarray as xr

SCENARIO = """
name: lakeside
experience:
  trend: {mean: 0.04, sd: 0.016}
  effect: {mean: 0.0}
sources:
  experience.trend: Fitted on nothing; 7 ACOs.
  experience.trend.mean: Assumed.
reliances: [The data were typed by a friend.]
"""


def term(contract, name, status, also=()):
    row = {"contract": contract, "years": [2022], "program": "mssp", "term": name, "value": 0.5}
    row |= {"unit": "share", "status": status, "cite": f"page {name}"}
    return {**row, "also": list(also)} if also else row


def attributes(contracts, aco):
    also = [{"value": 0.6, "cite": "elsewhere"}]
    terms = [term(label, "rate", "published") for label in contracts]
    terms += [term(label, "limit", "assumed") for label in contracts[1:]]
    terms += [term(contracts[-1], "withhold", "reported", also)]
    observed = {"aco": aco, "year": 2022, "contract": contracts[1], "settlement_usd": 1_250_000.0}
    return {
        "name": "lakeside",
        "about": "Should Lakeside bear losses?",
        "seed": 11,
        "version": "0.1.0+0123abcd",
        "digest": "0123abcd4567",
        "path": "results/lakeside-0123abcd",
        "scenario": SCENARIO,
        "terms": json.dumps(terms),
        "observed": json.dumps([{**observed, "source": "a public file, row 12"}]),
    }


def settlements(shape, contracts):
    """Return a settlement's shape: nothing small, a mass at zero, twins among the contracts."""
    gross = np.random.default_rng(5).normal(2.0e6, 3.0e6, shape)
    clears = np.abs(gross) > 1.0e6
    rates = [(0.4, 0.0), (0.5, 0.3), (0.5, 0.3), (0.75, 0.4)]
    drawn = [
        clears * (gain * np.maximum(gross, 0.0) + loss * np.minimum(gross, 0.0))
        for gain, loss in (rates[place % 4] for place in range(len(contracts)))
    ]
    return np.stack(drawn, axis=-1).astype(np.float32)


@pytest.fixture
def make_run():
    """Return a function that makes a run as `results.open_run` would open it."""

    def make(
        trials=2_000,
        contracts=("one_sided", "shared", "twin", "full"),
        acos=("lakeside",),
        years=(2022,),
        cases=1,
    ):
        dims = ("case", "trial", "year", "aco", "contract")
        values = settlements((cases, trials, len(years), len(acos)), contracts)
        coords = {
            "case": range(cases),
            "trial": range(trials),
            "year": list(years),
            "aco": list(acos),
            "contract": list(contracts),
        }
        attrs = {**attributes(contracts, acos[0]), "trials": trials}
        coords["program"] = ("contract", ["mssp"] * len(contracts))
        run = xr.Dataset({"settlement_usd": (dims, values)}, coords, attrs)
        return run if cases > 1 else run.isel(case=0, drop=True)

    return make
