import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from simulator.errors import SimulatorError
from simulator.sampling import aggregate, persons, severity
from simulator.sampling.aggregate import Cell, book, draw, expected, spread, totals
from simulator.sampling.streams import Streams

STREAMS = Streams(20261122)
SHARES = {"esrd": 0.01, "disabled": 0.13, "aged_dual": 0.08, "aged_nondual": 0.78}
MEANS = {"esrd": 85_000, "disabled": 13_500, "aged_dual": 19_000, "aged_nondual": 10_500}
U = st.floats(1e-12, 1 - 1e-12)


def cells(lives):
    """Return the four types in their usual shares, each truncated at its 99th percentile."""
    made = []
    for name, share in SHARES.items():
        one = severity.standard(name, MEANS[name])
        made.append(Cell(round(lives * share), one, float(one.exceeded(0.01))))
    return made


def standard_errors(people, drawn):
    """Return by how many standard errors the means of both totals depart from the exact ones."""
    means, trials = np.mean(drawn, axis=1), len(drawn[0])
    return np.abs(means - expected(people)) / (np.stack(spread(people)) / np.sqrt(trials))


@pytest.mark.parametrize("lives", [1_000, 20_000, 200_000, 1_000_000])
def test_means_are_those_of_the_closed_form(lives):
    people = book(cells(lives))
    drawn = draw(people, STREAMS, "x", range(40_000))
    assert np.max(standard_errors(people, drawn)) < 4.0


@pytest.mark.parametrize("lives", [1_000, 20_000, 200_000, 1_000_000])
def test_the_truncated_spread_is_that_of_the_closed_form(lives):
    people = book(cells(lives))
    truncated, _ = draw(people, STREAMS, "x", range(40_000))
    assert truncated.std(axis=0) == pytest.approx(spread(people)[0], rel=4.5 * (2 * 4e4) ** -0.5)


def test_the_spread_per_person_falls_with_the_root_of_the_number():
    small, large = spread(book(cells(5_000))), spread(book(cells(500_000)))
    assert np.stack(large) == pytest.approx(10.0 * np.stack(small))


@settings(deadline=None)
@given(st.integers(0, 2**40), st.integers(0, 200), st.integers(0, 200))
def test_blocks_do_not_change_a_draw(start, first, second):
    people = book(cells(5_000))
    ranges = (start, start + first), (start + first, start + first + second)
    parts = [np.stack(draw(people, STREAMS, "x", range(*r))) for r in ranges]
    whole = np.stack(draw(people, STREAMS, "x", range(start, start + first + second)))
    assert np.array_equal(whole, np.concatenate(parts, axis=1))


def test_draw_takes_its_uniforms_from_the_stream_of_claims():
    people = book(cells(5_000))
    scores = STREAMS.uniform("claims", "x", range(500), (4, 3))
    assert np.array_equal(draw(people, STREAMS, "x", range(500)), totals(people, scores))


def test_scores_given_replace_those_of_the_streams():
    people = book(cells(500))
    scores = STREAMS.uniform("other", "x", range(500), (4, 3))
    drawn = draw(people, STREAMS, "x", range(500), scores)
    assert np.array_equal(drawn, totals(people, scores))


@pytest.mark.parametrize("persons_", [1, 5, 40, 64, 65, 100, 3_000, 100_000])
@settings(deadline=None, max_examples=50)
@given(low=st.tuples(U, U, U), high=st.tuples(U, U, U))
def test_totals_rise_with_every_score(persons_, low, high):
    one = severity.standard("aged_nondual", 10_500.0)
    people = book([Cell(persons_, one, float(one.exceeded(0.01)))])
    scores = np.array([np.minimum(low, high), np.maximum(low, high)])[:, None, :]
    truncated, excess = totals(people, scores)
    scale = 1e-9 * persons_ * 10_500.0
    assert np.all(np.diff(truncated, axis=0) >= -scale)
    assert np.all(np.diff(excess, axis=0) >= -scale)


def test_without_a_truncation_all_is_counted():
    one = severity.standard("aged_nondual", 10_500.0)
    cut = book([Cell(3_000, one, float(one.exceeded(0.01)))])
    scores = STREAMS.uniform("a", "b", range(1_000), (1, 3))
    whole, none = totals(book([Cell(3_000, one)]), scores)
    assert np.array_equal(whole, sum(totals(cut, scores)))
    assert not none.any()


def test_nobody_spends_nothing():
    one = severity.standard("esrd", 85_000.0)
    drawn = totals(book([Cell(0, one, 4e5)]), np.full((2, 1, 3), 0.9))
    assert np.array_equal(drawn, np.zeros((2, 2, 1)))


def test_a_low_truncation_leaves_most_to_the_excess():
    one = severity.gamma(10_000.0, cv=1.5)
    people = book([Cell(500, one, 3_000.0)])
    drawn = totals(people, STREAMS.uniform("a", "b", range(40_000), (1, 3)))
    assert np.max(standard_errors(people, drawn)) < 4.0


@pytest.mark.parametrize(
    "one",
    [
        severity.gamma(10_000.0, cv=2.0, p_zero=0.05),
        severity.gb2(10_000.0, a=1.2, p=0.8, q=3.0, p_zero=0.05),
        severity.lognormal_pareto(10_000.0, cv=2.0, tail_share=0.02, tail_index=3.0),
        severity.empirical(np.random.default_rng(1).lognormal(8.0, 1.5, 5_000)),
    ],
)
@pytest.mark.parametrize("lives", [40, 2_000])
def test_every_family_keeps_its_means(one, lives):
    people = book([Cell(lives, one, float(one.exceeded(0.01)))])
    drawn = totals(people, STREAMS.uniform("a", "b", range(40_000), (1, 3)))
    assert np.max(standard_errors(people, drawn)) < 4.0


