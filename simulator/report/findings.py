"""What a run comes to, for everything that shows it: each finding worked out once, when asked."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr

from simulator.report import capital, convergence, sensitivity, sweep, tables

__all__ = ["Findings", "findings"]


@dataclass(frozen=True)
class Findings:
    """What table, page and workbook say of a run: the same figures, held here.

    Parameters
    ----------
    run : Dataset (case, trial, year, aco, contract), as `open_run` gives it
    """

    run: xr.Dataset

    @cached_property
    def summary(self) -> pd.DataFrame:
        """What each contract pays, with standard errors; as `tables.summary` gives it."""
        return tables.summary(self.run)

    @cached_property
    def observed(self) -> pd.DataFrame:
        """What was published, with its place in the distribution; as `tables.observed`."""
        return tables.observed(self.run)

    @cached_property
    def sensed(self) -> tuple[sensitivity.Sensed, ...]:
        """What a sweep's values move; as `sensitivity.sensed` gives it."""
        return sensitivity.sensed(self.run)

    @cached_property
    def effects(self) -> pd.DataFrame:
        """What each case pays more than the first; as `sweep.effects` gives it."""
        return sweep.effects(self.run)

    @cached_property
    def total(self) -> xr.DataArray:
        """The first case's settlements, (trial, contract), USD, years and ACOs added; lazy."""
        first = self.run["settlement_usd"].isel(case=0, drop=True)
        return first.astype(np.float64).sum(["year", "aco"], skipna=False)

    @cached_property
    def errors(self) -> pd.DataFrame:
        """Standard errors of the first case against trials; as `convergence.errors`."""
        return convergence.errors(self.total)

    @cached_property
    def intervals(self) -> pd.DataFrame:
        """Intervals for the first case; as `convergence.intervals` gives them."""
        return convergence.intervals(self.total)

    @cached_property
    def cash(self) -> pd.DataFrame:
        """The first case's cash by calendar quarter; as `capital.cash` gives it."""
        return capital.cash(self.run)

    @cached_property
    def asking(self) -> dict[str, str]:
        """The commands that say what moves a run; as `sensitivity.example` gives them."""
        return sensitivity.example(self.run)


def findings(run: xr.Dataset) -> Findings:
    """Return what there is to find in a run, with or without cases; nothing is computed yet."""
    return Findings(run if "case" in run.dims else run.expand_dims("case"))
