"""How sure a run's figures are, against the figures themselves."""

import numpy as np
import pytest
import xarray as xr

from simulator.analysis.convergence import Measure
from simulator.analysis.intervals import interval
from simulator.report import convergence, plots


@pytest.fixture
def total():
    draws = np.random.default_rng(1).normal(1.0e6, 2.0e6, (512, 2)) * [1.0, 3.0]
    return xr.DataArray(draws, {"contract": ["a", "b"]}, ("trial", "contract"))


def test_errors_are_those_of_the_first_trials_halved_again_and_again(total):
    table = convergence.errors(total)
    assert table.trials.tolist() == [64, 64, 128, 128, 256, 256, 512, 512]
    row = table[(table.trials == 128) & (table.contract == "b")].iloc[0]
    first = total.sel(contract="b").values[:128]
    assert row["mean_usd"] == pytest.approx(first.mean())
    assert row["mean_error_usd"] == pytest.approx(first.std(ddof=1) / np.sqrt(128))


def test_replicates_keep_their_own_error_in_every_half(total):
    drawn = total.assign_coords(replicate=("trial", np.arange(512) % 8))
    row = convergence.errors(drawn).iloc[0]
    means = total.sel(contract="a").values[:64].reshape(8, 8).mean(axis=0)
    assert row["mean_error_usd"] == pytest.approx(means.std(ddof=1) / np.sqrt(8))


def test_intervals_are_those_of_the_analysis_in_the_digits_they_have(total):
    table = convergence.intervals(total)
    known = interval(total.sel(contract="a"), Measure("tail", 0.05))
    row = table[(table.measure == "tail95_usd") & (table.contract == "a")].iloc[0]
    assert [row["low"], row["high"]] == pytest.approx([float(known.low), float(known.high)])
    shown = convergence.panel(table)
    assert [row.label for row in shown.rows][2] == "Chance of owing, %"
    low, high = (float(x.replace(",", "")) for x in shown.rows[0].cells[0].value.split(" to "))
    mean = table[(table.measure == "mean_usd") & (table.contract == "a")].iloc[0]
    assert low == pytest.approx(mean["low"] / 1e6, abs=0.01)
    assert high == pytest.approx(mean["high"] / 1e6, abs=0.01)


def test_the_picture_draws_every_error_and_survives_a_constant(total):
    run = xr.Dataset({"settlement_usd": total})
    table = convergence.errors(total)
    dots = [line for line in plots.convergence(table, run).lines if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in dots] == [4, 4]
    errors = table[table.contract == "a"].mean_error_usd.to_numpy() / 1e6
    assert dots[0].get_ydata() == pytest.approx(errors)
    assert "<svg" in plots.svg(plots.convergence(convergence.errors(0.0 * total), run), {}, "")
