import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from simulator.cli.verbs import app
from simulator.validation import evaluation
from simulator.validation.checks import judged, not_done
from tests.runs import QUICKSTART

GOLDEN = Path(__file__).parent / "golden" / "mssp" / "stlmt22_level_b_settlement.yaml"
VERBS = [
    "capital",
    "check",
    "compare",
    "explain",
    "export",
    "init",
    "merge",
    "plan",
    "report",
    "reproduce",
    "rules",
    "run",
    "schema",
    "sensitivity",
    "settle",
    "show",
    "solve",
    "status",
    "validate",
    "verify",
    "what-matters",
]


def acosim(*words):
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("out")


@pytest.fixture(scope="module")
def ran(out):
    return acosim("run", QUICKSTART, "--trials", 200, "--out", out)


@pytest.fixture(scope="module")
def folder(ran, out):
    return next(out.iterdir())


def test_help_names_every_verb():
    said = acosim("--help").stdout
    assert [verb for verb in VERBS if re.search(rf"\b{verb}\b", said)] == VERBS


def test_run_answers_and_says_where_everything_is(ran, folder):
    assert ran.exit_code == 0
    assert "P(earns) %" in ran.stdout
    assert "percentile" in ran.stdout
    for file in ("exceedance.png", "report.html", "report.xlsx", "summary.parquet", "run.json"):
        assert (folder / file).stat().st_size > 0
    assert ran.stdout.splitlines()[-1].endswith("report.xlsx")


def test_two_contracts_are_compared_on_the_same_draws(folder):
    said = acosim("compare", folder, "enhanced", "level_e")
    assert said.exit_code == 0
    assert "Pays more, % of trials" in said.stdout
    told = json.loads(acosim("compare", folder, "enhanced", "level_e", "--json").stdout)
    (row,) = told["differences"]
    means = {
        row["contract"]: row["mean_usd"]
        for row in json.loads(acosim("show", folder, "--json").stdout)["settlements"]
    }
    assert row["mean_usd"] == pytest.approx(means["enhanced"] - means["level_e"])


def test_a_run_compared_with_itself_is_no_better(folder):
    told = json.loads(acosim("compare", folder, folder, "--json").stdout)
    assert all(row["mean_usd"] == row["wins_share"] == 0.0 for row in told["differences"])


def test_capital_prices_a_layer_and_says_what_the_calendar_assumes(folder):
    words = ("--attachment", 1e5, "--limit", 1e6, "--premium", 2e4)
    said = acosim("capital", folder, *words)
    assert said.exit_code == 0
    for part in ("Value at risk, 99.5%", "Pure premium", "Expected value", "2023 Q4", "assumed:"):
        assert part in said.stdout
    told = json.loads(acosim("capital", folder, *words, "--json").stdout)
    assert {row["part"].split(",")[0] for row in told["capital"]} >= {"Loss"}


def test_a_layer_lacks_neither_end(folder):
    assert acosim("capital", folder, "--attachment", 1e5).exit_code == 2


def test_show_says_the_same_as_run(ran, folder):
    shown = acosim("show", folder).stdout
    assert ran.stdout.startswith(shown.rstrip("\n"))


def test_every_verb_that_reads_can_answer_in_json(ran, folder):
    words = [
        ("check", QUICKSTART),
        ("plan", QUICKSTART, "--trials", 200),
        ("show", folder),
        ("rules", "mssp", 2022),
        ("explain", folder, "--trial", 3, "--contract", "level_e"),
        ("settle", GOLDEN),
        ("run", QUICKSTART, "--trials", 200, "--out", folder.parent),
    ]
    for each in words:
        answer = acosim(*each, "--json")
        assert answer.exit_code == 0, answer.stderr
        json.loads(answer.stdout)


def test_explain_settles_a_trial_again_to_what_was_stored(folder):
    words = ("explain", folder, "--trial", 3, "--contract", "level_e")
    answer = acosim(*words)
    assert answer.exit_code == 0
    assert "settlement_usd: What the ACO earns" in answer.stdout
    assert "sequestration [published: " in answer.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--trial", 200, "--contract", "level_e"), "trial 200 is not in the run; it has 200"),
        (("--trial", 1, "--contract", "level_x"), "did you mean level_e?"),
        (("--trial", 1, "--contract", "level_e", "--aco", "nobody"), "there are covenant"),
        (("--trial", 1, "--contract", "level_e", "--case", 3), "case 3 is not in the run"),
    ],
)
def test_explain_refuses_what_the_run_does_not_have(folder, words, said):
    answer = acosim("explain", folder, *words)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert said in answer.stderr


