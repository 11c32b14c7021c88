"""From the first visit to a value that is written to a device, in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from harness.dashboard import DESK, PHONE
from harness.edge import ADMIN, PASSWORD, EdgeProcess
from harness.edge_pages import EdgePages, need_edge_pages


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeProcess]:
    need_edge_pages()
    running = EdgeProcess(tmp_path_factory.mktemp("edge") / "data")
    running.start()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def shown(browser: Browser, process: EdgeProcess, language: str) -> Iterator[EdgePages]:
    pages = EdgePages(browser, process.url, language)
    yield pages
    pages.close()


def test_the_first_visit_ends_with_a_password_of_ones_own(shown: EdgePages) -> None:
    shown.allow("POST /api/login 401")
    shown.sign_in(ADMIN, "wrong")
    expect(shown.page.get_by_role("alert")).to_contain_text("1009")
    shown.first_visit()
    shown.check()


def test_a_device_is_added_with_its_settings(shown: EdgePages) -> None:
    shown.button(shown.t("nodes.drivers.add")).first.click()
    shown.field(shown.t("nodes.field.name"), shown.dialog).fill("press")
    shown.choose(
        shown.t("nodes.plugin"), "Simulator" if shown.language == "en" else "模拟器", shown.dialog
    )
    shown.check()
    shown.button(shown.t("nodes.create"), shown.dialog).click()
    expect(shown.dialog).to_contain_text(shown.t("common.settingsOf", name="press"))
    shown.check()
    shown.button(shown.t("common.save"), shown.dialog).click()
    # Pushed: nobody asked for the list again.
    expect(shown.row("press")).to_contain_text(shown.t("common.state.connected"))
    shown.check()


def test_groups_and_tags_are_added(shown: EdgePages) -> None:
    shown.page.get_by_role("link", name="press", exact=True).click()
    shown.button(shown.t("tags.addGroup")).first.click()
    shown.field(shown.t("tags.field.name"), shown.dialog).fill("line-1")
    shown.button(shown.t("common.create"), shown.dialog).click()
    shown.check()
    shown.page.get_by_role("link", name="line-1", exact=True).click()
    shown.button(shown.t("tags.addTag")).first.click()
    shown.field(shown.t("tags.field.name"), shown.dialog).fill("target")
    shown.field(shown.t("tags.address"), shown.dialog).fill("memory:target")
    shown.dialog.get_by_role("checkbox", name=shown.t("tags.attributes.write"), exact=True).check()
    shown.button(shown.t("tags.try"), shown.dialog).click()
    expect(shown.dialog.get_by_role("status")).to_contain_text("0")
    shown.check()
    shown.button(shown.t("common.create"), shown.dialog).click()
    expect(shown.row("target", "INT16")).to_be_visible()
    shown.check()


def test_a_wrong_address_is_told_and_what_was_typed_stays(shown: EdgePages) -> None:
    shown.button(shown.t("tags.addTag")).first.click()
    shown.field(shown.t("tags.field.name"), shown.dialog).fill("lost")
    shown.field(shown.t("tags.address"), shown.dialog).fill("nowhere")
    shown.button(shown.t("common.create"), shown.dialog).click()
    expect(shown.dialog.get_by_role("alert")).to_contain_text("2205")
    expect(shown.field(shown.t("tags.address"), shown.dialog)).to_have_value("nowhere")
    shown.button(shown.t("common.cancel"), shown.dialog).click()
    expect(shown.dialog).to_have_count(0)


def test_a_value_is_written_and_comes_back_live(shown: EdgePages) -> None:
    shown.go("monitoring")
    shown.titled("monitoring.title")
    shown.button(shown.t("monitoring.writeOne", name="target")).click()
    shown.field(shown.t("monitoring.value"), shown.dialog).fill("42")
    shown.button(shown.t("monitoring.write"), shown.dialog).click()
    expect(shown.row("target")).to_contain_text("42")
    shown.check()


def test_tags_leave_as_a_workbook_and_come_back(shown: EdgePages, tmp_path: Path) -> None:
    shown.go("drivers")
    shown.page.get_by_role("link", name="press", exact=True).click()
    saved = shown.downloaded(shown.button(shown.t("tags.export")))
    file = tmp_path / "tags.xlsx"
    file.write_bytes(saved.read_bytes())
    with shown.page.expect_file_chooser() as waiting:
        shown.button(shown.t("tags.import")).click()
    waiting.value.set_files(file)
    shown.said(shown.t("tags.imported", tags=1, groups=1))


@pytest.mark.every_language
def test_every_page_can_be_used_by_everybody(
    browser: Browser, process: EdgeProcess, language: str, shown: EdgePages
) -> None:
    size, scheme = (DESK, "dark") if language == "en" else (PHONE, "light")
    pages = EdgePages(browser, process.url, language, size, scheme)
    pages.sign_in(ADMIN, PASSWORD)
    pages.titled("nodes.drivers.title")
    for path, title in (
        ("/apps", "nodes.apps.title"),
        ("/monitoring", "monitoring.title"),
        ("/templates", "templates.title"),
        ("/configuration", "configuration.title"),
        ("/logs", "logs.title"),
        ("/users", "users.title"),
        ("/system", "system.title"),
    ):
        pages.open(path, pages.t(title))
        pages.check()
    pages.close()


def test_a_viewer_is_shown_nothing_that_would_be_refused(
    browser: Browser, process: EdgeProcess, shown: EdgePages, language: str
) -> None:
    shown.go("users")
    shown.button(shown.t("users.add")).first.click()
    shown.field(shown.t("users.field.name"), shown.dialog).fill("ada")
    shown.secret(shown.t("users.password"), shown.dialog).fill(PASSWORD)
    shown.button(shown.t("common.create"), shown.dialog).click()
    expect(shown.row("ada")).to_be_visible()
    viewer = EdgePages(browser, process.url, language)
    viewer.sign_in("ada", PASSWORD)
    viewer.secret(viewer.t("login.change.old")).fill(PASSWORD)
    viewer.secret(viewer.t("login.change.next")).fill("plant-8-south")
    viewer.secret(viewer.t("login.change.again")).fill("plant-8-south")
    viewer.button(viewer.t("login.change.submit")).click()
    viewer.titled("nodes.drivers.title")
    expect(viewer.row("press")).to_be_visible()
    expect(viewer.button(viewer.t("nodes.drivers.add"))).to_have_count(0)
    viewer.go("monitoring")
    expect(viewer.row("target")).to_contain_text("42")
    viewer.check()
    viewer.close()
