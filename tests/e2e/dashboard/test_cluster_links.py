"""The page of cluster links: a link is tried and made, and says what the other side lacks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from harness.dashboard import Dashboard
from harness.linked import LINK_PASSWORD, Side, side
from harness.node import HOST
from harness.operator import Operator

OWN = "emqxcl"


@pytest.fixture(scope="module")
def west(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    """Another cluster, which knows the user of this one's link and has no link back."""
    with side(tmp_path_factory.mktemp("sides") / "west", "west", (OWN,)) as running:
        yield running


def test_a_link_is_tried_made_explained_and_deleted(
    dashboard: Dashboard, operator: Operator, west: Side
) -> None:
    t = dashboard.t
    back = {
        "name": OWN,
        "server": f"{HOST}:{operator.node.port}",
        "topics": [],
        "accept": {"username": f"link-{OWN}"},
    }
    west.put()
    dashboard.open("/cluster-links", t("clusterLinks.title"))
    expect(dashboard.page.get_by_text(t("clusterLinks.empty.title"))).to_be_visible()
    dashboard.button(t("clusterLinks.add")).first.click()
    expect(dashboard.dialog.get_by_text(OWN)).to_be_visible()
    dashboard.field(t("clusterLinks.of.name"), dashboard.dialog).fill("west")
    dashboard.field(t("clusterLinks.of.server"), dashboard.dialog).fill(west.address)
    dashboard.field(t("clusterLinks.of.username"), dashboard.dialog).fill(f"link-{OWN}")
    dashboard.secret(t("clusterLinks.of.password"), dashboard.dialog).fill(LINK_PASSWORD)
    topics = dashboard.field(t("clusterLinks.of.topics"), dashboard.dialog)
    topics.fill("t/#")
    topics.press("Enter")
    dashboard.check()
    dashboard.allow("links_probe 400")
    _try(dashboard, t("integration.probe.bad"))
    west.put(back)
    _try(dashboard, t("integration.probe.good"))
    dashboard.button(t("common.create"), dashboard.dialog).click()
    dashboard.said(t("common.saved"))
    expect(dashboard.row("west", t("common.state.connected"))).to_be_visible()
    dashboard.check()
    west.put({**back, "enable": False})
    hint = (
        "请在 west 上启用连接" if dashboard.language == "zh" else "enable the link emqxcl on west"
    )
    expect(dashboard.row("west", hint)).to_be_visible()
    _look_at_one(dashboard)
    _delete(dashboard)


def _try(dashboard: Dashboard, outcome: str) -> None:
    dashboard.button(dashboard.t("integration.probe.action"), dashboard.dialog).click()
    expect(dashboard.dialog.get_by_role("status").filter(has_text=outcome)).to_be_visible()


def _look_at_one(dashboard: Dashboard) -> None:
    t = dashboard.t
    dashboard.page.get_by_role("link", name="west", exact=True).click()
    expect(dashboard.page.get_by_role("heading", name="west", exact=True)).to_be_visible()
    expect(dashboard.page.get_by_text(t("clusterLinks.figure.matched"))).to_be_visible()
    expect(dashboard.page.get_by_text(t("clusterLinks.store.agreed"))).to_be_visible()
    dashboard.check()
    dashboard.button(t("clusterLinks.reset.one", name="west")).click()
    dashboard.agree(t("clusterLinks.reset.action"))
    dashboard.said(t("clusterLinks.reset.done"))


def _delete(dashboard: Dashboard) -> None:
    t = dashboard.t
    dashboard.open("/cluster-links", t("clusterLinks.title"))
    dashboard.button(t("common.deleteOne", name="west")).click()
    dashboard.agree(t("common.delete"))
    dashboard.said(t("common.deleted"))
    expect(dashboard.row("west")).to_have_count(0)
