"""What ten years leave of a sustained gain: LEAD keeps it, each renewal of MSSP takes a part."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from simulator.engine.checking import check
from simulator.engine.simulate import simulate
from simulator.engine.tracks import tracks
from simulator.scenario.sweep import cases
from tests.population.test_scenarios import STILL, kept

SCENARIO = Path(__file__).parents[2] / "scenarios" / "gain_kept.yaml"
RENEWALS = (2030, 2035)
ONE = "sweep.grid={experience.effect.mean: [0.0]}"


def expected(*overrides: str) -> tuple[dict[str, xr.Dataset], dict[str, xr.Dataset]]:
    """Return each contract's statement without the gain and with it, nothing being random."""
    scenario = check(SCENARIO, (*STILL, "experience.total_quality.sd=0.0", *overrides))
    made = [simulate(case, tracks(case), range(1)) for case in cases(scenario)]
    plain = [{n: s.isel(aco=0, trial=0) for n, s in one.items()} for one in made]
    return plain[0], plain[-1]


@pytest.fixture(scope="module")
def ruled() -> tuple[dict[str, xr.Dataset], dict[str, xr.Dataset]]:
    return expected()


def test_lead_keeps_the_whole_gain_until_the_rate_book(ruled) -> None:
    left = kept(*(one["lead_global"] for one in ruled))
    assert left.sel(year=slice(2027, 2031)).values == pytest.approx(np.ones(5))


@pytest.mark.parametrize("label", ["level_e", "enhanced"])
def test_each_renewal_of_mssp_takes_a_part(ruled, label) -> None:
    left = kept(*(one[label] for one in ruled))
    assert left.sel(year=slice(2027, 2029)).values == pytest.approx(np.ones(3))
    for renewal in RENEWALS:
        assert 0.4 < float(left.sel(year=renewal)) < 0.6
        assert float(left.sel(year=renewal)) < 0.6 * float(left.sel(year=2029))


def test_in_the_rate_book_phase_the_benchmark_forgets_the_acos_own_history(ruled) -> None:
    cheap = "population.typical.segments.aged_nondual.expenditure_ppy.{}={}"
    history = [cheap.format(year, level) for year, level in _less(0.9).items()]
    same = ruled[0]["lead_global"]
    less = expected(*history, ONE)[0]["lead_global"]
    before, after = (
        (less.updated_benchmark_ppy / same.updated_benchmark_ppy).sel(year=years)
        for years in (slice(2027, 2031), slice(2032, 2036))
    )
    assert float(before.sel(segment="aged_disabled").max()) < 0.99
    assert after.values == pytest.approx(np.ones(after.shape))


def test_the_phase_of_the_rate_book_is_the_scenarios_to_say(ruled) -> None:
    none, half = (expected(f"market.rate_book_phase={phase}", ONE)[0] for phase in (0.0, 0.5))
    ends = [one["lead_global"].updated_benchmark_ppy for one in (none, ruled[0])]
    part = half["lead_global"].updated_benchmark_ppy
    assert part.values == pytest.approx(0.5 * (ends[0].values + ends[1].values))
    assert not np.allclose(ends[0].sel(year=2032), ends[1].sel(year=2032))


def _less(factor: float) -> dict[int, float]:
    return {2024: 12_592 * factor, 2025: 13_788 * factor, 2026: 14_616 * factor}
