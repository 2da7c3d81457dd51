"""Payouts of person-level stop-loss against people drawn one by one, and in step with totals."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np
import pytest
from scipy import special

from simulator.population import project
from simulator.sampling import aggregate
from simulator.sampling.persons import Cell
from simulator.sampling.severity import Severity, standard
from simulator.sampling.stop_loss import Address, Layers, Moved, payouts
from simulator.sampling.streams import Streams
from simulator.sampling.world import draw
from simulator.scenario.schema import Aco
from tests.sampling.people import MARKET, aco, experience

SPREAD, CORRELATION = float(np.sqrt(np.log1p(0.9**2))), 0.45
NEEDS = frozenset({"raw_stop_loss_payout_usd", "expenditure_ppy"})
ELECTION = {"attachment_usd": [100_000, 250_000], "payout_share": [0.8, 1.0], "charge_ppy": 100}


@lru_cache
def spending(severity: Severity) -> Callable[[np.ndarray], np.ndarray]:
    """Return a table of the amounts that shares of people exceed, to a millionth."""
    places = np.linspace(-40.0, 0.0, 400_001)
    amounts = severity.exceeded(np.exp(places))
    return lambda shares: np.interp(np.log(shares), places, amounts)


def layers(*attach: float) -> Layers:
    return Layers(np.array(attach), np.array([0.8, 1.0]), SPREAD, CORRELATION)


def drawn(
    cell: Cell, law: Layers, predicted: float, trials: int, factor: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return payouts and totals of a year, as the engine draws them."""
    streams, who = Streams(7), "a/2022/x"
    scores = streams.uniform(aggregate.STREAM, who, range(trials), (3,))
    moved = Moved(np.full(trials, factor), np.full(trials, predicted))
    paid = payouts(cell, scores, law, moved, Address(streams, who, range(trials)))
    below, above = aggregate.totals(aggregate.book([cell]), scores[:, None, :])
    return paid, factor * (below + above)[:, 0]


def one_by_one(
    cell: Cell, law: Layers, predicted: float, trials: int, factor: float = 1.0
) -> np.ndarray:
    """Return payouts of people drawn one by one: all who can spend the first attachment point."""
    rng = np.random.default_rng(20221231)
    reach = float(cell.severity.survival(law.attach[0] / factor))
    counts = rng.binomial(cell.persons, reach, trials)
    paid = np.zeros(trials)
    for first in range(0, trials, 2_000):
        some = counts[first : first + 2_000]
        shares = reach * (1.0 - rng.random(some.sum()))
        trial = np.repeat(np.arange(len(some)), some)
        amounts = _paid(cell.severity, law, shares, factor, predicted, rng)
        paid[first : first + 2_000] = np.bincount(trial, amounts, len(some))
    return paid


def _paid(
    severity: Severity,
    law: Layers,
    shares: np.ndarray,
    factor: float,
    predicted: float,
    rng: np.random.Generator,
) -> np.ndarray:
    scores = CORRELATION * -special.ndtri(shares)
    scores += np.sqrt(1.0 - CORRELATION**2) * rng.standard_normal(len(shares))
    own = predicted * np.exp(SPREAD * scores - SPREAD**2 / 2.0)
    residual = factor * spending(severity)(shares) - own
    ends: Sequence[float] = [*law.attach[1:], np.inf]
    bands = zip(law.attach, ends, law.rates, strict=True)
    return sum(rate * np.clip(residual - low, 0.0, high - low) for low, high, rate in bands)


MEASURES: Mapping[str, Callable[[np.ndarray], float]] = {
    "mean": lambda x: float(x.mean()),
    "sd": lambda x: float(x.std()),
    "p99": lambda x: float(np.quantile(x, 0.99)),
}


def assert_alike(found: np.ndarray, reference: np.ndarray) -> str:
    """Compare mean, sd and 99th percentile within four standard errors; say how they stand."""
    errors = {
        "mean": [x.std() / np.sqrt(len(x)) for x in (found, reference)],
        "sd": [_error_of_sd(x) for x in (found, reference)],
        "p99": [_error_of_p99(x) for x in (found, reference)],
    }
    away, told = {}, []
    for name, measure in MEASURES.items():
        mine, theirs = measure(found), measure(reference)
        away[name] = (mine - theirs) / float(np.hypot(*errors[name]))
        told.append(f"{name} ${mine:,.0f} and ${theirs:,.0f} ({away[name]:+.1f} standard errors)")
    assert max(map(abs, away.values())) < 4.0, told
    return ", ".join(told)


def _error_of_sd(x: np.ndarray) -> float:
    centred = np.square(x - x.mean())
    return float(centred.std() / (2.0 * x.std() * np.sqrt(len(x))))


def _error_of_p99(x: np.ndarray) -> float:
    density = 0.01 / np.diff(np.quantile(x, [0.985, 0.995]))[0]
    return float(np.sqrt(0.01 * 0.99 / len(x)) / density)


CASES = [
    ("aged_nondual", 1_000, 11_000.0, (100_000.0, 250_000.0)),
    ("aged_nondual", 5_000, 11_000.0, (60_000.0, 250_000.0)),
    ("esrd", 1_000, 90_000.0, (150_000.0, 300_000.0)),
]


