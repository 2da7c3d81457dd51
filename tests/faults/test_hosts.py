"""Many machines, as network namespaces: one is cut off and brought back."""

import pytest

from tests.faults.test_disks import apart


@pytest.mark.slow
def test_a_host_that_is_cut_off_and_brought_back_does_not_change_a_run(proof, tmp_path):
    found = apart("tests.faults.hosts", tmp_path, 20)
    proof(
        f"Scheduler and workers on {', '.join(found['hosts'])}, one cut off and brought back",
        found["told"],
    )
    assert len(found["hosts"]) == 2
    assert found["wrong"] == []
