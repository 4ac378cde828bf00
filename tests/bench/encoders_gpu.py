"""What modern encoders cost on a GPU: forward passes alone, in fp32 and bf16, with random weights.

Needs the package, torch, torchvision, timm and transformers, and a machine with CUDA; without one
it says so and ends with exit code 2. Networks have their full size: those of timm and torchvision
as the package loads them, those of transformers from the library's default configuration of their
kind. No time depends on the weights. Printed, and written after each line of the table:

  rate      frames, clips or windows of sound a second, in batches of the size that is fastest
  memory    peak of the device while such a batch is computed
  trailer   seconds of a trailer of 150 clips; an image network sees 24 frames of each

    python tests/bench/encoders_gpu.py --json encoders.json

`--device cpu --size small` tries the program in two minutes. Names narrow it; `--list` prints them.
A kind that the installed library lacks is named, and the others are measured.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import figures
import torch
from torch import Tensor, nn

from trailers12k.common.errors import UserError
from trailers12k.features import batch_sizes
from trailers12k.features.backbones import devices, timm_nets, torchvision_nets
from trailers12k.features.backbones.common import Backbone, Net
from trailers12k.features.backbones.devices import Device
from trailers12k.features.backbones.spec import BackboneSpec

CLIPS, FPC = 150, 24
"""Clips of a trailer of 150 seconds, and frames of each."""
SMALL = 64
"""Side in pixels with --size small, of networks that take it."""
LAYERS = {"num_hidden_layers": 2}
"""With --size small, of networks of transformers."""
PRECISIONS = ("fp32", "bf16")
NONE = "no CUDA device: nothing is measured here (--device cpu --size small tries the program)"

TIMM = (
    "vit_base_patch16_dinov3.lvd1689m",
    "convnext_base.dinov3_lvd1689m",
    "vit_base_patch16_siglip_224.v2_webli",
    "vit_pe_core_base_patch16_224.fb",
    "vit_base_patch16_clip_224.openai",
    "convnextv2_base.fcmae_ft_in22k_in1k",
    "vit_large_patch16_dinov3.lvd1689m",
)
TORCHVISION = {"swin3d_t": FPC, "swin3d_b": FPC, "mvit_v2_s": 16}
"""Video network -> frames that it sees."""


@dataclass(frozen=True)
class HubKind:
    """A kind of network of transformers. config, network: names of classes of the library.

    shape: of one item of its input, with its full size. unit: what an item is. argument: the
    name of its input. options: of the configuration, beside its defaults. call: the network's
    method, by default the network itself. fixed: other arguments of a call.
    """

    config: str
    network: str
    shape: tuple[int, ...]
    unit: str
    argument: str = "pixel_values"
    options: tuple[tuple[str, int], ...] = ()
    call: str = "__call__"
    fixed: tuple[tuple[str, bool], ...] = ()


def video(name: str, frames: int, side: int = 224, **own: Any) -> HubKind:
    """A network that sees clips, (frames, 3, side, side)."""
    return HubKind(f"{name}Config", f"{name}Model", (frames, 3, side, side), "clips", **own)


def image(name: str, network: str) -> HubKind:
    """A network that sees frames, (3, 224, 224)."""
    return HubKind(f"{name}VisionConfig", network, (3, 224, 224), "frames")


HUB = {
    "vjepa2-vitl-256": video(
        "VJEPA2",
        FPC,
        256,
        argument="pixel_values_videos",
        fixed=(("skip_predictor", True),),
    ),
    "videomae-base": video("VideoMAE", 16),
    # Its parameters include those of the tower of text, which a clip does not pass through.
    "xclip-base-patch32": video("XCLIP", 8, call="get_video_features"),
    "timesformer-base": video("Timesformer", 8),
    "clip-vit-base-patch32": image("CLIP", "CLIPVisionModelWithProjection"),
    "siglip-base-patch16": image("Siglip", "SiglipVisionModel"),
    "ast-base": HubKind("ASTConfig", "ASTModel", (1024, 128), "windows", "input_values"),
    "clap-htsat": HubKind(
        "ClapAudioConfig",
        "ClapAudioModelWithProjection",
        (1, 1001, 64),
        "windows",
        "input_features",
    ),
}

Passes = Callable[[int], Callable[[], Tensor | None]]
"""Items of a batch -> a forward pass over such a batch, which gives None when it does not fit."""


@dataclass(frozen=True)
class Encoder:
    """A network on a device. unit: of what it sees. frames: of an item, 1 of images and sound.

    passes: (precision) -> its passes.
    """

    name: str
    unit: str
    frames: int
    side: int
    parameters: int
    passes: Callable[[str], Passes]

    @property
    def items(self) -> int:
        """Of a trailer."""
        return CLIPS * FPC if self.unit == "frames" else CLIPS


def of_package(model: str, frames: int, device: Device, small: bool) -> Encoder:
    """An encoder as the package loads it. frames: of a clip; 0 for an image network."""
    is_timm = model.startswith("timm/")
    # torchvision's networks of videos have one size.
    size = SMALL if small and is_timm else None
    spec = BackboneSpec(model, "random", "clips" if frames else "frames", size=size, batch=1)
    net: Net = (timm_nets if is_timm else torchvision_nets).build(spec, 0, None)
    height, width = net.transform(torch.zeros(1, 64, 64, 3, dtype=torch.uint8)).shape[1:3]

    def passes(precision: str) -> Passes:
        # Without the statistics of random weights, on which no time depends.
        backbone = Backbone(net, replace(spec, precision=precision), 0, device, {})

        def of(count: int) -> Callable[[], Tensor | None]:
            shape = (count, frames, height, width, 3) if frames else (count, height, width, 3)
            pixels = torch.randint(256, shape, dtype=torch.uint8, device=device.torch)
            return lambda: backbone.forward(pixels)

        return of

    unit = "clips" if frames else "frames"
    return Encoder(model, unit, frames or 1, height, parameters(net.module), passes)


def of_library(name: str, kind: HubKind, device: Device, small: bool) -> Encoder:
    """A network of transformers, of the library's default configuration of its kind."""
    import transformers

    options = LAYERS if small and name != "clap-htsat" and "xclip" not in name else {}
    config = getattr(transformers, kind.config)(**dict(kind.options) | options)
    with device.torch:  # Where random weights are drawn in no time.
        network: nn.Module = getattr(transformers, kind.network)(config).eval().to(device.torch)
    call = getattr(network, kind.call)

    def passes(precision: str) -> Passes:
        def of(count: int) -> Callable[[], Tensor | None]:
            values = {kind.argument: torch.randn(count, *kind.shape, device=device.torch)}
            return lambda: forward(call, values | dict(kind.fixed), device, precision)

        return of

    frames = kind.shape[0] if kind.unit == "clips" else 1
    side = kind.shape[-1] if kind.unit != "windows" else 0
    return Encoder(f"hf/{name}", kind.unit, frames, side, parameters(network), passes)


