"""Persons to look for: a file of them, whatever a command leaves behind, and every way to read it.

A command is watched from within: files that it removes or replaces are kept in a grave, with each
frame that dask sends, so that what is there for a moment only is searched as well.
"""

import base64
import io
import os
import re
import signal
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import zarr

ROOT = Path(__file__).parents[1]
COLUMNS = ("row_key", "year", "enrollment_type", "months", "paid_usd", "risk_score", "tin_group")
EXTRA = ("died", "remark", "area", "since", "reference", "clinician")
SCENARIO = """\
name: {name}
years: [2022]
trials: 60
population:
  lakeshore: {{beneficiaries: {file}, agreement: {{start: 2019}}}}
market:
  national_ppy: {{aged_nondual: {{2016: 9_900, 2017: 10_100, 2018: 10_500}}}}
contracts:
  e: {{program: mssp, option: E}}
  enhanced: {{program: mssp, option: ENHANCED}}
"""
SWEEP = """\
sweep:
  grid:
    experience.effect.mean: [0.0, 0.02]
"""
WATCH = """
import atexit, itertools, os, shutil, sys
GRAVE, COUNT = os.environ["CANARY_GRAVE"], itertools.count()

def bury(path, dir_fd=None):
    try:
        where = os.fspath(path)
        where = where.decode() if isinstance(where, bytes) else where
        if dir_fd is not None:
            where = os.path.join(os.readlink(f"/proc/self/fd/{dir_fd}"), where)
        if os.path.isfile(where) and not os.path.realpath(where).startswith(GRAVE):
            name = f"{os.getpid()}-{next(COUNT)}-{os.path.basename(where)}"
            shutil.copyfile(where, os.path.join(GRAVE, name))
    except OSError:
        pass

def before(act, which):
    def done(*args, **named):
        if args:
            bury(args[which], named.get("dir_fd"))
        return act(*args, **named)
    return done

for name, which in (("unlink", 0), ("remove", 0), ("replace", 0), ("rename", 0)):
    setattr(os, name, before(getattr(os, name), which))
for name in ("replace", "rename"):
    setattr(os, name, before(getattr(os, name), 1))

def opened(event, args):
    if event == "open" and isinstance(args[0], str) and args[2] and args[2] & os.O_TRUNC:
        bury(args[0])

sys.addaudithook(opened)
if os.environ.get("CANARY_COMM"):
    import distributed.comm.tcp as tcp
    framed = tcp.to_frames

    async def kept(*args, **named):
        frames = await framed(*args, **named)
        with open(os.path.join(GRAVE, f"{os.getpid()}.frames"), "ab") as file:
            file.writelines(bytes(frame) for frame in frames)
        return frames

    tcp.to_frames = kept
if os.environ.get("CANARY_POISON"):
    import simulator.engine.batch as batch

    def poison(case, tracks, trials):
        raise ValueError("poison")

    batch.lines = poison
"""


class Planted(NamedTuple):
    """What stands for a person in a file: in columns that are read, and in those that are not."""

    key: str = "CANARYKEY"
    name: str = "Canary Birdsong"
    # Nobody may have a date as programs write it: a file of them would be refused.
    born: str = "the 9th of July 1931"
    area: str = "IL 60699"
    clinician: str = "Dr Ada Warbler"
    reference: str = "CLM77X31"
    paid_usd: float = 98765.4321
    risk_score: float = 3.14159265

    def words(self) -> tuple[str, ...]:
        """Return every text that must not be found, as people and programs write it."""
        return (
            *(self.key, self.name, self.born, self.area, self.clinician, self.reference),
            *(f"{self.paid_usd}", f"{self.paid_usd:,}", f"{self.paid_usd:.2f}"),
            *(f"{self.paid_usd:,.2f}", f"{self.risk_score}"),
        )


def people(planted: Planted, count: int = 400) -> pd.DataFrame:
    """Return persons, three years each; some groups are one person's name, others a group's."""
    rng = np.random.default_rng(5)
    number = np.repeat(np.arange(count), 3)
    paid = np.round(rng.lognormal(9.0, 1.0, 3 * count), 4)
    paid[7], risk = planted.paid_usd, np.ones(3 * count)
    risk[7] = planted.risk_score
    groups = [f"{planted.name} {n}" if n < 30 else f"G{n % 4}" for n in number]
    return pd.DataFrame(
        {
            "row_key": [f"{planted.key}{n:04d}" for n in number],
            "year": np.tile([2016, 2017, 2018], count),
            "enrollment_type": "AGND",
            "months": 12,
            "paid_usd": paid,
            "risk_score": risk,
            "tin_group": groups,
            "died": 0,
            "remark": planted.name,
            "area": planted.area,
            "since": planted.born,
            "reference": planted.reference,
            "clinician": planted.clinician,
        }
    )


def plant(folder: Path, planted: Planted) -> None:
    """Write a folder of scenarios whose files of people hold canaries."""
    folder.mkdir(parents=True)
    table = people(planted)
    table.to_csv(folder / "people.csv", index=False)
    notes = {"canary": f"{planted.name}, {planted.born}, {planted.key}0007"}
    whole = pa.Table.from_pandas(table.set_index("reference"))
    pq.write_table(
        whole.replace_schema_metadata({**(whole.schema.metadata or {}), **notes}),
        folder / "people.parquet",
    )
    for name, file, more in (
        ("private", "people.csv", ""),
        ("swept", "people.csv", SWEEP),
        ("columnar", "people.parquet", ""),
    ):
        text = SCENARIO.format(name=name, file=file) + more
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


