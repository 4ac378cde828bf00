"""Compares image encoders of timm and video networks of torchvision with their own libraries.

Each has random weights from a seed, and sees two pictures, or clips of them. Printed are how far
pixels and features are from the library's own transform and forward pass, and how the features
pool, seen from outside. It fails where one differs. `make encoders` runs it; no GPU is needed.
"""

import gc
import sys

import encoders_compared as compared
import figures
import torch


def main() -> None:
    torch.set_num_threads(1)
    apart, levels = [], []
    for name, (_, pooling, _) in compared.ENCODERS.items():
        found, pooled = compared.compare_image(name)
        print(f"{name}: {found}, {pooled}", flush=True)
        if not found.is_equal or pooled != pooling:
            sys.exit(f"error: {name} differs from timm; expected: {pooling}")
        apart.append(found.apart)
        levels.append(found.levels)
        gc.collect()
    for name in compared.VIDEO:
        found = compared.compare_video(name)
        print(f"{name}: {found}", flush=True)
        if not found.is_equal:
            sys.exit(f"error: {name} differs from torchvision")
        apart.append(found.apart)
    figures.write(
        "encoders",
        {
            "images": len(levels),
            "videos": len(compared.VIDEO),
            "apart": max(apart),
            "levels": max(levels),
        },
    )


if __name__ == "__main__":
    main()
