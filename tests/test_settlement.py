"""Laws of the arithmetic of what is paid."""

import numpy as np
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from simulator import settlement as paid

usd = st.floats(-1e9, 1e9)
positive = st.floats(0.0, 1e9)
share = st.floats(0.0, 1.0)


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
    limit = paid.loss_limit(revenue, benchmark, of_revenue=a, of_benchmark=b)
    assert limit <= a * revenue
    assert limit <= b * benchmark


@given(usd, positive)
def test_recoupment_takes_no_more_than_is_earned_or_owed(earned, balance):
    taken = -paid.recouped(earned, balance)
    assert 0.0 <= taken <= min(max(earned, 0.0), balance)


@given(st.lists(usd, min_size=1, max_size=5), share)
def test_arrays_and_labels_settle_as_floats_do(amounts, rate):
    plain = [float(paid.sequestered(paid.gains(x), rate=rate)) for x in amounts]
    array = paid.sequestered(paid.gains(np.array(amounts)), rate=rate)
    labelled = paid.sequestered(paid.gains(xr.DataArray(amounts, dims="trial")), rate=rate)
    assert array.tolist() == plain
    assert labelled.dims == ("trial",)
    assert labelled.values.tolist() == plain
