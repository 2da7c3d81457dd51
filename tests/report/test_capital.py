import numpy as np
import pandas as pd
import pytest

from simulator.analysis.capital import Layer
from simulator.report import capital
from simulator.report.tables import TOTAL
from simulator.report.waterfall import Place


def _value(table, name, contract="full"):
    (row,) = table[(table.name == name) & (table.contract == contract)].to_dict("records")
    return row["value"]


def _total(run):
    return run.settlement_usd.astype(float).sum(["year", "aco"])


def test_value_at_risk_is_the_loss_that_five_in_a_hundred_trials_exceed(make_run):
    total = _total(make_run())
    draws = total.sel(contract="full").values
    found = _value(capital.figures(total), "Value at risk, 95%")
    assert found == pytest.approx(-np.quantile(draws, 0.05))


def test_the_layer_shown_reaches_from_one_value_at_risk_to_another(make_run):
    total = _total(make_run())
    layer = capital.layer(total)
    risks = [-np.quantile(total.sel(contract=c).values, [0.05, 0.005]) for c in total.contract]
    low, high = max(low for low, _ in risks), max(high for _, high in risks)
    assert layer.attachment_usd == float(f"{low:.2g}")
    assert layer.limit_usd == float(f"{high - low:.2g}")


def test_who_never_owes_is_shown_no_layer(make_run):
    total = _total(make_run()).clip(min=0.0)
    assert capital.layer(total) is None
    assert "Pure premium (expected recovery)" not in set(capital.figures(total).name)


def test_a_layer_asked_for_is_priced(make_run):
    total = _total(make_run())
    table = capital.figures(total, layered=Layer(1e5, 2e5, 5e4))
    paid = np.clip(-total.sel(contract="full").values - 1e5, 0.0, 2e5)
    assert _value(table, "Pure premium (expected recovery)") == pytest.approx(paid.mean())
    net = total.sel(contract="full").values.mean() + paid.mean() - 5e4
    assert _value(table, "Settlement less premium plus recovery") == pytest.approx(net)


def test_all_that_is_earned_and_owed_moves_in_some_quarter(make_run):
    run = make_run(trials=200, years=(2022, 2023))
    table = capital.cash(run)
    moved = table[(table.name == "mean") & (table.contract == "full")].value.sum()
    assert moved == pytest.approx(float(_total(run).sel(contract="full").mean()), rel=1e-6)
    assert list(table.quarter.unique()) == ["2023 Q4", "2024 Q1", "2024 Q4", "2025 Q1"]


def test_the_calendar_says_what_it_assumes(make_run):
    said = capital.calendar(make_run(trials=5))
    assert [program for program, _ in said] == ["mssp", "mssp"]
    assert "90 days after notice" in said[1][1]


def test_the_surety_is_that_of_the_largest_year(make_run):
    run = make_run(trials=5, contracts=("full", "shared"), years=(2022, 2023))
    rows = [("full", "2022", 3.0), ("full", "2023", 5.0), ("shared", "2022", 1.0)]
    held = _ledger(rows)
    found = capital.surety(held, run, Place(0, TOTAL, "lakeside"))
    assert found == {"full": (5.0, 0.5), "shared": (1.0, 0.5)}


def _ledger(rows):
    columns = ("contract", "year", "mean")
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(
        case=0, aco="lakeside", kind="line", name="repayment_mechanism_usd", error=0.5
    )
