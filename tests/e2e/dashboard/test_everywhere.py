"""What holds for every page: it fits a phone, works without a mouse, in the dark, in both languages."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from harness.dashboard import PHONE, Dashboard


def links(dashboard: Dashboard) -> list[str]:
    """The pages of the menu."""
    menu = dashboard.page.locator("#menu a")
    return [str(link.get_attribute("href")).removeprefix("#") for link in menu.all()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_a_phone(browser: Browser, address: str, scheme: str) -> None:
    phone = Dashboard(browser, address, "zh" if scheme == "dark" else "en", PHONE, scheme)
    phone.sign_in()
    phone.wait_for_menu()
    for path in links(phone):
        phone.page.goto(f"{address}/#{path}")
        expect(phone.page.get_by_role("heading", level=1)).to_be_visible()
        phone.settle()
        too_wide = phone.page.evaluate(
            "() => document.scrollingElement.scrollWidth - window.innerWidth"
        )
        assert too_wide <= 0, path
        phone.check()
    menu = phone.page.locator("#menu")
    expect(menu).not_to_be_visible()
    phone.button(phone.t("shell.menu")).click()
    expect(menu).to_be_visible()
    phone.check()
    phone.close()


def test_the_keyboard_is_enough(dashboard: Dashboard) -> None:
    dashboard.open("/listeners", dashboard.t("listeners.title"))
    keyboard = dashboard.page.keyboard
    dashboard.page.reload()
    expect(dashboard.button(dashboard.t("listeners.add"))).to_be_visible()
    dashboard.settle()
    keyboard.press("Tab")
    expect(dashboard.page.locator(".skip-link")).to_be_focused()
    keyboard.press("Enter")
    expect(dashboard.page.locator("#main")).to_be_focused()
    keyboard.press("Tab")
    expect(dashboard.button(dashboard.t("listeners.add"))).to_be_focused()
    keyboard.press("Enter")
    expect(dashboard.dialog).to_be_visible()
    keyboard.press("Escape")
    expect(dashboard.dialog).to_have_count(0)
    expect(dashboard.button(dashboard.t("listeners.add"))).to_be_focused()


def test_the_language_is_switched(dashboard: Dashboard) -> None:
    other = "zh" if dashboard.language == "en" else "en"
    names = {"en": "English", "zh": "中文"}
    dashboard.open("/listeners", dashboard.t("listeners.title"))
    dashboard.button(names[other]).click()
    title = dashboard.page.get_by_role("heading", level=1)
    expect(title).not_to_have_text(dashboard.t("listeners.title"))
    dashboard.button(names[dashboard.language]).click()
    expect(title).to_have_text(dashboard.t("listeners.title"))
