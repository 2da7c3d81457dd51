import itertools
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from simulator.report import plots, sections

# Machado, Oliveira and Fernandes 2009, full dichromacy, on linear RGB.
SEES = {
    "all colours": np.eye(3),
    "no red": np.array([[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]),
    "no green": np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour):
    x = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255.0
    return ((x + 0.055) / 1.055) ** 2.4


def lab(rgb):
    f = np.cbrt(TO_XYZ @ np.clip(rgb, 0.0, 1.0) / (TO_XYZ @ np.ones(3)))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(a, b):
    light = sorted((TO_XYZ[1] @ linear(a), TO_XYZ[1] @ linear(b)))
    return (light[1] + 0.05) / (light[0] + 0.05)


@pytest.mark.parametrize("matrix", SEES.values(), ids=SEES)
def test_colours_stay_apart_for_every_eye(matrix):
    for a, b in itertools.combinations(plots.PALETTE, 2):
        assert np.linalg.norm(lab(matrix @ linear(a)) - lab(matrix @ linear(b))) > 25.0, (a, b)


@pytest.mark.parametrize("paper", ["#FFFFFF", "#15181C"])
def test_colours_stand_out_on_light_and_dark(paper):
    assert min(contrast(colour, paper) for colour in plots.PALETTE) > 3.0


def test_a_contract_has_one_colour_in_every_picture(make_run):
    run = make_run(trials=200)
    lines = {line.get_label(): line.get_color() for line in plots.exceedance(run).lines}
    for label, colour in plots.colours(run).items():
        assert lines[label] == colour
        bars = plots.histogram(run, label).patches
        assert {bar.get_facecolor()[:3] for bar in bars} == {rgb(colour)}


def rgb(colour):
    return tuple(int(colour[at : at + 2], 16) / 255.0 for at in (1, 3, 5))


def test_the_curve_is_the_share_of_trials_above(make_run):
    run = make_run(trials=5_000)
    line = next(line for line in plots.exceedance(run).lines if line.get_label() == "full")
    draws = run.settlement_usd.sel(contract="full").values.ravel() / 1e6
    amounts, chances = line.get_data()
    exact = [(draws > amount).mean() for amount in amounts[1:]]
    np.testing.assert_allclose(chances[1:], exact, atol=1e-3)
    assert (np.diff(chances) <= 0.0).all()


def test_the_histogram_holds_every_trial(make_run):
    bars = plots.histogram(make_run(), "full").patches
    assert sum(bar.get_height() for bar in bars) == pytest.approx(1.0)


def test_trials_of_nothing_stand_at_zero_where_nobody_owes(make_run):
    run = make_run()
    run = run.assign(settlement_usd=run.settlement_usd.clip(min=0.0))
    bars = plots.histogram(run, "full").patches
    (at_zero,) = (bar for bar in bars if bar.get_x() < 0.0 < bar.get_x() + bar.get_width())
    assert at_zero.get_x() + at_zero.get_width() / 2.0 == pytest.approx(0.0, abs=1e-9)
    nothing = (run.settlement_usd.sel(contract="full") == 0.0).mean()
    assert at_zero.get_height() == pytest.approx(float(nothing), abs=0.03)


def test_pictures_are_drawn_on_the_axes_given(make_run):
    ax = plots.canvas(4.0, 3.0)
    assert plots.exceedance(make_run(trials=50), ax) is ax
    assert plots.histogram(make_run(trials=50), "full", ax) is ax


def marks(ax):
    return [line.get_xydata()[0] for line in ax.lines if line.get_marker() == "D"]


def test_what_happened_is_marked_on_its_contract(make_run):
    run = make_run()
    ((amount, chance),) = marks(plots.exceedance(run))
    draws = run.settlement_usd.sel(contract="shared").values
    assert amount == 1.25
    assert chance == pytest.approx((draws > 1_250_000.0).mean())


def test_a_year_of_several_is_not_marked_on_their_sum(make_run):
    assert marks(plots.exceedance(make_run(trials=50, years=(2022, 2023)))) == []


def test_curves_that_coincide_differ_in_their_dashes(make_run):
    lines = {line.get_label(): line.get_linestyle() for line in plots.exceedance(make_run()).lines}
    assert lines["shared"] == "-"
    assert lines["twin"] == "--"


def test_a_constant_settlement_can_be_drawn(make_run):
    run = make_run(trials=20)
    run["settlement_usd"][:] = 0.0
    assert "<svg" in plots.svg(plots.exceedance(run), {}, "")


def test_pictures_are_saved_as_their_ending_says(make_run, tmp_path):
    ax = plots.exceedance(make_run(trials=50))
    assert plots.save(ax, tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in plots.save(ax, tmp_path / "x.svg").read_text()


def test_the_same_run_gives_the_same_svg(make_run):
    run = make_run(trials=50)
    once, again = (plots.svg(plots.exceedance(run), {}, "a-") for _ in range(2))
    assert once == again


def test_no_global_state_of_pyplot_is_touched():
    code = "import sys, simulator.report.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("count", [12, 24])
def test_a_picture_of_many_contracts_has_room_for_its_legend(count):
    labels = [f"a_contract_of_a_program_{place}" for place in range(count)]
    run = xr.Dataset(coords={"contract": labels})
    worth = pd.DataFrame({"name": "Sequestration", "contract": labels, "mean": 1e6, "error": 1e4})
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # what a layout without room is told by
        sections.picture(
            lambda ax: plots.limits(worth, run, ax), "x-", ("", ""), 1.01 + 0.08 * count
        )
