"""Elections of stop-loss as arrays: layers by ACO, and how people's predictions spread."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from simulator.scenario.schema import Aco, StopLoss

__all__ = ["elected"]

Arrays = dict[str, tuple[tuple[str, ...], np.ndarray]]

_FIGURES = ("prediction_cv", "prediction_correlation")


def elected(
    population: Mapping[str, Aco], segments: Collection[str], rows: Sequence[int]
) -> Arrays:
    """Return what ACOs have elected; nothing if none has.

    Attachment points and rates are (aco, layer), infinity and zero where there is no layer;
    `predicted_ppy` is (year, aco, segment), not a number where it is what is expected.
    """
    elections = [aco.stop_loss for aco in population.values()]
    depth = max((len(one.attachment_usd) for one in elections if one is not None), default=0)
    if not depth:
        return {}
    attach = np.full((len(elections), depth), np.inf)
    rates = np.zeros(attach.shape)
    for i, one in enumerate(elections):
        if one is not None:
            attach[i, : len(one.attachment_usd)] = one.attachment_usd
            rates[i, : len(one.payout_share)] = one.payout_share
    return {
        "stop_loss_attachment_usd": (("aco", "layer"), attach),
        "stop_loss_payout_share": (("aco", "layer"), rates),
        "predicted_ppy": (("year", "aco", "segment"), _predicted(elections, segments, rows)),
        **{name: (("aco",), _each(elections, name)) for name in _FIGURES},
    }


def _each(elections: Sequence[StopLoss | None], name: str) -> np.ndarray:
    return np.array([1.0 if one is None else float(getattr(one, name)) for one in elections])


def _predicted(
    elections: Sequence[StopLoss | None], segments: Collection[str], rows: Sequence[int]
) -> np.ndarray:
    out = np.full((len(rows), len(elections), len(segments)), np.nan)
    for i, one in enumerate(elections):
        for j, name in enumerate(segments):
            for year, value in (one.predicted_ppy if one else {}).get(name, {}).items():
                if year in rows:
                    out[rows.index(year), i, j] = value
    return out
