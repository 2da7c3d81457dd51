"""The page in a real browser: wide and narrow, light and dark, and printed."""

import pytest

from simulator.engine import run as engine
from simulator.engine.ledger import ledger
from simulator.report import page
from tests.browser import CHROMIUM, shown
from tests.runs import small


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    opened = engine.run(small(100), out)
    return page.write(opened, out / "report.html", ledger(opened.attrs["path"]))


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 360])
def test_the_page_fits_and_is_silent(written, width, scheme):
    seen = shown(written, width, scheme)
    assert seen.scroll_width <= seen.width
    assert seen.complaints == []
    assert seen.requests == [written.resolve().as_uri()]
    assert seen.pdf.startswith(b"%PDF")
