"""Hostile labels on a page: a real browser runs none of them, and would run them unescaped."""

import html
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from simulator.report import page

MARK = "document.documentElement.setAttribute('data-ran','N')"
ATTACKS = (
    f"<script>{MARK}</script>",
    f'<img src=x onerror="{MARK}">',
    f'<svg onload="{MARK}"></svg>',
    f'"><script>{MARK}</script>',
    f'\'><img src=x onerror="{MARK}">',
    f"</style><script>{MARK}</script>",
    f"</title><script>{MARK}</script>",
    f"</svg><script>{MARK}</script>",
    f'<body onload="{MARK}">',
    f'<details open ontoggle="{MARK}"><p></details>',
    f'<iframe srcdoc="<script>top.{MARK}</script>">',
    f'<input autofocus onfocus="{MARK}">',
    f"--><script>{MARK}</script>",
    f"]]><script>{MARK}</script>",
    f"<ScRiPt>{MARK}</sCrIpT>",
    f"{{{{ 7*7 }}}}{{% raw %}}<script>{MARK}</script>",
)
RAN, POLICY = "data-ran=", 'http-equiv="Content-Security-Policy"'
PATIENCE = 60


@pytest.fixture(scope="module")
def browser() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no chromium on this machine; Debian's: apt-get install chromium")
    return found


def dom(browser: str, file: Path) -> str:
    """Return the document as it is after the browser has loaded it and run what it runs."""
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    quiet = ["--no-first-run", f"--user-data-dir={file.parent / 'profile'}"]
    told = subprocess.run(
        [browser, *flags, *quiet, "--virtual-time-budget=2000", "--dump-dom", file.as_uri()],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return told.stdout


def corpus() -> list[str]:
    return [attack.replace("'N'", f"'{number}'") for number, attack in enumerate(ATTACKS)]


@pytest.fixture
def hostile(make_run, tmp_path: Path) -> Path:
    """Return a page every word of which, a user's or a file's, is an attack."""
    attacks = corpus()
    whole = " ".join(attacks)
    run = make_run(trials=50, contracts=tuple(attacks[:6]), acos=tuple(attacks[6:12]))
    run.attrs |= dict.fromkeys(("name", "about", "path", "version", "digest"), whole)
    notes = {"notices": attacks, "data_quality": {"warnings": attacks}}
    run.attrs |= {name: json.dumps(note) for name, note in notes.items()}
    return page.write(run, tmp_path / "page.html")


@pytest.mark.proof
@pytest.mark.filterwarnings("ignore:constrained_layout")
def test_a_browser_runs_nothing_of_hostile_labels(browser, hostile: Path, proof) -> None:
    text = hostile.read_text(encoding="utf-8")
    assert text.count("data-ran") > len(ATTACKS)
    shown = dom(browser, hostile)
    assert html.escape("data-ran") in shown
    ran = shown.split(">", 2)[1].count(RAN)
    # Without the page's own ban on scripts too: escaping alone is enough.
    bare = hostile.with_name("bare.html")
    bare.write_text(text.replace(POLICY, 'name="nothing"'), encoding="utf-8")
    ran_bare = dom(browser, bare).split(">", 2)[1].count(RAN)
    proof("hostile labels in a browser", f"{ran + ran_bare} scripts run of {len(ATTACKS)} attacks")
    assert ran == ran_bare == 0


@pytest.mark.proof
def test_the_browser_runs_them_where_nothing_escapes_them(browser, tmp_path: Path) -> None:
    live = 0
    for number, attack in enumerate(corpus()[:3]):
        file = tmp_path / f"live{number}.html"
        file.write_text(f"<!doctype html>\n<html><body>{attack}</body></html>", encoding="utf-8")
        live += dom(browser, file).split(">", 2)[1].count(RAN)
    assert live == 3
