"""The long forms: sensitivity, break-even and layers against closed forms, each with its figures.

The savings are normal and all shared: what a contract pays is the effect in dollars, less what
the trend and the discount take, plus a normal deviate of four million.
"""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from simulator.analysis.breakeven import Goal, solve
from simulator.analysis.capital import LEVELS, Layer, at_risk, layer_price
from simulator.analysis.convergence import Measure
from simulator.analysis.sensitivity import sobol, tornado
from simulator.scenario.schema import Sample
from simulator.scenario.sweep import _spread

pytestmark = pytest.mark.slow

N, MEAN, SD = 400_000, 1.0e6, 4.0e6
PER_EFFECT, PER_TREND = 50.0e6, -120.0e6


@pytest.fixture(scope="module")
def deviates():
    return xr.DataArray(np.random.default_rng(11).normal(size=N), dims="trial")


def off(found, known, error):
    return f"{found:,.4g} ±{error:,.2g}, known {known:,.4g}"


def saltelli(n, paths):
    over = {f"x{i}": (0.0, 1.0) for i in range(paths)}
    return np.array(_spread(Sample(method="saltelli", n=n, over=over), 3))


@pytest.mark.parametrize("name", ["Ishigami", "Sobol' g"])
def test_indices_are_those_of_functions_that_have_known_ones(name, proof):
    if name == "Ishigami":
        # Ishigami and Homma 1990, a = 7, b = 0.1.
        x1, x2, x3 = (saltelli(1_024, 3) * 2.0 - 1.0).T * np.pi
        y = np.sin(x1) + 7.0 * np.sin(x2) ** 2 + 0.1 * x3**4 * np.sin(x1)
        first, total = [0.3139, 0.4424, 0.0], [0.5576, 0.4424, 0.2437]
    else:
        # Saltelli and Sobol' 1995: a product of (|4x - 2| + a) / (1 + a), a = 0, 1, 4.5, 9.
        a = np.array([0.0, 1.0, 4.5, 9.0])
        y = np.prod((np.abs(4.0 * saltelli(1_024, 4) - 2.0) + a) / (1.0 + a), axis=1)
        part = 1.0 / (3.0 * (1.0 + a) ** 2)
        whole = np.prod(1.0 + part) - 1.0
        first, total = part / whole, part * np.prod(1.0 + part) / (1.0 + part) / whole
    noise = np.random.default_rng(1).normal(0.0, 0.3, 50)
    answer = xr.DataArray(y[:, None] + noise, dims=("case", "trial"))
    table = sobol(answer, [f"x{i}" for i in range(len(first))])
    for kind, known in (("first", first), ("total", total)):
        error = (table[f"{kind}_high_share"] - table[f"{kind}_low_share"]) / 3.92
        rows = zip(table[f"{kind}_share"], known, error, strict=True)
        proof(f"{name}: {kind} indices", "; ".join(off(*row) for row in rows))
        assert (abs(table[f"{kind}_share"] - known) < 3.0 * error + 1e-9).all()
        assert (error < 0.06).all()


def test_a_tornado_is_slope_times_change_and_greys_what_is_noise(deviates, proof):
    at = [{}, {"effect": 0.0}, {"effect": 0.04}, {"trend": 0.01}, {"trend": -0.01}, {"luck": 1}]
    known = [0.0, -0.02 * PER_EFFECT, 0.02 * PER_EFFECT, 0.01 * PER_TREND, -0.01 * PER_TREND, 0.0]
    rng = np.random.default_rng(12)
    # Each case has a little noise of its own, as where a value changes who is drawn.
    own = [rng.normal(0.0, 0.1 * SD, 20_000) * bool(one) for one in at]
    held = deviates.values[:20_000]
    paid = [MEAN + change + SD * held + noise for change, noise in zip(known, own, strict=True)]
    table = tornado(xr.DataArray(np.array(paid), dims=("case", "trial")), at)
    rows = [
        (f"{r.path} {r.value}", off(r.change_usd, known[r.case], r.change_error_usd))
        for r in table.itertuples()
    ]
    proof("Tornado of normal savings, USD", "; ".join(f"{name}: {said}" for name, said in rows))
    gaps = np.array([r.change_usd - known[r.case] for r in table.itertuples()])
    assert (abs(gaps) < 3.5 * table.change_error_usd).all()
    assert table.path.tolist() == ["trend", "trend", "effect", "effect", "luck"]
    assert table.noise.tolist() == [False] * 4 + [True]


GOALS = {
    "P(pays more than nothing) = 50%": (Goal(Measure("above"), 0.5), 0.0, 0.5),
    "P(owes) = 5%": (Goal(Measure("below"), 0.05), stats.norm.ppf(0.95) * SD, 0.05),
    "mean = $2 million": (Goal(Measure("mean"), 2.0e6), 2.0e6, None),
    "p1 = -$6 million": (
        Goal(Measure("quantile", 0.01), -6.0e6),
        stats.norm.ppf(0.99) * SD - 6.0e6,
        0.01,
    ),
}


@pytest.mark.parametrize("name", GOALS)
def test_break_even_is_its_closed_form_within_its_error(name, deviates, proof):
    goal, wanted, share = GOALS[name]
    (root,) = solve(lambda x: PER_EFFECT * (x - 0.02) + SD * deviates, goal, -0.2, 0.4).roots
    known = 0.02 + wanted / PER_EFFECT
    spread = 1.0 if share is None else np.sqrt(share * (1 - share))
    spread /= 1.0 if share is None else stats.norm.pdf(stats.norm.ppf(share))
    error = spread * SD / PER_EFFECT / np.sqrt(N)
    proof(f"Break-even effect, {name}", f"{off(root.value, known, root.error)} ±{error:.2g}")
    assert abs(root.value - known) < 3.5 * root.error
    assert root.error == pytest.approx(error, rel=0.1)


@pytest.mark.parametrize(("attachment", "limit"), [(2e6, 3e6), (5e6, 5e6), (10e6, 5e6)])
def test_a_layer_has_its_closed_price(attachment, limit, deviates, proof):
    def beyond(point):
        z = (point + MEAN) / SD
        return SD * stats.norm.pdf(z) - (MEAN + point) * stats.norm.sf(z)

    said = layer_price(MEAN + SD * deviates, Layer(attachment, limit, 5.0e5))
    known = beyond(attachment) - beyond(attachment + limit)
    found, error = float(said.ceded_usd), float(said.ceded_error_usd)
    name = f"Pure premium of ${limit / 1e6:g} million beyond ${attachment / 1e6:g} million, USD"
    proof(name, off(found, known, error))
    assert abs(found - known) < 3.5 * error


def test_values_at_risk_are_the_normal_ones(deviates, proof):
    said = at_risk(MEAN + SD * deviates)
    z = stats.norm.ppf(LEVELS)
    known = {
        "value_at_risk": -MEAN + SD * z,
        "tail_value_at_risk": -MEAN + SD * stats.norm.pdf(z) / (1.0 - np.array(LEVELS)),
    }
    for name, values in known.items():
        found, error = said[f"{name}_usd"].values, said[f"{name}_error_usd"].values
        rows = (off(*row) for row in zip(found, values, error, strict=True))
        proof(f"{name.replace('_', ' ')} at 95, 99, 99.5%, USD", "; ".join(rows))
        assert (abs(found - values) < 3.5 * error).all()
