"""A browser that has the dashboard of a node open, and what every page has to hold."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Download,
    Error,
    Locator,
    Page,
    Playwright,
    Response,
    expect,
)

from harness.client import DEADLINE_S
from harness.node import ROOT
from harness.operator import Operator

SOURCES = ROOT / "dashboard"
AXE = SOURCES / "node_modules" / "axe-core" / "axe.min.js"
TEXTS = SOURCES / "src" / "i18n"
LOCALES = {"en": "en-GB", "zh": "zh-CN"}
PASSWORD = "rook-4-knight"
DESK, PHONE = (1280, 860), (390, 844)

# Playwright's own would pass while the node still loads what it answers with.
DEADLINE_MS = DEADLINE_S * 1000
expect.set_options(timeout=DEADLINE_MS)

# Two pages with the same of it are the same to axe.
_AS_IT_IS = """() => [location.href, document.documentElement.outerHTML,
    ...Array.from(document.querySelectorAll("input, textarea"), (field) => field.value)].join("\\n")"""

# How bad a finding of axe may be. Rules that find nothing worse are not asked: some look at every element.
_TOLERATED = ("minor", "moderate", None)
_BARRIERS = """(tolerated) => {
    const never = axe._audit.rules.filter((rule) => rule.impact && tolerated.includes(rule.impact));
    const rules = Object.fromEntries(never.map((rule) => [rule.id, { enabled: false }]));
    return axe.run(document, { resultTypes: ["violations"], rules });
}"""


def ports_of(operator: Operator) -> dict[str, str]:
    """Where each listener of a running node is, by its id."""
    return {row["listener"]: row["address"] for row in operator.api.get("/ports")}


def launch(playwright: Playwright) -> Browser:
    """The browser of this system; playwright's own cannot be relied on."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    assert found is not None, "no chromium here: tools/setup.sh test installs it"
    # In a container there is neither a user to drop to nor much shared memory.
    return playwright.chromium.launch(
        executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"]
    )


@cache
def _texts(folder: Path, language: str, feature: str) -> dict[str, Any]:
    file = folder / language / f"{feature}.json"
    read: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    return read


def text(language: str, key: str, folders: Sequence[Path] = (TEXTS,), **values: object) -> str:
    """A text of the dashboard: ``clients.kick.action`` is ``kick.action`` of ``clients.json``.

    What a feature does not have is looked up in ``common.json``, as the pages do.
    """
    feature, _, path = key.partition(".")
    for folder, name in [(folders[0], feature), *((each, "common") for each in folders)]:
        found: Any = _texts(folder, language, name)
        for step in path.split("."):
            found = found.get(step) if isinstance(found, dict) else None
        if isinstance(found, str):
            words: str = found
            for placeholder, value in values.items():
                words = words.replace("{{" + placeholder + "}}", str(value))
            return words
    raise KeyError(key)


