"""Plain values into canonical YAML text, which reads back as the same values."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence

__all__ = ["dump", "inert"]

WIDEST = 99
_PLAIN = re.compile(r"[A-Za-z][\w/-]*(?:[ .][\w/-]+)*", re.ASCII)
_WORDS = {"null", "true", "false"}
# What a spreadsheet takes for the start of a formula, full-width signs included.
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def inert(text: str) -> str:
    """Return text that no spreadsheet takes for a formula; numbers stay as they are.

    >>> inert("=1+1"), inert("-0.5"), inert("lakeshore")
    ("'=1+1", '-0.5', 'lakeshore')
    """
    if not text.startswith(_FORMULA):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text if text[0] in "+-" else f"'{text}"


def dump(value: object) -> str:
    """Return canonical YAML: mappings in their own order, short ones on one line.

    >>> print(dump({"a": {"b": 1.0, "c": "no"}, "d": [1, None]}), end="")
    a: {b: 1.0, c: no}
    d: [1, ~]
    """
    if not isinstance(value, Mapping) or not value:
        return f"{_flow(value)}\n"
    return "".join(f"{line}\n" for line in _block(value, ""))


def _block(value: Mapping[object, object], indent: str) -> Iterator[str]:
    for key, item in value.items():
        head = f"{indent}{_scalar(key)}:"
        flow = f"{head} {_flow(item)}"
        if isinstance(item, Mapping) and item and not _fits(flow, item):
            yield head
            yield from _block(item, f"{indent}  ")
        elif isinstance(item, list | tuple) and not _fits(flow, item):
            yield head
            yield from (f"{indent}  - {_flow(entry)}" for entry in item)
        else:
            yield flow


def _fits(line: str, item: Mapping[object, object] | Sequence[object]) -> bool:
    held = item.values() if isinstance(item, Mapping) else item
    return len(line) <= WIDEST and not any(isinstance(x, Mapping) and x for x in held)


def _flow(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_flow(entry) for entry in value) + "]"
    return _scalar(value)


def _scalar(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "~", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if plain else json.dumps(text, ensure_ascii=not text.isprintable())
