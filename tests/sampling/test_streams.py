import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtri

from simulator.errors import SimulatorError
from simulator.sampling.streams import Streams, philox

ONES = 0xFFFFFFFF
# kat_vectors of Random123: philox 4x32, 10 rounds.
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES,) * 4, (ONES,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
GOLDEN = [[0.7742067450044335, 0.5754666750320435], [0.818180001200857, 0.4980873328256329]]
NAMES = st.text(max_size=12)


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_philox_gives_the_published_answers(counter, key, expected):
    words = philox(tuple(np.uint64(c) for c in counter), tuple(np.uint64(k) for k in key))
    assert tuple(int(word) for word in words) == expected


@settings(deadline=None)
@given(st.integers(0, 2**40), st.integers(0, 300), st.integers(0, 300))
def test_blocks_do_not_change_a_draw(start, first, second):
    streams = Streams(5)
    whole = streams.uniform("trend", "market", range(start, start + first + second), (3,))
    left = streams.uniform("trend", "market", range(start, start + first), (3,))
    right = streams.uniform("trend", "market", range(start + first, start + first + second), (3,))
    assert np.array_equal(whole, np.concatenate([left, right]))


def test_more_trials_begin_with_the_fewer():
    streams = Streams(5)
    many, few = (streams.uniform("a", "b", range(n)) for n in (8_000, 5_000))
    assert np.array_equal(many[:5_000], few)


@settings(deadline=None)
@given(st.integers(0, 9), st.integers(0, 9))
def test_a_larger_shape_begins_with_the_smaller(small, more):
    streams = Streams(5)
    wide = streams.uniform("a", "b", range(17), (small + more,))
    assert np.array_equal(wide[:, :small], streams.uniform("a", "b", range(17), (small,)))


def test_a_shape_is_filled_in_order_of_position():
    streams = Streams(5)
    flat = streams.uniform("a", "b", range(4), (6,))
    assert np.array_equal(streams.uniform("a", "b", range(4), (2, 3)).reshape(4, 6), flat)


def test_a_scalar_shape_is_position_zero():
    streams = Streams(5)
    first = streams.uniform("a", "b", range(4), (2,))[:, 0]
    assert np.array_equal(streams.uniform("a", "b", range(4)), first)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-9, 9), NAMES, NAMES), min_size=2, max_size=2, unique=True))
def test_every_address_has_its_own_key(addresses):
    first, second = (Streams(seed).key(stream, who) for seed, stream, who in addresses)
    assert not np.array_equal(first, second)


def test_streams_are_uncorrelated_with_each_other_and_across_trials():
    streams = Streams(5)
    draws = np.stack([streams.normal(s, w, range(40_000)) for s in "ab" for w in "cd"])
    lagged = np.concatenate([draws[:, 1:], draws[:, :-1]])
    correlations = np.corrcoef(lagged)[np.triu_indices(8, 1)]
    assert np.abs(correlations).max() < 4.5 / np.sqrt(40_000)


def test_uniforms_are_uniform():
    u = Streams(5).uniform("a", "b", range(100_000), (2,))
    assert stats.kstest(u.ravel(), "uniform").pvalue > 0.001


def test_uniforms_are_symmetric_multiples_inside_the_open_interval():
    u = Streams(5).uniform("a", "b", range(10_000))
    assert np.all((u * 2.0**53) % 2 == 1)


def test_normals_are_scores_of_the_same_uniforms():
    streams = Streams(5)
    u = streams.uniform("a", "b", range(100), (2,))
    assert np.array_equal(streams.normal("a", "b", range(100), (2,)), ndtri(u))


@pytest.mark.parametrize("trials", [range(0, 10, 2), range(10, 0, -1), range(-1, 5)])
def test_other_ranges_are_refused(trials):
    with pytest.raises(SimulatorError, match="allowed is a range by ones"):
        Streams(5).uniform("a", "b", trials)


def test_an_address_gives_the_same_number_in_every_version():
    u = Streams(20261122).uniform("claims", "lakeshore", range(1_000_000, 1_000_002), (2,))
    assert u.tolist() == GOLDEN


SCHEMES = [
    Streams(5, "antithetic"),
    Streams(5, "sobol", 4, {("a", "b"): 7}),
    Streams(5, "sobol", 16, {("a", "b"): 0}),
]


@pytest.mark.parametrize("streams", SCHEMES, ids=lambda s: f"{s.scheme}-{s.replicates}")
@given(st.integers(0, 5_000), st.integers(0, 300), st.integers(0, 300))
def test_blocks_do_not_change_a_draw_of_any_scheme(streams, start, first, second):
    middle, end = start + first, start + first + second
    whole = streams.uniform("a", "b", range(start, end), (3,))
    parts = [streams.uniform("a", "b", range(*r), (3,)) for r in ((start, middle), (middle, end))]
    assert np.array_equal(whole, np.concatenate(parts))


@pytest.mark.parametrize("streams", SCHEMES, ids=lambda s: f"{s.scheme}-{s.replicates}")
def test_more_trials_begin_with_the_fewer_under_any_scheme(streams):
    many, few = (streams.uniform("a", "b", range(n)) for n in (8_000, 5_000))
    assert np.array_equal(many[:5_000], few)


def test_antithetic_trials_mirror_each_other():
    z = Streams(5, "antithetic").normal("a", "b", range(1_000), (2,))
    assert np.array_equal(z[1::2], -z[::2])


def test_the_first_of_a_pair_is_an_independent_draw():
    u = Streams(5, "antithetic").uniform("a", "b", range(1_000))
    assert np.array_equal(u[::2], Streams(5).uniform("a", "b", range(500)))


def test_what_has_no_dimension_stays_independent():
    drawn = SCHEMES[1].uniform("other", "b", range(100))
    assert np.array_equal(drawn, Streams(5).uniform("other", "b", range(100)))


@pytest.mark.parametrize("streams", SCHEMES, ids=lambda s: f"{s.scheme}-{s.replicates}")
def test_uniforms_of_any_scheme_are_uniform_and_open(streams):
    u = streams.uniform("a", "b", range(16_384), (2,))
    assert 0.0 < u.min() < u.max() < 1.0
    assert stats.kstest(u[:, 0], "uniform").pvalue > 0.001
