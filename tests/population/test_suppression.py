"""Small cells: hidden, and not to be had from the sums either."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulator.population.suppression import LEAST, hidden

TABLES = st.integers(1, 5).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(0, 40), min_size=width, max_size=width), min_size=1, max_size=6
    )
)


@given(TABLES)
def test_no_small_cell_is_shown_or_follows_from_a_sum(rows: list[list[int]]) -> None:
    counts = np.array(rows)
    unseen = hidden(counts)
    assert unseen[(counts > 0) & (counts < LEAST)].all()
    for table, held in ((counts, unseen), (counts.T, unseen.T)):
        for line, out in zip(table, held, strict=True):
            alone = out.any() and (out.sum() < 2 or line[out].sum() < LEAST)
            # Only where nothing else is left to hide; then the sum itself is all that is hidden.
            assert not alone or not (line[~out] > 0).any()


@given(TABLES)
def test_nothing_is_hidden_without_a_small_cell(rows: list[list[int]]) -> None:
    counts = np.array(rows)
    if not ((counts > 0) & (counts < LEAST)).any():
        assert not hidden(counts).any()
