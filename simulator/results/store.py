"""The trials of a run: a Zarr group per contract, one chunk along trial per whole block."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import xarray as xr
import zarr

from simulator.errors import ResultsError, SimulatorError
from simulator.variables import STATEMENT

__all__ = ["STORE", "Block", "Pin", "Store", "blocks", "kept"]

STORE = "trials.zarr"
_STORED = np.dtype("<f4")
_DIMS = ("trial", "year", "aco")


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

    def __str__(self) -> str:
        """Return the words that name a block in a message."""
        return f"block {self.number} of case {self.case} (trials {self.first} to {self.range[-1]})"


class Pin(NamedTuple):
    """What never changes in a store: what decides its numbers, and how they are cut."""

    digest: str
    code: str
    block: int
    cases: int


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
        where = folder / STORE
        try:
            root = zarr.open_group(where, mode="r+")
            self.pin = _pin(root)
            self.arrays = dict(_arrays(root))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ResultsError(f"{where} is missing, damaged or not acosim's: {error}") from error

    @classmethod
    def create(cls, folder: Path, pin: Pin, samples: Mapping[str, xr.Dataset]) -> Self:
        """Create an empty store with the dims, labels and lines of each contract's sample."""
        root = zarr.create_group(folder / STORE, attributes=pin._asdict())
        for label, sample in samples.items():
            group = root.create_group(label)
            for dim, coord in sample.coords.items():
                if dim != "trial" and coord.dims == (dim,):
                    _put_labels(group, str(dim), coord.values)
            for line, values in sample.data_vars.items():
                _put_line(group, str(line), values, pin)
        return cls(folder)

    def extend(self, trials: int) -> None:
        """Make room for whole blocks up to `trials`; what is written stays as it is."""
        size = -(-trials // self.pin.block) * self.pin.block
        for array in self.arrays.values():
            if array.shape[1] < size:
                array.resize((array.shape[0], size, *array.shape[2:]))

    def write(self, block: Block, statements: Mapping[str, xr.Dataset]) -> str:
        """Write one block of kept lines, a chunk each, and return the sha256 of its values."""
        sums = sha256()
        for (label, line), array in self.arrays.items():
            values = np.ascontiguousarray(statements[label][line].values)
            if values.shape != (block.trials, *array.shape[2:]):
                raise SimulatorError(
                    f"{block}: {label} {line} is {values.shape}; all cases of a run must have the "
                    "same years, ACOs and segments"
                )
            array[block.case, block.first : block.first + block.trials] = values
            sums.update(_named(label, line, values))
        return sums.hexdigest()

    def checksum(self, block: Block) -> str:
        """Return the sha256 of a block's values as they stand; empty if they cannot be read."""
        sums = sha256()
        for label, line in self.arrays:
            try:
                sums.update(_named(label, line, self._read(label, line, block)))
            except (OSError, ValueError):
                return ""
        return sums.hexdigest()

    def digest(self, trials: int) -> str:
        """Return one sha256 of the first `trials` of every case, however they were cut."""
        sums = sha256()
        for label, line in self.arrays:
            sums.update(_named(label, line))
            for block in blocks(self.pin.cases, trials, self.pin.block):
                values = self._read(label, line, block)
                sums.update(values[: max(trials - block.first, 0)].tobytes())
        return sums.hexdigest()

    def _read(self, label: str, line: str, block: Block) -> npt.NDArray[np.float32]:
        array = self.arrays[label, line]
        values = array[block.case, block.first : block.first + block.trials]
        return np.ascontiguousarray(values, dtype=_STORED)


def _pin(root: zarr.Group) -> Pin:
    held = dict(root.attrs)
    digest, code, block, cases = (str(held[name]) for name in Pin._fields)
    return Pin(digest, code, int(block), int(cases))


def _arrays(root: zarr.Group) -> Iterator[tuple[tuple[str, str], zarr.Array[Any]]]:
    for label, group in sorted(root.groups()):
        for name, array in sorted(group.arrays()):
            if name in STATEMENT:
                yield (label, name), array


def _put_labels(group: zarr.Group, dim: str, values: npt.NDArray[np.generic]) -> None:
    kind = int if values.dtype.kind == "i" else str
    array = group.create_array(dim, shape=values.shape, dtype=kind, dimension_names=(dim,))
    array[:] = values.astype(object) if kind is str else values


def _put_line(group: zarr.Group, name: str, line: xr.DataArray, pin: Pin) -> None:
    # Not compressed: noise hardly is. Nothing is NaN, so NaN marks what is not yet written.
    rest = line.shape[1:]
    group.create_array(
        name,
        shape=(pin.cases, 0, *rest),
        chunks=(1, pin.block, *rest),
        dtype=_STORED,
        fill_value=np.nan,
        compressors=None,
        dimension_names=("case", *map(str, line.dims)),
        attributes={"units": STATEMENT[name].unit, "long_name": STATEMENT[name].text},
    )


def _named(label: str, line: str, values: npt.NDArray[np.float32] | None = None) -> bytes:
    """Return what a checksum takes in for a line: its name, so that lines cannot change places."""
    return f"{label}/{line}\n".encode() + (b"" if values is None else values.tobytes())
