"""The experience that we ship, held against what became of every ACO of PY2022."""

from collections.abc import Sequence
from functools import cache, reduce
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simulator.engine.initial import initials
from simulator.engine.simulate import simulate
from simulator.engine.tracks import tracks
from simulator.loading import Document, merge
from simulator.population.draft import Draft
from simulator.scenario import reading
from simulator.scenario.schema import Scenario
from simulator.scenario.sweep import cases
from tests.proofs import Tell

BASE = Path(__file__).parents[2] / "scenarios" / "base" / "mssp_2022.yaml"
TRIALS = 500
DECILES = np.arange(0.1, 1.0, 0.1)


def together(drafts: Sequence[Draft]) -> Scenario:
    """Return one scenario of many ACOs' drafts, under Level E."""
    parts = [
        {key: d.tree[key] for key in ("population", "market") if key in d.tree} for d in drafts
    ]
    told = {"name": "backtest", "contracts": None}
    whole = reduce(
        merge, (Document(part, {}) for part in (*parts, told)), reading.document(BASE)[0]
    )
    value = dict(whole.value) if isinstance(whole.value, dict) else {}
    value["contracts"] = {"e": {"program": "mssp", "option": "E"}}
    return Scenario.model_validate(value)


@cache
def backtest(file: Path) -> pd.DataFrame:
    """Return each ACO's start, its savings as happened, and where they lie among those drawn."""
    drafts = [found.draft for found in initials("mssp", file) if found.draft]
    scenario = together(drafts)
    (case,) = cases(scenario)
    settled = simulate(case, tracks(case), range(TRIALS))["e"].isel(year=0)
    drawn = (settled.gross_savings_usd / settled.benchmark_usd).transpose("aco", "trial").values
    acos = [scenario.population[str(name)] for name in settled.aco.values]
    seen = [aco.observed for aco in acos if aco.observed]
    happened = np.array([1.0 - o.expenditure_usd / o.benchmark_usd for o in seen])
    return pd.DataFrame(
        {
            "start": [aco.agreement.start for aco in acos],
            "happened": happened,
            "expected": drawn.mean(axis=1),
            "score": (happened - drawn.mean(axis=1)) / drawn.std(axis=1),
            "rank": (drawn < happened[:, None]).mean(axis=1),
        }
    )


@pytest.mark.slow
@pytest.mark.parametrize("start", [2019, 2020, 2022])
def test_savings_rates_of_py2022_lie_where_the_shipped_experience_puts_them(
    start: int, public_data: Path, proof: Tell
) -> None:
    whole = backtest(public_data / "mssp_puf_2022.csv")
    found = whole[whole.start == start]
    mean, spread = found.score.mean(), found.score.std()
    proof(
        f"savings rates of PY2022, {len(found)} ACOs of a {start} start, against 500 futures each",
        f"{found.happened.mean():.2%} happened, {found.expected.mean():.2%} expected; "
        f"standard score {mean:+.2f}, spread {spread:.2f}",
    )
    # One year's market moves all ACOs of a start together, so that scores need not average zero.
    assert abs(mean) < 0.4
    assert 0.8 < spread < 1.25


@pytest.mark.slow
def test_ranks_of_what_happened_are_even_over_the_futures_drawn(
    public_data: Path, proof: Tell
) -> None:
    found = backtest(public_data / "mssp_puf_2022.csv")
    counts = np.bincount(np.searchsorted(DECILES, found["rank"]), minlength=10)
    proof("deciles of PY2022's savings rates among the futures drawn", " ".join(map(str, counts)))
    assert len(found) == 482
    assert counts.min() > 0.5 * len(found) / 10
    assert counts.max() < 1.5 * len(found) / 10