class Dashboard:
    """The dashboard in one language, as somebody uses it."""

    texts: ClassVar[Sequence[Path]] = (TEXTS,)

    def __init__(
        self,
        browser: Browser,
        address: str,
        language: str,
        size: tuple[int, int] = DESK,
        scheme: str = "light",
        *,
        trusts_all: bool = False,
    ) -> None:
        """``trusts_all``: whatever certificate is shown, for addresses that begin with ``https:``."""
        self.address = address
        self.language = language
        self.context: BrowserContext = browser.new_context(
            locale=LOCALES[language],
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if scheme == "dark" else "light",
            accept_downloads=True,
            ignore_https_errors=trusts_all,
            # What is half faded away is neither there nor gone: nothing to look at for axe.
            reduced_motion="reduce",
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(DEADLINE_MS)
        self.problems: list[str] = []
        self._allowed: list[re.Pattern[str]] = []
        self._looked_at = ""
        self.page.on("console", self._on_console)
        self.page.on("pageerror", self._on_error)
        self.page.on("response", self._on_response)

    def close(self) -> None:
        self.context.close()

    # -- what went wrong -------------------------------------------------------------------

    def _on_console(self, message: ConsoleMessage) -> None:
        # A refused request is looked at as an answer, with its address.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.problems.append(f"{self.page.url}: console: {message.text}")

    def _on_error(self, error: Error) -> None:
        self.problems.append(f"{self.page.url}: {error}")

    def _on_response(self, response: Response) -> None:
        if response.status < 400:
            return
        asked = f"{response.request.method} {urlsplit(response.url).path} {response.status}"
        if not any(pattern.search(asked) for pattern in self._allowed):
            self.problems.append(f"{self.page.url}: {asked}")

    def allow(self, pattern: str) -> None:
        """Expect a refusal, such as ``POST /api/v5/login 401``."""
        self._allowed.append(re.compile(pattern))

    def check(self) -> None:
        """Nothing went wrong so far, and what is shown now can be used by everybody.

        Raises:
            AssertionError: a message in the console, a refused request, a finding of axe.
        """
        found, self.problems = self.problems, []
        found += self.barriers()
        if found:
            raise AssertionError("\n".join(found))

    def barriers(self) -> list[str]:
        """What axe finds serious in the page as it is; nothing in one that it has just looked at."""
        seen = self.page.evaluate(_AS_IT_IS)
        if seen == self._looked_at:
            return []
        # Not as a script of the page: its policy forbids that, as it should.
        if self.page.evaluate("() => typeof axe === 'undefined'"):
            session = self.context.new_cdp_session(self.page)
            session.send("Runtime.evaluate", {"expression": AXE.read_text("utf-8")})
            session.detach()
        found = self.page.evaluate(_BARRIERS, _TOLERATED)
        assert found["passes"], "axe looked at nothing"
        serious = [
            f"{self.page.url}: {finding['id']}: {node['html'][:200]}"
            for finding in found["violations"]
            if finding["impact"] not in _TOLERATED
            for node in finding["nodes"]
        ]
        if not serious:
            self._looked_at = seen
        return serious

    # -- finding things --------------------------------------------------------------------

    def t(self, key: str, **values: object) -> str:
        """A text in the language of this dashboard."""
        return text(self.language, key, self.texts, **values)

    def button(self, name: str, within: Locator | None = None) -> Locator:
        return (within or self.page).get_by_role("button", name=name, exact=True)

    def field(self, label: str, within: Locator | None = None) -> Locator:
        # A field that must be filled has a star in its label.
        return (within or self.page).get_by_role("textbox", name=_whole(label))

    def switch(self, label: str) -> Locator:
        return self.page.get_by_role("switch", name=_whole(label))

    def filter(self, label: str) -> Locator:
        return self.page.get_by_role("search").get_by_label(_whole(label)).first

    def secret(self, label: str, within: Locator | None = None) -> Locator:
        return (
            (within or self.page)
            .locator("input[type=password]")
            .and_((within or self.page).get_by_label(_whole(label)))
        )

    def choose(self, label: str, option: str, within: Locator | None = None) -> None:
        (within or self.page).get_by_role("textbox", name=_whole(label)).first.click()
        self.page.get_by_role("option", name=option, exact=True).click()

    def row(self, *words: str) -> Locator:
        found = self.page.get_by_role("row")
        for word in words:
            found = found.filter(has_text=word)
        return found

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    # -- getting about ---------------------------------------------------------------------

    def open(self, path: str, title: str) -> None:
        """Go to a page and wait until it shows what it asked for."""
        self.page.goto(f"{self.address}/#{path}")
        expect(self.page.get_by_role("heading", level=1)).to_have_text(title)
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is loading."""
        expect(self.page.locator(".mantine-Loader-root")).to_have_count(0)

    def sign_in(self, username: str = "admin", password: str = PASSWORD) -> None:
        self.page.goto(self.address)
        self.field(self.t("login.username")).fill(username)
        self.secret(self.t("login.password")).fill(password)
        self.button(self.t("login.submit")).click()

    def wait_for_menu(self) -> None:
        expect(self.page.get_by_role("banner")).to_be_visible()

    def said(self, words: str) -> None:
        """Wait for the short message about what was done, and close it."""
        toast = self.page.locator(".toasts > *").filter(has_text=words).first
        expect(toast).to_be_visible()
        toast.get_by_role("button").click()

    def agree(self, action: str) -> None:
        """Confirm what is asked."""
        self.button(action, self.dialog).click()

    def downloaded(self, button: Locator) -> Path:
        """Press a button that saves a file."""
        with self.page.expect_download() as waiting:
            button.click()
        download: Download = waiting.value
        return Path(download.path())


def _whole(label: str) -> re.Pattern[str]:
    return re.compile(rf"^{re.escape(label)}(\s*\*)?$")


def need_pages() -> None:
    """Without its pages there is no dashboard to test; tools/setup.sh test builds them."""
    if not (ROOT / "python" / "rookery" / "web" / "pages" / "index.html").exists():
        pytest.fail("the dashboard is not built: tools/setup.sh pages")
