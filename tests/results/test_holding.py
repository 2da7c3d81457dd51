import errno
import fcntl
import threading

import pytest

from simulator.errors import ResultsError
from simulator.results.holding import held, is_held
from tests.test_cli import QUICKSTART, acosim


def test_who_only_asks_for_a_moment_does_not_refuse_a_run(tmp_path):
    with (tmp_path / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        threading.Timer(0.1, fcntl.flock, (file, fcntl.LOCK_UN)).start()
        with held(tmp_path):
            assert is_held(tmp_path)
    assert not is_held(tmp_path)


def test_a_second_writer_is_refused(tmp_path):
    with held(tmp_path), pytest.raises(ResultsError, match="by another process"), held(tmp_path):
        pass


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.ENOLCK])
def test_a_file_system_without_locks_is_named_with_a_remedy(tmp_path, monkeypatch, code):
    def refused(file, how):
        raise OSError(code, "not here")

    monkeypatch.setattr("fcntl.flock", refused)
    answer = acosim("run", QUICKSTART, "--trials", 20, "--out", tmp_path)
    assert answer.exit_code == 5
    assert ".lock: cannot be locked (not here); name an --out on a file" in answer.stderr
    assert not is_held(next(tmp_path.iterdir()))
