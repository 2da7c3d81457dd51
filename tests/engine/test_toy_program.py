"""A program is one class, its rules and one line in a dict: engine and results do not change."""

from dataclasses import dataclass
from typing import ClassVar

import pytest

from simulator import programs, results
from simulator.engine.run import run
from simulator.programs import Contract, rulebook
from simulator.programs.contract import Stage
from simulator.units import Share
from tests.runs import small

RULES = """
program: toy
year: 2022
checked: 2026-11-22
sources:
  us: {title: this test}
common:
  kept: {value: 0.25, unit: share, status: assumed, cite: us}
options:
  plain: {}
"""


@dataclass(frozen=True, kw_only=True)
class Toy(Contract):
    """The ACO keeps a share of what its people cost; it has neither benchmark nor savings."""

    program: ClassVar[str] = "toy"
    needs: ClassVar[frozenset[str]] = frozenset({"expenditure_ppy", "person_years"})
    stages: ClassVar[tuple[Stage, ...]] = (Stage("_paid", ()),)
    adds_up: ClassVar[tuple[tuple[str, str], ...]] = ()
    line_terms: ClassVar = {"settlement_usd": ("kept",)}

    kept: Share

    def _paid(self, world, past, lines):
        year = world.sel(year=self.year)
        spent = (year.expenditure_ppy * year.person_years).sum("segment")
        return {"expenditure_usd": spent, "settlement_usd": self.kept * spent}


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Register the toy program beside the real ones."""
    folder = tmp_path / "rules" / "toy"
    folder.mkdir(parents=True)
    (folder / "2022.yaml").write_text(RULES)
    real = rulebook.__dict__["_RULES"]
    (tmp_path / "rules" / "mssp").symlink_to(real / "mssp")
    monkeypatch.setattr(rulebook, "_RULES", tmp_path / "rules")
    monkeypatch.setitem(programs.PROGRAMS, "toy", Toy)


@pytest.mark.usefixtures("toy")
def test_a_new_program_runs_beside_the_others_on_the_same_draws(tmp_path):
    whole = small(100)
    choice = whole.contracts["enhanced"].model_copy(update={"program": "toy", "option": "plain"})
    beside = whole.model_copy(update={"contracts": {**whole.contracts, "toy": choice}})
    both = run(beside, tmp_path / "both")
    alone = run(whole, tmp_path / "alone")
    paid = both.settlement_usd.sel(contract="toy")
    assert paid.equals((0.25 * both.expenditure_usd.sel(contract="toy")).astype("f4"))
    assert both.drop_sel(contract="toy").settlement_usd.equals(alone.settlement_usd)
    assert set(both.data_vars) == {"expenditure_usd", "settlement_usd"}


@pytest.mark.usefixtures("toy")
def test_a_new_program_brings_its_terms_into_the_run(tmp_path):
    whole = small(100)
    choice = whole.contracts["enhanced"].model_copy(update={"program": "toy", "option": "plain"})
    toy = run(whole.model_copy(update={"contracts": {"level_e": choice}}), tmp_path)
    (row,) = results.assumptions(toy).to_dict("records")
    assert (row["contract"], row["term"], row["value"]) == ("level_e", "kept", 0.25)
