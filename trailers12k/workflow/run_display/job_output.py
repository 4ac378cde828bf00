"""What jobs print before their logs begin: the traceback of an import, or of Ctrl-C in one.

Moves the process's standard error. Must not know Snakemake.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import TextIO

PAUSE = 0.3
"""Seconds for which output is held back, since Ctrl-C reaches a job sooner than this process."""


class JobOutput:
    """A pipe in place of the standard error that jobs inherit; sys.stderr stays what it was.

    is_hidden: whether output is dropped.
    """

    def __init__(self, is_hidden: Callable[[], bool]):
        self._is_hidden = is_hidden
        self._stream: TextIO = sys.stderr
        self._real = os.dup(2)
        sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
        self._pipe, end = os.pipe()
        os.dup2(end, 2)
        os.close(end)
        self._forwarding = threading.Thread(target=self._forward, daemon=True)
        self._forwarding.start()

    def close(self) -> None:
        """Give the process its standard error back, after what jobs have printed."""
        sys.stderr.flush()
        os.dup2(self._real, 2)
        self._forwarding.join(2)  # longer only if a job outlives its run

    def _forward(self) -> None:
        while output := os.read(self._pipe, 65536):
            time.sleep(PAUSE)
            if not self._is_hidden():
                try:
                    os.write(self._real, output)
                except OSError:  # the terminal is gone
                    return
