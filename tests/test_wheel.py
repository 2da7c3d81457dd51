"""A built wheel holds what it needs, and an installed one runs a scenario outside the checkout."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Return the wheel of this checkout."""
    out = tmp_path_factory.mktemp("dist")
    made = [sys.executable, "-m", "build", "--wheel", "--outdir", out, ROOT]
    subprocess.run(made, check=True, capture_output=True, timeout=500)
    return next(out.glob("*.whl"))


def needed(folder, under):
    """Return the files of a folder by their place in the wheel."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        f"{under}/{path.relative_to(folder).as_posix()}": path
        for path in files
        if "__pycache__" not in path.parts
    }


def test_a_wheel_holds_every_file_of_the_package_and_every_base_scenario(wheel, proof):
    package = needed(ROOT / "simulator", "simulator")
    whole = package | needed(ROOT / "scenarios" / "base", "simulator/base")
    with zipfile.ZipFile(wheel) as held:
        names = {name for name in held.namelist() if not name.split("/")[0].endswith(".dist-info")}
        same = [name for name, path in whole.items() if held.read(name) == path.read_bytes()]
    data = [name for name in whole if not name.endswith(".py")]
    figures = f"{len(same)} files the same to the byte, {len(data)} of them not Python"
    proof("A wheel holds what it needs", f"{figures}; {len(names - set(whole))} others")
    assert names == set(whole)
    assert len(same) == len(whole)
    assert {name.rsplit(".", 1)[1] for name in data} >= {"yaml", "jinja"}


def test_an_installed_wheel_runs_a_scenario_outside_the_checkout(wheel, proof, tmp_path):
    home = tmp_path / "home"
    # What acosim depends on is installed already; the wheel itself is not.
    venv.create(home, with_pip=True, system_site_packages=False)
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    site = next((home / "lib").glob("python*")) / "site-packages"
    pip = [home / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-deps", wheel]
    subprocess.run(pip, check=True, capture_output=True, timeout=280)
    # Its own site-packages comes first; only what is not there is looked up in the other's.
    (site / "zz.pth").write_text(f"{packages}\n", encoding="utf-8")
    acosim = home / "bin" / "acosim"

    def done(*words):
        ran = subprocess.run(
            [acosim, *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    where = [home / "bin" / "python", "-c", "import simulator; print(simulator.__file__)"]
    found = subprocess.run(where, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    done("init", "mine.yaml", "--name", "mine")
    told = done("run", "mine.yaml", "--trials", "300")
    proof(
        "An installed wheel runs", "; ".join(line for line in told.splitlines() if "mean" in line)
    )
    assert Path(found.strip()).is_relative_to(site)
    assert (next((tmp_path / "results").glob("mine-*")) / "report.xlsx").is_file()
    assert '"$defs"' in done("schema")
