"""Runs the tutorial of the sample, in the folder of a finished sample.

Reads and writes docs/tutorial-sample.md. Must not know the steps of the tutorial.
"""

import subprocess
import sys
from pathlib import Path

from .executed_page import Difference, Place, run_page

PAGE = Path(__file__).parents[2] / "docs" / "tutorial-sample.md"
CLOSING_WORDS = f"""{sys.executable} -c "
from trailers12k.cli.collection import read_settings
from trailers12k.workflow.closing_words import closing_words

print(closing_words((), None, read_settings()))"
"""
"""What `make` prints last. In a finished sample it has nothing to do, and prints no results."""
VARIES = ((r"\d+ bytes", "SIZE"),)


def closing_words(folder: Path) -> str:
    """What `make` printed last in the folder of a finished sample."""
    done = subprocess.run(
        ["bash", "-e", "-c", CLOSING_WORDS], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout


def run(folder: Path, update: bool = False) -> list[Difference]:
    """Run the page in the clone that holds the sample; returns what differs.

    update: write the outputs into the page.
    """
    return run_page(PAGE, Place(folder, {"make\n": CLOSING_WORDS}, VARIES), update)
