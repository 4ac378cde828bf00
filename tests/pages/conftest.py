"""Pages in a real browser; skipped where there is none (.ci/run installs Debian's)."""

import pytest

from .browser import CHROMIUM, Visit, chromium


@pytest.fixture(scope="session")
def browser():
    if not CHROMIUM:
        pytest.skip("no chromium here: apt-get install chromium")
    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser):
    """Open a file in the browser; at the end there must have been no fault."""
    visits = []

    def open_(file, address="", **context):
        visits.append(Visit(browser, file, address, **context))
        return visits[-1]

    yield open_
    for each in visits:
        each.close()
        assert each.faults == []
