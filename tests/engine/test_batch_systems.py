"""docs/clusters.md on batch systems, tried as it stands: SLURM's script, and array jobs."""

import ast
import gc
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from dask_jobqueue import SLURMCluster
from dask_jobqueue.local import LocalCluster
from distributed import Client

from simulator import results
from simulator.engine.run import run
from simulator.scenario import reading
from tests.runs import small

pytestmark = pytest.mark.slow
QUIET = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "clusters.md").read_text(encoding="utf-8")


def documented() -> dict[str, object]:
    """Return what the page gives to SLURMCluster, on an interface that every machine has."""
    code = re.search(r"```python\n(.*?SLURMCluster.*?)```", PAGE, re.DOTALL)
    assert code is not None
    calls = [node for node in ast.walk(ast.parse(code[1])) if isinstance(node, ast.Call)]
    call = next(one for one in calls if ast.unparse(one.func) == "SLURMCluster")
    held = {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}
    return {**held, "interface": "lo", "scheduler_options": QUIET}


def test_the_script_that_slurm_gets_is_as_documented(tmp_path: Path, proof) -> None:
    with SLURMCluster(**documented()) as cluster:
        script = cluster.job_script()
    wanted = (
        *("#SBATCH --cpus-per-task=4", "#SBATCH --mem=8G", "#SBATCH -t 01:00:00"),
        *("--nworkers 4", "--nthreads 1", "--local-directory /tmp", "--lifetime 55m"),
    )
    found = [line for line in wanted if line in script]
    proof("SLURM's script", f"{len(found)} of {len(wanted)} of what the page asks for are in it")
    assert found == [*wanted], script
    (tmp_path / "job.sh").write_text(script, encoding="utf-8")
    subprocess.run(["bash", "-n", tmp_path / "job.sh"], check=True)


# Its own way of ending jobs leaves what Python tells of: pipes, and a process not waited for.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_run_on_jobs_of_such_a_script_is_the_run(tmp_path: Path, monkeypatch, proof) -> None:
    scenario = small(60, ["level_e"])
    right = results.digest(run(scenario, tmp_path / "here", block=20).attrs["path"])
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    words = {**documented(), "processes": 1, "cores": 1, "local_directory": str(tmp_path)}
    words.pop("walltime")
    with LocalCluster(**words) as cluster:
        cluster.scale(jobs=1)
        with Client(cluster) as client:
            far = run(scenario, tmp_path / "far", scheduler=client, block=20)
    gc.collect()
    same = results.digest(far.attrs["path"]) == right
    proof("a run on dask-jobqueue", f"the same digest: {same}")
    assert same


def test_the_commands_of_an_array_job_run_as_written(tmp_path: Path, proof) -> None:
    scenario = small(9_000, ["level_e"])
    (tmp_path / "big.yaml").write_text(reading.canonical(scenario), encoding="utf-8")
    right = results.digest(run(scenario, tmp_path / "here").attrs["path"])
    job, after = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)[:2]
    out = tmp_path / "shared"
    assert "each=50" in job
    script = job.replace("/shared/results", str(out)).replace("each=50", "each=1")
    for task in ("0", "1"):
        told = _bash(script, tmp_path, SLURM_ARRAY_TASK_ID=task, SLURM_CPUS_PER_TASK="1")
        assert told.returncode == 0, told.stderr
    (name,) = {path.name.partition(".part-")[0] for path in out.glob("quickstart-*")}
    told = _bash(
        after.replace("/shared/results", str(out)).replace("big-1a2b3c4d", name), tmp_path
    )
    assert told.returncode == 0, told.stderr
    assert f"acosim merge {out / name}" not in told.stderr
    same = results.digest(out / name) == right
    proof("an array job as documented", f"2 parts merged, the same digest: {same}")
    assert same


def _bash(script: str, folder: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
