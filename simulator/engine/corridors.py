"""Rows of a public-use file of ACO REACH as a world, settled, and what to say of each."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import xarray as xr

from simulator.population.published import Published
from simulator.programs.reach import Reach
from simulator.settlement import gains, losses

__all__ = ["Corridors", "Reading", "chosen"]

_DOLLAR, _THOUSANDTH = 1.0, 0.001
_PRINTED = 0.5e-4
_EQUITY = ("equity_up_usd", "equity_down_usd")


class Reading(NamedTuple):
    """One way to read a file's benchmark: whether the equity adjustment comes on top of it.

    `base` adds it to the benchmark that the corridor's bands are shares of, `gross` to that from
    which savings are counted.
    """

    base: float
    gross: float
    text: str


_READINGS = (
    Reading(0.0, 0.0, ""),
    Reading(1.0, 1.0, "{benchmark} is without {equity}, which savings and the corridor include"),
    Reading(1.0, 0.0, "the corridor is on {benchmark} with {equity}, savings are without"),
)


@dataclass(frozen=True)
class Corridors:
    """The rows of one option: what the file prints of them, and what the contract makes of it.

    Arrays are by row of the option. Files differ in whether the printed benchmark holds the
    equity adjustment; the `reading` is that of the whole file, never of one row.
    """

    published: Published
    contract: Reach
    rows: np.ndarray
    reading: Reading

    def figures(self, field: str) -> np.ndarray:
        """Return what the file prints of a figure; not a number where it prints none."""
        return self.published.figures(field)[self.rows]

    def line(self, name: str) -> np.ndarray:
        """Return a line of the statement; not a number in rows that could not be settled."""
        found = np.full(self.rows.size, np.nan)
        if name in self._statement:
            found[self.sound] = self._statement[name].broadcast_like(self._benchmark).values
        return found

    @property
    def settled(self) -> np.ndarray:
        """Return what the rules give of what the file prints last."""
        return self.line("settlement_usd") if self._sequestered else self._shared

    @property
    def printed(self) -> np.ndarray:
        """Return what was paid or is owed: after sequestration, if the file prints that.

        A blank cell is nothing.
        """
        return self.published.amounts(self.published.paid)[self.rows]

    def faults(self, row: int) -> list[str]:
        """Return what a row lacks, a line each: the column, what was found, what is allowed."""
        place = int(self.rows[row])
        ragged = self.published.ragged.get(place)
        lacking = [field for field, given in self._given.items() if not given[row]]
        faults = [self.published.fault(field, place) for field in lacking]
        return [ragged, *faults] if ragged else faults

    def met(self, within: float = _THOUSANDTH) -> np.ndarray:
        """Return which rows have every printed step of the settlement.

        A step is met to a dollar, or to the share `within` of what is printed.
        """
        steps = [
            np.abs(printed - found) > np.maximum(_DOLLAR, within * np.abs(printed))
            for _, printed, found in self._steps()
        ]
        return ~np.any(steps, axis=0)

    def remarks(self) -> list[list[str]]:
        """Return for each row how it was read, and which terms it prints otherwise."""
        return [list(self._remarks(row)) for row in range(self.rows.size)]

    def explained(self) -> list[list[str]]:
        """Return for each row what the file itself contradicts, and so no rule can tell."""
        return [list(self._reasons(row)) for row in range(self.rows.size)]

    def parting(self, row: int) -> str:
        """Return the first printed step at which a row and the rules part."""
        for field, printed, found in self._steps():
            if abs(printed[row] - found[row]) > _DOLLAR:
                name = self.published.name(field)
                said = f"prints ${printed[row]:,.0f}, the rules give ${found[row]:,.0f}"
                return f"not explained: {name} {said}"
        return "not explained: every printed step agrees with the rules, the result does not"

    # ------------------------------------------------------------------- what the rows tell us

    @cached_property
    def _sequestered(self) -> bool:
        return self.published.paid == "settlement_usd"

    @cached_property
    def _given(self) -> dict[str, np.ndarray]:
        equity = {f: np.isfinite(self.published.amounts(f)[self.rows]) for f in _EQUITY}
        net = self.published.has("net_expenditure_usd")
        return {
            "benchmark_usd": self.figures("benchmark_usd") > 0.0,
            "expenditure_usd": self.figures("expenditure_usd") >= 0.0,
            **({"net_expenditure_usd": np.isfinite(self._spent)} if net else {}),
            **(equity if self.reading.base else {}),
        }

    @cached_property
    def sound(self) -> np.ndarray:
        """Return which rows have every figure that they need."""
        return np.array([not self.faults(row) for row in range(self.rows.size)], dtype=bool)

    @cached_property
    def _spent(self) -> np.ndarray:
        """Return the cost of care after stop-loss: as printed, or as gross savings imply it."""
        if self.published.has("net_expenditure_usd"):
            return self.figures("net_expenditure_usd")
        without = self._final + self._added - self.figures("gross_savings_usd")
        return np.where(self._implied, without, self.figures("expenditure_usd"))

    @cached_property
    def _equity(self) -> np.ndarray:
        """Return the equity adjustment: up, less down whatever its sign."""
        up, down = (np.nan_to_num(self.published.amounts(f)[self.rows]) for f in _EQUITY)
        return np.abs(up) - np.abs(down)

    def _steps(self) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
        """Yield printed figures in the order of the settlement, with ours."""
        yield (
            "gross_savings_usd",
            self.figures("gross_savings_usd"),
            self.line("gross_savings_usd"),
        )
        yield "shared_savings_usd", self.figures("shared_savings_usd"), self._shared
        if self._sequestered:
            yield "settlement_usd", self.printed, self.settled

    @property
    def _shared(self) -> np.ndarray:
        return self.line("shared_savings_usd") + self.line("shared_losses_usd")

    def _reasons(self, row: int) -> Iterator[str]:
        """Yield what a row prints against itself."""
        shared, paid = self.figures("shared_savings_usd")[row], self.printed[row]
        agrees = abs(shared - self._shared[row]) <= _DOLLAR
        names = [self.published.name(f) for f in ("settlement_usd", "shared_savings_usd")]
        beside = f"beside {names[1]} of ${shared:,.0f}, which is what the rules give"
        if not self._sequestered or not agrees or paid != 0.0:
            return
        if math.isnan(self.figures("settlement_usd")[row]):
            yield f"{names[0]} is blank {beside}"
        elif shared > 0.0:
            yield f"{names[0]} prints $0 {beside}"

    def _remarks(self, row: int) -> Iterator[str]:
        if self._equity[row] and self.reading.text:
            names = [self.published.name(f) for f in ("benchmark_usd", *_EQUITY)]
            yield self.reading.text.format(benchmark=names[0], equity=" and ".join(names[1:]))
        if self._implied[row]:
            names = [self.published.name(f) for f in ("net_expenditure_usd", "gross_savings_usd")]
            usd = (self.figures("expenditure_usd") - self._spent)[row]
            yield f"{names[0]} is not in the file; {names[1]} implies ${usd:,.0f} of stop-loss"
        discount, rule = self.figures("discount")[row], self.contract.discount
        if abs(np.nan_to_num(discount, nan=rule) - rule) > _PRINTED:
            name = self.published.name("discount")
            yield f"{name} prints {discount:.2%}; the rules file says {rule:.2%}"
        if self.figures("retention")[row] > 0.0:
            yield f"{self.published.name('retention')} of {self.figures('retention')[row]:.0%}"

    @cached_property
    def _implied(self) -> np.ndarray:
        """Return the rows whose stop-loss only their gross savings tell.

        They may have elected it, and the file does not print what their care cost after it.
        """
        if self.published.has("net_expenditure_usd"):
            return np.zeros(self.rows.size, dtype=bool)
        elected = self.figures("stop_loss") == 1.0
        if not self.published.has("stop_loss"):
            elected[:] = True
        without = self._final + self._added - self.figures("gross_savings_usd")
        return elected & (np.abs(without - self.figures("expenditure_usd")) > _DOLLAR)

    # -------------------------------------------------------------------------- what it is worth

    @cached_property
    def _benchmark(self) -> xr.DataArray:
        aco = {"aco": self.rows[self.sound]}
        return xr.DataArray(self._final[self.sound], aco, ("aco",))

    @cached_property
    def _final(self) -> np.ndarray:
        """Return the benchmark whose shares the bands are."""
        return self.figures("benchmark_usd") + self.reading.base * self._equity

    @cached_property
    def _added(self) -> np.ndarray:
        """Return what savings are counted from, over that benchmark."""
        return (self.reading.gross - self.reading.base) * self._equity

    @cached_property
    def _statement(self) -> xr.Dataset:
        if not self.sound.any():
            return xr.Dataset()
        return self.contract.settle(self._world(self._added[self.sound]))

    def _world(self, added: np.ndarray) -> xr.Dataset:
        """Return the sound rows as a world in which benchmark, cost and stop-loss are given."""
        spent, net = (
            self._benchmark.copy(data=figures[self.sound])
            for figures in (self.figures("expenditure_usd"), self._spent)
        )
        stop_loss = spent - net
        given = {
            "benchmark_usd": self._benchmark,
            "expenditure_usd": spent,
            "stop_loss_charge_usd": 0.0 - losses(stop_loss),
            "stop_loss_payout_usd": gains(stop_loss),
        }
        if added.any():
            given["gross_savings_usd"] = self._benchmark + added - net
        return xr.Dataset(given).assign_coords(year=[self.published.year])


def chosen(published: Published, contracts: Mapping[str, Reach]) -> Reading:
    """Return the reading under which most rows of a file have their printed savings.

    Parameters
    ----------
    contracts : by option
    """
    return max(_READINGS, key=lambda reading: _agreeing(published, contracts, reading))


def _agreeing(published: Published, contracts: Mapping[str, Reach], reading: Reading) -> int:
    options = np.array(published.options)
    every = (
        Corridors(published, contract, np.flatnonzero(options == option), reading)
        for option, contract in contracts.items()
    )
    return sum(int((one.met(within=0.0) & one.sound).sum()) for one in every)