def test_init_writes_a_scenario_that_is_sound(tmp_path):
    file = tmp_path / "own.yaml"
    assert acosim("init", file).exit_code == 0
    assert acosim("check", file).exit_code == 0
    assert acosim("init", file).exit_code == 2


def test_settle_reproduces_a_published_settlement_to_the_cent():
    answer = acosim("settle", GOLDEN)
    assert answer.exit_code == 0
    assert re.search(r"2,883,145\.53 +settlement_usd", answer.stdout)


def test_settle_says_which_expected_line_is_not_met(tmp_path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(GOLDEN.read_text().replace("settlement_usd: 2", "settlement_usd: 3"))
    answer = acosim("settle", wrong)
    assert answer.exit_code == 3
    assert "NOT MET" in answer.stdout


def test_rules_show_terms_options_and_what_changed():
    assert "mssp 2022" in acosim("rules").stdout
    whole, one = acosim("rules", "mssp", 2022).stdout, acosim("rules", "mssp", 2022, "e").stdout
    assert len(one.splitlines()) < len(whole.splitlines())
    terms, counts = (part.splitlines() for part in one.split("\n\n"))
    assert {line.split()[1] for line in terms} == {"all", "E"}
    assert [line.split()[:2] for line in counts[1:]] == [["2022", "all"], ["2022", "E"]]
    changed = acosim("rules", "mssp", 2022, 2023).stdout
    assert "nationwide_circumstances" in changed
    assert "agreement_years" not in changed
    unsettled = acosim("rules", "mssp", 2022, "--assumed").stdout.split("\n\n")[0].splitlines()
    assert unsettled
    assert all(re.search("assumed|reported|proposed|disputed", line) for line in unsettled)


@pytest.mark.parametrize("words", [("mspp", 2022), ("mssp", 1999), ("mssp", 2022, "F"), ("mspp",)])
def test_rules_that_do_not_exist_are_the_users_words(words):
    assert acosim("rules", *words).exit_code == 2


def test_the_schema_is_json():
    assert "population" in json.loads(acosim("schema").stdout)["properties"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("check", "missing.yaml"), 3),
        (("run", "missing.yaml"), 3),
        (("run", QUICKSTART, "--trials", "0"), 2),
        (("run", QUICKSTART, "--set", "trials"), 3),
        (("run",), 2),
        (("dance",), 2),
        (("show", "missing"), 7),
        (("settle", "missing.yaml"), 3),
    ],
)
def test_exit_codes_say_whose_turn_it_is(words, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = acosim(*words)
    assert answer.exit_code == code
    assert answer.stdout == ""
    assert answer.stderr


def test_a_disk_that_refuses_is_exit_five(tmp_path):
    file = tmp_path / "file"
    file.write_text("in the way")
    answer = acosim("run", QUICKSTART, "--trials", 10, "--out", file)
    assert answer.exit_code == 5
    assert len(answer.stderr.splitlines()) == 1


def test_a_scheduler_that_is_not_there_is_exit_six(tmp_path, monkeypatch):
    monkeypatch.setattr("simulator.engine.run._CONNECT", "1s")
    words = (
        "run",
        QUICKSTART,
        "--trials",
        10,
        "--out",
        tmp_path,
        "--scheduler",
        "tcp://127.0.0.1:9",
    )
    answer = acosim(*words)
    assert answer.exit_code == 6
    assert "cannot be reached" in answer.stderr


def test_all_mistakes_of_all_files_come_at_once(tmp_path):
    base, over = tmp_path / "base.yaml", tmp_path / "over.yaml"
    base.write_text(QUICKSTART.read_text().replace("extends: base/", "extends: base/"))
    base.write_text(
        base.read_text()
        .replace("revenue_class: low ", "revenue_class: lo ")
        .replace("minimum_savings: 0.01", "minimum_savings: 1%")
    )
    over.write_text(
        "extends: base.yaml\ntrails: 10\ncontracts:\n  x: {program: mspp, option: E}\n"
        "  y: {program: mssp, option: F}\nkeep: [settlment_usd]\n"
        "rules:\n  mssp.2022.E.sharing_rate: {value: 3, why: a slip}\n"
    )
    answer = acosim("check", over, "--set", "seed=-1", "--set", "experience.quality.mean=82")
    lines = answer.stderr.splitlines()
    assert answer.exit_code == 3
    assert len(lines) == 9, answer.stderr
    starts = [line.split(" ")[0] for line in lines]
    assert sum(start.startswith(str(base)) for start in starts) == 2
    assert [start.rsplit(":", 2)[1] for start in starts if str(over) in start] == list("24568")


def test_help_and_check_start_without_what_they_do_not_need():
    code = (
        "import sys; from simulator.cli.verbs import app; from simulator.engine import checking; "
        "print(sorted({'numba', 'zarr', 'dask', 'distributed', 'matplotlib', 'scipy.stats'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_our_own_mistake_is_one_line_and_exit_one(tmp_path):
    code = (
        "import sys; from simulator.cli import main, verbs; "
        "verbs.Path.read_text = lambda *a, **k: 1 / 0; main.main()"
    )
    words = [sys.executable, "-c", code, "init", str(tmp_path / "x.yaml")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "please report" in done.stderr


def test_one_contract_alone_has_its_page_and_workbook(tmp_path):
    others = ("level_a", "level_b", "level_c", "level_d", "enhanced")
    alone = ", ".join(f"{name}: ~" for name in others)
    shutil.copy(QUICKSTART, tmp_path)
    file = tmp_path / "one.yaml"
    file.write_text(f"extends: {QUICKSTART.name}\ntrials: 20\ncontracts: {{{alone}}}\n")
    done = acosim("run", file, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    (page,) = (tmp_path / "out").glob("*/report.html")
    assert "level_e" in page.read_text(encoding="utf-8")


def test_validate_writes_what_it_found_and_ends_in_1_where_a_check_fails(tmp_path, monkeypatch):
    checks = [not_done("A", "a file", "none", "all"), judged("B", "a rate", "1", "2", met=True)]
    monkeypatch.setattr(evaluation, "_checks", lambda files, made, folder: iter(checks))
    assert acosim("validate", "--out", tmp_path).exit_code == 0
    checks.append(judged("B", "another", "3", "4", met=False))
    ended = acosim("validate", "--out", tmp_path)
    assert ended.exit_code == 1
    assert "failed: another: 3; allowed: 4" in ended.stderr
    assert "1 of 3 checks failed" in ended.stdout
    told = json.loads(acosim("validate", "--out", tmp_path, "--json").stdout)
    assert told == json.loads((tmp_path / "validation.json").read_text())
    assert (tmp_path / "validation.html").is_file()


def test_the_waterfall_is_the_same_to_the_cent_as_json_on_the_page_and_in_the_workbook(folder):
    told = json.loads(acosim("show", folder, "--json").stdout)["waterfall"]
    assert {row["contract"] for row in told} >= {"level_a", "enhanced"}
    book = openpyxl.load_workbook(folder / "report.xlsx")
    head, *rows = book["Waterfall"].iter_rows(min_row=2, values_only=True)
    sheet = [dict(zip(head, row, strict=True)) for row in rows if row[0] is not None]
    names = ("contract", "bar", "to_the_cent_usd")
    assert [[row[n] for n in names] for row in sheet] == [[row[n] for n in names] for row in told]
    page = (folder / "report.html").read_text(encoding="utf-8")
    exact = page[page.index("in dollars and cents") : page.index("How likely each amount is")]
    for row in told:
        assert f"{row['to_the_cent_usd']:,.2f}".replace("-", "\u2212") in exact


def test_a_run_that_was_not_settled_again_says_how_to_have_its_waterfall(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "run")
    (tmp_path / "run" / "ledger.parquet").unlink()
    told = json.loads(acosim("show", tmp_path / "run", "--json").stdout)
    assert told["waterfall"] is None
    assert told["waterfall_by"] == f"acosim report {tmp_path / 'run'}"
