"""Disks that fill up, or turn read-only, in the middle of a run; in a mount namespace of our own.

`unshare -rm python -m tests.faults.disks FOLDER TIMES` prints what came of it as JSON.
"""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

from tests.faults.ground import Ground, Told
from tests.faults.nursery import Ended, Nursery

_PAGE = 4096


def full(ground: Ground, disk: Path, rng: random.Random) -> tuple[Ended, str]:
    """Run on a disk that is too small by a random share, then give it room."""
    need = _mounted(ground, disk)
    small = rng.randrange(1, max(need // _PAGE, 2)) * _PAGE
    mount(disk, f"size={small}")
    try:
        ended = ground.nursery.run(*ground.words(disk, "--workers", 2))
        wrong = ground.wrong(disk, ended) or ("" if ended.code in (0, 5) else f"{ended}")
        mount(disk, "remount,size=1g")
        return ended, wrong or ground.mended(disk)
    finally:
        unmount(disk)


def _mounted(ground: Ground, disk: Path) -> int:
    """Return the bytes that a run takes."""
    if not hasattr(_mounted, "need"):
        mount(disk, "size=1g")
        ground.nursery.run(*ground.words(disk))
        said = subprocess.run(["du", "-sB1", disk], capture_output=True, text=True, check=True)
        _mounted.need = int(said.stdout.split()[0])  # type: ignore[attr-defined]
        unmount(disk)
    return int(_mounted.need)  # type: ignore[attr-defined]


def read_only(ground: Ground, disk: Path, rng: random.Random) -> tuple[Ended, str]:
    """Turn a disk read-only at a random moment of a run, or before it; then writable again."""
    mount(disk, "size=1g")
    try:
        wait = rng.choice([0.0, rng.uniform(0, 3)])
        command = ground.nursery.start(*ground.words(disk, "--workers", 2)) if wait else None
        time.sleep(wait)
        while remount(disk, "remount,ro"):
            time.sleep(0.01)
        command = command or ground.nursery.start(*ground.words(disk, "--workers", 2))
        ended = command.wait()
        wrong = ground.wrong(disk, ended) or ("" if ended.code in (0, 5) else f"{ended}")
        mount(disk, "remount,rw")
        return ended, wrong or ground.mended(disk)
    finally:
        unmount(disk)


def mount(disk: Path, options: str) -> None:
    """Mount, or mount again, a disk in memory."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk], check=True)


def remount(disk: Path, options: str) -> int:
    """Try to mount a disk again, which is refused while a file is being written."""
    words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk]
    return subprocess.run(words, check=False, stderr=subprocess.DEVNULL).returncode


def unmount(disk: Path) -> None:
    """Take a disk away, even if somebody still looks at it."""
    subprocess.run(["umount", "-l", disk], check=True)


def main(folder: Path, times: int) -> None:
    """Print what comes of each fault."""
    disk = folder / "disk"
    disk.mkdir()
    found: dict[str, Told] = {}
    with Nursery(folder) as nursery:
        ground = Ground.laid(folder, nursery)
        for name, fault in {"full": full, "read-only": read_only}.items():
            rng = random.Random(1)
            ends = [fault(ground, disk, rng) for _ in range(times)]
            found[name] = Told.of([e for e, _ in ends], [w for _, w in ends])
    print(json.dumps({name: [str(told), told.wrong] for name, told in found.items()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
