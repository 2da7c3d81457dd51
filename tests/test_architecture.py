"""The code is what ARCHITECTURE.md says: rows, monopolies, tree; and no cycle in it."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "simulator"
PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
MODULES = sorted(PACKAGE.rglob("*.py"))


class Row(NamedTuple):
    number: int
    packages: list[str]
    outside: dict[str, str]


def rows() -> list[Row]:
    """Parse the table: `| 5 | `a`, `b` | x, y (only `b`) |`."""
    found = []
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 3 and cells[0].isdigit():
            names = re.findall(r"`(\w+)`", cells[1])
            outside = re.findall(r"(\w+)(?: \(only `([\w/]+)`\))?(?:, |$)", cells[2])
            found.append(Row(int(cells[0]), names, dict(outside)))
    return found


ROWS = rows()
ROW_OF = {package: row.number for row in ROWS for package in row.packages}
OUTSIDE = {name: (row.number, only) for row in ROWS for name, only in row.outside.items()}


def name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def package(module: str) -> str:
    """Return the first word under `simulator`; the package itself is `__init__`."""
    return [*module.split("."), "__init__"][1]


@cache
def imports(path: Path, *, top: bool = False) -> frozenset[str]:
    """Return the full names that a module imports, at its top level or anywhere."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in tree.body if top else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return frozenset(found)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_modules_import_only_from_lower_rows(path):
    own = package(name(path))
    wrong = [
        f"{name(path)} imports {other}"
        for other in {package(i) for i in imports(path) if i.startswith("simulator.")}
        if other != own and other in ROW_OF and ROW_OF[other] >= ROW_OF[own]
    ]
    assert not wrong


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_what_comes_from_outside_belongs_to_the_row_or_to_one_place(path):
    place = "/".join(name(path).split(".")[1:]) or "__init__"
    wrong = []
    for other in sorted({i.split(".")[0] for i in imports(path)} - {"simulator"}):
        if other in sys.stdlib_module_names:
            continue
        row, only = OUTSIDE.get(other, (99, ""))
        if row > ROW_OF[package(name(path))]:
            wrong.append(f"{place} imports {other}, which its row does not")
        elif only and place != only and not place.startswith(f"{only}/"):
            wrong.append(f"{place} imports {other}, which is only {only}'s")
    assert not wrong


def test_there_are_four_monopolies_at_least():
    only = {other: place for other, (_, place) in OUTSIDE.items() if place}
    expected = {
        "ruamel": "loading",
        "dask": "engine/run",
        "distributed": "engine/run",
        "matplotlib": "report/plots",
        "numba": "sampling",
    }
    assert expected.items() <= only.items()


def test_every_package_has_a_row():
    here = {package(name(path)) for path in MODULES}
    assert here == set(ROW_OF)


def test_programs_do_not_know_scenarios():
    for path in (PACKAGE / "programs").glob("*.py"):
        assert not [i for i in imports(path) if i.startswith("simulator.scenario")], path


def test_no_module_imports_itself_by_way_of_others():
    known = {name(path): path for path in MODULES}
    graph = {
        n: {i for i in imports(p, top=True) if i in known and i != n} for n, p in known.items()
    }
    settled: set[str] = set()
    while free := {n for n in graph if n not in settled and graph[n] <= settled}:
        settled |= free
    assert settled == set(graph), f"a cycle among {sorted(set(graph) - settled)}"


def test_no_year_stands_in_programs_outside_docstrings():
    for path in (PACKAGE / "programs").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        words = {id(node) for node in docstrings(tree)}
        years = [
            f"{path.name}:{node.lineno}: {node.value!r}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and id(node) not in words
            and re.search(r"\b(19|20)\d\d\b", str(node.value))
        ]
        assert not years


_REDUCING = {"cumsum", "max", "mean", "min", "std", "sum"}
_OVER = re.compile(r"\b(trial|year|aco|contract|dim)\b")


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_no_sum_or_mean_passes_over_a_trial_or_year_that_is_missing(path):
    """Trap: skipna, xarray's default, makes 0 of a sum over what was never written."""
    if package(name(path)) not in ("analysis", "cli", "engine", "report"):
        return
    skipping = [
        f"{path.name}:{node.lineno}: {ast.unparse(node)[-60:]}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _REDUCING
        and node.args
        and _OVER.search(ast.unparse(node.args[0]))
        and "skipna" not in [keyword.arg for keyword in node.keywords]
    ]
    assert not skipping


def docstrings(tree: ast.Module) -> list[ast.Constant]:
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef)
    firsts = [n.body[0] for n in ast.walk(tree) if isinstance(n, owners) and n.body]
    return [
        n.value for n in firsts if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)
    ]


def drawn() -> set[str]:
    """Parse the tree: four blanks a level, the name first; folders end in a slash."""
    block = PAGE.split("## Tree", 1)[1].split("```")[1]
    found, above = set(), list[str]()
    for line in block.strip("\n").splitlines():
        depth, word = (len(line) - len(line.lstrip())) // 4, line.split()[0]
        above[depth:] = [word]
        found.add("".join(above))
    return found


def test_the_tree_is_the_one_drawn():
    shown = {path for path in drawn() if path.startswith("simulator/")}
    modules = {
        str(p.relative_to(ROOT)) for p in MODULES if p.name != "__init__.py" or p.parent == PACKAGE
    }
    folders = {f"{p.relative_to(ROOT)}/" for p in PACKAGE.iterdir() if p.is_dir() and holds(p)}
    assert shown == modules | folders | {"simulator/"}


def holds(folder: Path) -> bool:
    return folder.name != "__pycache__" and any(folder.iterdir())


def test_the_top_level_is_the_one_drawn():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    if not listed:
        pytest.skip("not a git checkout")
    tops = {p.split("/")[0] + ("/" if "/" in p else "") for p in listed} - {".gitignore"}
    shown = {path for path in drawn() if path.count("/") == path.endswith("/")}
    assert tops <= shown
