"""What several tests of this folder are given."""

import pytest
from bulk_runs import make_album


@pytest.fixture
def album(tmp_path, monkeypatch):
    """A folder of ten images, see `make_album`, and a cache of its own."""
    monkeypatch.setenv("FACEFIX_CACHE", str(tmp_path / "cache"))
    make_album(tmp_path / "album")
    return tmp_path / "album"
