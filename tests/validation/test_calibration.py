import numpy as np
import pytest

from simulator.sampling import aggregate, persons, severity
from simulator.validation import calibration


def failed():
    return [check.what for check in calibration.report() if check.outcome == "failed"]


def test_the_book_and_its_draws_are_as_stated():
    assert failed() == []


def test_another_shape_of_spending_fails(monkeypatch):
    monkeypatch.setattr(calibration, "standard", lambda name, mean: severity.gamma(mean, 2.9))
    found = failed()
    assert found[0].startswith("Shares of spending")
    assert found[1].startswith("Coefficient of variation")
    assert found[2].startswith("Each type's")


@pytest.mark.parametrize(
    ("module", "by"), [(aggregate, "drawn as a sum"), (persons, "drawn one by one")]
)
@pytest.mark.parametrize("spread", ["mean", "variance"])
def test_draws_that_leave_their_law_fail(monkeypatch, module, by, spread):
    name = "_totals" if module is aggregate else "totals"
    right = getattr(module, name)

    def wrong(*given):
        drawn = np.stack(right(*given))
        middle = drawn.mean(axis=1, keepdims=True)
        return (
            middle * 1.1 + drawn - middle if spread == "mean" else middle + (drawn - middle) * 1.2
        )

    monkeypatch.setattr(module, name, wrong)
    assert failed()
    assert all(by in what for what in failed())
