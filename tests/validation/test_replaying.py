import pytest

from simulator import settlement
from simulator.errors import ScenarioError
from simulator.validation import replaying


def outcomes(files=()):
    return [check.outcome for check in replaying.report(files)]


def test_a_public_file_given_is_settled_again(public_data):
    (check,) = replaying.report([public_data / "mssp_puf_2019.csv"])
    assert check.outcome == "passed"
    assert check.figure.startswith("475 rows, $1,134,019,082 paid, $16,137,483 owed; 474 within")


def test_files_are_found_in_the_folder_that_the_environment_names(
    public_data, tmp_path, monkeypatch
):
    for name in ("reach_puf_2021_2022.csv", "aco_id_crosswalk.csv"):
        (tmp_path / name).symlink_to(public_data / name)
    monkeypatch.setenv(replaying.VARIABLE, str(tmp_path))
    (check,) = replaying.report([])
    assert check.what == "REACH PY2021 and PY2022: reach_puf_2021_2022.csv"
    assert check.outcome == "passed"


def test_a_wrong_sequestration_fails(public_data, monkeypatch):
    monkeypatch.setattr(settlement, "sequestered", lambda amount, *, rate: 0.0 * amount)
    assert outcomes([public_data / "mssp_puf_2022.csv"]) == ["failed"]


@pytest.mark.parametrize("named", [False, True])
def test_without_a_file_the_check_is_not_done(tmp_path, monkeypatch, named):
    if named:
        monkeypatch.setenv(replaying.VARIABLE, str(tmp_path))
    else:
        monkeypatch.delenv(replaying.VARIABLE, raising=False)
    (check,) = replaying.report([])
    assert check.outcome == "not done"
    assert replaying.VARIABLE in check.figure or str(tmp_path) in check.figure


def test_a_year_without_rules_is_not_done(public_data, tmp_path):
    text = (public_data / "mssp_puf_2013.csv").read_text(encoding="utf-8")
    other = tmp_path / "mssp_puf_2011.csv"
    other.write_text(text.replace("2013", "2011"), encoding="utf-8")
    assert outcomes([other]) == ["not done"]


def test_a_file_that_is_none_is_refused(tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"other.csv: is no public-use file of results"):
        outcomes([other])


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises((ScenarioError, OSError)):
        outcomes([tmp_path / "nowhere.csv"])