@torch.inference_mode()
def forward(call: Any, values: dict[str, Any], device: Device, precision: str) -> Tensor | None:
    """One pass; None when it does not fit into the memory."""
    half = torch.autocast(device.autocast, torch.bfloat16) if precision == "bf16" else nullcontext()
    try:
        with half:
            output = call(**values)
    except torch.OutOfMemoryError:
        return None
    return output if isinstance(output, Tensor) else next(iter(output.values()))


def parameters(module: nn.Module) -> int:
    """The number of a network's parameters."""
    return sum(each.numel() for each in module.parameters())


def seconds(passes: Passes, count: int, device: Device) -> float | None:
    """Of one pass over a batch: the least of several, after one that is not counted."""
    try:
        run = passes(count)
    except torch.OutOfMemoryError:
        return None
    times = []
    for _ in range(1 + batch_sizes.PASSES):
        wait(device)
        began = time.perf_counter()
        if run() is None:
            device.free()
            return None
        wait(device)
        times.append(time.perf_counter() - began)
    return min(times[1:])


def wait(device: Device) -> None:
    if device.torch.type == "cuda":
        torch.cuda.synchronize(device.torch)


def peak(passes: Passes, count: int, device: Device) -> float:
    """GB of the device's memory in which a batch is computed; 0 on the CPU."""
    if device.torch.type != "cuda":
        return 0.0
    device.free()
    torch.cuda.reset_peak_memory_stats(device.torch)
    passes(count)()
    wait(device)
    return torch.cuda.max_memory_allocated(device.torch) / 1e9


