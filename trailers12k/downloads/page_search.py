"""A search of a page that could take days, tried in a process that ends in seconds.

Starts that process; reads and writes no files. Must not know what is searched for.

A page of 200 kB can keep one regular expression of yt-dlp busy for a minute, and with it all
threads of a job: Python can interrupt neither.
"""

import os
import resource
import signal
import time
from collections.abc import Callable

SECONDS = 10
"""Of CPU time: pages of sites take less than 2."""
WAITING = 6
"""Seconds on the clock for each second of CPU time, on a busy machine."""


def ends_in_time(search: Callable[[], object], seconds: int = SECONDS) -> bool:
    """Whether a search takes at most some seconds of CPU time.

    It runs in a copy of this process: it changes nothing here, and its errors do not count.
    """
    child = os.fork()
    if child == 0:
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
            search()
        finally:
            # Nothing of the parent's is closed, flushed or reported.
            os._exit(0)
    # The clock is watched from here: a copy of a process with threads may wait for a lock forever.
    ends = time.monotonic() + WAITING * seconds
    pause = 0.001
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.WIFEXITED(status)
        if time.monotonic() > ends:
            os.kill(child, signal.SIGKILL)
        time.sleep(pause)
        pause = min(2 * pause, 0.1)
