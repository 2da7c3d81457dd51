import pickle

import dask
import dask.array as da
import numpy as np
import pytest
import xarray as xr

from simulator.analysis import columns
from simulator.analysis.accrual import accrual
from simulator.analysis.capital import Layer, at_risk, layer_price
from simulator.analysis.columns import by_column, gathered, held
from simulator.analysis.convergence import Measure, estimate, standard_error
from simulator.analysis.intervals import interval
from simulator.analysis.paired import advantage
from simulator.analysis.tail import quantiles, tail_value_at_risk

TRIALS = 200
ASKED = {
    "mean": lambda x: estimate(x, Measure("mean")),
    "error": lambda x: standard_error(x, Measure("quantile", 0.05)),
    "quantiles": lambda x: quantiles(x, [0.01, 0.5]),
    "tail": lambda x: tail_value_at_risk(x, 0.05),
    "interval": lambda x: interval(x, Measure("tail", 0.1)),
    "at_risk": at_risk,
    "layer_price": lambda x: layer_price(x, Layer(0.5, 1.0, 0.1)),
    "accrual": lambda x: accrual(x, 0.75),
    "advantage": advantage,
}


@pytest.fixture
def drawn():
    values = np.random.default_rng(1).normal(size=(TRIALS, 3, 4))
    return xr.DataArray(
        values,
        {"aco": list("abc"), "contract": list("pqrs"), "program": ("contract", list("xxyy"))},
        ("trial", "aco", "contract"),
    )


@pytest.mark.parametrize("asked", ASKED)
def test_what_is_made_of_some_columns_at_a_time_is_the_same(drawn, asked, monkeypatch):
    whole = ASKED[asked](drawn)
    monkeypatch.setattr(columns, "HELD", TRIALS)
    lazy = drawn.copy(data=da.from_array(drawn.values, chunks=(TRIALS, 3, 1)))
    pieces = drawn.chunk(trial=30)
    for apart in (ASKED[asked](drawn), ASKED[asked](lazy), ASKED[asked](pieces)):
        xr.testing.assert_allclose(apart.transpose(*whole.dims), whole, rtol=1e-12)


def test_no_more_is_in_memory_at_once_than_is_said(drawn, monkeypatch):
    monkeypatch.setattr(columns, "HELD", 2 * TRIALS)
    seen = []

    def mean(x):
        seen.append(x.size)
        return x.mean("trial")

    by_column(mean, drawn)
    assert max(seen) <= 2 * TRIALS
    assert sum(seen) == drawn.size


@pytest.mark.parametrize("most", [1, TRIALS, 10_000])
def test_what_is_lazy_is_put_together_from_its_pieces(drawn, most, monkeypatch):
    monkeypatch.setattr(columns, "HELD", most)
    total = (drawn.chunk(trial=30, contract=1).astype(np.float64) * 2.0).sum("aco")
    xr.testing.assert_identical(gathered(total), (drawn * 2.0).sum("aco"))
    assert gathered(drawn).data is drawn.data


def test_what_has_many_pieces_is_asked_for_a_few_times(drawn, monkeypatch):
    monkeypatch.setattr(columns, "HELD", drawn.size // 4)
    asked = []

    def seen(graph, keys, **_):
        asked.append(keys)
        return dask.get(graph, keys)

    with dask.config.set(scheduler=seen):
        found = gathered(drawn.chunk(trial=1))
    assert len(asked) == 4
    xr.testing.assert_identical(found, drawn)


def test_pieces_that_are_computed_by_other_processes_arrive(drawn, monkeypatch):
    monkeypatch.setattr(columns, "HELD", TRIALS)

    def elsewhere(graph, keys, **_):
        return dask.get(pickle.loads(pickle.dumps(graph)), keys)

    with dask.config.set(scheduler=elsewhere):
        found = gathered(drawn.chunk(trial=30) + 1.0)
    xr.testing.assert_identical(found, drawn + 1.0)


def test_a_chance_is_missing_where_a_trial_is(drawn):
    drawn[7, 0, 0] = np.nan
    for measure in (Measure("below"), Measure("above")):
        lacking = np.isnan(estimate(drawn, measure))
        assert lacking[0, 0]
        assert lacking.sum() == 1


def test_what_is_small_is_loaded_and_what_is_not_stays_lazy(drawn, monkeypatch):
    lazy = drawn.chunk()
    assert held(lazy).chunks is None
    monkeypatch.setattr(columns, "HELD", TRIALS)
    assert held(lazy).chunks is not None
