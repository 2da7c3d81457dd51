"""Worksheets refuse what cannot be, instead of settling it."""

import pytest

from simulator.errors import ScenarioError, SimulatorError
from simulator.programs.worksheet import settle

SHEET = """
program: mssp
year: 2023
option: B
source: a test
inputs: {persons: 60000, benchmark_usd: 500000000, expenditure_usd: 487000000, quality_score: 0.9,
  outcome_quality_met: 1, circumstances_share: 0}
"""


@pytest.fixture
def sheet(tmp_path):
    def write(old="", new=""):
        path = tmp_path / "sheet.yaml"
        path.write_text(SHEET.replace(old, new), encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("quality_score: 0.9", "quality_score: 45", "inputs.quality_score is 45"),
        ("circumstances_share: 0", "circumstances_share: -3", "inputs.circumstances_share is -3"),
        ("benchmark_usd: 500000000", "benchmark_usd: 0", "inputs.benchmark_usd is 0"),
        ("persons: 60000", "persons: -4", "inputs.persons is -4"),
        ("circumstances_share: 0", "revenue_class: loww", "did you mean low"),
        ("circumstances_share: 0", "circumstance_share: 0", "did you mean circumstances_share"),
    ],
)
def test_a_figure_that_cannot_be_is_refused(sheet, old, new, said):
    with pytest.raises(ScenarioError, match=said):
        settle(sheet(old, new))


def test_what_is_lacking_is_named(sheet):
    with pytest.raises(SimulatorError, match="quality_score"):
        settle(sheet("quality_score: 0.9,", ""))


def test_a_sound_sheet_settles(sheet):
    assert settle(sheet()).rows
