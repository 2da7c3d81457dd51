"""Command lines that start at once: forked from a process that has everything imported.

`python -m tests.faults.nursery` reads a JSON object a line and answers with one.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

ROOT = Path(__file__).parents[2]
# Long enough for the longest run on a machine that others keep busy.
_PATIENCE = 600.0
_LIMITS = {"file": resource.RLIMIT_FSIZE, "memory": resource.RLIMIT_AS}


class Ended(NamedTuple):
    """How a command line ended: its exit code (minus a signal's number), and what it said."""

    code: int
    out: str
    err: str


class Command:
    """A command line under way."""

    def __init__(self, nursery: "Nursery", pid: int, said: Path) -> None:
        self.pid, self._nursery, self._said = pid, nursery, said
        self._code: object = None
        self.began = time.monotonic()

    def signal(self, number: int) -> None:
        """Send it a signal, if it is still there."""
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return

    def running(self) -> bool:
        """Return whether it has not ended."""
        if self._code is None:
            self._code = self._nursery.ask({"do": "poll", "pid": self.pid})
        return self._code is None

    def wait(self, seconds: float = _PATIENCE) -> Ended:
        """Return how it ended; one that does not end in time is killed, and that is an error."""
        deadline = time.monotonic() + seconds
        while self.running():
            if time.monotonic() > deadline:
                self.signal(signal.SIGKILL)
                said = self._said.with_suffix(".err").read_text()
                raise TimeoutError(f"still there after {seconds} s: {said}")
            time.sleep(0.01)
        out, err = (self._said.with_suffix(end).read_text() for end in (".out", ".err"))
        return Ended(int(str(self._code)), out, err)


class Nursery:
    """A process to fork command lines from."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def start(
        self, *words: object, limits: dict[str, int] | None = None, patch: str = ""
    ) -> Command:
        """Start `acosim words…`; `patch` is Python to run before it."""
        self._count += 1
        said = self._folder / f"said-{self._count}"
        # One that is killed at once may not have come to open them.
        for end in (".out", ".err"):
            said.with_suffix(end).touch()
        asked = {"do": "start", "words": list(map(str, words)), "said": str(said)}
        pid = self.ask({**asked, "limits": limits or {}, "patch": patch})
        return Command(self, int(str(pid)), said)

    def run(self, *words: object, **kwargs) -> Ended:
        """Run `acosim words…` to its end."""
        return self.start(*words, **kwargs).wait()

    def ask(self, asked: dict[str, object]) -> object:
        """Return the answer of the process."""
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def serve() -> None:
    """Answer until the other side is gone."""
    _warm()
    for line in sys.stdin:
        asked = json.loads(line)
        answer = _start(asked) if asked["do"] == "start" else _poll(asked["pid"])
        print(json.dumps(answer), flush=True)


def _warm() -> None:
    """Import what a run needs and compile its kernels, starting no thread."""
    import simulator.analysis.kept
    import simulator.cli.main
    import simulator.engine.run
    import simulator.report.page  # noqa: F401
    from simulator.engine.plan import plan
    from tests.runs import small

    assert plan(small(10), ROOT / "nowhere").samples


def _poll(pid: int) -> int | None:
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def _start(asked: dict[str, object]) -> int:
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    said = str(asked["said"])
    for number, end in ((0, None), (1, ".out"), (2, ".err")):
        path = said + end if end else os.devnull
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644), number)
    for name, most in dict(asked["limits"]).items():
        resource.setrlimit(_LIMITS[name], (most, most))
    exec(str(asked["patch"]), {})
    sys.argv = ["acosim", *map(str, asked["words"])]
    os._exit(_code())


def _code() -> int:
    """Return the exit code that the command line comes to."""
    from simulator.cli.main import main

    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def words(found: Sequence[object]) -> str:
    """Return a command as it is typed."""
    return " ".join(map(str, found))


if __name__ == "__main__":
    serve()
