"""The line that says how fast a job is and which side waits."""

import time
from dataclasses import replace

import pytest
import torch

from trailers12k.features import progress
from trailers12k.features.backbones import devices
from trailers12k.features.progress import Reading

CPU = devices.cpu()
GPU = replace(CPU, torch=torch.device("cuda"))
START = Reading(100.0, 0, 0, 0, 5.0)


@pytest.mark.parametrize(
    ("device", "threads", "now", "line"),
    [
        (CPU, 1, (110, 500, 1000, 1000, 12), "decoded 50 and computed 50 frames a second"),
        (
            CPU,
            4,
            (110, 500, 1000, 900, 25),
            "decoded 50 and computed 45 frames a second; computing waits for decoding 50 % of the "
            "time",
        ),
        (
            CPU,
            2,
            (110, 500, 1000, 1000, 25),
            "decoded 50 and computed 50 frames a second; decoding waits for the networks",
        ),
        (
            GPU,
            8,
            (110, 9000, 54000, 54000, 12.5),
            "decoded 900 and computed 900 frames a second; the GPU waits for decoding 25 % of the "
            "time",
        ),
        (
            GPU,
            8,
            (110, 9000, 54000, 27000, 14.8),
            "decoded 900 and computed 450 frames a second; the GPU always has a pass",
        ),
        (GPU, 8, (110, 0, 0, 0, 5), ""),
    ],
)
def test_the_line_names_the_side_that_waits(device, threads, now, line):
    assert progress.describe(START, Reading(*now), device, threads) == line


def test_a_line_is_logged_at_every_interval_in_which_something_happened(caplog):
    caplog.set_level("INFO")
    device = devices.cpu()
    with progress.logged(device, 1, interval=0.05):
        time.sleep(0.12)
        assert not caplog.records
        device.meter.add(decoded=3, cropped=3, computed=3)
        until = time.monotonic() + 10
        while not caplog.records and time.monotonic() < until:
            time.sleep(0.01)
    assert len(caplog.records) == 1 and "frames a second" in caplog.text
