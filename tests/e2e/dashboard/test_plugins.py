"""Plugins as `rookery plugin new` and `rookery plugin build` make them, operated in the browser."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from harness.dashboard import Dashboard
from harness.node import ROOT, fresh_name
from harness.operator import Operator

NAMES = ("first_mark", "second_mark")


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By `NAME-VERSION`: two plugins from the template, which append a mark to each payload."""
    folder = tmp_path_factory.mktemp("plugins")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    found = {}
    for name in NAMES:
        for arguments, where in ((["new", name], folder), (["build"], folder / name)):
            command = [sys.executable, "-m", "rookery", "plugin", *arguments]
            subprocess.run(command, cwd=where, env=environment, check=True, capture_output=True)
        [archive] = (folder / name / "dist").iterdir()
        found[archive.name.removesuffix(".tar.gz")] = archive
    return found


@pytest.fixture
def nothing_left(operator: Operator) -> Iterator[None]:
    """Whatever becomes of the test, the next language begins without plugins."""
    yield
    for row in operator.rest.get("/plugins"):
        operator.rest.delete(f"/plugins/{row['name']}")


def test_plugins_say_how_to_make_one(dashboard: Dashboard) -> None:
    t = dashboard.t
    dashboard.open("/plugins", t("plugins.title"))
    expect(dashboard.page.get_by_text(t("plugins.empty.title"))).to_be_visible()
    dashboard.check()


@pytest.mark.usefixtures("nothing_left")
def test_plugins_from_archive_to_uninstall(
    dashboard: Dashboard, operator: Operator, archives: dict[str, Path]
) -> None:
    t = dashboard.t
    first, second = archives
    topic = fresh_name("marked")

    def press(word: str, plugin: str, done: str = "plugins.done") -> None:
        dashboard.button(f"{t(word)} {plugin}").click()
        dashboard.said(t(done))

    def payload() -> bytes:
        with operator.login() as reader, operator.login() as writer:
            reader.subscribe(topic, qos=1)
            writer.publish(topic, b"hi", qos=1)
            return reader.receive(topic).payload

    dashboard.open("/plugins", t("plugins.title"))
    for plugin, archive in archives.items():
        install(dashboard, operator, plugin, archive, is_refused=plugin == first)
        press("plugins.start", plugin)
        expect(dashboard.row(plugin, t("common.state.running"))).to_be_visible()
    dashboard.check()
    assert payload() == b"hi!!"

    # Each settings form is drawn from the schema of its plugin, in the language of the page.
    title = {"en": "Mark", "zh": "标记"}[dashboard.language]
    for plugin, mark in ((first, "1"), (second, "2")):
        dashboard.button(f"{t('plugins.settings')} {plugin}").click()
        field = dashboard.field(title, dashboard.dialog)
        expect(field).to_have_value("!")
        dashboard.check()
        field.fill(mark)
        dashboard.button(t("common.save"), dashboard.dialog).click()
        dashboard.said(t("common.saved"))
    assert payload() == b"hi12"

    dashboard.button(t("common.moveUp", name=second)).click()
    dashboard.said(t("plugins.moved"))
    expect(dashboard.page.get_by_role("row").nth(1)).to_contain_text(second)
    assert payload() == b"hi21"

    press("plugins.reload", first)
    assert payload() == b"hi21"
    look_into(dashboard, first)

    press("plugins.stop", first)
    expect(dashboard.row(first, t("common.state.stopped"))).to_be_visible()
    assert payload() == b"hi2"
    for plugin in archives:
        dashboard.button(f"{t('plugins.remove.action')} {plugin}").click()
        dashboard.agree(t("plugins.remove.action"))
        dashboard.said(t("common.deleted"))
        expect(dashboard.row(plugin)).to_have_count(0)
    assert payload() == b"hi"


def install(
    dashboard: Dashboard, operator: Operator, plugin: str, archive: Path, *, is_refused: bool
) -> None:
    """An archive is taken only after somebody on the machine allowed it."""
    t = dashboard.t
    dashboard.button(t("plugins.install.action")).click()
    dialog = dashboard.dialog
    dialog.locator("input[type=file]").set_input_files(archive)
    if is_refused:
        dashboard.allow(r"POST /api/v5/plugins/install 403$")
        dashboard.button(t("plugins.install.action"), dialog).click()
        expect(dialog.get_by_role("alert")).to_contain_text(f"rookery ctl plugins allow {plugin}")
        dashboard.check()
    operator.rest.post("/plugins/allowed", {"name": plugin})
    dashboard.button(t("plugins.install.action"), dialog).click()
    dashboard.said(t("plugins.installed"))
    expect(dashboard.row(plugin, t("common.state.stopped"))).to_be_visible()


def look_into(dashboard: Dashboard, plugin: str) -> None:
    """What it says about itself, how it is run, and what its process was asked."""
    t = dashboard.t
    dashboard.button(t("plugins.detailsOf", name=plugin)).click()
    dialog = dashboard.dialog
    expect(dialog).to_contain_text("message.publish")
    dashboard.check()
    dialog.get_by_role("tab", name=t("plugins.tab.run")).click()
    dashboard.field(t("plugins.run.deadline"), dialog).fill("4")
    dashboard.check()
    dashboard.button(t("common.save"), dialog).click()
    dashboard.said(t("common.saved"))
    dialog.get_by_role("tab", name=t("plugins.tab.workers")).click()
    expect(dialog.get_by_role("row").nth(1)).to_contain_text(t("common.yes"))
    dashboard.check()
    dashboard.button(t("common.close"), dialog).click()
    expect(dialog).to_have_count(0)
