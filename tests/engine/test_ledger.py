import numpy as np
import pandas as pd
import pytest

from simulator.analysis.convergence import Measure, estimate, standard_error
from simulator.engine import ledger as engine_ledger
from simulator.engine.checking import check
from simulator.engine.ledger import FILE, TOTAL, ledger
from simulator.engine.run import run
from simulator.engine.simulate import simulate
from simulator.engine.tracks import tracks
from simulator.errors import ResultsError
from simulator.programs.reach import Reach
from simulator.scenario.sweep import cases
from tests.conftest import ROOT
from tests.runs import small

KEYS = ["case", "contract", "year", "aco", "kind", "place", "name", "segment"]


@pytest.fixture(scope="module")
def scenario():
    return small(300)


@pytest.fixture(scope="module")
def folder(scenario, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    run(scenario, out, block=100)
    return next(out.glob("quickstart-*"))


@pytest.fixture(scope="module")
def table(folder):
    return ledger(folder)


@pytest.fixture(scope="module")
def statements(scenario):
    (case,) = cases(scenario)
    return simulate(case, tracks(case), range(300))


def _row(table, kind, name, contract="level_e", year="2022"):
    found = table.query("kind == @kind and name == @name and contract == @contract")
    return found[found.year == year].set_index("segment")


def test_lines_have_the_mean_and_error_of_all_trials_however_they_are_cut(table, statements):
    line = statements["level_e"].settlement_usd.values.ravel()
    row = _row(table, "line", "settlement_usd").iloc[0]
    assert row["mean"] == pytest.approx(line.mean(), rel=1e-12)
    assert row["error"] == pytest.approx(line.std(ddof=1) / 300**0.5, rel=1e-9)
    assert row["most"] == line.max()


@pytest.mark.parametrize("scheme", ["antithetic", "sobol"])
def test_errors_follow_the_scheme_of_the_draws(scheme, tmp_path):
    scenario = small(256, ("level_e",))
    sampling = scenario.sampling.model_copy(update={"scheme": scheme})
    opened = run(scenario.model_copy(update={"sampling": sampling}), tmp_path, block=67)
    row = _row(ledger(opened.attrs["path"]), "line", "settlement_usd").iloc[0]
    paid = opened.settlement_usd.squeeze()
    assert row["mean"] == pytest.approx(float(estimate(paid, Measure("mean"))), rel=1e-6)
    assert row["error"] == pytest.approx(float(standard_error(paid, Measure("mean"))), rel=1e-4)
    alone = paid.drop_vars("replicate")
    assert row["error"] < 0.9 * float(standard_error(alone, Measure("mean")))


def test_lines_by_segment_keep_their_segments(table, statements):
    line = statements["enhanced"].update_factor.mean(["trial", "year", "aco"])
    rows = _row(table, "line", "update_factor", "enhanced")
    np.testing.assert_allclose(rows.loc[[*line.segment.values], "mean"], line, rtol=1e-12)


def test_every_line_of_a_statement_is_there(table, statements):
    found = set(table.query("kind == 'line'").name)
    assert found == {str(name) for name in statements["level_e"].data_vars}


def test_the_waterfall_and_the_lines_foot_in_every_trial(table):
    foots = table.query("kind == 'foots'")
    assert len(foots) == 2 * (6 + 4)
    assert (foots["mean"] == 1.0).all()
    assert (table.query("kind == 'misses'").most < 1e-3).all()


def test_the_mean_bars_stand_on_one_another(table):
    standing = 0.0
    for row in table.query("kind == 'step' and contract == 'enhanced'").itertuples():
        if row.name in set(table.query("kind == 'foots'").name):
            assert standing == pytest.approx(row.mean, abs=1e-3)
        else:
            standing += row.mean


def test_a_limit_binds_and_costs_what_its_lines_say(table, statements):
    cut = statements["level_e"].sequestration_usd.values.ravel()
    assert _row(table, "binds", "Sequestration").iloc[0]["mean"] == (cut < 0.0).mean()
    assert _row(table, "worth", "Sequestration").iloc[0]["mean"] == pytest.approx(cut.mean())
    gross = statements["level_e"].gross_savings_usd.values.ravel()
    below = (gross > 0.0) & (gross < statements["level_e"].minimum_savings_usd.values.ravel())
    lost = _row(table, "binds", "Savings below the minimum savings rate").iloc[0]
    assert lost["mean"] == below.mean() > 0.0


def test_what_is_kept_is_read_and_what_was_altered_is_settled_again(folder, table, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(engine_ledger, "drawn", None)
        pd.testing.assert_frame_equal(ledger(folder), table)
    altered = pd.read_parquet(folder / FILE)
    altered.loc[0, "mean"] += 1.0
    altered.attrs = table.attrs
    altered.to_parquet(folder / FILE, index=False)
    pd.testing.assert_frame_equal(ledger(folder), table)


def test_a_run_that_settles_otherwise_is_refused(folder, monkeypatch):
    (folder / FILE).unlink()
    real = engine_ledger.settle

    def otherwise(*given):
        lines = real(*given)
        return lines.assign(settlement_usd=lines["settlement_usd"] + 1_000.0)

    monkeypatch.setattr(engine_ledger, "settle", otherwise)
    with pytest.raises(ResultsError, match="level_e settles otherwise in trials 0 to 99"):
        ledger(folder)


def test_lead_beside_mssp_foots_in_every_trial_and_year(tmp_path):
    whole = check(ROOT / "scenarios" / "lead_or_mssp.yaml", ["trials=20"])
    opened = run(whole, tmp_path)
    table = ledger(opened.attrs["path"])
    foots = table.query("kind == 'foots'")
    assert set(foots.contract) == set(whole.contracts)
    assert len(foots.year.unique()) == 10
    assert (foots["mean"] == 1.0).all()


def test_reach_foots_in_every_trial_of_every_type_with_all_that_may_be_elected(tmp_path):
    aco = "population.riverside"
    elected = [
        f"{aco}.stop_loss={{attachment_usd: [100000, 250000], payout_share: [0.8, 1.0], "
        "charge_share: 0.01}",
        f"{aco}.reach.provisional_settlement=true",
        f"{aco}.reach.advanced_payment_share=0.05",
        f"{aco}.reach.advanced_payment_claims_share=0.98",
        f"{aco}.reach.high_performers_share=0.002",
        f"{aco}.reach.retention_withheld=true",
        f"{aco}.elections.minimum_savings=0.01",
        "rules={reach.2026.*.retention_withhold: {value: 0.02, why: so that it is there}}",
        "contracts.professional={program: reach, option: professional}",
        "contracts.trend_2023={program: reach, option: global, rules_year: 2023}",
        *(f"{aco}.segments.{kind}.risk_score.2021=1.0" for kind in TYPES),
    ]
    whole = check(ROOT / "scenarios" / "reach_2026_tightening.yaml", ["trials=200", *elected])
    table = ledger(run(whole, tmp_path).attrs["path"])
    foots = table.query("kind == 'foots'")
    assert set(foots.contract) == {"py2025_rules", "py2026", "professional", "trend_2023"}
    levels = [step.text for step in Reach.waterfall if step.kind == "level"]
    assert {*levels, *(f"{line} = {parts}" for line, parts in Reach.adds_up)} <= set(foots.name)
    assert (foots["mean"] == 1.0).all()
    steps = table.query("kind == 'step' and contract == 'py2026'").set_index("name")["mean"]
    assert (steps.drop(["Retention withhold released"]) != 0.0).all()


TYPES = ("aged_nondual", "aged_dual", "disabled", "esrd")


def test_totals_are_of_the_sums_in_each_trial(tmp_path):
    scenario = small(60, ("level_e",))
    aco = scenario.population["covenant"]
    twins = {"one": aco, "two": aco.model_copy(update={"aip_balance_usd": 1e5})}
    both = scenario.model_copy(update={"population": twins})
    run(both, tmp_path)
    table = ledger(next(tmp_path.glob("quickstart-*")))
    paid = simulate(cases(both)[0], tracks(cases(both)[0]), range(60))["level_e"].settlement_usd
    row = table.query("kind == 'step' and name == 'Settlement' and aco == @TOTAL").iloc[0]
    total = paid.sum("aco").values.ravel()
    assert row["mean"] == pytest.approx(total.mean())
    assert row["error"] == pytest.approx(total.std(ddof=1) / 60**0.5)
    cut = table.query("kind == 'binds' and name == 'Sequestration'").set_index("aco")["mean"]
    assert cut[TOTAL] >= max(cut["one"], cut["two"])
    assert table.query("kind == 'line' and aco == @TOTAL").empty


@pytest.mark.parametrize("last", ["level_e", "lead_global"])
def test_lines_by_segment_have_the_cells_of_their_own_program(last, tmp_path):
    whole = check(ROOT / "scenarios" / "lead_or_mssp.yaml")
    labels = sorted(("level_e", "lead_global"), key=lambda label: label == last)
    chosen = {"trials": 4, "contracts": {label: whole.contracts[label] for label in labels}}
    (one, *_) = cases(whole.model_copy(update=chosen))
    found = ledger(run(one.scenario, tmp_path).attrs["path"])
    statements = simulate(one, tracks(one), range(4))
    for label in labels:
        cells = found[found.contract == label].segment.dropna().unique().tolist()
        assert cells == statements[label].segment.values.tolist()
