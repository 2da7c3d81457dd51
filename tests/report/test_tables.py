import json
import math

import numpy as np
import pytest

from simulator.analysis import tail
from simulator.report import tables
from simulator.report.tables import MEASURES, TOTAL


def test_every_measure_has_its_error_beside_it(make_run):
    columns = list(tables.summary(make_run()).columns)
    for name in MEASURES:
        what, unit = name.rsplit("_", 1)
        assert columns[columns.index(name) + 1] == f"{what}_error_{unit}"


def test_the_table_holds_what_the_measures_say(make_run):
    run = make_run()
    row = tables.summary(run).loc[(0, "2022", "lakeside", "full")]
    draws = run.settlement_usd.sel(contract="full").values.astype(float).ravel()
    assert row["mean_usd"] == pytest.approx(draws.mean())
    assert row["sd_usd"] == pytest.approx(draws.std(ddof=1))
    assert row["p5_usd"] == pytest.approx(np.quantile(draws, 0.05))
    assert row["earns_share"] == (draws > 0.0).mean()
    assert row["owes_share"] == (draws < 0.0).mean()
    assert row["tail95_usd"] == pytest.approx(np.sort(draws)[:100].mean())
    assert row["mean_error_usd"] == pytest.approx(draws.std(ddof=1) / 2_000**0.5)


def test_totals_are_those_of_the_sum_in_each_trial(make_run):
    run = make_run(acos=("a", "b"), years=(2022, 2023))
    row = tables.summary(run).loc[(0, TOTAL, TOTAL, "shared")]
    total = run.settlement_usd.astype(float).sel(contract="shared").sum(["year", "aco"])
    assert row["mean_usd"] == pytest.approx(float(total.mean()))
    assert row["tail99_usd"] == pytest.approx(float(tail.tail_value_at_risk(total, 0.01)))


def test_every_case_year_aco_and_contract_has_one_row(make_run):
    table = tables.summary(make_run(trials=50, acos=("a", "b"), years=(2022, 2023), cases=2))
    assert len(table) == 2 * 3 * 3 * 4
    assert table.index.is_unique


def test_a_summary_of_few_acos_at_a_time_is_the_same(make_run, monkeypatch):
    run = make_run(trials=50, acos=("a", "b", "c", "d", "e"), years=(2022, 2023), cases=2)
    whole = tables.summary(run)
    monkeypatch.setitem(tables.__dict__, "_HELD", 50 * 2 * 4 * 2)
    some = tables.summary(run)
    np.testing.assert_allclose(some.loc[whole.index], whole, rtol=1e-12)
    assert some.index[0] == whole.index[0]


def test_one_year_and_one_aco_have_no_total(make_run):
    table = tables.summary(make_run(trials=50))
    assert TOTAL not in table.index.get_level_values("year")
    assert TOTAL not in table.index.get_level_values("aco")


def test_a_case_picked_from_a_run_is_a_run(make_run):
    run = make_run(trials=50, acos=("a", "b"))
    alone = tables.summary(run.sel(aco="b", year=2022))
    assert alone.loc[(0, "2022", "b", "full"), "mean_usd"] == pytest.approx(
        tables.summary(run).loc[(0, "2022", "b", "full"), "mean_usd"]
    )


def test_a_lazy_run_gives_the_same_table(make_run):
    run = make_run(trials=300)
    loaded, lazy = tables.summary(run), tables.summary(run.chunk({"trial": 64}))
    np.testing.assert_array_equal(loaded.values, lazy.values)


def test_terms_are_counted_by_status_and_dispute(make_run):
    table = tables.summary(make_run(trials=50)).droplevel(["case", "year", "aco"])
    counts = table[["assumed", "reported", "proposed", "disputed"]]
    assert list(counts.loc["one_sided"]) == [0, 0, 0, 0]
    assert list(counts.loc["shared"]) == [1, 0, 0, 0]
    assert list(counts.loc["full"]) == [1, 1, 0, 1]


def test_an_observed_result_stands_at_its_mid_rank(make_run):
    run = make_run()
    draws = run.settlement_usd.sel(contract="shared").values.ravel()
    row = tables.observed(run).iloc[0]
    assert row["percentile_share"] == pytest.approx((draws < 1_250_000.0).mean())


def test_ties_with_an_observed_result_count_by_half(make_run):
    run = make_run()
    nothing = {"aco": "lakeside", "year": 2022, "contract": "shared", "settlement_usd": 0.0}
    run.attrs["observed"] = json.dumps([nothing])
    draws = run.settlement_usd.sel(contract="shared").values.ravel()
    expected = (draws < 0.0).mean() + 0.5 * (draws == 0.0).mean()
    row = tables.observed(run).iloc[0]
    assert row["percentile_share"] == pytest.approx(expected)
    assert 0.0 < row["percentile_error_share"] < (0.25 / 2_000) ** 0.5


def test_an_observed_year_outside_the_run_has_no_percentile(make_run):
    assert math.isnan(tables.observed(make_run(years=(2023,))).iloc[0]["percentile_share"])


def test_a_run_without_observed_results_has_none(make_run):
    run = make_run(trials=50)
    run.attrs["observed"] = "[]"
    assert tables.observed(run).empty


def test_the_printed_table_fits_six_contracts_in_a_hundred_columns(make_run):
    names = ("level_a", "level_b", "level_c", "level_d", "level_e", "enhanced")
    for table in tables.tables(tables.summary(make_run(trials=10_000, contracts=names))):
        label = max(len(row.label) for row in table.rows)
        columns = zip(*(row.cells for row in table.rows), strict=True)
        widths = [max(len(str(cell)) for cell in column) for column in columns]
        assert label + sum(width + 2 for width in widths) <= 100


def test_json_is_plain_and_complete(make_run):
    run = make_run(trials=100)
    held = json.loads(json.dumps(tables.as_json(run), allow_nan=False))
    row = next(row for row in held["settlements"] if row["contract"] == "full")
    table = tables.summary(run).loc[(0, "2022", "lakeside", "full")]
    assert {name: row[name] for name in MEASURES} == pytest.approx(dict(table[list(MEASURES)]))
    assert held["seed"] == 11
    assert held["observed"][0]["percentile_share"] is not None


def test_a_single_trial_has_a_table_without_errors(make_run):
    table = tables.summary(make_run(trials=1))
    assert table["mean_error_usd"].isna().all()
    assert json.dumps(tables.as_json(make_run(trials=1)), allow_nan=False)
    assert "n/a" in str(next(tables.tables(table)).rows[0].cells[0])
