import numpy as np
import pytest

from simulator.engine import AddressError
from simulator.engine.replay import Where, explain, replay
from simulator.engine.run import run
from simulator.errors import ResultsError
from simulator.results import folder as folders
from tests.runs import small


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return run(small(100), tmp_path_factory.mktemp("made"))


def test_a_trial_settled_again_is_what_was_stored(made):
    for trial in (0, 57, 99):
        found = replay(made.attrs["path"], Where(trial, "enhanced"))
        stored = made.settlement_usd.sel(trial=trial, contract="enhanced")
        assert np.float32(found.statement.settlement_usd.item()) == stored.values.item()


def test_the_statement_is_whole_and_foots(made):
    lines = replay(made.attrs["path"], Where(3, "enhanced")).statement
    gross = lines.benchmark_usd.item() - lines.expenditure_usd.item()
    assert lines.gross_savings_usd.item() == pytest.approx(gross, abs=1e-6)
    assert len(lines.data_vars) > 30


@pytest.mark.parametrize(
    "where", [Where(100, "enhanced"), Where(0, "level_a"), Where(0, "enhanced", year=2021)]
)
def test_an_address_that_a_run_does_not_have_is_refused(made, where):
    with pytest.raises(AddressError, match="not in the run"):
        replay(made.attrs["path"], where)


def test_a_run_of_other_code_is_named_if_it_settles_otherwise(made, monkeypatch):
    monkeypatch.setattr(np, "array_equal", lambda *_: False)
    with pytest.raises(ResultsError, match=r"made by acosim 0\."):
        replay(made.attrs["path"], Where(0, "enhanced"))
    assert folders.code_version() == made.attrs["version"]


def test_a_statement_is_a_table_too(made):
    table = explain(made, 3, "enhanced")
    whole = replay(made.attrs["path"], Where(3, "enhanced"))
    assert list(table.columns) == ["line", "segment", "value", "unit", "text", "cites"]
    assert list(table.value) == [row.value for row in whole.rows]
    with pytest.raises(AddressError, match="levl_e"):
        explain(made, 3, "levl_e")


def test_no_line_of_the_table_has_its_own_name_for_a_unit(made):
    table = explain(made, 3, "enhanced").set_index("line")
    assert table.unit["total_person_years"] == "person-years"
    assert not (table.unit == table.index).any()
