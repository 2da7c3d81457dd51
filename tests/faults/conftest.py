import pytest

from tests.faults.ground import Ground
from tests.faults.nursery import Nursery


@pytest.fixture(scope="session")
def ground(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ground")
    with Nursery(folder) as nursery:
        yield Ground.laid(folder, nursery)
