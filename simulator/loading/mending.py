"""Past a line that is not YAML: which line is to blame, in plain words, and how to read on."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

__all__ = ["Break", "Mend", "best", "mends"]

_KEY = re.compile(r"(?P<key>\s*(?:- +)?[\w.*-]+ *:)(?: .*)?")
_OPEN_QUOTE = re.compile(r"""[^#'"]*[:,\[{] *(['"])(?:(?!\1).)*""")
_TABBED = re.compile(r" *\t[\t ]*(?=[^\s#])")

_WORDING = (
    ("','", "has a bracket that is not closed, or lacks a comma"),
    ("cannot start any token", "has a value that starts with a sign of YAML's own; quote it"),
    ("quoted scalar", "opens a quote that is not closed"),
    ("found '<scalar>'", "has something after the end of its value"),
    ("expected <block end>", "is indented unlike the lines around it"),
)


class Break(NamedTuple):
    """Where reading stopped (lines count from 1), where that part began, and YAML's own words."""

    line: int
    column: int
    since: int
    problem: str


class Mend(NamedTuple):
    """One guess at the lines to blame, and the text with them patched, line for line."""

    blamed: tuple[int, ...]
    text: str
    lines: list[str]
    patched: frozenset[int]
    lost: bool
    beyond: int


def best(tries: Sequence[Mend], reach: Callable[[list[str]], int]) -> tuple[Mend, int]:
    """Return the first mend that lets reading pass what it mends, else the furthest-reaching.

    With it comes how many were tried.
    """
    furthest, most = tries[0], -1
    for count, mend in enumerate(tries, 1):
        line = reach(mend.lines)
        if line > mend.beyond:
            return mend, count
        if line > most:
            furthest, most = mend, line
    return furthest, len(tries)


def mends(lines: list[str], broken: Break) -> list[Mend]:
    """Return the guesses to try, the likeliest first."""
    tabbed = [number for number, line in enumerate(lines, 1) if _TABBED.match(line)]
    if "'\\t'" in broken.problem:
        return _untabbed(lines, tabbed) if tabbed else [_parted(lines, broken.line)]
    # An open quote runs to the end of the file, which says nothing of the lines on its way.
    beyond = broken.since if "quoted" in broken.problem else broken.line
    return [
        mend
        for number in dict.fromkeys(_suspects(lines, broken))
        for mend in _patches(lines, number, _words(lines, number, broken), beyond)
    ]


def _untabbed(lines: list[str], tabbed: Sequence[int]) -> list[Mend]:
    """Return tabs replaced by the file's own step, or lines laid level with their neighbours."""
    widths = [_indent(line) for line in lines if line.strip() and "\t" not in _head(line)]
    step = min((width for width in widths if width), default=2)
    stepped, above, below = list(lines), list(lines), list(lines)
    for number in tabbed:
        words, before = lines[number - 1].lstrip(), _last(above, number - 1)
        deeper = step if before.rstrip().endswith(":") else 0
        stepped[number - 1] = _head(lines[number - 1]).replace("\t", " " * step) + words
        above[number - 1] = " " * (_indent(before) + deeper) + words
        after = next((line for line in lines[number:] if line.strip()), "")
        below[number - 1] = " " * _indent(after.expandtabs(step)) + words
    # A file indented by tabs alone is read as it stands; one odd line may belong elsewhere.
    doubtful = frozenset(tabbed if any(widths) else ())
    text = "is indented with a tab; must be spaces"
    return [
        Mend(tuple(tabbed), text, fixed, doubtful, bool(doubtful), len(lines))
        for fixed in (stepped, above, below)
    ]


def _head(line: str) -> str:
    return line[: _indent(line)]


def _last(lines: Sequence[str], before: int) -> str:
    return next((line for line in reversed(lines[:before]) if line.strip()), "")


def _parted(lines: list[str], number: int) -> Mend:
    """Return tabs inside a line replaced by spaces; what it says is not in doubt."""
    fixed = [*lines[: number - 1], lines[number - 1].replace("\t", " "), *lines[number:]]
    return Mend(
        (number,), "holds a tab; must be spaces", fixed, frozenset(), lost=False, beyond=number
    )


def _suspects(lines: list[str], broken: Break) -> Iterator[int]:
    line, since = _held(lines, broken.line), broken.since
    before = next((n for n in range(line - 1, 0, -1) if lines[n - 1].strip()), line)
    if "quoted" in broken.problem:
        yield since
    quotes = [n for n in range(since or 1, line + 1) if _OPEN_QUOTE.fullmatch(lines[n - 1])]
    yield from quotes[-1:]
    if since and ("','" in broken.problem or "expected ':'" in broken.problem):
        yield since
    if ":" not in lines[before - 1] and "mapping values" in broken.problem:
        yield before
    yield line
    yield before


def _held(lines: list[str], line: int) -> int:
    """Return the line itself, or the last one with words if reading stopped beyond it."""
    line = min(line, len(lines))
    return next((n for n in range(line, 0, -1) if lines[n - 1].strip()), 1)


def _patches(lines: list[str], number: int, text: str, beyond: int) -> Iterator[Mend]:
    """Yield the line cut to its name, then the line and what belongs to it left out."""
    named = _KEY.fullmatch(lines[number - 1])
    if named and named["key"] != lines[number - 1]:
        short = [*lines[: number - 1], named["key"], *lines[number:]]
        yield Mend((number,), text, short, frozenset({number}), lost=False, beyond=beyond)
    end = _block_end(lines, number)
    blanked = frozenset(range(number, end + 1))
    blank = [*lines[: number - 1], *[""] * (end - number + 1), *lines[end:]]
    yield Mend((number,), text, blank, blanked, lost=True, beyond=beyond)


def _block_end(lines: list[str], number: int) -> int:
    indent = _indent(lines[number - 1])
    for following in range(number + 1, len(lines) + 1):
        if lines[following - 1].strip() and _indent(lines[following - 1]) <= indent:
            return following - 1
    return len(lines)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _words(lines: list[str], number: int, broken: Break) -> str:
    """Return what is wrong with a line, in plain words rather than the parser's."""
    problem, line = broken.problem, lines[number - 1]
    if _OPEN_QUOTE.fullmatch(line):
        return "opens a quote that is not closed"
    if "mapping values" in problem and number == broken.line:
        first = line.find(":") + 1 == broken.column
        under = "is indented under a line that already has a value"
        return under if first else "has a second ':'; text that holds one must be quoted"
    said = next((words for sign, words in _WORDING if sign in problem), "")
    if not said and ":" not in line:
        return "is not of the form 'name: value'"
    return said or f"is not YAML: {problem}"
