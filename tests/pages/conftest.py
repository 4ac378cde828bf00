"""Fixtures that open pages in Chromium; their tests are skipped without it."""

import pytest

from .browser import CHROMIUM, Visit, chromium


@pytest.fixture(scope="session")
def browser():
    if not CHROMIUM:
        pytest.skip("Chromium is missing: apt-get install chromium")
    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser):
    """Opens a file in the browser; the test fails if the page has any fault."""
    visits = []

    def open_(file, address="", **context):
        visits.append(Visit(browser, file, address, **context))
        return visits[-1]

    yield open_
    for each in visits:
        each.close()
        assert each.faults == []
