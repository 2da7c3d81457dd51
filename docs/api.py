"""Write docs/api.md: the public Python interface, from its docstrings (`make docs`)."""

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import griffe

import simulator

__all__ = ["PAGE", "page"]

_WIDE = 70
PAGE = Path(__file__).with_name("api.md")
_HEAD = """\
# The public Python interface

Written by `make docs` from the docstrings of `simulator.__all__`; the tests check that it is what
they say. Import it as `import simulator as sim`.

Runs and worlds are `xarray.Dataset`s. Their dims have always this order and these names:
`case` (of a sweep), `trial`, `year`, `aco`, `segment`, `contract`. Units ride in the names: `_usd`
US dollars of a whole ACO and year, `_ppy` US dollars per person-year, `_share` a fraction of 1,
`_score` a risk score, `_factor` a multiplier. Plus is what the ACO earns, minus what it owes.

"""


def page() -> str:
    """Return the page: a section for each public name, in the order of the alphabet."""
    names = sorted(simulator.__all__)
    index = "".join(f"- [`{name}`](#{name}): {_first(name)}\n" for name in names)
    return _HEAD + index + "".join(map(_section, names))


def _public(name: str) -> Callable[..., object]:
    return getattr(simulator, name)


def _first(name: str) -> str:
    return " ".join((inspect.getdoc(_public(name)) or "").split("\n\n")[0].split())


def _section(name: str) -> str:
    public = _public(name)
    source = Path(inspect.getsourcefile(public) or "").relative_to(PAGE.parents[1]).as_posix()
    said = griffe.Docstring(inspect.getdoc(public) or "", parser="numpy").parse()
    parts = "\n\n".join(part for section in said for part in _part(section))
    return (
        f"\n## {name}\n\n```python\nsim.{name}{_signature(public)}\n```\n\n{parts}\n\n"
        f"Source: [{source}](../{source})\n"
    )


def _signature(public: Callable[..., object]) -> str:
    """Return how a name is called, on one line or an argument a line."""
    signature = inspect.signature(public)
    if len(whole := _plain(str(signature))) < _WIDE:
        return whole
    keyword = next(
        (name for name, each in signature.parameters.items() if each.kind == each.KEYWORD_ONLY), ""
    )
    lines = []
    for name, each in signature.parameters.items():
        lines += ["    *,\n"] if name == keyword else []
        lines.append(f"    {_plain(str(each))},\n")
    returned = _plain(inspect.formatannotation(signature.return_annotation))
    return f"(\n{''.join(lines)}) -> {returned}"


def _plain(text: str) -> str:
    """Return types without the packages that they are from."""
    return re.sub(r"\b[a-z_]\w*(?:\.[a-z_]\w*)*\.(?=[A-Z])", "", text)


def _part(section: griffe.DocstringSection) -> Iterator[str]:
    """Yield a part of a docstring as Markdown."""
    kind = section.kind.value
    if kind == "text":
        yield from (_paragraph(text) for text in section.value.split("\n\n"))
    elif kind == "examples":
        yield "\n\n".join(_paragraph(text) for _, text in section.value)
    else:
        yield f"**{kind.capitalize()}**"
        yield "\n".join(_row(each) for each in section.value)


def _paragraph(text: str) -> str:
    text = text.strip("\n")
    return f"```python\n{text}\n```" if text.startswith(">>>") else text.replace("``", "`")


def _row(each: griffe.DocstringNamedElement) -> str:
    name = getattr(each, "name", None)
    typed = str(each.annotation) if each.annotation is not None else ""
    head = ": ".join(part for part in (f"`{name}`" if name else "", typed) if part)
    told = " ".join(each.description.split()).replace("``", "`")
    return f"- {head}{'. ' if told else ''}{told}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
    sys.stdout.write(f"wrote {PAGE}\n")
