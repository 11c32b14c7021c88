"""A node with traffic, and its dashboard in a browser, in each language."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from harness.dashboard import PASSWORD, Dashboard, launch, need_pages, ports_of
from harness.operator import Operator, operated


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """A node for all pages; a test leaves it as it found it."""
    need_pages()
    # A browser counts as no client of this machine, and no test is about who gets in without a name.
    settings = {"access.anonymous": "everyone"}
    with operated(tmp_path_factory.mktemp("node"), settings=settings) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = launch(playwright)
        yield running
        running.close()


@pytest.fixture(scope="module")
def address(operator: Operator, browser: Browser) -> str:
    """The dashboard after its first sign-in, which is all that its first password is good for."""
    found = f"http://{ports_of(operator)['http:dashboard']}"
    first = Dashboard(browser, found, "en")
    first.allow(r" 403$")
    first.sign_in(password="public")
    expect(first.page.get_by_role("heading", level=1)).to_have_text(first.t("login.change.title"))
    first.check()
    first.secret(first.t("login.change.old")).fill("public")
    first.secret(first.t("login.change.next")).fill(PASSWORD)
    first.secret(first.t("login.change.again")).fill(PASSWORD)
    first.button(first.t("login.change.submit")).click()
    first.wait_for_menu()
    first.check()
    first.close()
    return found


@pytest.fixture(scope="module")
def signed_in(
    request: pytest.FixtureRequest, browser: Browser, address: str
) -> Iterator[Dashboard]:
    shown = Dashboard(browser, address, request.param)
    shown.sign_in()
    shown.wait_for_menu()
    yield shown
    shown.close()


@pytest.fixture
def dashboard(signed_in: Dashboard) -> Iterator[Dashboard]:
    """Signed in; afterwards nothing may have gone wrong and everybody can use what is shown."""
    expect(signed_in.page.locator("html")).to_have_attribute(
        "lang", re.compile(rf"^{signed_in.language}")
    )
    yield signed_in
    signed_in.check()
