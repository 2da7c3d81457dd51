"""Every worksheet under golden/: its expected lines, to the precision of their print."""

from pathlib import Path

import pytest

from simulator.programs.worksheet import settle

GOLDEN = Path(__file__).parent / "golden"
PROGRAMS = ("mssp", "reach", "lead")
SHEETS = sorted(path for name in PROGRAMS for path in (GOLDEN / name).rglob("*.yaml"))


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.stem)
def test_a_worksheet_settles_as_published(path):
    settled = settle(path)
    missed = [check for check in settled.checks if not check.met]
    assert settled.checks
    assert not missed


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.stem)
def test_a_worksheet_names_its_source(path):
    assert settle(path).worksheet.source
