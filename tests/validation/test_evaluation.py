import json

import pytest

from simulator.errors import ScenarioError
from simulator.report import validation as page
from simulator.validation import evaluation, replaying, runs
from simulator.validation.checks import Check, judged, not_done
from simulator.validation.evaluation import Validation, validate


def validation(*checks):
    return Validation(checks, {"mssp": "0" * 64}, "0.1.0", {"python": "3"}, "Linux", "2026", 1.0)


PASSED = judged("Tables", "a <b>rate</b>", "-3.9%", "3.9%", met=True)
FAILED = judged("Tables", "another", "4.1%", "3.9%", met=False)
UNDONE = not_done("Replay", "a file", "there is none", "all rows")


@pytest.mark.slow
def test_everything_holds_here(public_data, monkeypatch, proof):
    monkeypatch.setenv(replaying.VARIABLE, str(public_data))
    found = validate()
    proof("acosim validate", f"{found.verdict} {found.seconds:.0f} seconds")
    assert [check for check in found.checks if check.outcome != "passed"] == []
    assert set(found.digests) == set(runs.NAMES)


def test_what_was_not_done_is_not_taken_for_passed():
    assert validation(PASSED, UNDONE).verdict == (
        "All 1 checks that were done passed. 1 not done: what they would show is not known."
    )


def test_a_check_that_fails_is_said_first():
    assert validation(PASSED, FAILED).verdict == (
        "1 of 2 checks failed: this installation is not to be relied on."
    )


def test_a_run_that_cannot_be_made_fails_and_leaves_the_rest_undone(monkeypatch):
    def stops(name, folder):
        raise ScenarioError("the disk has gone")

    monkeypatch.setattr(runs, "made", stops)
    monkeypatch.delenv(replaying.VARIABLE, raising=False)
    told: list[Check] = []
    found = validate(told=told.append)
    assert found.checks == tuple(told)
    by_group = {check.group: check.outcome for check in found.checks}
    assert by_group == {
        "Published settlements": "not done",
        "Tables of the law": "passed",
        "Severity": "passed",
        evaluation._RUNS: "failed",
        "Conservation": "not done",
        "Convergence": "not done",
        "Reproducibility": "not done",
    }


def test_the_page_has_every_check_and_lines_to_sign(tmp_path):
    written, figures = page.write(validation(PASSED, FAILED, UNDONE), tmp_path / "new")
    text = written.read_text(encoding="utf-8")
    assert "a &lt;b&gt;rate&lt;/b&gt;" in text
    for word in ("\u22123.9%", "4.1%", "there is none", "Signature", "Date", "0" * 64):
        assert word in text
    assert [text.count(f">{word}</span>") for word in ("passed", "failed", "not done")] == [1] * 3
    assert "http:" not in text
    assert "https:" not in text
    told = json.loads(figures.read_text(encoding="utf-8"))
    assert [check["outcome"] for check in told["checks"]] == ["passed", "failed", "not done"]
