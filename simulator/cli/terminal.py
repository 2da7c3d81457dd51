"""What a person sees: plain tables that fit or stack, and a bar while something runs."""

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import typer

__all__ = ["amount", "bar", "grid", "listing", "say"]

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


@contextmanager
def bar(label: str) -> Iterator[Callable[[int, int], None] | None]:
    """Give a function that moves a bar on stderr, if a person watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TextColumn("blocks"))
    with Progress(*columns, Remaining(), console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(label, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)
