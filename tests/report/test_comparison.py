import numpy as np
import pytest

from simulator.errors import ResultsError
from simulator.report import comparison
from simulator.report.tables import TOTAL


def test_a_pair_is_the_difference_of_each_trial(make_run):
    run = make_run()
    gap = run.settlement_usd.sel(contract="full") - run.settlement_usd.sel(contract="shared")
    gap = gap.values.astype(float).ravel()
    row = comparison.pairs(run).loc[(0, "2022", "lakeside", "full", "shared")]
    assert row["mean_usd"] == pytest.approx(gap.mean(), rel=1e-6)
    assert row["mean_error_usd"] == pytest.approx(gap.std(ddof=1) / 2_000**0.5, rel=1e-6)
    assert row["wins_share"] == (gap > 0.0).mean()
    assert row["loses_share"] == (gap < 0.0).mean()


def test_a_pair_the_other_way_round_has_the_other_sign(make_run):
    table = comparison.pairs(make_run())
    one = table.loc[(0, "2022", "lakeside", "full", "shared")]
    other = table.loc[(0, "2022", "lakeside", "shared", "full")]
    assert one["mean_usd"] == -other["mean_usd"]
    assert one["wins_share"] == other["loses_share"]


def test_every_case_year_and_aco_has_every_pair(make_run):
    run = make_run(trials=20, acos=("a", "b"), years=(2022, 2023), cases=2)
    table = comparison.pairs(run)
    assert len(table) == 2 * 3 * 3 * 4 * 3
    assert (0, TOTAL, TOTAL, "full", "twin") in table.index


def test_two_contracts_are_compared_by_year_and_in_all(make_run):
    table = comparison.compared(make_run(trials=50, years=(2022, 2023)), "full", "one_sided")
    assert [year for _, year, *_ in table.index] == [TOTAL, "2022", "2023"]
    by_year = table["mean_usd"].to_numpy()
    assert by_year[0] == pytest.approx(by_year[1:].sum())


def test_an_unknown_contract_is_named(make_run):
    with pytest.raises(ResultsError, match="contract 'ful' is not in the run"):
        comparison.compared(make_run(trials=5), "ful", "shared")


def test_two_runs_are_paired_trial_by_trial(make_run):
    one, other = make_run(), make_run()
    other["settlement_usd"] = other.settlement_usd + np.float32(250_000.0)
    table = comparison.across(other, one)
    row = table.loc[(0, "2022", "lakeside", "full")]
    assert row["mean_usd"] == pytest.approx(250_000.0, rel=1e-3)
    assert row["mean_error_usd"] < 10.0
    assert row["wins_share"] == 1.0


def test_runs_of_unlike_draws_are_refused(make_run):
    one, other = make_run(trials=5), make_run(trials=5)
    other.attrs["seed"] = 12
    with pytest.raises(ResultsError, match="of seed 11 and 12"):
        comparison.across(one, other)


def test_runs_of_unlike_contracts_are_refused(make_run):
    with pytest.raises(ResultsError, match="unlike contracts"):
        comparison.across(make_run(trials=5), make_run(trials=5, contracts=("full", "shared")))
