import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from simulator.sampling import persons, severity
from simulator.sampling.aggregate import book, draw
from simulator.sampling.persons import Cell, totals
from simulator.sampling.streams import Streams

STREAMS = Streams(20261122)
SHARES = {"esrd": 0.01, "disabled": 0.13, "aged_dual": 0.08, "aged_nondual": 0.78}
MEANS = {"esrd": 85_000, "disabled": 13_500, "aged_dual": 19_000, "aged_nondual": 10_500}
BATCHES = 40
MEASURES = {
    "mean": lambda x: x.mean(axis=-1),
    "sd": lambda x: x.std(axis=-1),
    "skewness": lambda x: stats.skew(x, axis=-1),
    **{f"{p}%": lambda x, p=p: np.percentile(x, p, axis=-1) for p in (1, 50, 99)},
}
FAR = {f"{p}%": lambda x, p=p: np.percentile(x, p, axis=-1) for p in (0.1, 99.9)}


def cells(lives):
    """Return the four types in their usual shares, each truncated at its 99th percentile."""
    made = []
    for name, share in SHARES.items():
        one = severity.standard(name, MEANS[name])
        made.append(Cell(round(lives * share), one, float(one.exceeded(0.01))))
    return made


def series(drawn):
    """Return truncated, excess and untruncated totals by cell and in all: (series, trial)."""
    truncated, excess = drawn
    by_cell = np.concatenate([truncated, excess, truncated + excess], axis=1)
    in_all = np.stack([truncated.sum(1), excess.sum(1), (truncated + excess).sum(1)], axis=1)
    return np.concatenate([by_cell, in_all], axis=1).T


def apart(first, second, measure):
    """Return by how many standard errors, from like batches, two samples' measures differ."""
    batch = second.shape[-1] // BATCHES
    found = [measure(x.reshape(*x.shape[:-1], -1, batch)) for x in (first, second)]
    error = np.sqrt(sum(x.var(axis=-1, ddof=1) / x.shape[-1] for x in found))
    difference = found[0].mean(axis=-1) - found[1].mean(axis=-1)
    return np.max(np.abs(difference) / np.maximum(error, 1e-12))


def correlation(pairs):
    """Return the correlation of the first with the second of each pair, by batch."""
    centred = pairs - pairs.mean(axis=-1, keepdims=True)
    both, squares = (centred[0] * centred[1]).mean(axis=-1), (centred**2).mean(axis=-1)
    return both / np.sqrt(squares[0] * squares[1])


def two_samples(lives, trials, reference):
    drawn = [draw(book(cells(lives)), STREAMS, "x", range(trials), scores(trials))]
    drawn.append(totals(cells(lives), STREAMS, "y", range(reference), workers=2))
    return drawn


def scores(trials):
    return STREAMS.uniform("claims", "x", range(trials), (4, 3))


@pytest.mark.parametrize("lives", [1_000, 5_000, 20_000])
def test_aggregate_and_persons_agree(lives):
    aggregate, reference = two_samples(lives, 80_000, 8_000)
    for name, measure in MEASURES.items():
        assert apart(series(aggregate), series(reference), measure) < 4.0, name
    assert apart(pairs(aggregate), pairs(reference), correlation) < 4.0


def pairs(drawn):
    """Return truncated totals beside excess, and beside untruncated, by type and in all."""
    truncated, excess = (np.vstack([x.T, x.sum(axis=1)]) for x in drawn)
    first = np.concatenate([truncated, truncated])
    return np.stack([first, np.concatenate([excess, truncated + excess])])


@pytest.mark.slow
@pytest.mark.parametrize("lives", [1_000, 5_000, 20_000])
def test_aggregate_and_persons_agree_over_a_million_trials(proof, lives):
    """Truncated, excess and untruncated totals, by enrolment type and in all."""
    aggregate, reference = two_samples(lives, 4_000_000, 1_000_000)
    both = series(aggregate), series(reference)
    off = {name: apart(*both, measure) for name, measure in {**MEASURES, **FAR}.items()}
    off["correlations"] = apart(pairs(aggregate), pairs(reference), correlation)
    told = ", ".join(f"{name} {value:.1f}" for name, value in off.items())
    proof(f"{lives:,} lives, 15 totals: at most so many standard errors apart", told)
    least = min(
        stats.ks_2samp(one[:1_000_000], other).pvalue for one, other in zip(*both, strict=True)
    )
    proof(f"{lives:,} lives, 15 totals: the least p of Kolmogorov and Smirnov", f"{least:.4f}")
    assert max(off.values()) < 4.0
    assert least > 0.001


@pytest.mark.parametrize("name", SHARES)
def test_one_person_is_drawn_from_the_severity(name):
    one = severity.standard(name, MEANS[name])
    alone = sum(totals([Cell(1, one, 3e4)], STREAMS, "x", range(50_000)))[:, 0]
    positive = (one.cdf(alone[alone > 0.0]) - one.p_zero) / (1.0 - one.p_zero)
    steps = 2.0 / 8_192  # below the top, amounts are those of bins
    assert abs((alone > 0).mean() - 1 + one.p_zero) < 0.004
    assert stats.kstest(positive, "uniform").statistic < 1.95 / np.sqrt(len(positive)) + steps


def test_truncated_and_excess_are_correlated_as_in_the_closed_form():
    cell = cells(5_000)[3]
    truncated, excess = totals([cell], STREAMS, "x", range(20_000), workers=2)
    share, above = cell.split.share, cell.split.excess_mean
    limited = cell.severity.limited_mean(cell.truncation)
    covariance = cell.persons * share * above * (cell.truncation - limited)
    exact = covariance / np.prod(cell.sds)
    assert np.corrcoef(truncated[:, 0], excess[:, 0])[0, 1] == pytest.approx(exact, abs=0.03)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**40), st.integers(0, 30), st.integers(0, 30), st.integers(1, 3))
def test_blocks_and_workers_do_not_change_a_draw(start, first, second, workers):
    people = cells(700)
    middle, end = start + first, start + first + second
    parts = [
        np.stack(totals(people, STREAMS, "x", range(*r))) for r in [(start, middle), (middle, end)]
    ]
    whole = np.stack(totals(people, STREAMS, "x", range(start, end), workers=workers))
    assert np.array_equal(whole, np.concatenate(parts, axis=1))


def test_one_person_more_leaves_the_others_as_they_were():
    one = severity.standard("aged_nondual", 10_500.0)
    fewer, more = (
        sum(totals([Cell(n, one, 1e5)], STREAMS, "x", range(300))) for n in (1_700, 1_701)
    )
    assert np.all(more >= fewer)


def test_cells_of_the_same_severity_are_different_people():
    one = Cell(50, severity.standard("aged_nondual", 10_500.0), 1e5)
    truncated, _ = totals([one, one], STREAMS, "x", range(2_000))
    assert abs(np.corrcoef(truncated.T)[0, 1]) < 0.09


def test_without_a_truncation_all_is_counted():
    one = severity.standard("esrd", 85_000.0)
    truncated, excess = totals([Cell(40, one)], STREAMS, "x", range(20_000))
    assert not excess.any()
    assert truncated.mean() == pytest.approx(40 * one.mean, rel=4 * 1.2 / np.sqrt(40 * 20_000))


def test_nobody_spends_nothing():
    one = severity.standard("esrd", 85_000.0)
    assert not np.any(persons.totals([Cell(0, one, 4e5)], STREAMS, "x", range(5)))
