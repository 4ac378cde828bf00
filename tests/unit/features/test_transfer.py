"""Frames reach the device whole and in order, by the code of a GPU, which runs on the CPU here.

torch.cpu has streams and events that do nothing; a real GPU is in tests/gpu.
"""

import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from trailers12k.features.backbones import transfer
from trailers12k.features.backbones.devices import Device
from trailers12k.features.backbones.meter import Meter
from trailers12k.features.backbones.transfer import SLOTS, Transfer

CPU = torch.device("cpu")


def sent(own: Device, parts) -> Iterator[torch.Tensor]:
    """The chunks on the device, each until the next."""
    with own.sending() as send:
        for chunk in parts:
            yield send(chunk)


def chunks(sizes, side: int = 4) -> list[list[np.ndarray]]:
    random = np.random.default_rng(0)
    return [[random.integers(0, 255, (side, 6, 3), np.uint8) for _ in range(n)] for n in sizes]


def device() -> Device:
    meter = Meter()
    return Device(
        CPU, "cpu", has_fast_bf16=False, meter=meter, transfer=Transfer(CPU, meter, False)
    )


def test_chunks_arrive_in_order_through_buffers_that_are_used_again():
    parts = chunks([3, 1, 5, 2, 5, 4, 1])
    places, arrived = [], []
    for pixels in sent(device(), parts):
        places.append(pixels.data_ptr())
        arrived.append(pixels.numpy().copy())
    assert all(np.array_equal(a, np.stack(b)) for a, b in zip(arrived, parts, strict=True))
    assert len(set(places[-SLOTS:])) == SLOTS, "a chunk does not overwrite one that may be in use"
    assert places[5] == places[2] and places[6] == places[3]


def test_the_next_trailer_takes_the_buffers_of_the_last_one_even_if_that_failed():
    own = device()
    first = {pixels.data_ptr() for pixels in sent(own, chunks([4, 4, 4]))}

    def broken():
        yield from chunks([4])
        raise ValueError

    with pytest.raises(ValueError):
        list(sent(own, broken()))
    again = {pixels.data_ptr() for pixels in sent(own, chunks([4, 4, 4]))}
    assert again == first


def test_trailers_in_flight_have_buffers_of_their_own():
    own, results = device(), {}
    barrier = threading.Barrier(3)

    def run(side: int) -> None:
        got = []
        for pixels in sent(own, chunks([2] * 8, side)):
            barrier.wait(timeout=10)
            got.append(pixels.numpy().copy())
        results[side] = got

    threads = [threading.Thread(target=run, args=(side,)) for side in (2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for side, got in results.items():
        expected = chunks([2] * 8, side)
        assert all(np.array_equal(a, np.stack(b)) for a, b in zip(got, expected, strict=True))


class Stream:
    """Records the order of operations."""

    def __init__(self, name, log):
        self.name, self.log = name, log

    def wait_event(self, event):
        self.log.append((self.name, "waits for", event.marks))

    def wait_stream(self, other):
        self.log.append((self.name, "waits for", other.name))


class Event:
    marks = None

    def record(self, stream):
        self.marks = stream.name
        stream.log.append((stream.name, "marks", id(self)))

    def synchronize(self):
        self.log.append(("host", "waits for", self.marks))


def test_a_copy_waits_for_memory_and_computing_waits_for_the_copy(monkeypatch):
    """The order of a GPU's streams: without each of these waits bytes would be overwritten."""
    log = []
    compute = Stream("compute", log)

    class Api:
        Stream = staticmethod(lambda device: Stream("copies", log))
        current_stream = staticmethod(lambda device: compute)
        stream = staticmethod(torch.cpu.stream)

        @staticmethod
        def Event():
            event = Event()
            event.log = log
            return event

    monkeypatch.setattr(transfer.torch, "cpu", Api)
    with Transfer(CPU, Meter(), False).sending() as send:
        for chunk in chunks([2] * (SLOTS + 1)):
            send(chunk)
            log.append(("compute", "uses", None))
    steps = [(who, what) if what == "marks" else (who, what, which) for who, what, which in log]
    copied = [
        ("copies", "marks"),
        ("compute", "waits for", "copies"),
        ("compute", "uses", None),
        ("compute", "marks"),
    ]
    grown = ("copies", "waits for", "compute")  # where new memory comes from
    assert steps[0] == ("compute", "marks")
    first, rest = steps[1 : 1 + 6 * SLOTS], steps[1 + 6 * SLOTS :]
    assert [step for step in first if step[0] != "host"] == [grown, *copied] * SLOTS
    assert rest == [("host", "waits for", "compute"), *copied], "used again after its use"


def test_results_and_small_tensors_are_copies():
    own = device()
    values = torch.arange(6.0).view(2, 3)
    (fetched,) = own.fetched([values])
    values.zero_()
    assert fetched.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert own.transfer.put(torch.tensor([1, 2])).tolist() == [1, 2]


def test_a_meter_counts_for_all_threads_and_sums_the_time_of_computing():
    meter = Meter()
    threads = [
        threading.Thread(target=lambda: [meter.add(decoded=1, computed=2) for _ in range(500)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (meter.decoded, meter.computed) == (2000, 4000)
    with meter.computing(CPU):
        sum(range(100_000))
    with meter.holding_up():
        sum(range(100_000))
    assert 0 < meter.busy < 5 and 0 < meter.held_up < 5
