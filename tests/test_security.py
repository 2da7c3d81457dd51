"""What users write is never run: no pickle, no eval, no path out of the folder, no formula."""

import ast
import csv
from pathlib import Path

import openpyxl
import psutil
import pytest
from typer.testing import CliRunner

from simulator.cli.verbs import app
from simulator.engine.checking import check
from simulator.engine.run import _processes
from simulator.errors import ScenarioError
from simulator.loading.writing import inert
from simulator.scenario import reading
from tests.report.test_hostile import ATTACKS
from tests.runs import QUICKSTART, small

PACKAGE = Path(__file__).parents[1] / "simulator"
MODULES = sorted(PACKAGE.rglob("*.py"))
# Modules and functions that run, or load as objects, what a file holds.
FORBIDDEN = {
    *("pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle"),
    *("subprocess", "os.system", "os.popen", "pty", "code", "codeop", "runpy", "imp"),
    *("eval", "exec", "compile", "__import__", "execfile", "input", "yaml.load", "pandas.eval"),
    *("read_pickle", "to_pickle", "unsafe_load", "full_load", "ExtensionFile", "urlopen"),
    *("urllib.request", "requests", "httpx", "socket", "ftplib", "ctypes", "cffi"),
}
LABELS = (
    *("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", "\uff1d1+1", "=A1"),
    *("=cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(1+9)*cmd|' /C calc'!A0"),
)  # fmt: skip


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_runs_or_unpickles_what_it_reads(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = _used(tree) & FORBIDDEN
    if path == PACKAGE / "cli" / "memory.py":
        found -= {"ctypes"}
        # The C library that Python has loaded itself, and no file.
        calls = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        assert {call for call in calls if call.startswith("ctypes")} == {"ctypes.CDLL(None)"}
    assert sorted(found) == []


def _used(tree: ast.AST) -> set[str]:
    """Return every module imported, and every function called, by its own and its full name."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names} | {
                a.name.split(".")[0] for a in node.names
            }
        elif isinstance(node, ast.ImportFrom):
            module = str(node.module)
            names |= {
                module,
                module.split(".", maxsplit=1)[0],
                *(f"{module}.{a.name}" for a in node.names),
            }
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            method = isinstance(node.func, ast.Attribute) and not called.startswith(
                ("re.", "ast.")
            )
            names |= {called} | (
                {called.rsplit(".", 1)[-1]} - {"compile", "eval"} if method else set()
            )
    return names


def test_arrays_of_objects_are_not_loaded() -> None:
    assert not [p for p in MODULES if "allow_pickle=True" in p.read_text(encoding="utf-8")]


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system [touch pwned]", "!!python/name:os.system", "!x y"]
)
def test_a_tag_makes_nothing(tmp_path: Path, tag: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(f"name: {tag}\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match="tags are not allowed"):
        check(path)
    assert sorted(tmp_path.iterdir()) == [path]


OUTSIDE = ("../secret.csv", "{secret}", "inner/../../secret.csv", "link.csv", "file://{secret}")
OUTSIDE += ("https://example.org/secret.csv", "\\\\host\\secret.csv", "folder/secret.csv")


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize(
    "setting",
    [
        "population.covenant.segment_table={}",
        "population.covenant.beneficiaries={}",
        "population.covenant.counties={}",
        "market.counties=[{}]",
        "experience.quality.benchmarks={}",
    ],
)
def test_no_file_outside_the_folder_is_read(tmp_path: Path, name: str, setting: str) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("TOP,SECRET\n1,2\n", encoding="utf-8")
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "link.csv").symlink_to(secret)
    (folder / "folder").symlink_to(tmp_path)
    path = folder / "x.yaml"
    path.write_text(QUICKSTART.read_text(encoding="utf-8"), encoding="utf-8")
    overrides = [
        setting.format(repr(name.format(secret=secret))),
        *(["market.counties=[c.csv]"] if "covenant.counties" in setting else []),
        *(["experience.quality.measures={236SSP: 70}"] if "quality" in setting else []),
        *(["population.covenant.counties={A/B: {esrd: 1}}"] if "market" in setting else []),
    ]
    with pytest.raises(ScenarioError) as caught:
        check(path, overrides)
    assert "SECRET" not in str(caught.value)
    assert "is not found" in str(caught.value) or "is an address" in str(caught.value)


@pytest.mark.parametrize("label", LABELS)
def test_a_label_is_no_formula(label: str) -> None:
    assert inert(label) == f"'{label}"


def test_an_export_of_hostile_values_has_no_live_formula(tmp_path: Path, proof) -> None:
    path = tmp_path / "x.yaml"
    (tmp_path / QUICKSTART.name).write_text(QUICKSTART.read_text(encoding="utf-8"))
    labels = ", ".join(_quoted(label) for label in LABELS)
    grid = f"sweep:\n  grid:\n    population.covenant.about: [{labels}]\n"
    path.write_text(f"extends: {QUICKSTART.name}\ntrials: 4\n{grid}", encoding="utf-8")
    told = CliRunner().invoke(app, ["run", str(path), "--out", str(tmp_path / "out")])
    assert told.exit_code == 0, told.output
    (run,) = (p for p in (tmp_path / "out").iterdir() if p.is_dir())
    exported = tmp_path / "trials.csv"
    CliRunner().invoke(app, ["export", str(run), "--to", "csv", "--out", str(exported)])
    with exported.open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    live = [cell for cell in cells if cell.startswith(tuple("=+-@\t\r")) and not _number(cell)]
    said = sum(label in cell for label in LABELS for cell in set(cells))
    proof("hostile labels in an export", f"{len(live)} live formulas in {len(cells):,} cells")
    assert said >= len(LABELS) - 1
    assert live == []


@pytest.mark.slow
def test_hostile_labels_are_inert_wherever_they_are_written(tmp_path: Path, proof) -> None:
    base = tmp_path / "base.yaml"
    base.write_text(reading.canonical(small(4, ["level_e"])), encoding="utf-8")
    live, seen, cells, files = [], 0, 0, 0
    every = [*LABELS, *ATTACKS]
    for number, label in enumerate(every):
        path = tmp_path / f"x{number}.yaml"
        path.write_text(
            f"extends: {base.name}\nname: x{number}\nabout: {_quoted(label)}\n"
            f"population:\n  covenant:\n    about: {_quoted(label)}\n"
            f"sweep:\n  grid:\n    population.covenant.about: [{_quoted(label)}, plain]\n",
            encoding="utf-8",
        )
        out = tmp_path / f"out{number}"
        told = CliRunner().invoke(app, ["run", str(path), "--out", str(out)])
        assert told.exit_code == 0, told.output
        (run,) = (p for p in out.iterdir() if p.is_dir())
        CliRunner().invoke(app, ["export", str(run), "--to", "csv", "--out", str(out / "t.csv")])
        book = openpyxl.load_workbook(run / "report.xlsx")
        held = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
        live += [c.value for c in held if c.data_type == "f" or c.hyperlink]
        with (out / "t.csv").open(encoding="utf-8", newline="") as file:
            texts = [cell for row in csv.reader(file) for cell in row]
        live += [t for t in texts if t.startswith(tuple("=+-@\t\r")) and not _number(t)]
        page = (run / "report.html").read_text(encoding="utf-8")
        live += [label for _ in range(page.count(label)) if label in ATTACKS]
        seen += any(label.strip() in str(c.value) for c in held) + any(label in t for t in texts)
        cells, files = cells + len(held) + len(texts), files + 3
    proof(
        "hostile labels in workbooks, exports and pages",
        f"{len(live)} live of {len(every)} labels x 3 places x {files} files, {cells:,} cells; "
        f"seen in {seen} of {2 * len(every)} tables",
    )
    assert seen > len(every)
    assert live == []


def _quoted(label: str) -> str:
    escaped = label.encode("unicode_escape").decode().replace('"', '\\"')
    return f'"{escaped}"'


def _number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_a_cluster_of_our_own_listens_on_loopback_alone() -> None:
    with _processes(1, 60.0):
        here = psutil.Process()
        sockets = [
            held
            for process in (here, *here.children(recursive=True))
            for held in process.net_connections("inet")
            if held.status == psutil.CONN_LISTEN
        ]
    assert sockets
    assert {held.laddr.ip for held in sockets} == {"127.0.0.1"}
