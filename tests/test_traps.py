"""The table of traps names tests that exist, and every test that names a trap."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)(?:\[(\w+)\])?`", (HERE / "traps.md").read_text("utf-8"))


def trapped(path: Path) -> set[str]:
    """Return the tests of a file whose docstring names a trap."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tests = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    return {test.name for test in tests if (ast.get_docstring(test) or "").startswith("Trap: ")}


def test_the_table_and_the_tests_name_the_same_traps() -> None:
    table = {(file, test) for file, test, sheet in NAMED if not sheet}
    paths = {path: path.relative_to(HERE).as_posix() for path in HERE.rglob("test_*.py")}
    assert table == {(name, test) for path, name in paths.items() for test in trapped(path)}


def test_the_worksheets_named_are_there() -> None:
    sheets = [HERE / f"golden/mssp/{sheet}.yaml" for *_, sheet in NAMED if sheet]
    assert sheets
    assert [sheet.name for sheet in sheets if not sheet.is_file()] == []
