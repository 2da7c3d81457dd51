import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests import proofs
from tests.files import Files

# The first call of an xarray operation takes some 360 ms: no deadlines.
settings.register_profile("acosim", deadline=None, max_examples=25, derandomize=True)
settings.load_profile("acosim")

ROOT = Path(__file__).parents[1]


@pytest.fixture
def public_data() -> Path:
    """Return the folder of CMS public-use files, or skip saying how to name it."""
    folder = Path(os.environ.get("ACOSIM_PUBLIC_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no CMS public-use files in {folder}; set ACOSIM_PUBLIC_DATA")
    return folder


@pytest.fixture
def proof(record_property) -> proofs.Tell:
    """Return a function that tells what a test shows: a sentence, and its figures.

    Call it before the assertion, so that the figures of a proof that fails are seen too.
    """

    def tell(name: str, figures: str) -> None:
        record_property(proofs.KEY, [name, figures])

    return tell


def pytest_addoption(parser):
    parser.addoption(
        "--prove", action="store_true", help="a proof that is skipped counts as one that fails"
    )
    parser.addoption(
        "--update-golden", action="store_true", help="write tests/golden/runs anew, to review"
    )


def pytest_terminal_summary(terminalreporter, config):
    found = proofs.proofs(terminalreporter.stats, strict=config.getoption("--prove"))
    if found:
        terminalreporter.section("proofs")
        for line in proofs.lines(found):
            terminalreporter.write_line(line)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and exitstatus == 0 and session.config.getoption("--prove"):
        session.exitstatus = int(bool(reporter.stats.get("skipped")))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Return a folder with a sound scenario and its base."""
    return Files(tmp_path)
