"""What a cell of a public-use file says: numbers, flags and years as CMS and Excel print them."""

import math
import re
from collections.abc import Sequence
from typing import Literal

import numpy as np

__all__ = ["blank", "flag", "number", "one_line", "scaled", "year"]

_LONGEST = 200

_BLANK = {"", "-", "--", "---", ".", "na", "n/a", "n.a.", "#n/a", "nan", "null", "none"}
_DASHES = str.maketrans(dict.fromkeys("\N{MINUS SIGN}\N{EN DASH}\N{EM DASH}\N{HYPHEN}", "-"))
# Excel's accounting format sets signs apart: "$ (1,234)", "$ -", "12 %".
_APART = re.compile(r"(?<=[$(-])\s+|\s+(?=[)%])")
_NUMBER = re.compile(
    r"(?P<minus>-?)\$?(?P<inner>-?)(?P<digits>(\d+|\d{1,3}(,\d{3})+)(\.\d*)?|\.\d+)"
    r"(?P<power>e[+-]?\d{1,2})?%?"
)
_FLAGS = {"1": 1.0, "y": 1.0, "yes": 1.0, "true": 1.0, "0": 0.0, "n": 0.0, "no": 0.0, "false": 0.0}
# No minimum savings rate is as large as this, and none that is not 0 is as small as a percent
# of it: 12.2% for the smallest ACOs by the table, 25% once, for one of 152 people.
_LARGEST_RATE = 0.30
_CENTURY = 2000
_WHOLE_YEAR = re.compile(r"(?<!\d)(20\d\d)(?!\d)")
_SHORT_YEAR = re.compile(r"\d{1,2}/\d{1,2}/(\d\d)(?!\d)")


def blank(text: str) -> bool:
    """Return whether a cell says that there is no such figure.

    >>> blank("-"), blank(" "), blank("$ - "), blank("*"), blank("0")
    (True, True, True, False, False)
    """
    return _plain(text).removeprefix("$") in _BLANK


def _plain(text: str) -> str:
    """Return a cell as figures are compared: one kind of dash, signs beside their digits."""
    return _APART.sub("", text.strip().translate(_DASHES).casefold())


def one_line(text: str) -> str:
    """Return a cell's words on one line, without signs that do not print.

    >>> one_line("North   ACO,  Inc. ")
    'North ACO, Inc.'
    """
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:_LONGEST]


def number(text: str) -> float:
    """Return a cell's figure, without its percent sign; not a number if it is none.

    >>> number("$-9,187,354.55"), number("$ (12)"), number("2.40 %"), number("1,23")
    (-9187354.55, -12.0, 2.4, nan)
    """
    plain = _plain(text)
    bare = plain.removeprefix("$")
    negative = bare.startswith("(") and bare.endswith(")")
    found = _NUMBER.fullmatch(bare[1:-1] if negative else plain)
    if found is None or (found["minus"] and found["inner"]):
        return math.nan
    size = float(found["digits"].replace(",", "") + (found["power"] or ""))
    size = size if math.isfinite(size) else math.nan
    return -size if negative or found["minus"] or found["inner"] else size


def flag(text: str) -> float:
    """Return 1 for yes, 0 for no or blank; not a number for anything else.

    >>> flag("1.0"), flag("Yes"), flag(""), flag("2")
    (1.0, 1.0, 0.0, nan)
    """
    if blank(text):
        return 0.0
    word = text.strip().casefold().removesuffix(".0")
    return _FLAGS.get(word, math.nan)


def year(text: str) -> float:
    """Return the year in a date or a year; not a number if there is none.

    >>> year("07/01/2019 12:00:00 AM"), year("7/1/12"), year("2017.0"), year("soon")
    (2019.0, 2012.0, 2017.0, nan)
    """
    if whole := _WHOLE_YEAR.search(text):
        return float(whole[1])
    if short := _SHORT_YEAR.search(text):
        return _CENTURY + float(short[1])
    return math.nan


def scaled(texts: Sequence[str], kind: Literal["share", "rate"]) -> np.ndarray:
    """Return a column of shares as fractions, whether it prints fractions or percentages.

    Its typical figure decides, so that one mistyped cell does not; what then lies outside 0 to 1
    is not a number. A share above 1 is a percentage. A rate (MSR) is judged by its size alone:
    PY2013 prints fractions with a percent sign.

    >>> scaled(["75.00%", "0.5%"], "share"), scaled(["0.5", "1"], "share")
    (array([0.75 , 0.005]), array([0.5, 1. ]))
    >>> scaled(["0.0233%"], "rate"), scaled(["0.50"], "rate"), scaled(["2.40%"], "rate")
    (array([0.0233]), array([0.005]), array([0.024]))
    """
    figures = np.array([number(text) for text in texts])
    telling = figures[np.isfinite(figures) & (figures != 0.0)]
    typical = float(np.median(telling)) if telling.size else 0.0
    signed = sum("%" in text for text in texts) > len(texts) / 2
    percent = typical > _LARGEST_RATE if kind == "rate" else signed or typical > 1.0
    fractions = figures / 100.0 if percent else figures
    fractions[(fractions < 0.0) | (fractions > 1.0)] = math.nan
    return fractions
