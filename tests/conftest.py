import os
from pathlib import Path

import pytest
from hypothesis import settings

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