def test_few_people_are_drawn_one_by_one():
    people = book(cells(900))
    assert people.by_person
    assert np.array_equal(
        draw(people, STREAMS, "x", range(50)),
        persons.totals(people.cells, STREAMS, "x", range(50)),
    )


@pytest.mark.parametrize("scores", [np.full((2, 3), 0.5), np.full((2, 4, 3), np.nan)])
def test_scores_out_of_shape_or_range_are_refused(scores):
    with pytest.raises(SimulatorError, match="allowed is"):
        totals(book(cells(5_000)), scores)


@pytest.mark.parametrize(("n", "truncation"), [(-1, 1.0), (5, 0.0), (5, np.nan)])
def test_a_cell_without_a_law_is_refused(n, truncation):
    with pytest.raises(SimulatorError, match="allowed are"):
        Cell(n, severity.gamma(1.0, cv=1.0), truncation)


def test_the_tables_are_made_once():
    assert aggregate.book(cells(5_000)) is aggregate.book(cells(5_000))


def test_cells_drawn_together_are_those_drawn_apart():
    people = cells(5_000)
    together = [*people, people[1], Cell(40, people[0].severity, 4e5)]
    scores = STREAMS.uniform("scores", "x", range(600), (len(together), 3))
    whole = np.stack(totals(book(together), scores))
    for j, cell in enumerate(together):
        apart = np.stack(totals(book([cell]), scores[:, j : j + 1]))
        assert np.array_equal(whole[..., j : j + 1], apart)


def test_an_aco_without_cells_is_refused():
    with pytest.raises(SimulatorError, match="no cells"):
        book([])


def nodes(cell, series):
    """Return one person's truncated, excess or untruncated spending as values and chances."""
    one, point = cell.severity, cell.truncation
    far = float(one.exceeded(1e-13))
    edges = np.append(0.0, np.geomspace(1.0, point, 3_000))
    beyond = np.geomspace(point, far, 2_000)
    lower, upper = (-np.diff(one.above(edges, order)) for order in (0, 1))
    mass, first = (-np.diff(np.append(one.above(beyond, order), 0.0)) for order in (0, 1))
    low = np.append(0.0, upper / lower), np.append(one.p_zero, lower)
    held = mass > 0.0
    high = first[held] / mass[held], mass[held]
    if series == "truncated":
        return np.append(low[0], point), np.append(low[1], one.survival(point))
    if series == "excess":
        return np.append(0.0, high[0] - point), np.append(1.0 - one.survival(point), high[1])
    return np.concatenate([low[0], high[0]]), np.concatenate([low[1], high[1]])


def inverted(cells_, series, drawn):
    """Return the distribution function at what was drawn (Gil-Pelaez), and exact moments.

    The characteristic function of the total is the product of those of the persons.
    """
    laws = [(cell.persons, *nodes(cell, series)) for cell in cells_]
    central = [(n, w @ v, w @ (v - w @ v) ** 2, w @ (v - w @ v) ** 3) for n, v, w in laws]
    mean, variance, third = (sum(n * row[k] for n, *row in central) for k in range(3))
    sd = np.sqrt(variance)
    t = np.arange(0.5, 900.0) * 0.01
    logs = sum(n * np.log(np.exp(1j * np.outer(t / sd, v - w @ v)) @ w) for n, v, w in laws)
    x = np.linspace(-8.0, 8.0, 3_201)
    waves = np.exp(logs[None, :] - 1j * np.outer(x, t))
    cdf = 0.5 - (waves.imag / t).sum(axis=1) * 0.01 / np.pi
    return np.interp((drawn - mean) / sd, x, cdf), mean, sd, third / sd**3


def moments_off(z, skewness):
    """Return how many standard errors mean, sd and skewness are off zero, one and as given."""
    shape = z**3 - 3.0 * z - 1.5 * skewness * (z**2 - 1.0) - skewness
    influences = z, (z**2 - 1.0) / 2.0, shape
    gaps = z.mean(), z.std() - 1.0, float(stats.skew(z)) - skewness
    pairs_ = zip(gaps, influences, strict=True)
    return [float(gap / influence.std() * np.sqrt(len(z))) for gap, influence in pairs_]


@pytest.mark.slow
@pytest.mark.parametrize("lives", [200_000, 1_000_000])
def test_large_acos_follow_the_inverted_distribution_and_exact_moments(proof, lives):
    trials, people = 1_000_000, cells(lives)
    drawn = draw(book(people), STREAMS, "large", range(trials))
    totals_ = dict(zip(("truncated", "excess"), drawn, strict=True)) | {"untruncated": sum(drawn)}
    groups = {"all": range(4)} | {name: [j] for j, name in enumerate(SHARES)}
    for name, columns in groups.items():
        for series, values in totals_.items():
            total = values[:, list(columns)].sum(axis=1)
            u, mean, sd, skewness = inverted([people[j] for j in columns], series, total)
            p = float(stats.kstest(u, "uniform").pvalue)
            off = moments_off((total - mean) / sd, skewness)
            moments = ", ".join(f"{z:+.1f}" for z in off)
            proof(
                f"{lives:,} lives, {name}, {series}, against the inverted law and exact moments",
                f"KS p {p:.3f}; mean, sd, skewness off by {moments} standard errors",
            )
            assert p > 0.001
            assert max(map(abs, off)) < 4.0
