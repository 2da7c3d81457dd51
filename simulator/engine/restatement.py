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
# Base years lie at most this far back: an agreement of six calendar years, and three before it.
_LONGEST, _PLENTY = 8, 1e6
# A first year's quality is paid for reporting: the score says so, or is not printed.
_FOR_REPORTING = "P4R"
_CLASSES = ("low", "high")
_ROUTES = ("met_percentile", "met_incentive", "met_first_year")


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

        Files without a column for it say so by a final sharing rate of 0. Where the cell is
        blank, or says so of the alternative standard too, the routes to the standard decide.
        """
        if not self._routed:
            shared = self.figures("sharing_share")
            return (np.isnan(shared) | (shared > 0.0)).astype(float)
        met = self.figures("met")
        unsaid = self._blank("met")
        met[unsaid] = np.nan
        unsaid |= (met == 1.0) & (self.amounts("met_alternative") == 1.0)
        unsaid &= np.logical_or.reduce([~self._blank(name) for name in _ROUTES])
        met[unsaid] = np.maximum.reduce([self.amounts(name) for name in _ROUTES])[unsaid]
        return met

    @property
    def _routed(self) -> bool:
        """Return whether a column says who met the quality standard, or by which route."""
        return any(map(self.published.has, ("met", *_ROUTES)))

    @cached_property
    def score(self) -> np.ndarray:
        """Return quality scores; full where a first year's quality is paid for reporting.

        Where none is printed, the one that a printed rate comes from.
        """
        score = self.figures("quality_score")
        said = [text.upper() == _FOR_REPORTING for text in self._texts("quality_score")]
        first = self.published.starts[self.rows] == self.published.year
        reporting = self.contract.quality_rule == "score_times_rate"
        score[said | (reporting & first & self._blank("quality_score"))] = 1.0
        score[self.inferred] = self._rated[self.inferred]
        return score

    @cached_property
    def inferred(self) -> np.ndarray:
        """Return where no score is printed, but a rate that depends on it."""
        printed = self.figures("quality_score")
        return np.isnan(printed) & np.isfinite(self._rated)

    @cached_property
    def _rated(self) -> np.ndarray:
        """Return the score behind the printed rate: of losses, or of the alternative standard."""
        slope = self.contract.loss_rate_quality
        lost = (self.gross < 0.0) & self.two_sided & (slope > 0.0)
        found = np.full(self.rows.size, np.nan)
        if slope > 0.0:
            found[lost] = ((1.0 - self.figures("loss_share")) / slope)[lost]
        shared = self.figures("sharing_share") / self.contract.sharing_rate
        shared[self.amounts("reduced") == 1.0] *= 2.0
        scaled = ~lost & (self.met == 0.0) & (self.amounts("met_alternative") == 1.0)
        found[scaled] = shared[scaled]
        found[~((found >= 0.0) & (found <= 1.0))] = np.nan
        return found

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
        told = ~self._below_minimum | np.isfinite(self._reduces)
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
            "start": told | np.isfinite(self.published.starts[self.rows]),
            "revenue_class": told | np.isin(self._revenue_class, _CLASSES),
        }

    @cached_property
    def _below_minimum(self) -> np.ndarray:
        """Return where the contract asks for the agreement: savings that may be shared reduced."""
        asked = bool(self.contract.reduced_sharing.attributes)
        persons = np.nan_to_num(self.figures("persons"))
        fixed = self.two_sided & (persons >= self.contract.minimum_persons) & (self.elected >= 0.0)
        minimum = np.asarray(self.contract.minimum_savings(persons), dtype=float)
        minimum[fixed] = self.elected[fixed]
        short = self.gross < minimum * self.figures("benchmark_usd")
        return asked & (self.gross > 0.0) & short

    @cached_property
    def _reduces(self) -> np.ndarray:
        """Return who may share below the minimum, 1 or 0; not a number where no column says."""
        return self.amounts("reduced") if self.published.has("reduced") else self._unknown

    @property
    def _unknown(self) -> np.ndarray:
        return np.full(self.rows.size, np.nan)

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
            "final_quality_score": np.nan_to_num(self.score, nan=1.0),
            **self._quality,
            **self._guardrail,
        }
        variables = {name: self._by_aco(f).expand_dims(year) for name, f in by_year.items()}
        lines = {name: self._by_aco(figures) for name, figures in given.items()}
        world = xr.Dataset({**variables, **lines}).assign_coords(self._attributes)
        return world.reindex(year=self._persons.year).assign(persons=self._persons)

    @cached_property
    def _persons(self) -> xr.DataArray:
        """Return head-counts, those of early base years too where the contract asks for them.

        They are not printed: whether they are large enough is what ReducedSS says.
        """
        now = self._by_aco(self.figures("persons"))
        years = range(self.published.year - _LONGEST, self.published.year)
        if not self.contract.reduced_sharing_base_persons.attributes:
            years = range(0)
        early = self._by_aco(np.nan_to_num(self._reduces, nan=1.0)) * now.clip(_PLENTY)
        every = [*(early.expand_dims(year=[y]) for y in years)]
        return xr.concat([*every, now.expand_dims(year=[self.published.year])], dim="year")

    @cached_property
    def _quality(self) -> dict[str, np.ndarray]:
        """Return the part of the maximum rate that quality earns, by the routes that are printed.

        A file that does not say who met the standard leaves that to the contract's threshold.
        """
        score = np.nan_to_num(self.score, nan=1.0)
        if self.contract.quality_rule == "score_times_rate":
            return {"quality_share": self.met * score}
        if not self._routed:
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
        unknown = ~np.isin(revenue, _CLASSES)
        revenue[unknown] = "high"
        revenue[unknown & (self._reduces == 1.0)] = "low"
        known = {
            "elected_minimum_savings": np.nan_to_num(self.elected, nan=_BY_SIZE),
            "agreement_start": np.nan_to_num(self._starts).astype(int),
            "agreement_number": number,
            "regional_agreement_number": number,
            "agreement_kind": np.full(self.rows.size, "initial"),
            "revenue_class": revenue,
            "aip_balance_usd": np.nan_to_num(self.amounts("aip_balance_usd")),
        }
        return {name: ("aco", values[self.sound]) for name, values in known.items()}

    @cached_property
    def _starts(self) -> np.ndarray:
        """Return the year of each start; where none is printed, one that ReducedSS allows."""
        starts = self.published.starts[self.rows].copy()
        starts[np.isnan(starts) & (self._reduces == 1.0)] = self.published.year
        return starts

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
        # A printed relief of less than the nation's counts as printed; of all of it, as all.
        least = 0.0 if nation == 1.0 else -nation * (self.relief[self.sound] > 0.0)
        relief = np.clip(_over(self.relief[self.sound], limited) - nation, least, 1.0 - nation)
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
