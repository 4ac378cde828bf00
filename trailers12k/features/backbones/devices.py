"""Devices that networks compute on: the CPU, or a GPU of this machine that no other job uses.

Writes nothing. Must not know networks.
"""

import errno
import logging
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
import torch
from torch import Tensor

from trailers12k.common.errors import UserError
from trailers12k.features.backbones.meter import Meter
from trailers12k.features.backbones.transfer import Send, Transfer

log = logging.getLogger(__name__)

PAUSE = 2.0
"""Seconds between two searches for a free GPU."""


@dataclass
class Device:
    """A device, with what differs between the CPU and GPUs.

    torch: torch's own record of it. autocast: its name for torch.autocast.
    has_fast_bf16: whether bf16 is faster on it than fp32.
    turn: held while a forward pass is started. A GPU runs one pass at a time, since the passes of
        several threads would have to fit into its memory together; the CPU runs any number.
    name: for records, such as "cpu" or "cuda (NVIDIA H100)".
    meter: counts what passes through it.
    transfer: takes bytes to it while it computes; None where it shares the host's memory.
    """

    torch: torch.device
    autocast: str
    has_fast_bf16: bool
    turn: AbstractContextManager = field(default_factory=nullcontext)
    name: str = "cpu"
    meter: Meter = field(default_factory=Meter)
    transfer: Transfer | None = None

    @contextmanager
    def sending(self) -> Iterator[Send]:
        """A function that makes equal frames, uint8 (H, W, 3), a tensor (N, H, W, 3) on the device.

        For one thread. On a GPU a tensor may be used, by work that the thread starts, until the
        next call: its memory is used again.
        """
        if self.transfer:
            with self.transfer.sending() as send:
                yield send
        else:
            yield _together

    def put(self, values: Tensor) -> Tensor:
        """A tensor of the host on the device, where it is not there yet."""
        if self.transfer and values.device != self.torch:
            return self.transfer.put(values)
        return values

    def fetched(self, tensors: Sequence[Tensor]) -> list[np.ndarray]:
        """The values of tensors on the device, for which it is waited once."""
        if self.transfer:
            return self.transfer.fetched(tensors)
        return [tensor.numpy() for tensor in tensors]

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Starts work on the device, at a GPU's turn; its time is counted."""
        with self.turn, self.meter.computing(self.torch):
            yield

    def free(self) -> None:
        """Give memory back that torch keeps for later."""
        if self.torch.type == "cuda":
            torch.cuda.empty_cache()


def _together(frames: Sequence[np.ndarray]) -> Tensor:
    """One frame without a copy."""
    return torch.from_numpy(np.stack(frames) if len(frames) > 1 else frames[0][None])


def cpu() -> Device:
    """The CPU. With AVX512_BF16 or AMX, bf16 is 1.5 to 2 times as fast as fp32."""
    features = torch.cpu.get_capabilities()
    has_bf16 = bool(features.get("avx512_bf16") or features.get("amx_bf16"))
    return Device(torch.device("cpu"), "cpu", has_fast_bf16=has_bf16)


def cuda(number: int) -> Device:
    """A GPU. bf16 is faster from compute capability 8.0 on."""
    # Otherwise cuDNN rounds the factors of fp32 convolutions to 10 bits.
    torch.backends.cudnn.allow_tf32 = False
    device = torch.device("cuda", number)
    has_bf16 = torch.cuda.get_device_capability(device) >= (8, 0)
    meter = Meter()
    return Device(
        device,
        "cuda",
        has_fast_bf16=has_bf16,
        turn=Lock(),
        name=f"cuda ({torch.cuda.get_device_name(device)})",
        meter=meter,
        transfer=Transfer(device, meter),
    )


def names() -> dict[int, str]:
    """The GPUs that this process may use: number -> a name that is the same in all processes."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return {n: str(torch.cuda.get_device_properties(n).uuid) for n in range(count)}


@contextmanager
def claimed(requested: str = "auto") -> Iterator[Device]:
    """The device to compute on; no other process can claim a GPU until the context ends.

    requested: "auto" (a GPU where there is one, else the CPU), "cpu", "cuda", or "cuda:N".
    Waits while other jobs of this machine use all GPUs. A claim ends with its process, even when
    that is killed. Raises `UserError` when there is no such GPU.
    """
    gpus = {} if requested == "cpu" else names()
    if requested == "cpu" or (requested == "auto" and not gpus):
        yield cpu()
        return
    if requested.startswith("cuda:"):
        gpus = {n: name for n, name in gpus.items() if requested == f"cuda:{n}"}
    if not gpus:
        raise UserError(
            f"device: {requested} does not exist (torch sees {torch.cuda.device_count()} GPUs); "
            "set device: auto or cpu, or look at the driver with nvidia-smi"
        )
    number, lock = _wait_for_one(gpus)
    try:
        log.info("GPU %d (%s)", number, gpus[number])
        yield cuda(number)
    finally:
        lock.close()


def _wait_for_one(gpus: dict[int, str]) -> tuple[int, socket.socket]:
    """The number of a free GPU of `gpus`, and the claim on it."""
    is_logged = False
    while True:
        for number, name in gpus.items():
            if (lock := _try(name)) is not None:
                return number, lock
        if not is_logged:
            log.info("all %d GPUs are in use by other jobs: waiting for one", len(gpus))
            is_logged = True
        time.sleep(PAUSE)


def _try(name: str) -> socket.socket | None:
    """A claim on a GPU; None when another process has it.

    The claim is a socket in Linux's abstract namespace, which is the machine's own, needs no file
    system with locks, and ends with the process.
    """
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0trailers12k-{name}")
    except OSError as error:
        claim.close()
        if error.errno != errno.EADDRINUSE:
            raise
        return None
    return claim
