"""What to say of a replayed row: which rule decided it, and what public columns cannot tell."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from simulator.engine.restatement import Restatement

__all__ = ["explained", "parting", "remarks"]

_DOLLAR = 1.0
# Whole dollars on both sides of a difference.
_WHOLE_DOLLARS = 2.0
# A rate printed to a hundredth of a percent; PY2019 and PY2020 cut shares to a hundredth.
_RATE, _SHARE = 1e-4, 0.01


class _Reason(NamedTuple):
    """Why a row may differ from what is published: which rows, from what to what, in words."""

    applies: np.ndarray
    low: np.ndarray
    high: np.ndarray
    text: Callable[[int], str]


def remarks(restatement: Restatement) -> list[list[str]]:
    """Return for each row the rules that decided it beyond the plain ones."""
    masks = _masks(restatement)
    return [
        [text for text, mask in masks.items() if mask[row]] + _recoupment(restatement, row)
        for row in range(restatement.rows.size)
    ]


def _masks(r: Restatement) -> Mapping[str, np.ndarray]:
    gross, small = r.gross, r.figures("persons") < r.contract.minimum_persons
    shared, owed = r.line("shared_savings_usd") > 0.0, r.line("shared_losses_usd") < 0.0
    settled = np.isfinite(r.line("settlement_usd"))
    below = gross < r.line("minimum_savings_usd")
    alternative = (r.met == 0.0) & (r.amounts("met_alternative") == 1.0)
    relieved = owed & (r.relief > 0.0)
    return {
        "quality standard not met": settled & (r.line("quality_share") == 0.0),
        "alternative quality standard: the score scales the rate": settled & alternative,
        f"MSR by size: fewer than {r.contract.minimum_persons:,.0f} beneficiaries": (
            settled & small & r.two_sided
        ),
        "reduced sharing below the MSR": shared & below,
        "at the performance payment limit": r.line("over_limit_usd") < 0.0,
        "at the loss limit": r.line("loss_limit_relief_usd") > 0.0,
        "guardrail: neither savings nor losses": settled & r.guarded & (gross > 0.0),
        "guardrail: losses on the two-way benchmark": owed & r.guarded,
        "circumstances of the whole nation relieve the losses": (
            owed & (r.contract.nationwide_circumstances > 0.0)
        ),
        f"relief for circumstances is {r.published.name('relief_usd')}, "
        "which no other column gives": relieved & (r.contract.nationwide_circumstances < 1.0),
        "terminated during the year: no savings are shared": (
            settled & r.terminated & (gross >= r.line("minimum_savings_usd"))
        ),
        "six months: half a year's dollars": settled & r.half_year,
        f"{r.published.name('quality_score')} is not printed; a printed rate says it": (
            settled & r.inferred
        ),
    }


def _recoupment(r: Restatement, row: int) -> list[str]:
    """Return how much of the advance investment payments was taken back, and if it is printed."""
    taken = 0.0 - r.line("aip_recoupment_usd")[row]
    printed = r.figures("aip_recoupment_usd")[row]
    said = []
    if taken > 0.0:
        said.append(f"${taken:,.0f} recouped of advance investment payments")
    if abs(np.nan_to_num(printed, nan=taken) - taken) > _DOLLAR:
        name = r.published.name("aip_recoupment_usd")
        said.append(f"{name} prints ${printed:,.0f}; the rule gives ${taken:,.0f}")
    return said


def explained(restatement: Restatement) -> list[list[str]]:
    """Return for each row what public columns cannot tell and could account for its difference.

    A reason counts only where what is published lies within the range that it allows.
    """
    published = restatement.published.settlement_usd[restatement.rows]
    found: list[list[str]] = [[] for _ in published]
    for reason in _reasons(restatement):
        within = (published >= reason.low - _DOLLAR) & (published <= reason.high + _DOLLAR)
        for row in np.flatnonzero(reason.applies & within):
            found[row].append(reason.text(int(row)))
    return found


def _reasons(r: Restatement) -> Iterator[_Reason]:
    settled = r.line("settlement_usd")
    owed = r.line("shared_losses_usd") < 0.0
    nothing = np.zeros(settled.size)
    if r.contract.loss_limit_of_revenue is not None:
        flags = r.figures("revenue_limited")
        limited = owed & ((flags == 1.0) | (not r.published.has("revenue_limited")))
        yield _Reason(limited, settled, nothing, lambda row: _revenue(r, row))
    unknown = owed & r.terminated & (r.line("termination_relief_usd") == 0.0)
    name = r.published.name("termination_usd")
    text = f"terminated during the year; {name} does not say after how many months"
    yield _Reason(unknown, settled, nothing, lambda row: text)


def _revenue(r: Restatement, row: int) -> str:
    share = r.contract.loss_limit_of_revenue or 1.0
    owed = np.abs(r.published.settlement_usd[r.rows[row]]) + r.relief[row]
    return (
        f"the loss limit of {share:.0%} of participants' revenue binds; revenue is not public "
        f"(this implies ${owed / share:,.0f})"
    )


def parting(restatement: Restatement, row: int) -> str:
    """Return the first printed step at which a row and the rules part."""
    r = restatement
    for field, line, within in _steps(r):
        printed, found = r.figures(field)[row], line[row]
        if np.isfinite(printed) and abs(printed - found) > within:
            name = r.published.name(field)
            shown = "{:.2%}" if "share" in field else "${:,.0f}"
            said = f"prints {shown.format(printed)}, the rules give {shown.format(found)}"
            return f"not explained: {name} {said}"
    return "not explained: every printed step agrees with the rules, the result does not"


def _steps(r: Restatement) -> Iterator[tuple[str, np.ndarray, float]]:
    """Yield printed figures in the order of the settlement, with ours and what rounding allows."""
    gross, minimum = r.gross, r.line("minimum_savings_usd")
    counts = (gross >= minimum) | (r.two_sided & (gross <= -minimum))
    yield "gross_savings_usd", gross, _WHOLE_DOLLARS
    yield "minimum_savings_share", r.line("minimum_savings_share"), _RATE
    # Losses under one-sided options are printed in some years and are 0 in others.
    yield "generated_usd", _only(gross * counts, r.two_sided | (gross > 0.0)), _WHOLE_DOLLARS
    # Rates that would apply are printed for savings and losses too small to be shared, too.
    sharing, loss = r.line("sharing_share"), r.line("loss_share")
    yield "sharing_share", _only(sharing, sharing > 0.0), _SHARE
    yield "loss_share", _only(loss, loss > 0.0), _RATE


def _only(figures: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return figures in some rows, not a number in the others."""
    kept = figures.copy()
    kept[~rows] = np.nan
    return kept
