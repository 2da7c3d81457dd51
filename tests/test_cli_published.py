"""The verbs that read public-use files, as they are typed."""

import csv
import json
from io import StringIO
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from simulator.cli.verbs import app
from tests.engine import layout_2024 as layout


def acosim(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return layout.write(tmp_path / "PY2024.csv", [*layout.PLAIN, *layout.HIDDEN])


def test_replay_ends_with_the_totals_and_names_what_is_not_met(file: Path) -> None:
    answer = acosim("replay", "mssp", file)
    assert answer.exit_code == 0
    *rows, unexplained = answer.stdout.splitlines()
    assert unexplained == "rows unexplained 0"
    assert [row.split(":")[0] for row in rows[:3]] == ["A5012", "A5013", "A5014"]
    assert len(rows) == 3 + 6


def test_replay_writes_every_row(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    assert acosim("replay", "mssp", file, "--out", out).exit_code == 0
    header, *rows = csv.reader(StringIO(out.read_text(encoding="utf-8")))
    assert header == ["ACO_ID", "published_usd", "recomputed_usd", "difference_usd", "note"]
    assert len(rows) == len(layout.PLAIN) + len(layout.HIDDEN)


def test_replay_answers_in_json(file: Path) -> None:
    answer = json.loads(acosim("replay", "mssp", file, "--json").stdout)
    assert answer["totals"]["explained"] == 3
    assert answer["rows"][0]["verdict"] == "within"


def test_replay_of_another_file_is_lines_and_an_exit_code(tmp_path: Path) -> None:
    path = tmp_path / "2022.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    answer = acosim("replay", "mssp", path)
    assert (answer.exit_code, answer.stdout) == (3, "")
    assert answer.stderr.startswith(f"{path}:1: has no column ACO_ID")


def test_init_writes_one_acos_scenario_that_is_sound(public_data: Path, tmp_path: Path) -> None:
    file = public_data / "mssp_puf_2022.csv"
    words = ("init", "--from-published", "mssp", file, "A2021", "--out", tmp_path)
    assert acosim(*words).exit_code == 0
    assert acosim("check", tmp_path / "a2021-2022.yaml").exit_code == 0
    again = acosim(*words)
    assert again.exit_code == 3
    assert "is there already" in again.stderr


def test_init_writes_every_acos_scenario(public_data: Path, tmp_path: Path) -> None:
    header, *rows = (public_data / "mssp_puf_2022.csv").read_text("utf-8-sig").splitlines()
    file = tmp_path / "py2022.csv"
    file.write_text("\n".join([header, *rows[:3]]), encoding="utf-8")
    answer = acosim("init", "--from-published", "mssp", file, "--all", "--out", tmp_path)
    assert answer.exit_code == 0
    assert len(list(tmp_path.glob("*.yaml"))) == 3


def test_init_takes_one_aco_or_all(tmp_path: Path) -> None:
    assert acosim("init", "--from-published", "mssp", tmp_path).exit_code == 2
    assert acosim("init", "--from-published", "mssp", tmp_path, "A1", "--all").exit_code == 2


def test_init_writes_every_aco_into_one_scenario(public_data: Path, tmp_path: Path) -> None:
    header, *rows = (public_data / "mssp_puf_2022.csv").read_text("utf-8-sig").splitlines()
    file = tmp_path / "py2022.csv"
    file.write_text("\n".join([header, *rows[:3]]), encoding="utf-8")
    words = ("init", "--from-published", "mssp", file, "--all", "--together", "--out", tmp_path)
    answer = acosim(*words)
    assert answer.exit_code == 0
    assert "mssp-2022.yaml: 3 ACOs" in answer.stdout
    assert acosim("check", tmp_path / "mssp-2022.yaml").exit_code == 0
    assert "is there already" in acosim(*words).stderr


def test_together_goes_with_all(tmp_path: Path) -> None:
    words = ("init", "--from-published", "mssp", tmp_path, "A1", "--together")
    assert acosim(*words).exit_code == 2
