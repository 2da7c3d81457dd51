"""What a person sees: plain tables that fit or stack, and a bar while something runs."""

import math
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from simulator.engine.batch import Progress, Tally

__all__ = ["Clock", "amount", "bar", "duration", "grid", "listing", "say"]

_UNBOUNDED = 1_000_000


def say(text: str = "") -> None:
    """Print a line of the answer, as it is."""
    typer.echo(text)


def width() -> int:
    """Return the columns that a person's terminal has; a file or a pipe has no end."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _UNBOUNDED


def grid(head: Sequence[str], rows: Sequence[Sequence[str]], most: int) -> list[str]:
    """Return a table's lines, the first column left and the others right.

    Columns that do not fit into `most` characters follow below, under the first column again.

    >>> for line in grid(["", "a", "b"], [["mean", "1.0", "22"]], 9):
    ...     print(line)
            a
    mean  1.0
    <BLANKLINE>
           b
    mean  22
    """
    every = [head, *rows]
    wide = [max(len(row[i]) for row in every) for i in range(len(head))]
    lines: list[str] = []
    for columns in _pages(wide, most):
        lines += [""] if lines else []
        for row in every:
            cells = [row[i].rjust(wide[i]) for i in columns]
            lines.append("  ".join([row[0].ljust(wide[0]), *cells]).rstrip())
    return lines


def _pages(wide: Sequence[int], most: int) -> Iterator[list[int]]:
    page: list[int] = []
    for i in range(1, len(wide)):
        used = wide[0] + sum(wide[j] + 2 for j in (*page, i))
        if page and used > most:
            yield page
            page = []
        page.append(i)
    yield page


def listing(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines of left-aligned columns; the last one is as long as it is."""
    if not rows:
        return []
    wide = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    return [
        "  ".join([*(cell.ljust(w) for cell, w in zip(row, wide, strict=False)), row[-1]]).rstrip()
        for row in rows
    ]


def amount(value: float, unit: str) -> str:
    """Return a figure of a statement: dollars to the cent, all else to six decimals.

    >>> amount(-1234.5, "USD"), amount(0.75, "share")
    ('-1,234.50', '0.750000')
    """
    return f"{value:,.2f}" if unit.startswith("USD") else f"{value:,.6f}"


class Clock:
    """How long a batch will still take, from what it has done since it began."""

    def __init__(self, workers: int, now: float) -> None:
        self._workers, self._began, self._end = workers, now, math.inf

    def tell(self, tally: "Tally", now: float) -> None:
        """Take in how far the batch is."""
        if not tally.blocks:
            self._began = now  # what is read and compiled before the first block is no work
        else:
            # One block has just ended. The others under way have hardly begun if all keep step,
            # and are half done if they do not: a quarter is never far off.
            under_way = (self._workers - 1) / 4 * tally.worked / max(tally.blocks, 1)
            under_way = min(under_way, tally.left)
            rate = (tally.worked + under_way) / max(now - self._began, 1e-9)
            self._end = now + (tally.left - under_way) / rate

    def left(self, now: float) -> float:
        """Return the seconds left; infinite as long as nothing is known."""
        return max(self._end - now, 0.0)


def duration(seconds: float) -> str:
    """Return a time left in words, to be believed and no finer than that.

    >>> [duration(s) for s in (math.inf, 0.4, 42, 200, 9_000)]
    ['', 'a second left', '42 s left', '3 min left', '2.5 h left']
    """
    if seconds == math.inf:
        return ""
    if seconds < 1.5:
        return "a second left"
    if seconds < 90:
        return f"{seconds:.0f} s left"
    return f"{seconds / 60:.0f} min left" if seconds < 5_400 else f"{seconds / 3_600:.1f} h left"


@contextmanager
def bar(label: str, workers: int | None = None) -> Iterator["Progress | None"]:
    """Give a function that moves a bar on stderr, if a person watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn
    from rich.text import Text

    clock = Clock(workers or os.cpu_count() or 1, time.monotonic())

    class Left(ProgressColumn):
        max_refresh = 0.5

        def render(self, task: object) -> Text:
            return Text(duration(clock.left(time.monotonic())))

    columns = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TextColumn("blocks"), Left())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(label, total=None)

        def move(tally: "Tally") -> None:
            clock.tell(tally, time.monotonic())
            shown.update(task, completed=tally.done, total=tally.total)

        yield move
