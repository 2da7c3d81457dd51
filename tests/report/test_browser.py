"""The page in a real browser: wide and narrow, light and dark, and printed."""

import pytest

from simulator.engine import run as engine
from simulator.engine.checking import check
from simulator.engine.ledger import ledger
from simulator.report import page
from tests.browser import CHROMIUM, shown
from tests.runs import QUICKSTART, small

MOST_BYTES = 2_000_000
SALTELLI = (
    "sweep={sample: {method: saltelli, n: 4, over: "
    "{experience.deviation.mean: [-0.05, 0.0], experience.quality.mean: [0.8, 0.9]}}}"
)
SHIPPED = {
    "reach_2026_tightening": (),
    "stress_trend": (),
    "stress_reach": (),
    "stress_lead": (),
    "without_relief": (SALTELLI,),
    "lead_or_mssp": (),
}


def written(scenario, out):
    opened = engine.run(scenario, out)
    return page.write(opened, out / "report.html", ledger(opened.attrs["path"]))


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory):
    return written(small(100), tmp_path_factory.mktemp("runs"))


def complaints(path, width, scheme):
    """Return what is wrong with a page as shown: overflow, words in the console, a request."""
    seen = shown(path, width, scheme)
    wide = [f"{seen.scroll_width} pixels wide"] if seen.scroll_width > seen.width else []
    asked = [url for url in seen.requests if url != path.resolve().as_uri()]
    unprinted = [] if seen.pdf.startswith(b"%PDF") else ["it does not print"]
    return [*wide, *seen.complaints, *asked, *unprinted]


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 360])
def test_the_page_fits_and_is_silent(quickstart, width, scheme):
    assert complaints(quickstart, width, scheme) == []


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium")
@pytest.mark.parametrize("name", SHIPPED)
def test_the_pages_of_shipped_scenarios_fit_and_are_silent(name, tmp_path, proof):
    scenario = check(QUICKSTART.with_name(f"{name}.yaml"), ["trials=60", *SHIPPED[name]])
    path = written(scenario, tmp_path)
    views = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]
    found = [said for width, scheme in views for said in complaints(path, width, scheme)]
    size = path.stat().st_size
    proof(
        f"the page of {name} in Chromium, 1,280 and 390 pixels wide, light and dark",
        f"{len(found)} complaints, {size / 1e6:.2f} MB",
    )
    assert found == []
    assert size < MOST_BYTES
