"""What losses may come to, and what a layer of aggregate stop-loss does to them.

Losses are positive here: capital is held against what the ACO may owe.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from simulator.analysis.columns import by_column
from simulator.analysis.convergence import Measure, estimate, standard_error
from simulator.errors import SimulatorError

__all__ = ["LEVELS", "Layer", "at_risk", "ceded", "layer_price"]

LEVELS = (0.95, 0.99, 0.995)


class Layer(NamedTuple):
    """Aggregate stop-loss: what of a cumulative loss is ceded, and what is paid for it."""

    attachment_usd: float
    limit_usd: float
    premium_usd: float


def at_risk(
    settlement: xr.DataArray, levels: Sequence[float] = LEVELS, dim: str = "trial"
) -> xr.Dataset:
    """Return value at risk and tail value at risk of the loss; dims `level` and less `dim`.

    `value_at_risk_usd` is the loss that only 1 - level of the trials exceed (negative: a gain),
    `tail_value_at_risk_usd` the mean loss in those trials; each with its standard error.

    >>> owed = xr.DataArray(-np.arange(101.0), dims="trial")
    >>> float(at_risk(owed).value_at_risk_usd.sel(level=0.95))
    95.0
    """
    return by_column(lambda column: _at_risk(column, levels, dim), settlement, dim)


def _at_risk(settlement: xr.DataArray, levels: Sequence[float], dim: str) -> xr.Dataset:
    by_level = []
    for level in levels:
        share = round(1.0 - level, 9)
        quantile, tail = Measure("quantile", share), Measure("tail", share)
        said = {
            "value_at_risk_usd": 0.0 - estimate(settlement, quantile, dim),
            "value_at_risk_error_usd": standard_error(settlement, quantile, dim),
            "tail_value_at_risk_usd": 0.0 - estimate(settlement, tail, dim),
            "tail_value_at_risk_error_usd": standard_error(settlement, tail, dim),
        }
        by_level.append(xr.Dataset(said))
    return xr.concat(by_level, dim="level", coords="minimal").assign_coords(level=list(levels))


def ceded(settlement: xr.DataArray, layer: Layer) -> xr.DataArray:
    """Return what the insurer pays: the loss beyond the attachment, at most the limit.

    >>> float(ceded(xr.DataArray(-7.0), Layer(5.0, 10.0, 1.0)))
    2.0
    """
    _checked(layer)
    beyond = (0.0 - layer.attachment_usd) - settlement
    return xr.DataArray(beyond.clip(min=0.0, max=layer.limit_usd))


def layer_price(settlement: xr.DataArray, layer: Layer, dim: str = "trial") -> xr.Dataset:
    """Return what a layer is worth and what is left to the ACO; dims less `dim`.

    `ceded_usd` is the pure premium (the expected payment), `attaches_share` and
    `exhausts_share` how often it pays and pays in full, `net_usd` the ACO's mean settlement less
    premium plus what is ceded; each with its standard error. `loss_ratio_share` is the pure
    premium over the premium, `rate_on_line_share` the premium over the limit.
    """
    return by_column(lambda column: _priced(column, layer, dim), settlement, dim)


def _priced(settlement: xr.DataArray, layer: Layer, dim: str) -> xr.Dataset:
    # In float32 the limit itself would be rounded, and who stands at it would not be told.
    settlement = settlement.astype(np.float64, copy=False)
    paid = ceded(settlement, layer)
    net = settlement + paid
    net -= layer.premium_usd
    parts = {
        "ceded_usd": (paid, Measure("mean")),
        "attaches_share": (paid, Measure("above", 0.0)),
        "exhausts_share": (paid, Measure("above", (1.0 - 1e-9) * layer.limit_usd)),
        "net_usd": (net, Measure("mean")),
        "net_sd_usd": (net, Measure("sd")),
    }
    said = xr.Dataset()
    for name, (values, measure) in parts.items():
        what, unit = name.rsplit("_", 1)
        said[name] = estimate(values, measure, dim)
        said[f"{what}_error_{unit}"] = standard_error(values, measure, dim)
    premium = layer.premium_usd or np.nan
    said["loss_ratio_share"] = said["ceded_usd"] / premium
    said["loss_ratio_error_share"] = said["ceded_error_usd"] / premium
    said["rate_on_line_share"] = xr.zeros_like(said["ceded_usd"]) + layer.premium_usd / (
        layer.limit_usd or np.nan
    )
    return said


def _checked(layer: Layer) -> None:
    """Raise SimulatorError for a layer that cannot be."""
    for name, value in layer._asdict().items():
        if not np.isfinite(value) or value < 0.0:
            raise SimulatorError(f"{name} is {value!r}; it is 0 or more, in dollars")
    if layer.limit_usd == 0.0:
        raise SimulatorError("limit_usd is 0; a layer that pays nothing has no price")
