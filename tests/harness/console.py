"""A browser that has the console of a control plane open."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest
from playwright.sync_api import Browser, expect

from harness.control import ADMIN, PASSWORD, ControlProcess
from harness.dashboard import DESK, SOURCES, TEXTS, Dashboard
from harness.node import ROOT


class Console(Dashboard):
    """The console in one language, as somebody uses it."""

    texts: ClassVar[Sequence[Path]] = (SOURCES / "console" / "src" / "i18n", TEXTS)

    def sign_in(self, username: str = ADMIN, password: str = PASSWORD) -> None:
        self.page.goto(self.address)
        self.field(self.t("login.email")).fill(username)
        self.secret(self.t("login.password.label")).fill(password)
        self.button(self.t("login.submit")).click()

    def new_password(self, password: str, label: str = "common.password.label") -> None:
        """Fill in a new password, twice."""
        self.secret(self.t(label)).fill(password)
        self.secret(self.t("common.password.again")).fill(password)

    @property
    def heading(self) -> str:
        return self.page.get_by_role("heading", level=1).inner_text()

    def titled(self, key: str) -> None:
        """Wait for the page with that heading."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(self.t(key))
        self.settle()


def through_the_wizard(
    browser: Browser,
    process: ControlProcess,
    language: str,
    size: tuple[int, int] = DESK,
    scheme: str = "light",
) -> Console:
    """The first visit: makes the administrator, and ends on the page of the first steps."""
    shown = Console(browser, process.url, language, size, scheme)
    shown.page.goto(process.url)
    shown.titled("setup.title")
    shown.check()
    shown.field(shown.t("setup.email")).fill(ADMIN)
    shown.field(shown.t("setup.personName")).fill("Ada")
    shown.new_password(PASSWORD)
    shown.button(shown.t("setup.next")).click()
    expect(shown.button(shown.t("setup.address.finish"))).to_be_visible()
    shown.check()
    return shown


def need_console() -> None:
    """Without its pages there is no console to test; tools/setup.sh test builds them."""
    if not (ROOT / "python" / "rookery" / "web" / "console" / "index.html").exists():
        pytest.fail("the console is not built: tools/setup.sh pages")
