import pytest

from simulator.sampling.streams import Streams
from simulator.validation import reproducibility


@pytest.fixture(autouse=True)
def of_mssp(monkeypatch):
    monkeypatch.setattr(reproducibility, "NAMES", ("mssp",))


def outcomes(made, tmp_path):
    return [check.outcome for check in reproducibility.report(made, tmp_path)]


def test_a_run_is_the_same_however_it_is_made(made, tmp_path):
    assert outcomes(made, tmp_path) == ["passed"] * 3
    assert list(reproducibility.digests(made)) == ["mssp"]


def test_draws_that_depend_on_the_block_fail(made, tmp_path, monkeypatch):
    right = Streams._independent

    def wrong(self, stream, who, trials, width):
        return right(self, stream, who, range(len(trials)), width)

    monkeypatch.setattr(Streams, "_independent", wrong)
    assert outcomes(made, tmp_path)[1] == "failed"
