"""Laws of the arithmetic of what is paid."""

import numpy as np
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from simulator import settlement as paid
from simulator.terms import Bands

usd = st.floats(-1e9, 1e9)
positive = st.floats(0.0, 1e9)
share = st.floats(0.0, 1.0)
size = st.floats(1.0, 1e9)


@st.composite
def corridors(draw):
    """Draw a corridor of four bands whose shared part falls, as every program's does."""
    edges = sorted(draw(st.lists(st.floats(0.01, 0.9), min_size=3, max_size=3, unique=True)))
    rates = sorted(draw(st.lists(share, min_size=4, max_size=4)), reverse=True)
    return Bands(edges=(0.0, *edges), rates=tuple(rates))


@given(usd)
def test_gross_savings_are_gains_less_losses(gross):
    assert paid.gains(gross) - paid.losses(gross) == gross


@given(positive, positive)
def test_a_minimum_is_met_from_the_first_dollar_or_not_at_all(amount, minimum):
    assert paid.reaches(amount, minimum) in {0.0, amount}


@given(positive)
def test_nothing_clears_no_minimum(minimum):
    assert not paid.clears(0.0, minimum)


@given(positive, positive)
def test_a_limit_never_leaves_more_than_itself(amount, limit):
    left = amount + paid.capped(amount, limit)
    assert left <= max(limit, 0.0) + 1e-6
    assert left + paid.capped(left, limit) == left


@given(positive, positive, share, share)
def test_a_loss_limit_is_no_more_than_either_share(revenue, benchmark, a, b):
    """Trap: the larger of revenue's and benchmark's share, or one of them alone."""
    limit = paid.loss_limit(revenue, benchmark, of_revenue=a, of_benchmark=b)
    assert limit <= a * revenue
    assert limit <= b * benchmark


@given(usd, positive)
def test_recoupment_takes_no_more_than_is_earned_or_owed(earned, balance):
    taken = -paid.recouped(earned, balance)
    assert 0.0 <= taken <= min(max(earned, 0.0), balance)


@given(usd, size, corridors())
def test_a_corridor_is_odd_where_its_sides_agree(gross, benchmark, bands):
    shared = paid.corridor(gross, benchmark, bands, bands)
    assert paid.corridor(-gross, benchmark, bands, bands) == -shared


@given(usd, size, corridors(), corridors())
def test_a_corridor_never_shares_more_than_all(gross, benchmark, savings, losses):
    shared = paid.corridor(gross, benchmark, savings, losses)
    assert abs(shared) <= abs(gross) * (1.0 + 1e-12)
    assert shared * gross >= 0.0


@given(usd, usd, size, corridors(), corridors())
def test_a_corridor_moves_with_savings_and_by_no_more(one, other, benchmark, savings, losses):
    low, high = sorted((one, other))
    step = paid.corridor(high, benchmark, savings, losses) - paid.corridor(
        low, benchmark, savings, losses
    )
    assert -1e-6 <= step <= high - low + 1e-6


@given(size, corridors(), st.sampled_from([1, 2, 3]), st.sampled_from([1.0, -1.0]))
def test_a_corridor_has_no_jump_at_an_edge(benchmark, bands, at, sign):
    edge = sign * bands.edges[at] * benchmark
    step = 1e-9 * benchmark
    near = [paid.corridor(edge + move, benchmark, bands, bands) for move in (-step, step)]
    assert abs(near[1] - near[0]) <= 2.0 * step * (1.0 + 1e-6) + 1e-6


@given(usd, size, corridors(), corridors())
def test_the_bands_of_a_corridor_add_up(gross, benchmark, savings, losses):
    parts = paid.corridor_bands(gross, benchmark, savings, losses)
    assert len(parts) == 4
    assert sum(parts) == paid.corridor(gross, benchmark, savings, losses)


@given(usd, size)
def test_one_full_band_shares_all(gross, benchmark):
    whole = Bands(edges=(0.0,), rates=(1.0,))
    assert paid.corridor(gross, benchmark, whole, whole) == gross


@given(st.lists(usd, min_size=1, max_size=5), share)
def test_arrays_and_labels_settle_as_floats_do(amounts, rate):
    plain = [float(paid.sequestered(paid.gains(x), rate=rate)) for x in amounts]
    array = paid.sequestered(paid.gains(np.array(amounts)), rate=rate)
    labelled = paid.sequestered(paid.gains(xr.DataArray(amounts, dims="trial")), rate=rate)
    assert array.tolist() == plain
    assert labelled.dims == ("trial",)
    assert labelled.values.tolist() == plain
