"""The notebooks run, one cell after the other, and are stored without outputs."""

import ast
import json
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
STORIES = [
    "01_read_a_run",
    "02_choose_a_contract",
    "03_sensitivity",
    "04_why_this_trial",
    "05_bring_your_own_population",
]
LONGEST = 3


def cells(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def code(path: Path) -> list[str]:
    return ["".join(cell["source"]) for cell in cells(path) if cell["cell_type"] == "code"]


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a copy of the notebooks' folder, with the scenarios beside it, and no window."""
    for name in ("notebooks", "scenarios"):
        shutil.copytree(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path / "notebooks")
    monkeypatch.setenv("MPLBACKEND", "agg")
    return tmp_path


def run(source: str, names: dict[str, object]) -> None:
    """Run a cell as Jupyter does: its last line, if it has a value, is shown."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    if last is not None:
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
        show = getattr(value, "_repr_html_", value.__repr__)
        assert source.rstrip().endswith(";") or value is None or show()


def test_the_five_stories_are_there():
    assert [path.stem for path in NOTEBOOKS] == STORIES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_its_first_cell_to_its_last(path, beside):
    names: dict[str, object] = {}
    for source in code(path):
        run(source, names)
    assert any((beside / "results").iterdir())


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_outputs(path):
    stored = [cell for cell in cells(path) if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in stored)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_defines_nothing_longer_than_three_lines(path):
    trees = [ast.parse(source) for source in code(path)]
    defined = (ast.FunctionDef, ast.ClassDef, ast.Lambda)
    found = [n for tree in trees for n in ast.walk(tree) if isinstance(n, defined)]
    assert not [n for n in found if n.end_lineno - n.lineno >= LONGEST]
