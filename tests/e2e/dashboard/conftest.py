"""A node with traffic, and its dashboard in a browser, in each language."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from harness.dashboard import PASSWORD, Dashboard, need_pages, ports_of
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
def address(operator: Operator) -> str:
    """The dashboard with a password of its own; ``test_administration.py`` has the first sign-in."""
    change = {"old_pwd": "public", "new_pwd": PASSWORD}
    operator.rest.post("/users/admin/change_pwd", change)
    return f"http://{ports_of(operator)['http:dashboard']}"


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
