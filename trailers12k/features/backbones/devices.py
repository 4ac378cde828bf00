"""Where networks compute: the CPU, or a GPU of this machine that no other job uses.

Writes nothing. Must not know networks.
"""

import errno
import logging
import socket
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from threading import Lock

import torch
from torch import Tensor

from trailers12k.common.errors import UserError

log = logging.getLogger(__name__)

PAUSE = 2.0
"""Seconds between two looks for a free GPU."""


@dataclass
class Device:
    """What differs between devices; all else is the same code.

    torch: where tensors live. autocast: its name for torch.autocast.
    pinned: whether bytes go to it from page-locked memory, while others are computed.
    turn: held during a forward pass. One at a time on a GPU, whose memory the passes of several
        threads would add up in; on the CPU as many as come, each on a core of its own.
    half: whether bf16 is faster on it than fp32.
    """

    torch: torch.device
    autocast: str
    pinned: bool
    half: bool
    turn: AbstractContextManager = field(default_factory=nullcontext)

    def put(self, pixels: Tensor) -> Tensor:
        """Bytes from the host to the device."""
        if self.pinned:
            pixels = pixels.pin_memory()
        return pixels.to(self.torch, non_blocking=self.pinned)

    def free(self) -> None:
        """Give back what is only kept for later."""
        if self.torch.type == "cuda":
            torch.cuda.empty_cache()


def cpu() -> Device:
    """The CPU. bf16 pays where it multiplies in hardware (AVX512_BF16, AMX): 1.5 to 2 times."""
    can = torch.cpu.get_capabilities()
    half = bool(can.get("avx512_bf16") or can.get("amx_bf16"))
    return Device(torch.device("cpu"), "cpu", pinned=False, half=half)


def cuda(number: int) -> Device:
    """A GPU. bf16 pays from compute capability 8.0 on."""
    # cuDNN would otherwise round the factors of fp32 convolutions to 10 bits.
    torch.backends.cudnn.allow_tf32 = False
    device = torch.device("cuda", number)
    half = torch.cuda.get_device_capability(device) >= (8, 0)
    return Device(device, "cuda", pinned=True, half=half, turn=Lock())


def names() -> dict[int, str]:
    """The GPUs that this process may see, and what they are called all over the machine."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return {n: str(torch.cuda.get_device_properties(n).uuid) for n in range(count)}


@contextmanager
def claimed(asked: str = "auto") -> Iterator[Device]:
    """The device to compute on; a GPU is this process's alone until the context ends.

    asked: "auto" (a free GPU where there are any, else the CPU), "cpu", "cuda", or "cuda:N".
    When all GPUs are taken by other jobs of this machine it waits. A claim ends with its process,
    however that ends. Raises `UserError` when there is no such GPU.
    """
    here = {} if asked == "cpu" else names()
    if asked == "cpu" or (asked == "auto" and not here):
        yield cpu()
        return
    if asked.startswith("cuda:"):
        here = {n: name for n, name in here.items() if asked == f"cuda:{n}"}
    if not here:
        raise UserError(
            f"device: {asked} is not there (torch sees {torch.cuda.device_count()} GPUs); set "
            "device: auto or cpu, or look at the driver with nvidia-smi"
        )
    number, lock = _wait_for_one(here)
    try:
        log.info("GPU %d (%s)", number, here[number])
        yield cuda(number)
    finally:
        lock.close()


def _wait_for_one(here: dict[int, str]) -> tuple[int, socket.socket]:
    """The number of a GPU that is free now, and what holds the claim on it."""
    told = False
    while True:
        for number, name in here.items():
            if (lock := _try(name)) is not None:
                return number, lock
        if not told:
            log.info("all %d GPUs are in use by other jobs: waiting for one", len(here))
            told = True
        time.sleep(PAUSE)


def _try(name: str) -> socket.socket | None:
    """A claim on a GPU, None when another process has it.

    It is a socket's name in Linux's abstract namespace: this machine's, without a file, and gone
    with the process. File systems need no locks for it.
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