@pytest.mark.parametrize(("kind", "persons", "mean", "attach"), CASES)
def test_payouts_are_those_of_people_drawn_one_by_one(kind, persons, mean, attach):
    cell, law = Cell(persons, standard(kind, mean)), layers(*attach)
    paid, _ = drawn(cell, law, mean, 6_000)
    assert_alike(paid, one_by_one(cell, law, mean, 20_000))


@pytest.mark.slow
@pytest.mark.parametrize("persons", [1_000, 5_000, 50_000])
def test_payouts_stand_the_long_comparison(persons, proof):
    cell, law = Cell(persons, standard("aged_nondual", 11_000.0)), layers(100_000.0, 250_000.0)
    trials = 100_000 if persons < 50_000 else 40_000
    paid, _ = drawn(cell, law, 11_000.0, trials)
    told = assert_alike(paid, one_by_one(cell, law, 11_000.0, 200_000))
    proof(f"stop-loss at {persons:,} lives: payouts in all and of people one by one", told)


def test_payouts_follow_what_moves_the_year():
    cell, law = Cell(5_000, standard("aged_nondual", 11_000.0)), layers(100_000.0, 250_000.0)
    paid, _ = drawn(cell, law, 12_000.0, 6_000, factor=1.15)
    assert_alike(paid, one_by_one(cell, law, 12_000.0, 20_000, factor=1.15))


def test_a_year_of_high_spending_is_one_of_high_payouts():
    cell, law = Cell(2_000, standard("aged_nondual", 11_000.0)), layers(100_000.0, 250_000.0)
    paid, total = drawn(cell, law, 11_000.0, 10_000)
    rng = np.random.default_rng(5)
    reference = np.empty((2, 3_000))
    for trial in range(3_000):
        shares = 1.0 - rng.random(cell.persons)
        reference[0, trial] = _paid(cell.severity, law, shares, 1.0, 11_000.0, rng).sum()
        reference[1, trial] = spending(cell.severity)(shares).sum()
    alike = [np.arctanh(np.corrcoef(pair)[0, 1]) for pair in ((paid, total), reference)]
    # Tails are heavy: the error of the correlation is about twice that of normal pairs.
    assert abs(alike[0] - alike[1]) < 4.0 * 2.0 * np.hypot(1e-2, 3_000**-0.5)


def test_nothing_is_paid_below_the_first_attachment_point():
    cell, law = Cell(3_000, standard("aged_nondual", 11_000.0)), layers(5e8, 6e8)
    paid, _ = drawn(cell, law, 11_000.0, 200)
    assert not paid.any()


def test_payouts_depend_on_their_trial_alone():
    cell, law = Cell(3_000, standard("aged_nondual", 11_000.0)), layers(100_000.0, 250_000.0)
    streams, who = Streams(7), "a/2022/x"

    def of(trials: range) -> np.ndarray:
        scores = streams.uniform(aggregate.STREAM, who, trials, (3,))
        moved = Moved(np.ones(len(trials)), np.full(len(trials), 11_000.0))
        return payouts(cell, scores, law, moved, Address(streams, who, trials))

    whole = of(range(3_000))
    parts = [of(range(first, first + 500)) for first in range(0, 3_000, 500)]
    assert np.array_equal(whole, np.concatenate(parts))


def test_only_who_elects_is_paid_and_nobody_elses_draws_change():
    plain, elects = aco(), Aco.model_validate(aco().model_dump() | {"stop_loss": ELECTION})
    needs, trials = NEEDS, range(500)
    both = draw(
        project({"a": elects, "b": plain}, MARKET, (2022,), 0.04),
        experience(),
        Streams(5),
        trials,
        needs,
    )
    paid = both.raw_stop_loss_payout_usd.sel(year=2022)
    assert (paid.sel(aco="a") > 0.0).all()
    assert not paid.sel(aco="b").any()
    assert not both.raw_stop_loss_payout_usd.sel(year=2018).any()
    without = draw(
        project({"a": plain, "b": plain}, MARKET, (2022,), 0.04),
        experience(),
        Streams(5),
        trials,
        needs,
    )
    assert np.array_equal(both.expenditure_ppy, without.expenditure_ppy)


def test_few_people_are_paid_one_by_one_as_the_law_of_many_says():
    small = aco(900.0, esrd=False, stop_loss={**ELECTION, "predicted_ppy": FLAT})
    expected = project({"a": small}, MARKET, (2022,), 0.04)
    law, trials = layers(100_000.0, 250_000.0), 4_000
    still = experience({"trend": {"sd": 0.0}})
    found = draw(expected, still, Streams(5), range(trials), NEEDS)
    spent = found.sel(year=2022, aco="a", segment="aged_nondual")
    severity = standard("aged_nondual", 1.0)
    whole = spent.expenditure_ppy.mean("trial").item()
    cell = Cell(round(spent.person_years.item()), severity.scaled_to(whole))
    assert_alike(spent.raw_stop_loss_payout_usd.values, one_by_one(cell, law, 11_000.0, 20_000))


FLAT = {"aged_nondual": {2022: 11_000.0}}
