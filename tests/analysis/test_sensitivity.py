"""Sensitivity against functions whose answers are known."""

import numpy as np
import pytest
import xarray as xr

from simulator.analysis.sensitivity import answer, settings, sobol, tornado
from simulator.engine.checking import check
from simulator.engine.run import run
from simulator.errors import ResultsError
from simulator.scenario.sweep import cases
from tests.runs import QUICKSTART, small

PATHS = ["x1", "x2", "x3"]


def by_case(values):
    return xr.DataArray(np.asarray(values), dims=("case", "trial"))


def saltelli(n, overrides=()):
    over = ", ".join(
        f"{path}: [0.0, 1.0]"
        for path in ("experience.quality.mean", "experience.circumstances.chance",
                     "experience.cyberattack.chance")
    )  # fmt: skip
    sweep = f"sweep={{sample: {{method: saltelli, n: {n}, over: {{{over}}}}}}}"
    points = cases(check(QUICKSTART, (sweep, *overrides)))
    return np.array([list(case.swept.values()) for case in points])


def test_indices_are_those_of_ishigami_at_the_cases_of_a_saltelli_sweep():
    # Ishigami and Homma 1990, a = 7, b = 0.1.
    x1, x2, x3 = (saltelli(256) * 2.0 - 1.0).T * np.pi
    y = np.sin(x1) + 7.0 * np.sin(x2) ** 2 + 0.1 * x3**4 * np.sin(x1)
    noise = np.random.default_rng(1).normal(size=50)
    table = sobol(by_case(y[:, None] + noise), PATHS)
    first, total = [0.3139, 0.4424, 0.0], [0.5576, 0.4424, 0.2437]
    # Half the width of a 95% interval is 1.96 standard errors.
    for kind, known in (("first", first), ("total", total)):
        low, high = table[f"{kind}_low_share"], table[f"{kind}_high_share"]
        error = (high - low) / 3.92
        assert (abs(table[f"{kind}_share"] - known) < 3.0 * error).all()
        assert (error < 0.1).all()


def test_indices_of_a_sum_are_its_shares_of_variance():
    points = saltelli(128)
    table = sobol(by_case((points @ [1.0, 2.0, 0.0])[:, None] * np.ones(4)), PATHS)
    assert table.first_share.tolist() == pytest.approx([0.2, 0.8, 0.0], abs=0.02)
    assert table.total_share.tolist() == pytest.approx([0.2, 0.8, 0.0], abs=0.02)


def test_intervals_repeat_and_widen_with_fewer_trials():
    points, rng = saltelli(16), np.random.default_rng(2)
    slopes = rng.normal(1.0, 1.0, (3, 400))
    wide, narrow = (by_case(points @ slopes[:, :n]) for n in (10, 400))
    assert sobol(wide, PATHS).equals(sobol(wide, PATHS))
    width = [t.total_high_share - t.total_low_share for t in (sobol(wide, PATHS),
                                                              sobol(narrow, PATHS))]  # fmt: skip
    assert (width[0] > width[1]).all()


def test_cases_that_are_no_saltelli_sample_or_never_move_are_refused():
    with pytest.raises(ResultsError, match="7 cases of 3 paths are no saltelli sample"):
        sobol(by_case(np.zeros((7, 2))), PATHS)
    with pytest.raises(ResultsError, match="the same in all cases"):
        sobol(by_case(np.ones((20, 2))), PATHS)


def test_a_tornado_of_normal_savings_is_slope_times_change():
    z = np.random.default_rng(3).normal(size=4_000)
    at = [{}, {"trend": 0.02}, {"trend": -0.01}, {"effect": 0.03}, {"noise": 1}, {"a": 1, "b": 2}]
    moves = [0.0, -2.0, 1.0, 3.0, 0.0, 9.0]
    spread = np.random.default_rng(4).normal(size=4_000)
    paid = np.array([m + z + (spread if "noise" in one else 0.0)
                     for m, one in zip(moves, at, strict=True)])  # fmt: skip
    table = tornado(by_case(paid), at)
    assert table.path.tolist() == ["effect", "trend", "trend", "noise"]
    assert table.end.tolist() == ["high", "low", "high", "high"]
    assert table.change_usd.tolist()[:3] == pytest.approx([3.0, 1.0, -2.0])
    assert table.change_error_usd.tolist()[:3] == pytest.approx([0.0] * 3, abs=1e-12)
    assert table.change_error_usd[3] == pytest.approx(1.0 / np.sqrt(4_000), rel=0.05)
    assert table.noise.tolist() == [False, False, False, True]
    assert table.attrs["left_out"] == 1


def test_a_tornado_may_be_held_against_any_case_of_a_grid():
    at = [{"t": t, "q": q} for t in (1, 2, 3) for q in (0.5, 0.6)]
    paid = np.array([[10.0 * one["t"] + one["q"]] * 3 for one in at])
    table = tornado(by_case(paid), at, base=2)
    assert table.value.tolist() == [1, 3, 0.6]
    assert table.end.tolist() == ["low", "high", "high"]
    assert table.change_usd.tolist() == pytest.approx([-10.0, 10.0, 0.1])


def test_cases_that_all_differ_in_several_paths_are_refused():
    with pytest.raises(ResultsError, match="no case differs from case 0 in one path alone"):
        tornado(by_case(np.zeros((2, 2))), [{"a": 1, "b": 1}, {"a": 2, "b": 2}])


def test_a_run_of_a_sweep_gives_its_tornado(tmp_path):
    sweep = {
        "list": {
            "base": {},
            "low": {"experience.quality.mean": 0.5},
            "saves": {"experience.deviation.mean": {"plus": -0.02}},
        }
    }
    raw = small(60).model_dump() | {"sweep": sweep}
    scenario = type(small()).model_validate(raw)
    opened = run(scenario, out=tmp_path)
    at = settings(scenario)
    assert [*at[1]] == ["experience.quality.mean"]
    paid = answer(opened, "enhanced", "level_e")
    lines = opened.settlement_usd.astype(float).sum(["year", "aco"])
    gap = lines.sel(contract="enhanced") - lines.sel(contract="level_e")
    table = tornado(paid, at)
    assert table.path[0] == "experience.deviation.mean"
    moved = (gap.isel(case=2) - gap.isel(case=0)).values
    assert table.change_usd[0] == pytest.approx(moved.mean())
    assert table.change_error_usd[0] == pytest.approx(moved.std(ddof=1) / np.sqrt(60))
