"""The trials of a run: a Zarr group per contract, one chunk along trial per whole block."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import xarray as xr
import zarr

from simulator.errors import ResultsError, SimulatorError, disk_failed
from simulator.results.folder import LAYOUT
from simulator.results.writing import write_bytes
from simulator.variables import STATEMENT

__all__ = ["STORE", "Block", "Pin", "Store", "Sums", "blocks", "kept"]

STORE = "trials.zarr"
_STORED = np.dtype("<f4")
_DIMS = ("trial", "year", "aco")
_MOST_CASES = 10_000
# What JSON nested or numbered beyond reason raises.
_TORN = (RecursionError, OverflowError, ArithmeticError, IndexError)


class Block(NamedTuple):
    """Some trials of one case: what one task computes and one manifest line stands for."""

    case: int
    number: int
    first: int
    trials: int

    @property
    def range(self) -> range:
        """Return the global numbers of the trials."""
        return range(self.first, self.first + self.trials)

    def belongs(self, pin: "Pin") -> bool:
        """Return whether a run so cut has such a block."""
        number, size = self.number, pin.block
        return 0 <= self.case < pin.cases and self[2:] == (number * size, size) and number >= 0

    def __str__(self) -> str:
        """Return the words that name a block in a message."""
        return f"block {self.number} of case {self.case} (trials {self.first} to {self.range[-1]})"


class Pin(NamedTuple):
    """What never changes in a store: what decides its numbers, and how they are cut and laid."""

    digest: str
    code: str
    block: int
    cases: int
    layout: int = LAYOUT


class Sums(NamedTuple):
    """The sha256 of a block's values, and the start of each line's own, to tell which is wrong."""

    sha256: str
    lines: tuple[str, ...]


def blocks(cases: int, trials: int, size: int) -> Iterator[Block]:
    """Yield the whole blocks that hold `trials` of every case, case by case.

    >>> [block.trials for block in blocks(1, 2_500, 1_000)]
    [1000, 1000, 1000]
    """
    for case in range(cases):
        for number in range(-(-trials // size)):
            yield Block(case, number, number * size, size)


def kept(statement: xr.Dataset, keep: Sequence[str], trials: range) -> xr.Dataset:
    """Return the lines to store, (trial, year, aco) or by segment too, as float32.

    Raises SimulatorError for a line that is not a finite number somewhere.
    """
    wanted = [line for line in dict.fromkeys((*keep, "settlement_usd")) if line in statement]
    full = xr.Dataset({line: _full(statement[line], statement, trials) for line in wanted})
    for line, values in full.data_vars.items():
        if not np.isfinite(values.values).all():
            raise SimulatorError(f"{line} is not a finite number somewhere in trials {trials}")
    return full


def _full(line: xr.DataArray, statement: xr.Dataset, trials: range) -> xr.DataArray:
    """Return a line with every dim of a stored one, also where nothing is random."""
    found = {dim: np.atleast_1d(statement[dim].values) for dim in statement.coords}
    found["trial"] = np.array(trials)
    line = line.expand_dims({dim: found[dim] for dim in _DIMS if dim not in line.dims})
    return line.transpose(*_DIMS, ...).astype(_STORED)


class Store:
    """The arrays of a run's folder, by contract and line in alphabetical order."""

    def __init__(self, folder: Path) -> None:
        """Open the store in a run's folder; ResultsError if it is not there or not ours."""
        self.where = folder / STORE
        try:
            root = zarr.open_group(self.where, mode="r")
            self.pin = _pin(root)
            found = dict(_found(self.where))
            self.arrays = {name: found[name] for name in found if name[1] in STATEMENT}
            self.labels = {name: found[name] for name in found if name not in self.arrays}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, *_TORN) as error:
            if disk_failed(error):
                raise
            said = " ".join(str(error).split())
            raise ResultsError(
                f"{self.where} is missing, damaged or not acosim's: {said}"
            ) from None
        if self.pin.layout != LAYOUT:
            raise ResultsError(
                f"{folder} was laid out by acosim {self.pin.code} in its way {self.pin.layout}; "
                f"this one reads {LAYOUT}: run {folder / 'scenario.yaml'} again"
            )

    @classmethod
    def lay(cls, folder: Path, pin: Pin, samples: Mapping[str, xr.Dataset], trials: int) -> Self:
        """Lay out room for whole blocks up to `trials`, with each contract's labels and lines.

        What describes the arrays is written where it is missing or not as it should be; values
        that are written stay as they are.
        """
        for name, held in _described(pin, samples, trials).items():
            path = folder / STORE / name
            if not path.is_file() or path.read_bytes() != held:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_bytes(path, held)
        return cls(folder)

    def write(self, block: Block, statements: Mapping[str, xr.Dataset]) -> Sums:
        """Write one block of kept lines, a file each, and return the sha256 of its values."""
        lines = []
        for (label, line), array in self.arrays.items():
            values = np.ascontiguousarray(statements[label][line].values, dtype=_STORED)
            if values.shape != (block.trials, *array.shape[2:]):
                raise SimulatorError(
                    f"{block}: {label} {line} is {values.shape}; all cases of a run must have the "
                    "same years, ACOs and segments"
                )
            path = self.where / self.file(block, (label, line))
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(path, values.tobytes())
            lines.append(self._summed((label, line), values.tobytes()))
        return _sums(lines)

    def read(self, block: Block) -> dict[str, xr.Dataset]:
        """Return one block's lines as they were written. Raises ResultsError if one is damaged."""
        found: dict[str, xr.Dataset] = {}
        for (label, line), array in self.arrays.items():
            values = np.frombuffer(self._bytes(block, (label, line)), _STORED)
            whole = (block.trials, *array.shape[2:])
            if values.size != np.prod(whole):
                raise ResultsError(f"{self.where / self.file(block, (label, line))} is altered")
            dims = [f"dim_{n}" for n in range(len(whole))]
            found.setdefault(label, xr.Dataset())[line] = (dims, values.reshape(whole))
        return found

    def checksum(self, block: Block) -> Sums:
        """Return the sha256 of a block's values as they stand, as values of this run."""
        return _sums([self._summed(name, self._bytes(block, name)) for name in self.arrays])

    def file(self, block: Block, name: tuple[str, str]) -> str:
        """Return the file, in the store, that holds a block's values of a contract's line."""
        array = self.arrays[name]
        rest = (0,) * (array.ndim - 2)
        return f"{'/'.join(name)}/{array.metadata.encode_chunk_key((*block[:2], *rest))}"

    def files(self, block: Block) -> list[str]:
        """Return the files, in the store, that hold a block's values."""
        return [self.file(block, name) for name in self.arrays]

    def lacks(self, wanted: Sequence[Block]) -> list[str]:
        """Return the files of these blocks that are not there, or not of their size."""
        sizes = {n: prod(a.shape[2:]) * _STORED.itemsize for n, a in self.arrays.items()}
        files = ((self.file(b, n), b.trials * sizes[n]) for b in wanted for n in sizes)
        return [name for name, size in files if _size(self.where / name) != size]

    def describing(self) -> list[str]:
        """Return the files, in the store, that say what its values are."""
        groups = {label for label, _ in self.arrays}
        arrays = ["/".join(name) for name in (*self.arrays, *self.labels)]
        labels = [f"{'/'.join(name)}/c/0" for name in self.labels]
        return sorted([*(f"{n}/zarr.json".lstrip("/") for n in ("", *groups, *arrays)), *labels])

    def digest(self, trials: int) -> str:
        """Return one sha256 of the first `trials` of every case, however they were cut.

        It covers the names of contracts, lines, years, ACOs and segments too.
        """
        sums = sha256()
        for (label, dim), array in self.labels.items():
            sums.update(f"{label}/{dim}={np.asarray(array[:]).tolist()}\n".encode())
        for label, line in self.arrays:
            sums.update(f"{label}/{line}\n".encode())
            each = prod(self.arrays[label, line].shape[2:]) * _STORED.itemsize
            for block in blocks(self.pin.cases, trials, self.pin.block):
                held = self._bytes(block, (label, line))
                sums.update(held[: max(trials - block.first, 0) * each])
        return sums.hexdigest()

    def _summed(self, name: tuple[str, str], held: bytes) -> str:
        """Return the sha256 of a line's values, its name and what decides the run's numbers.

        So neither lines nor runs can change places.
        """
        return sha256(f"{self.pin.digest}\n{'/'.join(name)}\n".encode() + held).hexdigest()

    def _bytes(self, block: Block, name: tuple[str, str]) -> bytes:
        """Return what a block's file holds: little-endian float32; nothing if it is gone."""
        path = self.where / self.file(block, name)
        try:
            return path.read_bytes() if path.is_file() else b""
        except FileNotFoundError:
            return b""


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _pin(root: zarr.Group) -> Pin:
    held = dict(root.attrs)
    digest, code, block, cases, layout = (str(held.get(name, 1)) for name in Pin._fields)
    if int(block) < 1 or not 1 <= int(cases) <= _MOST_CASES:
        raise ValueError(f"it has {cases} cases in blocks of {block} trials")
    return Pin(digest, code, int(block), int(cases), int(layout))


