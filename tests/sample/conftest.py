"""The finished sample, published once for all tests."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def publication(tmp_path_factory) -> Path:
    """A publication of the finished sample of this folder."""
    from trailers12k.cli.collection import read_settings
    from trailers12k.publish import publication

    target = tmp_path_factory.mktemp("published") / "publication"
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        return publication.write(read_settings(), target)
    finally:
        os.chdir(before)
