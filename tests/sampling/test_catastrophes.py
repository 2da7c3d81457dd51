"""Laws of catastrophes: their chance, whom they strike together, what lasts, their relief."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from simulator.loading import parse_text
from simulator.sampling import catastrophes, design, world
from simulator.sampling.block import Block
from simulator.sampling.streams import Streams
from simulator.scenario.schema import Experience
from tests.sampling.people import STILL, aco, experience, people

TRIALS = 20_000
PANDEMIC = {
    "chance": 0.2,
    "strikes": "nation",
    "spending_change": -0.1,
    "lasting_share": -0.4,
    "risk_score_change": -0.03,
    "affected_share": 1.0,
    "months_share": 1.0,
}
FIRE = {"chance": 0.1, "strikes": "region", "spending_change": 0.02, "affected_share": 0.3}
NEEDS = frozenset(
    {
        "truncated_expenditure_ppy",
        "national_ppy",
        "regional_ppy",
        "risk_score",
        "circumstances_share",
        "person_years",
    }
)


def drawn(trials: range = range(TRIALS), **events: dict[str, object]) -> xr.Dataset:
    acos = {"a": aco(region="north"), "b": aco(region="north"), "c": aco(region="south")}
    could = experience(STILL, catastrophes=events, circumstances={"chance": 0.0})
    expected = people(acos, (2022, 2023))
    return world.draw(expected, could, Streams(5), trials, NEEDS)


def test_none_is_drawn_where_none_can_be() -> None:
    found = Block(people({"a": aco()}), experience(STILL), Streams(1), range(5))
    assert catastrophes.draw(found) is None
    never = drawn(range(50), pandemic=PANDEMIC | {"chance": 0.0})
    assert never.equals(drawn(range(50)))


def test_the_nation_is_struck_as_one() -> None:
    found, calm = drawn(pandemic=PANDEMIC), drawn(range(1)).isel(trial=0)
    struck = found.circumstances_share.sel(year=2022) == 1.0
    assert bool((struck == struck.isel(aco=0)).all())
    error = np.sqrt(0.2 * 0.8 / TRIALS)
    assert float(struck.isel(aco=0).mean()) == pytest.approx(0.2, abs=4.0 * error)
    for name in ("truncated_expenditure_ppy", "national_ppy", "regional_ppy"):
        ratio = (found[name] / calm[name]).sel(year=2022)
        fallen = struck.isel(aco=0) if name == "national_ppy" else struck
        assert np.allclose(ratio.where(fallen, 0.9), 0.9)
        assert np.allclose(ratio.where(~fallen, 1.0), 1.0)


def test_part_of_it_comes_back_a_year_later_and_scores_fall_then() -> None:
    found, calm = drawn(pandemic=PANDEMIC), drawn(range(1)).isel(trial=0)
    relief = found.circumstances_share.isel(aco=0)
    only_first = (relief.sel(year=2022) > 0.0) & (relief.sel(year=2023) == 0.0)
    spent = (found.national_ppy / calm.national_ppy).sel(year=2023)
    scores = (found.risk_score / calm.risk_score).sel(year=2023)
    assert np.allclose(spent.where(only_first, 1.04), 1.04)
    assert np.allclose(scores.where(only_first, 0.97), 0.97)


def test_a_region_is_struck_alone_and_its_acos_together() -> None:
    found = drawn(fire=FIRE | {"months_share": 0.5})
    struck = found.circumstances_share.sel(year=2022)
    assert np.allclose(np.unique(struck), [0.0, 0.15])
    assert bool((struck.sel(aco="a") == struck.sel(aco="b")).all())
    apart = np.corrcoef(struck.sel(aco="a"), struck.sel(aco="c"))[0, 1]
    assert abs(apart) < 4.0 / np.sqrt(TRIALS)
    assert float(found.national_ppy.std("trial").max()) < 1e-6


def test_relief_of_several_events_is_at_most_the_whole_year() -> None:
    found = drawn(one=PANDEMIC | {"chance": 1.0}, two=PANDEMIC | {"chance": 1.0})
    assert float(found.circumstances_share.sel(year=[2022, 2023]).min()) == 1.0
    assert float(found.circumstances_share.max()) == 1.0


def test_how_much_spending_changes_is_as_sure_as_stated() -> None:
    found, calm = drawn(p=PANDEMIC | {"chance": 1.0, "spending_sd": 0.02}), drawn(range(1))
    ratio = (found.national_ppy / calm.national_ppy.isel(trial=0)).sel(year=2022).isel(segment=0)
    assert float(ratio.mean()) == pytest.approx(0.9, abs=4.0 * 0.02 / np.sqrt(TRIALS))
    assert float(ratio.std()) == pytest.approx(0.02, rel=0.03)


def test_a_year_before_the_first_performance_year_is_history() -> None:
    found = drawn(range(50), pandemic=PANDEMIC | {"chance": 1.0})
    early = found.sel(year=slice(None, 2021))
    assert float(early.circumstances_share.max()) == 0.0
    assert float(early.truncated_expenditure_ppy.std("trial").max()) < 1e-6


def test_blocks_change_no_catastrophe() -> None:
    events = {"pandemic": PANDEMIC, "fire": FIRE}
    parts = [drawn(range(41), **events), drawn(range(41, 100), **events)]
    whole = drawn(range(100), **events)
    cut = xr.concat(parts, dim="trial", data_vars="minimal", coords="minimal", compat="override")
    assert cut.identical(whole)


def test_sobol_points_leave_events_as_they_were() -> None:
    expected = people({"a": aco()})
    could = experience(STILL, catastrophes={"pandemic": PANDEMIC})
    found = [
        world.draw(expected, could, design.streams(5, scheme, 16, expected), range(64), NEEDS)
        for scheme in ("independent", "sobol")
    ]
    assert found[0].circumstances_share.equals(found[1].circumstances_share)


def test_the_ready_made_events_are_sound_and_sourced() -> None:
    path = Path(__file__).parents[2] / "scenarios" / "base" / "catastrophes.yaml"
    held = parse_text(path.read_text(), path.name).value
    events = Experience.model_validate({"catastrophes": held["experience"]["catastrophes"]})
    assert set(events.catastrophes) == {"pandemic", "cyber_event", "local_disaster"}
    for name in events.catastrophes:
        assert f"experience.catastrophes.{name}" in held["sources"]
