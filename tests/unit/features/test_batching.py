"""Every clip's features come back in its place, whoever else is in the batch."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from trailers12k.features.backbones.batching import Batches


class Network:
    """Returns a number that each clip holds; `sizes` are those of the batches."""

    def __init__(self, batch: int):
        self.batch, self.sizes = batch, []

    def compute(self, crops):
        self.sizes.append(len(crops))
        return crops.float().mean((1, 2))[:, None]

    def batches(self) -> Batches:
        return Batches(self.compute, lambda: self.batch)


def clip(number: int) -> torch.Tensor:
    return torch.full((2, 3), number)


def extract(batches: Batches, numbers) -> list[float]:
    part = batches.begin()
    for number in numbers:
        batches.add(part, clip(number))
    return batches.finish(part)[:, 0].tolist()


def test_batches_are_full_but_for_a_trailers_last():
    network = Network(4)
    batches = network.batches()
    assert extract(batches, range(10)) == list(range(10))
    assert extract(batches, [7]) == [7]
    assert network.sizes == [4, 4, 2, 1]


def test_a_batch_that_was_halved_stays_so():
    network = Network(4)
    batches = network.batches()
    part = batches.begin()
    for number in range(6):
        if number == 4:
            network.batch = 2
        batches.add(part, clip(number))
    assert batches.finish(part)[:, 0].tolist() == list(range(6))
    assert network.sizes == [4, 2]


def test_trailers_share_batches_and_each_gets_its_own_rows():
    """Six trailers of few clips fill batches that none of them could."""
    network = Network(8)
    batches = network.batches()
    begun = threading.Barrier(6)

    def run(trailer: int) -> bool:
        part = batches.begin()
        begun.wait(timeout=10)
        own = [100 * trailer + number for number in range(trailer + 1)]
        for number in own:
            batches.add(part, clip(number))
        return batches.finish(part)[:, 0].tolist() == own

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(run, range(6), timeout=20))
    assert sum(network.sizes) == 21 and network.sizes == [8, 8, 5]


def test_a_failed_trailer_leaves_no_clips_and_nobody_waiting():
    network = Network(8)
    batches = network.batches()
    failing, part = batches.begin(), batches.begin()
    batches.add(failing, clip(1))
    batches.add(part, clip(2))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(batches.finish, part)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.2)
        batches.abandon(failing)
        assert waiting.result(timeout=10).tolist() == [[2]]
    assert network.sizes == [1]


def test_a_fault_of_the_network_ends_every_thread():
    def broken(crops):
        raise ValueError("no")

    batches = Batches(broken, lambda: 2)
    first, second = batches.begin(), batches.begin()
    batches.add(first, clip(1))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(batches.finish, first)
        with pytest.raises(ValueError, match="no"):
            batches.add(second, clip(2))
        with pytest.raises(ValueError, match="no"):
            waiting.result(timeout=10)
