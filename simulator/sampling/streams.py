"""The only door to randomness: a draw has an address, (seed, stream, who, trial, position)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from math import prod
from typing import Literal, TypeAlias

import numpy as np
from numba import njit
from scipy.special import ndtri

from simulator.errors import SimulatorError
from simulator.sampling import sobol

__all__ = ["Scheme", "Streams", "compiled", "philox", "unit"]

Scheme: TypeAlias = Literal["independent", "antithetic", "sobol"]

# Kernels run without the interpreter's lock and are kept on disk once compiled.
compiled = njit(nogil=True, cache=True)

# Typed constants: numba turns uint64 mixed with a plain int into a float.
_LOW = np.uint64(0xFFFFFFFF)
_WORD = np.uint64(32)
_MULTIPLY = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (np.uint64(0x9E3779B9), np.uint64(0xBB67AE85))
_DROP = np.uint64(12)
_ZERO = np.uint64(0)
_CHUNK = 256  # trials at a time, so that the words stay near and the loops are vectors


@compiled
def philox(
    counter: tuple[np.uint64, np.uint64, np.uint64, np.uint64], key: tuple[np.uint64, np.uint64]
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Return the four 32-bit words of Philox 4x32-10 at a counter, each in a uint64.

    After Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
    """
    a, b, c, d = counter
    k0, k1 = key
    for _ in range(10):
        left, right = _MULTIPLY[0] * a, _MULTIPLY[1] * c
        a, b, c, d = (right >> _WORD) ^ b ^ k0, right & _LOW, (left >> _WORD) ^ d ^ k1, left & _LOW
        k0, k1 = (k0 + _WEYL[0]) & _LOW, (k1 + _WEYL[1]) & _LOW
    return a, b, c, d


@compiled
def unit(high: np.uint64, low: np.uint64) -> float:
    """Return the uniform of two 32-bit words, in (0, 1)."""
    # Odd multiples of 2**-53: symmetric about a half, and never 0 or 1.
    return (float(np.int64(((high << _WORD) | low) >> _DROP)) + 0.5) * 2.0**-52


@compiled
def _fill(out: np.ndarray, start: int, key: np.ndarray) -> None:
    """Fill `out` (position, trial); one counter gives the positions 2j and 2j + 1."""
    pair = np.uint64(key[0]), np.uint64(key[1])
    words = np.empty((4, _CHUNK), np.uint32)
    width, trials = out.shape
    for first in range(0, trials, _CHUNK):
        last = min(first + _CHUNK, trials)
        for block in range((width + 1) // 2):
            _words(words, np.uint64(start + first), np.uint64(block), pair)
            _units(out[2 * block, first:last], words[0], words[1])
            if 2 * block + 1 < width:
                _units(out[2 * block + 1, first:last], words[2], words[3])


@compiled
def _words(
    words: np.ndarray, start: np.uint64, block: np.uint64, pair: tuple[np.uint64, np.uint64]
) -> None:
    for i in range(_CHUNK):
        trial = start + np.uint64(i)
        counter = trial & _LOW, trial >> _WORD, block, _ZERO
        words[0, i], words[1, i], words[2, i], words[3, i] = philox(counter, pair)


@compiled
def _units(out: np.ndarray, high: np.ndarray, low: np.ndarray) -> None:
    for i in range(len(out)):
        out[i] = unit(np.uint64(high[i]), np.uint64(low[i]))


@dataclass(frozen=True)
class Streams:
    """Independent streams of random numbers, each found by name, trial and position.

    A draw depends on its address and on nothing else: not on block sizes, order, other names or
    how many trials or positions are asked for. Trials are independent; or `antithetic`, where
    trial 2k + 1 mirrors trial 2k; or `sobol`, where the addresses in `dimensions` are coordinates
    of scrambled Sobol' points and all others stay independent. There a draw depends also on its
    dimension: on its place among the scenario's principal draws.

    Parameters
    ----------
    dimensions : the Sobol' dimension of position 0 by (stream, who); the next positions follow
    replicates : independent scramblings of the Sobol' points

    Examples
    --------
    >>> streams = Streams(seed=20261122)
    >>> whole = streams.uniform("trend", "market", range(0, 1000))
    >>> part = streams.uniform("trend", "market", range(700, 1000))
    >>> bool((whole[700:] == part).all())
    True
    """

    seed: int
    scheme: Scheme = "independent"
    replicates: int = 1
    dimensions: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def key(self, stream: str, who: str) -> np.ndarray:
        """Return the key of (seed, stream, who): (2,), uint32 words, from which kernels draw."""
        address = json.dumps([int(self.seed), stream, who]).encode()
        return np.frombuffer(blake2b(address, digest_size=8).digest(), dtype="<u4")

    def uniform(
        self, stream: str, who: str, trials: range, shape: tuple[int, ...] = ()
    ) -> np.ndarray:
        """Return uniforms: (trial, *shape), in the open interval (0, 1), 53 bits each.

        Position p, counted along `shape` in C order, is the same number whatever the shape. In
        memory the trials of one position lie side by side.

        >>> u = Streams(1).uniform("quality", "lakeshore", range(3), (2,))
        >>> u.shape, bool(u.min() > 0.0), bool(u.max() < 1.0)
        ((3, 2), True, True)
        """
        width, trials = prod(shape), _checked(trials)
        first = self.dimensions.get((stream, who))
        if self.scheme == "antithetic":
            out = self._mirrored(stream, who, trials, width)
        elif self.scheme == "sobol" and first is not None and width:
            out = np.stack([self._point(stream, who, trials, first, p) for p in range(width)])
        else:
            out = self._independent(stream, who, trials, width)
        return np.moveaxis(out.reshape(*shape, len(trials)), -1, 0)

    def _independent(self, stream: str, who: str, trials: range, width: int) -> np.ndarray:
        out = np.empty((width, len(trials)))
        _fill(out, trials.start, self.key(stream, who))
        return out

    def _mirrored(self, stream: str, who: str, trials: range, width: int) -> np.ndarray:
        """Return a draw for each pair of trials: as it is, then mirrored at a half."""
        pairs = range(trials.start // 2, (trials.stop + 1) // 2)
        drawn = np.repeat(self._independent(stream, who, pairs, width), 2, axis=1)
        drawn[:, 1::2] = 1.0 - drawn[:, 1::2]
        begin = trials.start - 2 * pairs.start
        return drawn[:, begin : begin + len(trials)]

    def _point(
        self, stream: str, who: str, trials: range, first: int, position: int
    ) -> np.ndarray:
        scrambles = range(self.replicates)
        words = self._independent(
            f"{stream}/scramble", f"{who}/{position}", scrambles, sobol.WORDS
        )
        return sobol.points(first + position, words.T, trials)

    def normal(
        self, stream: str, who: str, trials: range, shape: tuple[int, ...] = ()
    ) -> np.ndarray:
        """Return standard normal scores of the same uniforms: (trial, *shape)."""
        return ndtri(self.uniform(stream, who, trials, shape))


def _checked(trials: range) -> range:
    if trials.step != 1 or trials.start < 0:
        raise SimulatorError(
            f"streams: trials are {trials!r}; allowed is a range by ones from 0 up"
        )
    return trials
