"""The same people through the years: exact margins, and years as alike as those who stay."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from simulator.sampling import aggregate, lives, persons
from simulator.sampling.aggregate import Cell
from simulator.sampling.lives import Stays
from simulator.sampling.severity import pooled, standard
from simulator.sampling.streams import Streams

ONE = standard("aged_nondual", 10_500.0)
POINT = float(ONE.exceeded(0.01))
STREAMS = Streams(20261122)
ALONE = Stays()


def drawn(people, trials, years=(2022, 2023, 2024), stays=ALONE, start=0):
    """Return truncated totals and excess by year: (total, year, trial)."""
    cells = {year: Cell(people, ONE, POINT) for year in years}
    counts = {year: np.full(trials, people) for year in years}
    found = lives.totals(cells, counts, stays, STREAMS, "a/b", range(start, start + trials))
    return np.stack([np.stack(found[year]) for year in years], axis=1)


@pytest.mark.parametrize("stays", [ALONE, Stays(0.7), Stays(0.7, 0.3)])
def test_a_years_totals_are_those_of_the_reference(stays):
    found = drawn(200, 12_000, (2022,), stays)[:, 0]
    reference = persons.totals([Cell(200, ONE, POINT)], STREAMS, "x", range(12_000))
    for one, other in zip(found, reference, strict=True):
        assert stats.ks_2samp(one, other[:, 0]).pvalue > 0.001


@pytest.mark.parametrize(("claims", "churn"), [(0.6, 0.0), (0.6, 0.3), (0.0, 0.0)])
def test_years_correlate_as_what_persons_spend_and_those_who_stay(claims, churn):
    rho = lives.score_correlation(ONE, POINT, claims)
    found = np.corrcoef(drawn(30, 20_000, stays=Stays(rho, churn))[0])[0]
    assert found[1] == pytest.approx(claims * (1.0 - churn), abs=4.0 / np.sqrt(20_000))


def test_the_aggregate_correlates_years_as_persons_do():
    rho, people, trials = lives.score_correlation(ONE, POINT, 0.6), 600, 4_000
    by_person = drawn(people, trials, stays=Stays(rho, 0.2))
    scores = STREAMS.normal("s", "x", range(trials), (3, 3))
    scores[:, 1] = 0.48 * scores[:, 0] + np.sqrt(1 - 0.48**2) * scores[:, 1]
    book = aggregate.book([Cell(people, ONE, POINT)])
    totals = [aggregate.totals(book, special.ndtr(scores[:, [y]])) for y in (0, 1)]
    found = [np.corrcoef(totals[0][k][:, 0], totals[1][k][:, 0])[0, 1] for k in (0, 1)]
    reference = [np.corrcoef(by_person[k])[0, 1] for k in (0, 1)]
    # Above the threshold persons persist less than below it; the aggregate has one persistence.
    assert found[0] == pytest.approx(reference[0], abs=5.0 / np.sqrt(trials))
    assert 0.0 < reference[1] < found[1] + 4.0 / np.sqrt(trials)


def test_score_correlations_give_the_correlation_asked_for():
    z = np.random.default_rng(1).normal(size=(2, 400_000))
    rho = lives.score_correlation(ONE, POINT, 0.6)
    other = rho * z[0] + np.sqrt(1 - rho**2) * z[1]
    spent = [np.minimum(ONE.exceeded(special.ndtr(-score)), POINT) for score in (z[0], other)]
    assert np.corrcoef(spent)[0, 1] == pytest.approx(0.6, abs=0.005)


@given(st.integers(0, 2**40), st.integers(0, 20), st.integers(0, 20))
def test_blocks_do_not_change_a_draw(start, first, second):
    stays = Stays(0.7, 0.2)
    whole = drawn(40, first + second, stays=stays, start=start)
    parts = [drawn(40, first, stays=stays, start=start)]
    parts.append(drawn(40, second, stays=stays, start=start + first))
    assert np.array_equal(whole, np.concatenate(parts, axis=-1))


def test_another_year_changes_no_draw():
    stays = Stays(0.7, 0.2)
    alone = drawn(40, 50, (2023,), stays)
    assert np.array_equal(drawn(40, 50, (2018, 2023, 2030), stays)[:, [1]], alone)


def test_more_people_leave_the_others_as_they_were():
    fewer, more = (drawn(n, 50).sum(axis=0) for n in (40, 41))
    assert np.all(more >= fewer)


# 28% of the costliest tenth of 2012 were in it in all of three years (Commonwealth Fund, 2019).
def test_as_many_of_the_default_book_stay_costly_as_published(proof):
    shares = {"esrd": 0.01, "disabled": 0.13, "aged_dual": 0.08, "aged_nondual": 0.78}
    means = {"esrd": 85_000, "disabled": 13_500, "aged_dual": 19_000, "aged_nondual": 10_500}
    kinds = {name: standard(name, means[name]) for name in shares}
    top = float(pooled(list(shares.values()), list(kinds.values())).exceeded(0.1))
    costly = []
    for name, one in kinds.items():
        people, point = round(400_000 * shares[name]), float(one.exceeded(0.01))
        stays = Stays(lives.score_correlation(one, point, 0.6))
        cells = {year: Cell(1, one) for year in (2012, 2013, 2014)}
        counts = dict.fromkeys(cells, np.ones(people))
        found = lives.totals(cells, counts, stays, STREAMS, name, range(people))
        costly.append(np.stack([found[year][0] > top for year in cells]))
    every = np.concatenate(costly, axis=1)
    share = every.all(axis=0).sum() / every[0].sum()
    proof("of the costliest tenth, in it all three years", f"{share:.1%}; published 28%")
    assert share == pytest.approx(0.28, abs=0.03)
