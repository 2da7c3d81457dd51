"""The tutorial is true: its commands work as written, in order, and print what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

TUTORIAL = Path(__file__).parents[1] / "docs" / "tutorial.md"
STEP = re.compile(r"```bash\n(.*?)```(?:\n+```text\n(.*?)```)?", re.DOTALL)


def done(commands: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_command_of_the_tutorial_works_as_written(tmp_path):
    steps = STEP.findall(TUTORIAL.read_text(encoding="utf-8"))
    assert len(steps) >= 9
    assert any(printed for _, printed in steps)
    for commands, printed in steps:
        made = done(commands, tmp_path)
        assert made.returncode == 0, f"{commands}{made.stderr}"
        assert printed in made.stdout, f"{commands}{made.stdout}"
