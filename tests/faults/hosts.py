"""Hosts in network namespaces of their own, one of them cut off in the middle of runs.

`unshare -rmn python -m tests.faults.hosts FOLDER TIMES` prints what came of it as JSON.
"""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import psutil

from tests.faults.ground import Ground, Told
from tests.faults.nursery import ROOT, Nursery

_NET = "10.77.0"
_SCHEDULER = f"tcp://{_NET}.1:8786"
_HOSTS = {"near": 2, "far": 3}
_AT_ONCE = 4
_DASK = [sys.executable, "-m", "dask"]
# A link that is down is given up after 12 s here (the least that dask takes), not 30.
_QUICK = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "12s", "PYTHONPATH": str(ROOT)}


def ip(*words: str) -> None:
    """Do what `ip` does."""
    subprocess.run(["ip", *words], check=True)


def joined() -> None:
    """Make a bridge here, and two hosts on it, each with a network of its own."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    ip("link", "set", "lo", "up")
    ip("link", "add", "bridge", "type", "bridge")
    ip("addr", "add", f"{_NET}.1/24", "dev", "bridge")
    ip("link", "set", "bridge", "up")
    for host, number in _HOSTS.items():
        ip("netns", "add", host)
        ip("link", "add", f"to-{host}", "type", "veth", "peer", "name", "eth", "netns", host)
        ip("link", "set", f"to-{host}", "master", "bridge", "up")
        ip("-n", host, "addr", "add", f"{_NET}.{number}/24", "dev", "eth")
        ip("-n", host, "link", "set", "eth", "up")
        ip("-n", host, "link", "set", "lo", "up")


def scheduling() -> subprocess.Popen[bytes]:
    """Start a scheduler here."""
    return _start([*_DASK, "scheduler", "--host", f"{_NET}.1", "--port", "8786", "--no-dashboard"])


def working(folder: Path) -> list[subprocess.Popen[bytes]]:
    """Start two workers on each host."""
    found = []
    for host, number in _HOSTS.items():
        words = ["worker", _SCHEDULER, "--nworkers", "2", "--nthreads", "1", "--no-dashboard"]
        where = ["--host", f"{_NET}.{number}", "--local-directory", str(folder)]
        found.append(_start(["ip", "netns", "exec", host, *_DASK, *words, *where]))
    return found


def _start(words: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        words,
        cwd=ROOT,
        env={**os.environ, **_QUICK},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def settled() -> set[str]:
    """Return the hosts that have workers, once there are four."""
    from distributed import Client

    with Client(_SCHEDULER, timeout=60) as client:
        client.wait_for_workers(4, timeout=120)
        return {address.split("//")[1].split(":")[0] for address in client.nthreads()}


def cut(ground: Ground, rng: random.Random) -> tuple[Told, set[str]]:
    """Return what comes of runs under way while a host is cut off and brought back."""
    hosts = settled()
    outs = [ground.fresh() for _ in range(_AT_ONCE)]
    commands = []
    for out in outs:
        words = ground.words(out, "--scheduler", _SCHEDULER, "--patience", 60)
        commands.append(ground.nursery.start(*words))
        time.sleep(0.5)
    time.sleep(rng.uniform(0, 1))
    ip("link", "set", "to-far", "down")
    time.sleep(rng.uniform(3, 12))
    ip("link", "set", "to-far", "up")
    ends = [command.wait(300) for command in commands]
    wrong = [
        ground.wrong(out, end) or ground.mended(out) for out, end in zip(outs, ends, strict=True)
    ]
    return Told.of(ends, wrong), hosts


def main(folder: Path, times: int) -> None:
    """Print what comes of cutting one host off, so many runs under way."""
    joined()
    told, hosts, rng = Told.nothing(), set[str](), random.Random(1)
    with Nursery(folder) as nursery:
        ground = Ground.laid(folder, nursery)
        scheduler, workers = scheduling(), list[subprocess.Popen[bytes]]()
        try:
            for _ in range(times // _AT_ONCE):
                # Workers that were cut off for long have ended: each time has its own.
                workers = working(folder)
                found, seen = cut(ground, rng)
                told, hosts = told.plus(found), hosts | seen
                end(workers)
        finally:
            end([*workers, scheduler])
    print(json.dumps({"hosts": sorted(hosts), "told": str(told), "wrong": told.wrong}))


def end(processes: list[subprocess.Popen[bytes]]) -> None:
    """End the processes that we started, and those below them."""
    for process in processes:
        if process.returncode is not None:
            continue
        below = psutil.Process(process.pid).children(recursive=True)
        for each in (*below, psutil.Process(process.pid)):
            try:
                each.kill()
            except psutil.NoSuchProcess:
                continue
        process.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
