"""Runs the tools that readers of a publication use, from .venv/tools, and without a network."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".venv" / "tools"
CFFCONVERT = "from cffconvert.cli.cli import cli; cli()"
NOWHERE = "http://127.0.0.1:9"
"""A proxy that does not exist: what still asks the network fails."""


def run(*arguments: str, cache: Path, folder: Path | None = None) -> subprocess.CompletedProcess:
    """A Python process in which the tools are importable, in their own versions.

    cache: folder for what they keep. folder: where it runs; None: here.
    """
    assert TOOLS.is_dir(), "the tools are missing: make .venv/tools"
    places = [str(TOOLS), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        "PYTHONPATH": os.pathsep.join(places),
        "HF_HOME": str(cache / "hub"),
        "CROISSANT_CACHE": str(cache / "croissant"),
        **dict.fromkeys(("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"), "1"),
        **dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY", "HTTP_PROXY"), NOWHERE),
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )


def read(reader: str, *arguments: Path | str, cache: Path) -> dict[str, Any]:
    """What a reader of this folder prints as JSON. Fails where it warns of anything."""
    script = Path(__file__).with_name(f"{reader}.py")
    done = run(str(script), *map(str, arguments), cache=cache)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr, done.stderr
    return json.loads(done.stdout)


def validate_citation(path: Path, cache: Path) -> str:
    """What cffconvert says of a CITATION.cff."""
    done = run("-c", CFFCONVERT, "--validate", "--infile", str(path), cache=cache)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
