"""What the features of each store took: divided among the stores of a job, kept by later jobs."""

import threading
import time
from types import SimpleNamespace

import pytest
import torch

from trailers12k.features.store_clock import StoreClock
from trailers12k.features.store_costs import StoreCost, cost_file, costs_of, record_cost

FEW, MANY = (StoreCost("f", movies, 10.0 * movies, "cpu", 2) for movies in (1, 5))


def spin(seconds: float) -> None:
    """Use the CPU for so long in this thread."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def network(clock: StoreClock, name: str, seconds: float) -> SimpleNamespace:
    """A network whose pass takes so many CPU seconds."""

    def forward(batch):
        with clock.meter.computing(torch.device("cpu")):
            spin(seconds)
        return batch

    own = SimpleNamespace(forward=forward)
    clock.meter.watch(name, own)
    return own


@pytest.mark.parametrize("workers", [1, 2])
def test_a_store_has_its_network_and_an_equal_part_of_the_decoding(workers):
    clock = StoreClock()
    heavy, light = network(clock, "heavy", 0.06), network(clock, "light", 0.02)
    began = time.process_time()

    def work():
        with clock.reading(["heavy", "light"]):
            with clock.meter.computing(torch.device("cpu")):
                spin(0.04)  # frames are cropped for both
            assert heavy.forward(1) == light.forward(1) == 1
        with clock.reading(["sound"]):
            spin(0.01)

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    total = time.process_time() - began
    own = clock.divided(total)
    assert sum(own.values()) == pytest.approx(total)
    assert own["heavy"] - own["light"] == pytest.approx(0.04 * workers, rel=0.3)
    assert clock.meter.seconds["light"] == pytest.approx(0.02 * workers, rel=0.3)
    assert own["light"] > clock.meter.seconds["light"]
    assert 0 < own["sound"] < own["light"]
    shares = {name: (share.movies, share.together) for name, share in clock.shares.items()}
    assert shares == {"heavy": (workers, 2), "light": (workers, 2), "sound": (workers, 1)}


def test_a_movie_that_fails_is_not_counted():
    clock = StoreClock()
    with pytest.raises(ValueError), clock.reading(["a"]):
        raise ValueError
    assert clock.shares == {} == clock.divided(5.0)


def test_passes_that_overlap_count_no_more_than_the_job():
    clock = StoreClock()
    net = network(clock, "a", 0.05)
    with clock.reading(["a"]):
        net.forward(1)
    assert clock.divided(0.01) == {"a": pytest.approx(0.01)}


def test_a_job_that_computes_few_movies_keeps_what_many_took(tmp_path):
    path = cost_file("s", "000", tmp_path)
    record_cost(path, FEW)
    record_cost(path, MANY)
    assert costs_of("s", "f", tmp_path) == [MANY]
    record_cost(path, FEW)
    assert costs_of("s", "f", tmp_path) == [MANY]
    record_cost(path, StoreCost("g", 1, 1.0, "cpu", 1))
    assert costs_of("s", "f", tmp_path) == [] != costs_of("s", "g", tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "7",
        '{"movies": 1}',
        '{"fingerprint":"f","movies":1,"seconds":NaN,"device":"cpu","together":1}',
    ]
    + [
        f'{{"fingerprint": "f", "movies": {m}, "seconds": {s}, "device": {d}, "together": {t}}}'
        for m, s, d, t in (
            (1, -1, '"cpu"', 1),
            ('"1"', 1, '"cpu"', 1),
            (1, '"1"', '"cpu"', 1),
            (1, 1, "[]", 1),
            (1, 1, '"cpu"', "null"),
        )
    ],
)
def test_damaged_records_count_as_none(tmp_path, text):
    path = cost_file("s", "000", tmp_path)
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert costs_of("s", "f", tmp_path) == []
    record_cost(path, FEW)
    assert costs_of("s", "f", tmp_path) == [FEW]
