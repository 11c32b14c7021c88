"""A browser that has the pages of an edge service open."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest
from playwright.sync_api import expect

from harness.dashboard import SOURCES, TEXTS, Dashboard
from harness.edge import ADMIN, PASSWORD
from harness.node import ROOT


class EdgePages(Dashboard):
    """The pages in one language, as somebody uses them."""

    texts: ClassVar[Sequence[Path]] = (SOURCES / "edge" / "src" / "i18n", TEXTS)

    def first_visit(self) -> None:
        """Sign in with the default password, and choose another."""
        self.sign_in(ADMIN, "0000")
        self.titled("login.change.title")
        self.check()
        self.secret(self.t("login.change.old")).fill("0000")
        self.secret(self.t("login.change.next")).fill(PASSWORD)
        self.secret(self.t("login.change.again")).fill(PASSWORD)
        self.button(self.t("login.change.submit")).click()
        self.titled("nodes.drivers.title")

    def titled(self, key: str) -> None:
        """Wait for the page with that heading."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(self.t(key))
        self.settle()

    def go(self, page: str) -> None:
        """By the menu."""
        self.page.get_by_role("navigation").get_by_role(
            "link", name=self.t(f"shell.page.{page}"), exact=True
        ).click()


def need_edge_pages() -> None:
    """Without its pages there is nothing to test; tools/setup.sh test builds them."""
    if not (ROOT / "python" / "rookery" / "web" / "edge" / "index.html").exists():
        pytest.fail("the pages of the edge service are not built: tools/setup.sh pages")
