"""In which language a test sees the pages, and the browser in which it does."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from zlib import crc32

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from harness.dashboard import launch

LANGUAGES = ("en", "zh")
HERE = Path(__file__).parent
IN_ALL = "every_language"
EVERYTHING = os.environ.get("ROOKERY_E2E_LANGUAGES") == "all"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{IN_ALL}: looks at the pages in each language")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test in one of the languages, half of them in each; all in both when asked to.

    What differs between the languages is texts, which unit tests compare, and their widths, which
    the tests marked with ``every_language`` look at on every page. Tests that are one story, told by
    a ``language`` of their module, have it for all of them.
    """
    for fixture, name in (
        ("language", metafunc.module.__name__),
        ("signed_in", metafunc.definition.originalname),
    ):
        if fixture in metafunc.fixturenames:
            is_in_all = EVERYTHING or metafunc.definition.get_closest_marker(IN_ALL) is not None
            languages = LANGUAGES if is_in_all else (LANGUAGES[crc32(name.encode()) % 2],)
            metafunc.parametrize(fixture, languages, indirect=True, scope="module")
            return


class _OneBrowser:
    """Started once for the files that follow each other here.

    Not by a fixture of the session: while playwright runs, no other test has an event loop.
    """

    def __init__(self) -> None:
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None

    def opened(self) -> Browser:
        if self._browser is None:
            self._playwright = sync_playwright().start()
            self._browser = launch(self._playwright)
        return self._browser

    def close(self) -> None:
        if self._browser is not None:
            self._browser.close()
        if self._playwright is not None:
            self._playwright.stop()
        self._playwright = self._browser = None


_one = _OneBrowser()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    browser = _one.opened()
    yield browser
    for context in browser.contexts:
        context.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Generator[None]:
    try:
        yield
    finally:
        if nextitem is None or not nextitem.path.is_relative_to(HERE):
            _one.close()


def pytest_sessionfinish() -> None:
    """Also when it was cut off."""
    _one.close()
