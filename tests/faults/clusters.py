"""A dask cluster of processes to break: a scheduler, and workers that a nanny starts again."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import psutil

from tests.faults.nursery import ROOT

_STARTING = 60.0
# A worker that is started again is forked from a process that has dask imported.
_FORKED: dict[str, object] = {"worker__multiprocessing_method": "forkserver"}


class Cluster:
    """A scheduler and workers on loopback, each a process."""

    def __init__(
        self, folder: Path, workers: int, patch: str = "", limit: str = "auto", **settings: object
    ) -> None:
        self.address = f"tcp://127.0.0.1:{_free_port()}"
        self._folder, self._workers, self._limit = folder, workers, limit
        self._env = {**os.environ, "PYTHONPATH": str(ROOT), **_settings(_FORKED | settings)}
        if patch:
            preload = folder / f"preload-{time.monotonic_ns()}.py"
            preload.write_text(patch, encoding="utf-8")
            self._env["DASK_DISTRIBUTED__WORKER__PRELOAD"] = str(preload)
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        host, port = self.address.removeprefix("tcp://").split(":")
        where = ["--host", host, "--port", port, "--no-dashboard"]
        self.scheduler = self._start("scheduler", *where)
        self.nannies = self._start(
            "worker", self.address, "--nworkers", str(self._workers), "--nthreads", "1",
            "--host", "127.0.0.1", "--no-dashboard", "--local-directory", str(self._folder),
            "--memory-limit", self._limit,
        )  # fmt: skip
        self.settle()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            _end(process)

    def workers(self) -> list[psutil.Process]:
        """Return the processes of workers: what the nannies' server of forks has forked."""
        try:
            servers = psutil.Process(self.nannies.pid).children()
            return [process for server in servers for process in server.children()]
        except psutil.NoSuchProcess:
            return []

    def settle(self) -> None:
        """Wait until every worker has joined."""
        from distributed import Client

        with Client(self.address, timeout=_STARTING) as client:
            client.wait_for_workers(self._workers, timeout=_STARTING)

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *words],
            cwd=ROOT,
            env=self._env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._processes.append(process)
        return process


def _settings(settings: dict[str, object]) -> dict[str, str]:
    return {f"DASK_DISTRIBUTED__{name.upper()}": str(value) for name, value in settings.items()}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that we started, and those that it started."""
    try:
        below = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        below = []
    process.send_signal(signal.SIGCONT)
    process.kill()
    for each in below:
        try:
            each.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
