"""What a sweep moves, on the page, in the workbook and in pictures, against the sweep itself."""

import json
import shlex

import numpy as np
import openpyxl
import pytest

from simulator.analysis.sensitivity import answer, sobol, tornado
from simulator.engine import run as engine
from simulator.report import page, plots, sensitivity, workbook
from tests.report.test_workbook import frame
from tests.runs import small
from tests.test_cli import acosim

SWEEPS = {
    "tornado": {
        "list": {
            "base": {},
            "saves": {"experience.effect.mean": 0.02},
            "dear": {"experience.effect.mean": {"plus": -0.02}},
            "quality": {"experience.quality.mean": 0.84},
        }
    },
    "indices": {
        "sample": {
            "method": "saltelli",
            "n": 4,
            "over": {
                "experience.effect.mean": (-0.02, 0.02),
                "experience.quality.mean": (0.7, 0.9),
            },
        }
    },
}  # fmt: skip


@pytest.fixture(scope="module", params=SWEEPS)
def swept(request, tmp_path_factory):
    """Return the kind of a sweep, its run, its page and its workbook."""
    out = tmp_path_factory.mktemp("runs")
    raw = small(60).model_dump() | {"sweep": SWEEPS[request.param]}
    opened = engine.run(type(small()).model_validate(raw), out)
    html = page.write(opened, out / "report.html").read_text(encoding="utf-8")
    return request.param, opened, html, workbook.write(opened, out / "report.xlsx")


def test_each_contract_has_the_table_of_the_verb(swept):
    kind, run, _, _ = swept
    found = sensitivity.sensed(run)
    assert [(one.contract, one.kind) for one in found] == [("level_e", kind), ("enhanced", kind)]
    paid = answer(run, "enhanced")
    if kind == "indices":
        assert found[1].table.equals(sobol(paid, [*SWEEPS[kind]["sample"]["over"]], seed=20220101))
        return
    settings = [dict(held) for held in SWEEPS[kind]["list"].values()]
    known = tornado(paid, settings)
    assert found[1].table["change_usd"].tolist() == known["change_usd"].tolist()
    assert found[1].table["value"].tolist()[:2] == ["plus -0.02", "0.02"]


def test_the_workbook_has_every_row_with_its_contract(swept):
    kind, run, _, path = swept
    rows = frame(openpyxl.load_workbook(path), kind)
    known = [row for one in sensitivity.sensed(run) for row in one.table.to_dict("records")]
    figures = [name for name in known[0] if name.endswith(("_usd", "_share"))]
    assert [[row[n] for n in figures] for row in rows] == [
        pytest.approx([row[n] for n in figures]) for row in known
    ]
    assert {row["contract"] for row in rows} == {"level_e", "enhanced"}


def test_the_page_shows_picture_and_table_of_the_kind(swept):
    kind, run, html, _ = swept
    said = html[html.index("<h2>Sensitivity") : html.index("<h2>Convergence")]
    alt = {"tornado": "Tornado of enhanced", "indices": "Sobol&#39; indices of enhanced"}[kind]
    assert alt in said
    for shown in sensitivity.panels(sensitivity.sensed(run)):
        for row in shown.rows:
            assert row.label in said
            assert all(cell.value.replace("-", "\u2212") in said for cell in row.cells)
    assert ("points of a sample" in html) == (kind == "indices")
    assert len(html) < 2_000_000


def test_a_bar_within_its_noise_is_outlined_and_others_are_not(swept):
    kind, run, _, _ = swept
    table = sensitivity.sensed(run)[1].table
    if kind == "tornado":
        ax = plots.canvas(7.2, 3.0)
        assert plots.tornado(table, plots.PALETTE[0], ax) is ax
        filled = [bar.get_facecolor()[3] > 0.0 for bar in ax.patches]
        assert filled == [not noise for noise in table["noise"]]
        assert table["noise"].any()
        assert [bar.get_width() * 1e6 for bar in ax.patches] == pytest.approx(
            table["change_usd"].tolist()
        )
    else:
        ax = plots.indices(table, plots.PALETTE[0])
        widths = sorted(bar.get_width() for bar in ax.patches)
        shares = np.concatenate([table["first_share"], table["total_share"]])
        assert widths == pytest.approx(sorted(shares))


def test_without_a_sweep_the_page_and_workbook_say_what_would_move_it(tmp_path):
    opened = engine.run(small(100), tmp_path)
    html = page.write(opened, tmp_path / "report.html").read_text(encoding="utf-8")
    book = openpyxl.load_workbook(workbook.write(opened, tmp_path / "report.xlsx"))
    commands = [row["command"] for row in frame(book, "sensitivity")]
    assert len(commands) == 3
    assert all(command.split(" ")[1] in html for command in commands)
    # The commands are true: each is one that acosim takes.
    for command in commands:
        words = [*shlex.split(command)[1:], "--json"]
        few = [] if words[0] == "run" else ["--trials", "20"]
        if words[0] == "run":
            words[0] = "plan"
        ended = acosim(*words, *few)
        assert ended.exit_code == 0, ended.stderr
        assert json.loads(ended.stdout)
