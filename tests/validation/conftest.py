import pytest

from simulator.validation import runs


@pytest.fixture(scope="package")
def made(tmp_path_factory):
    """Return the folder of one of the package's runs, by name."""
    return {"mssp": runs.made("mssp", tmp_path_factory.mktemp("runs"))}
