"""Break-even against normal savings, whose closed forms are known."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from simulator.analysis.answers import Asked, Vary, answer
from simulator.analysis.breakeven import Goal, scan, solve
from simulator.analysis.convergence import Measure, estimate
from simulator.engine.checking import check
from simulator.errors import ScenarioError, SimulatorError
from simulator.scenario.sweep import cases
from tests.runs import QUICKSTART

N = 4_000
SD, GAIN = 4.0e6, 50.0e6  # each point of effect is worth half a million
WINS, OWES, MEAN = Measure("above"), Measure("below"), Measure("mean")


def normal_savings(seed, n=N):
    """Return all-shared savings of normal spending: mean (effect - 2%) of 50 million."""
    z = xr.DataArray(np.random.default_rng(seed).normal(size=n), dims="trial")
    return lambda effect: GAIN * (effect - 0.02) + SD * z


GOALS = {
    "wins half the time": (Goal(WINS, 0.5), 0.02, np.sqrt(np.pi / 2.0) * SD / GAIN),
    "owes in a tenth of trials": (
        Goal(OWES, 0.1),
        0.02 + stats.norm.ppf(0.9) * SD / GAIN,
        np.sqrt(0.09) / stats.norm.pdf(stats.norm.ppf(0.9)) * SD / GAIN,
    ),
    "mean of a million": (Goal(MEAN, 1.0e6), 0.04, SD / GAIN),
    "p5 of minus five million": (
        Goal(Measure("quantile", 0.05), -5.0e6),
        0.02 + (-5.0e6 + stats.norm.ppf(0.95) * SD) / GAIN,
        np.sqrt(0.0475) / stats.norm.pdf(stats.norm.ppf(0.05)) * SD / GAIN,
    ),
}


@pytest.mark.parametrize("name", GOALS)
def test_break_even_of_normal_savings_is_its_closed_form(name, proof):
    goal, known, spread = GOALS[name]
    (root,) = solve(normal_savings(1), goal, -0.1, 0.3).roots
    proof(
        f"Break-even effect of normal savings: {name}",
        f"{root.value:.5f} ±{root.error:.5f}, closed form {known:.5f} ±{spread / np.sqrt(N):.5f}",
    )
    assert abs(root.value - known) < 3.0 * root.error
    # The slope is taken over some standard errors of a step function: known to a tenth or so.
    assert root.error == pytest.approx(spread / np.sqrt(N), rel=0.15)
    assert (root.kind, root.vague) == ("crosses", False)


@pytest.mark.parametrize("name", GOALS)
def test_a_break_even_spreads_over_seeds_as_its_standard_error_says(name):
    goal, known, _ = GOALS[name]
    found = [solve(normal_savings(seed, 500), goal, -0.1, 0.3, 2).roots[0] for seed in range(40)]
    off = np.array([root.value - known for root in found])
    said = np.mean([root.error for root in found])
    # Of 40 the standard deviation is known to 11%, the mean to 16% of it.
    assert off.std(ddof=1) == pytest.approx(said, rel=0.35)
    assert abs(off.mean()) < 0.5 * said


def test_pairs_drawn_together_have_their_own_error():
    z = np.random.default_rng(2).normal(size=N // 2)
    mirrored = xr.DataArray(np.stack([z, -z], axis=1).ravel(), dims="trial")
    mirrored = mirrored.assign_coords(replicate=("trial", np.repeat(np.arange(N // 2), 2)))
    (root,) = solve(lambda x: GAIN * (x - 0.02) + SD * mirrored, Goal(MEAN, 0.0), -0.1, 0.3).roots
    assert root.value == pytest.approx(0.02)
    assert root.error < 1e-9


def test_every_crossing_is_found_in_order():
    z = xr.DataArray(np.random.default_rng(3).normal(size=N), dims="trial")
    found = solve(
        lambda x: (x - 1.0) * (x - 3.0) * (x - 6.0) + 0.01 * z, Goal(MEAN, 0.0), 0.0, 7.3
    )
    assert [root.value for root in found.roots] == pytest.approx([1.0, 3.0, 6.0], abs=0.001)


def test_no_crossing_says_what_it_is_at_both_ends():
    with pytest.raises(SimulatorError, match=r"it is 1.51\d+e\+06 \(±6.3e\+04\) at 0.05 and 1.4"):
        solve(normal_savings(4), Goal(MEAN, 0.0), 0.05, 0.3)
    with pytest.raises(SimulatorError, match="from 1 to 0 is empty"):
        solve(normal_savings(4), Goal(MEAN, 0.0), 1.0, 0.0)


def test_a_leap_over_the_goal_is_no_crossing():
    z = xr.DataArray(np.random.default_rng(5).normal(size=N), dims="trial")
    (root,) = solve(lambda x: np.where(x < 0.31, -5.0, 5.0) + z, Goal(MEAN, 0.0), 0.0, 1.0).roots
    assert root.kind == "jumps"
    assert root.low < 0.31 < root.high
    assert root.high - root.low < 0.001


def test_a_goal_that_holds_everywhere_or_hardly_moves_says_so():
    nothing = xr.DataArray(np.zeros(N), dims="trial")
    (root,) = solve(lambda x: 0.0 * x + nothing, Goal(MEAN, 0.0), 0.0, 1.0).roots
    assert (root.kind, root.low, root.high) == ("holds", 0.0, 1.0)
    z = xr.DataArray(np.random.default_rng(6).normal(size=N), dims="trial")
    z = z - z.mean()
    (root,) = solve(lambda x: z + 1e-4 * (x - 0.4), Goal(MEAN, 0.0), 0.0, 1.0).roots
    assert root.vague
    assert root.value == pytest.approx(0.4, abs=1e-3)


def test_a_value_that_meets_the_goal_by_chance_has_an_error_all_the_same():
    z = xr.DataArray([-1.5, -0.5, 0.5, 1.5] * 100, dims="trial")
    (root,) = solve(lambda x: x - 0.5 + z, Goal(MEAN, 0.0), 0.0, 1.0).roots
    assert (root.value, root.kind) == (0.5, "crosses")
    assert root.error == pytest.approx(np.sqrt(1.25 / 399))


def test_a_scan_is_the_measure_at_each_value():
    found = scan(normal_savings(1), Goal(MEAN, 0.0), [0.1, 0.0])
    assert [one.value for one in found] == [0.1, 0.0]
    assert found[0].found - found[1].found == pytest.approx(0.1 * GAIN)


def test_the_pay_at_a_solved_value_meets_the_goal_in_the_scenario_that_sets_it():
    scenario = check(QUICKSTART.with_name("without_relief.yaml"))
    asked, vary = Asked("level_e"), Vary(("experience.effect.mean",))
    (root,) = solve(
        lambda x: answer(vary.at(scenario, x), asked, 300), Goal(MEAN, 5.0e6), -0.05, 0.1, 3
    ).roots
    over = (f"experience.effect.mean={root.value!r}",)
    again = answer(cases(check(QUICKSTART.with_name("without_relief.yaml"), over))[0], asked, 300)
    assert float(estimate(again, MEAN)) == pytest.approx(5.0e6, abs=0.05 * root.error * root.slope)
    assert again.sizes == {"trial": 300}


def test_several_paths_take_a_factor_together():
    scenario = check(QUICKSTART)
    paths = ("population.*.persons.*", "population.*.segments.*.person_years.*")
    people = Vary(paths, "times").at(scenario, 0.5).scenario.population["covenant"]
    assert people.persons[2022] == pytest.approx(12_921 / 2)
    assert people.segments["esrd"].person_years[2022] == pytest.approx(52.0)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("experience.efect.mean", 0.1, r"--vary experience.efect.mean names nothing: .* effect"),
        ("experience.effect.mean", 3.0, r"--vary .* must lie between -1 and 1"),
        (
            "population.*.elections.minimum_savings",
            0.013,
            r"--vary makes .* is 0.013; must be one",
        ),
    ],
)
def test_a_path_or_value_that_cannot_be_is_refused(path, value, said):
    with pytest.raises(ScenarioError, match=said):
        Vary((path,)).at(check(QUICKSTART), value)


def test_a_contract_that_is_not_there_or_against_itself_is_refused():
    case = cases(check(QUICKSTART))[0]
    with pytest.raises(SimulatorError, match="'level_f' is not there; there are level_a"):
        answer(case, Asked("level_f"), 2)
    with pytest.raises(SimulatorError, match="name two contracts"):
        answer(case, Asked("level_e", "level_e"), 2)