def measure(encoder: Encoder, precision: str, device: Device, most: int | None) -> dict[str, Any]:
    """The figures of an encoder in one precision. most: the only batch tried, None to search."""
    passes = encoder.passes(precision)
    if most:
        batch, rates = most, {most: most / (seconds(passes, most, device) or float("nan"))}
    else:
        batch, rates = batch_sizes.fastest(lambda count: seconds(passes, count, device))
    if not rates:
        raise UserError("not even a batch of one fits into the device's memory")
    return {
        "model": encoder.name,
        "unit": encoder.unit,
        "frames": encoder.frames,
        "side": encoder.side,
        "parameters": encoder.parameters,
        "precision": precision,
        "batch": batch,
        "rate": float(f"{rates[batch]:.4g}"),
        "memory_gb": float(f"{peak(passes, batch, device):.3g}"),
        "trailer_seconds": float(f"{encoder.items / rates[batch]:.4g}"),
    }


def chosen(names: Sequence[str]) -> dict[str, Callable[[Device, bool], Encoder]]:
    """Model -> what builds it. names: of models or parts of them; all without."""
    found: dict[str, Callable[[Device, bool], Encoder]] = {}
    for name in TIMM:
        model = f"timm/{name}"
        found[model] = lambda device, small, model=model: of_package(model, 0, device, small)
    for name, frames in TORCHVISION.items():
        model = f"torchvision/{name}"
        found[model] = lambda device, small, model=model, frames=frames: of_package(
            model, frames, device, small
        )
    for name, kind in HUB.items():
        found[f"hf/{name}"] = lambda device, small, name=name, kind=kind: of_library(
            name, kind, device, small
        )
    if not names:
        return found
    return {model: own for model, own in found.items() if any(name in model for name in names)}


def rows(args: argparse.Namespace, device: Device) -> Iterator[dict[str, Any]]:
    """The lines of the table, as they are measured; encoders that fail are named."""
    small = args.size == "small"
    for model, build in chosen(args.models).items():
        try:
            encoder = build(device, small)
            for precision in PRECISIONS:
                yield measure(encoder, precision, device, 1 if small else None)
        except (UserError, AttributeError, RuntimeError, ValueError, ImportError) as error:
            reason = " ".join(str(error).split())[:200]
            print(f"| {model} | failed: {reason} |", flush=True)
            yield {"model": model, "failed": reason}
        encoder = None
        device.free()


HEAD = """\
| model | parameters | sees | precision | batch | rate | memory | trailer |
|---|---|---|---|---|---|---|---|"""


def table_line(row: dict[str, Any]) -> str:
    """A line of the printed table."""
    size = f"{row['frames']} x {row['side']} px" if row["side"] else "10 s of sound"
    cells = [row["model"], f"{row['parameters'] / 1e6:.0f} M", size, row["precision"], row["batch"]]
    cells += [f"{row['rate']:.4g} {row['unit']}/s", f"{row['memory_gb']:.2f} GB"]
    return f"| {' | '.join(map(str, cells))} | {row['trailer_seconds']:.3g} s |"


def figures_of(device: str, versions: dict[str, str], done: list[dict[str, Any]]) -> dict[str, Any]:
    """What the file holds. table: of the rows that did not fail, for the documentation."""
    lines = [table_line(row) for row in done if "failed" not in row]
    table = "\n".join([HEAD, *lines])
    return {"device": device, "versions": versions, "rows": done, "table": table}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", help="names of models, or parts of them")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:N, or cpu")
    parser.add_argument("--size", default="full", choices=["full", "small"])
    parser.add_argument("--list", action="store_true", help="print the names of models")
    parser.add_argument("--json", type=Path, default=Path(tempfile.gettempdir(), "encoders.json"))
    args = parser.parse_args()
    if args.list:
        print("\n".join(chosen(args.models)))
        return
    if args.device != "cpu" and not torch.cuda.is_available():
        print(NONE, file=sys.stderr)
        sys.exit(2)
    versions = {name: version(name) for name in ("torch", "torchvision", "timm", "transformers")}
    with devices.claimed(args.device) as device:
        print(f"{device.name}; {', '.join(f'{n} {v}' for n, v in versions.items())}")
        print(HEAD, flush=True)
        done: list[dict[str, Any]] = []
        for row in rows(args, device):
            done.append(row)
            if "failed" not in row:
                print(table_line(row), flush=True)
            # After each line, so that a time limit loses one.
            figures.measured.write(args.json, figures_of(device.name, versions, done))
    print(f"written: {args.json}")


if __name__ == "__main__":
    main()
