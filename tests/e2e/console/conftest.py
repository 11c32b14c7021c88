"""A control plane of the command's own, and its console in a browser, in each language."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from harness.console import Console, need_console, through_the_wizard
from harness.control import ControlProcess


@pytest.fixture(scope="module", autouse=True)
def pages() -> None:
    need_console()


@pytest.fixture(scope="module")
def language(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def control(
    browser: Browser, language: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlProcess]:
    """A control plane that nobody has visited yet."""
    running = ControlProcess(tmp_path_factory.mktemp("control"))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def signed_in(browser: Browser, control: ControlProcess, language: str) -> Iterator[Console]:
    """Its first administrator, on the page of the first steps."""
    shown = through_the_wizard(browser, control, language)
    yield shown
    shown.close()


@pytest.fixture
def console(signed_in: Console) -> Iterator[Console]:
    """Signed in; afterwards nothing may have gone wrong and everybody can use what is shown."""
    expect(signed_in.page.locator("html")).to_have_attribute(
        "lang", re.compile(rf"^{signed_in.language}")
    )
    yield signed_in
    signed_in.check()
