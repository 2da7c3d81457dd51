"""Rows of a public-use file as a world, and that world settled as every other world is."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from simulator.population import cells
from simulator.population.published import Published
from simulator.programs.mssp import Mssp

__all__ = ["Restatement"]

_BY_SIZE = -1.0
# Rates are printed to a hundredth of a percent or finer: half of that, and a little.
_PRINTED = 0.5e-4 + 1e-9
_HALF_YEAR, _NEAR = 0.5, 0.01
# A first year's quality is paid for reporting: the score says so, or is not printed.
_FOR_REPORTING = "P4R"
_CLASSES = ("low", "high")


@dataclass(frozen=True)
class Restatement:
    """The rows of one option: what the file prints of them, and what the contract makes of it.

    Arrays are by row of the option. A row that lacks a figure that it needs is not settled: its
    lines are not numbers, and `faults` says what it lacks.
    """

    published: Published
    contract: Mssp
    rows: np.ndarray

    def figures(self, field: str) -> np.ndarray:
        """Return what the file prints of a figure; not a number where it prints none."""
        return self.published.figures(field)[self.rows]

    def amounts(self, field: str) -> np.ndarray:
        """Return what the file prints of a figure, 0 where it leaves the cell blank."""
        return self.published.amounts(field)[self.rows]

    def _texts(self, field: str) -> list[str]:
        return [self.published.texts(field)[row] for row in self.rows]

    def _blank(self, field: str) -> np.ndarray:
        return np.array([cells.blank(text) for text in self._texts(field)])

    def line(self, name: str) -> np.ndarray:
        """Return a line of the statement; not a number in rows that could not be settled."""
        found = np.full(self.rows.size, np.nan)
        if name in self._statement:
            found[self.sound] = self._statement[name].broadcast_like(self._benchmark).values
        return found

    # ------------------------------------------------------------------- what the rows tell us

    @cached_property
    def gross(self) -> np.ndarray:
        """Return benchmark less expenditure."""
        return self.figures("benchmark_usd") - self.figures("expenditure_usd")

    @cached_property
    def two_sided(self) -> bool:
        """Return whether the option shares losses."""
        return self.contract.sides == "two"

    @cached_property
    def terminated(self) -> np.ndarray:
        """Return which ACOs left before the year was over."""
        return self.amounts("termination_usd") != 0.0

    @cached_property
    def guarded(self) -> np.ndarray:
        """Return whose benchmark is the two-way one, because the three-way one made a loss."""
        return self.two_sided & (self.figures("guardrail") == 1.0)

    @cached_property
    def half_year(self) -> np.ndarray:
        """Return which rows are of six months: their dollars are half of a year's."""
        year = self.figures("updated_benchmark_ppy") * self.figures("person_years")
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.abs(self.figures("benchmark_usd") / year - _HALF_YEAR) < _NEAR

    @cached_property
    def met(self) -> np.ndarray:
        """Return whether the quality standard was met: 1 or 0, or not a number.

        Files without a column for it say so by a final sharing rate of 0.
        """
        if not self.published.has("met"):
            shared = self.figures("sharing_share")
            return (np.isnan(shared) | (shared > 0.0)).astype(float)
        met = self.figures("met")
        met[self._blank("met")] = np.nan
        return met

    @cached_property
    def score(self) -> np.ndarray:
        """Return quality scores; full where a first year's quality is paid for reporting."""
        score = self.figures("quality_score")
        said = [text.upper() == _FOR_REPORTING for text in self._texts("quality_score")]
        first = self.published.starts[self.rows] == self.published.year
        score[said | (first & self._blank("quality_score"))] = 1.0
        return score

    @cached_property
    def elected(self) -> np.ndarray:
        """Return the elected MSR; -1 where what is printed is the rate by size."""
        printed = self.figures("minimum_savings_share")
        by_size = self.contract.minimum_savings(np.nan_to_num(self.figures("persons")))
        printed[np.abs(printed - by_size) <= _PRINTED] = _BY_SIZE
        return printed

    # --------------------------------------------------------------------- what a row may lack

    @cached_property
    def sound(self) -> np.ndarray:
        """Return which rows have every figure that they need."""
        return np.array([not self.faults(row) for row in range(self.rows.size)])

    def faults(self, row: int) -> list[str]:
        """Return what a row lacks, a line each: the column, what was found, what is allowed."""
        place = int(self.rows[row])
        ragged = self.published.ragged.get(place)
        lacking = [field for field, given in self._given.items() if not given[row]]
        faults = [self.published.fault(field, place) for field in lacking]
        return [ragged, *faults] if ragged else faults

    @cached_property
    def _given(self) -> dict[str, np.ndarray]:
        """Return by figure in which rows it is given, or not needed."""
        dependent = self.contract.loss_rate_quality > 0.0
        scored = self.contract.quality_rule == "score_times_rate"
        alternative = self.amounts("met_alternative")
        by_score = (scored & (self.met > 0.0)) | ((self.met == 0.0) & (alternative == 1.0))
        loses = self.two_sided & (self.gross < 0.0)
        enough = self.figures("persons") >= self.contract.minimum_persons
        return {
            "persons": self.figures("persons") > 0.0,
            "benchmark_usd": self.figures("benchmark_usd") > 0.0,
            "expenditure_usd": self.figures("expenditure_usd") >= 0.0,
            "minimum_savings_share": ~(self.two_sided & enough) | ~np.isnan(self.elected),
            "met": np.isfinite(self.met),
            "met_alternative": np.isfinite(alternative),
            "quality_score": ~(by_score | (dependent & loses)) | np.isfinite(self.score),
            "relief_usd": ~loses | np.isfinite(self.amounts("relief_usd")),
            "termination_usd": np.isfinite(self.amounts("termination_usd")),
            "guardrail": np.isfinite(self.figures("guardrail")),
            "start": ~self._by_agreement | np.isfinite(self.published.starts[self.rows]),
            "revenue_class": ~self._by_agreement | np.isin(self._revenue_class, _CLASSES),
        }

    @cached_property
    def _by_agreement(self) -> np.ndarray:
        """Return where the contract asks for the agreement: where savings may be shared below."""
        asked = bool(self.contract.reduced_sharing.attributes)
        return asked & (self.gross > 0.0)

    @cached_property
    def _revenue_class(self) -> np.ndarray:
        words = [text.casefold().split() for text in self._texts("revenue_class")]
        return np.array([(word or [""])[0] for word in words], dtype=object)

    # -------------------------------------------------------------------------- what it is worth

    @cached_property
    def _benchmark(self) -> xr.DataArray:
        return xr.DataArray(
            self.figures("benchmark_usd")[self.sound],
            {"aco": self.rows[self.sound]},
            ("aco",),
        )

    def _by_aco(self, figures: np.ndarray) -> xr.DataArray:
        return self._benchmark.copy(data=np.broadcast_to(figures, self.rows.shape)[self.sound])

    @cached_property
    def _world(self) -> xr.Dataset:
        """Return the sound rows as a world in which totals and quality are given."""
        year = {"year": [self.published.year]}
        full = np.ones(self.rows.size)
        by_year = {
            "persons": self.figures("persons"),
            "quality_score": np.nan_to_num(self.score, nan=1.0),
            "outcome_quality_met": self.amounts("met_alternative"),
            # Not public: unbounded, so that the share of the benchmark alone limits losses.
            "revenue_usd": full * np.inf,
            "circumstances_share": full * 0.0,
            "participation_share": full,
        }
        given = {
            "benchmark_usd": self.figures("benchmark_usd"),
            "expenditure_usd": self.figures("expenditure_usd"),
            "gross_savings_usd": self.gross,
            **self._quality,
            **self._guardrail,
        }
        variables = {name: self._by_aco(f).expand_dims(year) for name, f in by_year.items()}
        lines = {name: self._by_aco(figures) for name, figures in given.items()}
        return xr.Dataset({**variables, **lines}).assign_coords(self._attributes)

    @cached_property
    def _quality(self) -> dict[str, np.ndarray]:
        """Return the part of the maximum rate that quality earns, by the routes that are printed.

        A file that does not say who met the standard leaves that to the contract's threshold.
        """
        score = np.nan_to_num(self.score, nan=1.0)
        if self.contract.quality_rule == "score_times_rate":
            return {"quality_share": self.met * score}
        if not self.published.has("met"):
            return {}
        return {
            "quality_share": self.met + (1.0 - self.met) * self.amounts("met_alternative") * score
        }

    @cached_property
    def _guardrail(self) -> dict[str, np.ndarray]:
        """Return what the guardrail added where it did: at least what makes losses of a gain."""
        return {"guardrail_usd": self.guarded * np.abs(self.gross)} if self.guarded.any() else {}

    @cached_property
    def _attributes(self) -> dict[str, tuple[str, np.ndarray]]:
        number = np.ones(self.rows.size, dtype=int)
        revenue = self._revenue_class.copy()
        revenue[~np.isin(revenue, _CLASSES)] = "high"
        known = {
            "elected_minimum_savings": np.nan_to_num(self.elected, nan=_BY_SIZE),
            "agreement_start": np.nan_to_num(self.published.starts[self.rows]).astype(int),
            "agreement_number": number,
            "regional_agreement_number": number,
            "agreement_kind": np.full(self.rows.size, "initial"),
            "revenue_class": revenue,
            "aip_balance_usd": np.nan_to_num(self.amounts("aip_balance_usd")),
        }
        return {name: ("aco", values[self.sound]) for name, values in known.items()}

    @cached_property
    def _statement(self) -> xr.Dataset:
        """Return the settlement, with the relief and the termination that the file prints.

        What they take off is a share of the losses as limited; so those are settled first.
        """
        if not self.sound.any():
            return xr.Dataset()
        bare = self.contract.settle(self._world)
        limited = (0.0 - bare.shared_losses_usd - bare.loss_limit_relief_usd).values
        nation = self.contract.nationwide_circumstances
        relief = np.clip(_over(self.relief[self.sound], limited) - nation, 0.0, 1.0 - nation)
        owed = limited * (1.0 - nation - relief)
        months = 1.0 - np.clip(_over(self._proration[self.sound], owed), 0.0, 1.0)
        months[self.terminated[self.sound] & (limited == 0.0)] = 0.0
        year = {"year": [self.published.year]}
        shares = {"circumstances_share": relief, "participation_share": months}
        told = {n: self._benchmark.copy(data=f).expand_dims(year) for n, f in shares.items()}
        return self.contract.settle(self._world.assign(told))

    @cached_property
    def relief(self) -> np.ndarray:
        """Return the printed relief for circumstances, in the dollars of the row's own months."""
        part = np.ones(self.rows.size)
        part[self.half_year] = _HALF_YEAR
        return np.abs(np.nan_to_num(self.amounts("relief_usd"))) * part

    @cached_property
    def _proration(self) -> np.ndarray:
        """Return the printed effect of termination, where it is dollars and not a flag."""
        effect = np.abs(self.amounts("termination_usd"))
        return effect * (effect > 1.0)


def _over(amount: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return amounts as shares of a whole; 0 of nothing."""
    return np.divide(amount, whole, out=np.zeros_like(whole), where=whole > 0.0)
