"""YAML with line numbers into validated models; every mistake has its file and line."""

from simulator.loading.checking import MOST, ordered, read, stop, validate
from simulator.loading.documents import (
    Document,
    Key,
    Keys,
    Mistake,
    Place,
    Value,
    assign,
    at,
    dotted,
    merge,
    near,
    plain,
    shown,
    split,
    targets,
)
from simulator.loading.parsing import parse, parse_text, scan, scan_text
from simulator.loading.shapes import Shape
from simulator.loading.writing import dump, inert

__all__ = [
    "MOST",
    "Document",
    "Key",
    "Keys",
    "Mistake",
    "Place",
    "Shape",
    "Value",
    "assign",
    "at",
    "dotted",
    "dump",
    "inert",
    "merge",
    "near",
    "ordered",
    "parse",
    "parse_text",
    "plain",
    "read",
    "scan",
    "scan_text",
    "shown",
    "split",
    "stop",
    "targets",
    "validate",
]