def _found(where: Path) -> Iterator[tuple[tuple[str, str], zarr.Array[Any]]]:
    """Yield the arrays of every contract; zarr's own search warns of what is damaged."""
    for path in sorted(where.glob("*/*/zarr.json")):
        yield (path.parts[-3], path.parts[-2]), zarr.open_array(path.parent, mode="r")


def _described(pin: Pin, samples: Mapping[str, xr.Dataset], trials: int) -> dict[str, bytes]:
    """Return every file of a store but those of values: what describes it, and its labels."""
    held: dict[str, Any] = {}
    root = zarr.create_group(zarr.storage.MemoryStore(held), attributes=pin._asdict())
    for label, sample in samples.items():
        group = root.create_group(label)
        for dim, coord in sample.coords.items():
            if dim != "trial" and coord.dims == (dim,):
                _put_labels(group, str(dim), coord.values)
        for line, values in sample.data_vars.items():
            _put_line(group, str(line), values, pin, -(-trials // pin.block) * pin.block)
    return {name: buffer.to_bytes() for name, buffer in held.items()}


def _put_labels(group: zarr.Group, dim: str, values: npt.NDArray[np.generic]) -> None:
    kind = int if values.dtype.kind == "i" else str
    array = group.create_array(
        dim,
        shape=values.shape,
        chunks=values.shape,
        dtype=kind,
        compressors=None,
        dimension_names=(dim,),
    )
    array[:] = values.astype(object) if kind is str else values


def _put_line(group: zarr.Group, name: str, line: xr.DataArray, pin: Pin, trials: int) -> None:
    # Not compressed: noise hardly is. Nothing is NaN, so NaN marks what is not yet written.
    rest = line.shape[1:]
    group.create_array(
        name,
        shape=(pin.cases, trials, *rest),
        chunks=(1, pin.block, *rest),
        dtype=_STORED,
        fill_value=np.nan,
        compressors=None,
        dimension_names=("case", *map(str, line.dims)),
        attributes={"units": STATEMENT[name].unit, "long_name": STATEMENT[name].text},
    )


def _sums(lines: Sequence[str]) -> Sums:
    return Sums(sha256("".join(lines).encode()).hexdigest(), tuple(one[:16] for one in lines))
