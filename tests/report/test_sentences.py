import math

import numpy as np
import pandas as pd

from simulator.report.rounding import dollars
from simulator.report.sentences import answer, downside, what_happened


def total(run):
    return run.settlement_usd.sum(["year", "aco"])


def test_the_answer_names_the_best_its_lead_and_its_chance_of_owing(make_run):
    said = answer(total(make_run()))
    assert said.startswith("On average full pays the most: $")
    assert "more than shared and twin on the same draws" in said
    assert said.endswith("% of trials.")


def test_contracts_that_pay_the_same_are_named_together(make_run):
    said = answer(total(make_run()).sel(contract=["shared", "twin", "one_sided"]))
    assert said.startswith("On average shared and twin pay the most")
    assert "do not tell them apart" in said
    assert "They owe in" in said


def test_a_lead_within_its_noise_is_no_lead(make_run):
    x = total(make_run(trials=8)).sel(contract=["one_sided", "shared"])
    noisy = x + (x.contract == "shared") * (x.trial - 3.5) * 1e6
    assert "do not tell them apart" in answer(noisy)


def test_a_single_contract_is_its_own_best(make_run):
    assert "same draws" not in answer(total(make_run()).sel(contract=["shared"]))


def observed(amount, percentile):
    row = {"aco": "x", "year": 2022, "contract": "e", "settlement_usd": amount}
    error = {"percentile_share": percentile, "percentile_error_share": 0.005}
    return pd.Series({**row, **error})


def test_what_happened_says_the_sign_in_words():
    assert what_happened(observed(-1_250_000.4, 0.031)) == (
        "In 2022 x owed $1,250,000 under e: percentile 3.1 ±0.5 of its distribution"
    )


def test_what_happened_without_a_distribution_says_so():
    assert "does not hold that year" in what_happened(observed(1.0, math.nan))


def test_a_contract_that_never_owed_owes_in_none_of_the_trials(make_run):
    said = answer(total(make_run()).sel(contract=["one_sided"]))
    assert said.endswith("It owes in none of the 2,000 trials.")


def test_a_contract_that_loses_on_average_costs(make_run):
    x = total(make_run()).sel(contract=["shared", "full"]) - 9e6
    assert answer(x).startswith("On average full costs the least: -$")


def test_contracts_that_trials_do_not_tell_apart_have_each_their_mean(make_run):
    x = total(make_run(trials=8)).sel(contract=["one_sided", "shared"])
    noisy = x + (x.contract == "shared") * (x.trial - 3.5) * 1e6
    assert answer(noisy).partition(";")[0].count("$") == 2


def test_the_downside_is_the_mean_of_the_worst_trials_and_names_the_mildest(make_run):
    x = total(make_run(contracts=("one_sided", "shared", "twin", "full")))
    worst = np.sort(x.sel(contract="full").values)[: x.sizes["trial"] // 20].mean()
    said = downside(x, "full")
    assert said.startswith("In the worst 5% of its trials full owes $")
    assert dollars(-worst, 1.0).split(".")[0] in said
    assert said.endswith("one_sided neither earns nor owes in its own worst 5%.")


def test_the_mildest_contract_has_no_milder_beside_it(make_run):
    said = downside(total(make_run()), "one_sided")
    assert said == "In the worst 5% of its trials one_sided neither earns nor owes."
