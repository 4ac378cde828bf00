"""The authors' record: the disk space and the time that it takes."""

import logging

import pytest

from trailers12k.common.errors import UserError
from trailers12k.downloads import published


def test_the_disk_space_is_checked_before_any_download(caplog):
    caplog.set_level(logging.INFO)
    sizes = {"a": 10_000_000_000, "b": 30_000_000_000}
    with pytest.raises(
        UserError, match=r"114\.0 GB of disk space are needed and 100\.0 GB are free"
    ):
        published.check_room(sizes, keep=False, free=100_000_000_000)
    published.check_room(sizes, keep=False, free=114_000_000_000)
    assert "download: 40.0 GB (0.9 h at 100 Mbit/s)" in caplog.text
    with pytest.raises(UserError, match=r"124\.0 GB of disk space are needed"):
        published.check_room(sizes, keep=True, free=114_000_000_000)


def test_the_cpu_hours_of_all_trainings():
    assert published.training_hours(12_000, 10, 100) == pytest.approx(14, abs=1)
