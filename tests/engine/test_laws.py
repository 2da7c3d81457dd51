"""The six laws of design for whole runs: with every feature that draws, in every scheme."""

import itertools
import random

import numpy as np
import pytest
from dask.distributed import Client

from simulator import results
from simulator.engine.run import run
from simulator.engine.simulate import simulate
from simulator.engine.tracks import tracks
from simulator.scenario.schema import Scenario
from simulator.scenario.sweep import cases
from tests.runs import local_cluster, small

TRIALS = 256
SCHEMES = ("independent", "antithetic", "sobol")
FEW, BLOCKS = 64, (1, 7, 64)
DRAWS = {
    "persistence": {"claims": 0.6},
    "risk_scores": {"normalization_sd": 0.004, "coding_intensity_sd": 0.002},
    "membership": {
        "growth_sd": 0.05,
        "mix_sd": 0.02,
        "turnover": True,
        "departures": {"clinic": {"aco": "covenant", "year": 2022, "chance": 0.3, "share": 0.2}},
    },
    "severity": {
        "partial_years": {
            "deaths": {
                "share": {"esrd": 0.15, "disabled": 0.02, "aged_dual": 0.08, "aged_nondual": 0.04},
                "months": 6.0,
                "spending_factor": 4.0,
            }
        }
    },
    "catastrophes": {
        "pandemic": {
            "chance": 0.1,
            "strikes": "nation",
            "spending_change": -0.1,
            "spending_sd": 0.02,
            "affected_share": 1.0,
            "months_share": 0.5,
        },
        "fire": {"chance": 0.1, "strikes": "region", "affected_share": 0.4, "months_share": 0.2},
        "breach": {"chance": 0.1, "strikes": "aco", "spending_change": -0.02},
    },
}


def everything(scheme: str = "independent", trials: int = TRIALS, **changes: object) -> Scenario:
    """Return two ACOs, one so small that its people are drawn, with every feature that draws."""
    whole = small(trials).model_dump()
    covenant = whole["population"]["covenant"]
    tiny = {**covenant, "persons": {2022: 650}, "observed": None, "region": "elsewhere"}
    tiny["segments"] = {
        name: {**part, "person_years": {y: n / 20 for y, n in part["person_years"].items()}}
        for name, part in covenant["segments"].items()
    }
    experience = whole["experience"]
    for group, fields in DRAWS.items():
        experience[group] = {**experience[group], **fields}
    whole["population"] = {"covenant": covenant, "tiny": tiny}
    whole["sampling"] = {"scheme": scheme, "replicates": 4}
    return Scenario.model_validate({**whole, **changes})


def settled(scenario: Scenario, trials: range) -> dict[str, np.ndarray]:
    """Return what is owed by contract: (trial, year, aco)."""
    case = cases(scenario)[0]
    statements = simulate(case, tracks(case), trials)
    dims = ("trial", "year", "aco")
    return {name: one.settlement_usd.transpose(*dims).values for name, one in statements.items()}


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_run_is_the_same_on_every_scheduler_in_every_block(tmp_path, proof, scheme):
    scenario, found = everything(scheme, FEW), {}
    with local_cluster() as cluster, Client(cluster) as client:
        ways = {"sync": (None, 1), "threads": (None, 2), "processes": ("processes", 2)}
        ways["distributed"] = (client, None)
        for (way, (scheduler, workers)), block in itertools.product(ways.items(), BLOCKS):
            out = tmp_path / f"{way}-{block}"
            done = run(scenario, out, scheduler=scheduler, workers=workers, block=block)
            found[way, block] = results.digest(done.attrs["path"])
    (digest,) = set(found.values())
    proof(
        "a run is the same on every scheduler, in every block",
        f"{scheme}: {len(found)} ways, one digest {digest[:12]}",
    )


@pytest.mark.parametrize("scheme", SCHEMES)
def test_blocks_in_any_order_make_the_same_world(scheme):
    scenario = everything(scheme)
    whole = settled(scenario, range(TRIALS))
    cuts = [0, 1, 2, 38, 100, 101, TRIALS]
    blocks = [range(*ends) for ends in itertools.pairwise(cuts)]
    random.Random(7).shuffle(blocks)
    pieces = {block.start: settled(scenario, block) for block in blocks}
    joined = {
        name: np.concatenate([pieces[start][name] for start in sorted(pieces)]) for name in whole
    }
    assert same(whole, joined)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_more_trials_begin_with_the_fewer(scheme):
    few = settled(everything(scheme), range(100))
    many = settled(everything(scheme, 2 * TRIALS), range(2 * TRIALS))
    assert same(few, {name: values[:100] for name, values in many.items()})


@pytest.mark.parametrize("scheme", ["independent", "antithetic"])
def test_another_aco_changes_nothing(scheme):
    both = everything(scheme)
    alone = both.model_copy(update={"population": {"covenant": both.population["covenant"]}})
    found = settled(both, range(100))
    assert same(settled(alone, range(100)), {n: v[..., :1] for n, v in found.items()})


@pytest.mark.parametrize("scheme", SCHEMES)
def test_another_contract_changes_nothing(scheme):
    both = everything(scheme)
    one = both.model_copy(update={"contracts": {"enhanced": both.contracts["enhanced"]}})
    found = settled(both, range(100))
    assert same(settled(one, range(100)), {"enhanced": found["enhanced"]})


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_case_of_a_sweep_has_the_same_draws(scheme):
    """A larger effect moves every trial of a two-sided contract up, or leaves it as it was."""
    swept = everything(scheme, sweep={"grid": {"experience.effect.mean": [0.0, 0.02]}})
    low, high = (
        {t.name: simulate(case, tracks(case), range(TRIALS))[t.name] for t in tracks(case)}
        for case in cases(swept)
    )
    for name in low:
        spent = [one[name].expenditure_usd for one in (low, high)]
        assert np.allclose(spent[1] / spent[0], 0.98, rtol=1e-12)
        assert bool((high[name].gross_savings_usd >= low[name].gross_savings_usd).all())


def test_what_one_feature_draws_no_other_changes():
    """Leaving catastrophes out changes only the trials that one strikes."""
    with_all = everything()
    calm = with_all.experience.model_copy(update={"catastrophes": {}})
    without = with_all.model_copy(update={"experience": calm})
    one, other = settled(with_all, range(TRIALS)), settled(without, range(TRIALS))
    share = float((one["enhanced"][..., 0] == other["enhanced"][..., 0]).mean())
    assert 0.5 < share < 1.0