class Sandbox:
    """A folder in which commands have their home, their temporary files and their grave."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root, self.folder, self.said, self.codes = root, folder, [], []
        self.grave = root / "grave"
        for name in ("grave", "home", "tmp", "watch"):
            (root / name).mkdir(parents=True, exist_ok=True)
        (root / "watch" / "sitecustomize.py").write_text(WATCH, encoding="utf-8")

    def acosim(self, *words: str, limit: int = 0, interrupted: float = 0.0, **env: str) -> int:
        """Run a command, keep all that it says, and return its exit code."""
        process = subprocess.Popen(
            [sys.executable, "-m", "simulator", *words],
            cwd=self.folder,
            env={**os.environ, **self._env(), **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=(lambda: _limited(limit)) if limit else None,  # noqa: PLW1509
        )
        try:
            told, _ = process.communicate(timeout=interrupted or 300)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            told, _ = process.communicate(timeout=60)
        self.said.append((" ".join(words), told))
        self.codes.append(process.returncode)
        return process.returncode

    def _env(self) -> dict[str, str]:
        root = self.root
        return {
            "PYTHONPATH": f"{root / 'watch'}{os.pathsep}{ROOT}",
            "CANARY_GRAVE": str(root / "grave"),
            "HOME": str(root / "home"),
            "TMPDIR": str(root / "tmp"),
            "XDG_CACHE_HOME": str(root / "home"),
            "MPLCONFIGDIR": str(root / "home"),
            "DASK_TEMPORARY_DIRECTORY": str(root / "tmp"),
            "DASK_DISTRIBUTED__COMM__COMPRESSION": "null",
        }

    def artefacts(self) -> Iterator[tuple[str, bytes]]:
        """Yield what commands said and every file that they left, but for what was planted."""
        yield from self.said
        for path in sorted(self.root.rglob("*")):
            planted = path.parent == self.folder and path.stem == "people"
            if path.is_file() and not planted and path.parent.name != "watch":
                yield str(path.relative_to(self.root)), path.read_bytes()


def _limited(size: int) -> None:
    import resource  # noqa: PLC0415

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def opened(name: str, held: bytes, depth: int = 3) -> Iterator[tuple[str, bytes]]:
    """Yield a file as it stands, and as whoever opens it sees it: unpacked, decoded."""
    yield name, held
    if not depth:
        return
    for inner, part in _inside(held):
        yield from opened(f"{name}!{inner}", part, depth - 1)


def _inside(held: bytes) -> Iterator[tuple[str, bytes]]:
    if held[:4] == b"PK\3\4":
        with zipfile.ZipFile(io.BytesIO(held)) as packed:
            yield from ((name, packed.read(name)) for name in packed.namelist())
    if held[:4] == b"PAR1" and held[-4:] == b"PAR1":
        yield from _parquet(held)
    if held[:4] == b"\x89PNG":
        packed = b"".join(re.findall(rb"(?s)IDAT(.*?).{4}.{4}(?=IDAT|IEND)", held))
        yield "pixels", zlib.decompressobj().decompress(packed)
    for number, found in enumerate(re.findall(rb"base64,([A-Za-z0-9+/=\s]{40,})", held)):
        yield f"data{number}", base64.b64decode(found)


def _parquet(held: bytes) -> Iterator[tuple[str, bytes]]:
    file = pq.ParquetFile(io.BytesIO(held))
    yield "rows", file.read().to_pandas().to_csv().encode()
    notes = file.metadata
    yield "metadata", f"{notes.metadata} {file.schema_arrow} {notes.to_dict()}".encode()


def stored(root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every array of every Zarr store as zarr decodes it, with its attributes."""
    for path in sorted(root.rglob("*.zarr")):
        for place in sorted(path.rglob("zarr.json")):
            node = zarr.open(place.parent, mode="r")
            text = str(dict(node.attrs))
            if isinstance(node, zarr.Array):
                text += f"{np.asarray(node[:]).tolist()}"
            yield f"{place.parent.relative_to(root)}!decoded", text.encode()


def needles(planted: Planted) -> Mapping[str, bytes]:
    """Return what to look for: each text in several codings, each figure as it is stored."""
    found: dict[str, bytes] = {}
    for word in planted.words():
        plain = word.encode()
        found |= {word: plain, f"{word} (UTF-16)": word.encode("utf-16-le")}
        found |= {f"{word} (hexadecimal)": plain.hex().encode()}
        for shift in range(3):
            # Whole groups of three bytes only: those at the edges depend on what is beside.
            inner = plain[shift : shift + (len(plain) - shift) // 3 * 3]
            if len(inner) >= 6:
                found[f"{word} (base64, {shift})"] = base64.b64encode(inner)
    for figure in (planted.paid_usd, planted.risk_score):
        found[f"{figure} (double)"] = struct.pack("<d", figure)
    return found


class Searched(NamedTuple):
    """What was searched and where what was found."""

    artefacts: int
    readings: int
    size: int
    found: tuple[str, ...]


def search(artefacts: Sequence[tuple[str, bytes]], planted: Planted) -> Searched:
    """Look for canaries in everything, as it stands and opened."""
    looked = list(artefacts)
    readings, size, found = 0, 0, []
    wanted = needles(planted)
    for name, held in looked:
        for where, text in opened(name, held):
            readings, size = readings + 1, size + len(text)
            found += [f"{where}: {what}" for what, needle in wanted.items() if needle in text]
    return Searched(len(looked), readings, size, tuple(found))
