"""Pages about the node itself: listeners, settings, quota, backup."""

from __future__ import annotations

from playwright.sync_api import Route, expect

from harness.dashboard import Dashboard
from harness.operator import Operator


def test_a_listener_is_made_stopped_and_deleted(dashboard: Dashboard) -> None:
    t = dashboard.t
    name, listener = dashboard.language, f"tcp:{dashboard.language}"
    dashboard.open("/listeners", t("listeners.title"))
    dashboard.button(t("listeners.add")).click()
    dashboard.field(t("common.field.name"), dashboard.dialog).fill(name)
    dashboard.field("bind", dashboard.dialog).fill("127.0.0.1:0")
    dashboard.check()
    dashboard.button(t("common.create"), dashboard.dialog).click()
    dashboard.said(t("listeners.done"))
    expect(dashboard.row(listener, t("common.state.running"))).to_be_visible()
    dashboard.button(f"{t('listeners.stop.action')} {listener}").click()
    dashboard.agree(t("listeners.stop.action"))
    dashboard.said(t("listeners.done"))
    expect(dashboard.row(listener, t("common.state.stopped"))).to_be_visible()
    dashboard.check()
    dashboard.button(t("common.deleteOne", name=listener)).click()
    dashboard.agree(t("common.delete"))
    dashboard.said(t("common.deleted"))
    expect(dashboard.row(listener)).to_have_count(0)


def test_only_what_was_changed_becomes_a_setting(dashboard: Dashboard, operator: Operator) -> None:
    t = dashboard.t
    dashboard.open("/mqtt", t("mqtt.title"))
    dashboard.field("max_inflight").fill("77")
    dashboard.button(t("schema.save")).click()
    dashboard.said(t("schema.saved"))
    assert operator.rest.get("/configs/global_zone")["mqtt"]["max_inflight"] == 77
    dashboard.check()

    dashboard.open("/settings", t("settings.title"))
    dashboard.choose(t("settings.origin"), t("settings.source.runtime"))
    expect(dashboard.row("mqtt.max_inflight", "77")).to_be_visible()
    expect(dashboard.row("mqtt.max_packet_size")).to_have_count(0)
    dashboard.check()
    dashboard.button(t("common.editOne", name="mqtt.max_inflight")).click()
    dashboard.check()
    dashboard.button(t("settings.reset.action")).click()
    dashboard.said(t("settings.reset.done"))
    expect(dashboard.row("mqtt.max_inflight")).to_have_count(0)


def test_the_quota_is_set(dashboard: Dashboard, operator: Operator) -> None:
    t = dashboard.t
    dashboard.open("/quota", t("quota.title"))
    dashboard.switch(t("quota.bounded")).click()
    dashboard.field(t("quota.most")).fill("4321")
    dashboard.button(t("common.save")).click()
    dashboard.said(t("common.saved"))
    assert operator.rest.get("/license/setting")["dynamic_max_connections"] == 4321
    dashboard.check()
    dashboard.switch(t("quota.bounded")).click()
    dashboard.button(t("common.save")).click()
    dashboard.said(t("common.saved"))


def test_a_backup_is_made_fetched_and_deleted(dashboard: Dashboard) -> None:
    t = dashboard.t
    dashboard.open("/backup", t("backup.title"))
    dashboard.button(t("backup.make")).click()
    dashboard.said(t("backup.made"))
    row = dashboard.page.get_by_role("row").nth(1)
    file = dashboard.downloaded(row.get_by_role("button", name=t("common.download")))
    assert file.stat().st_size > 0
    dashboard.said(t("backup.downloaded"))
    dashboard.check()
    # Whoever brings back an own export stays signed in.
    row.get_by_role("button", name=t("backup.restore.action")).click()
    dashboard.agree(t("backup.restore.action"))
    dashboard.said(t("backup.restore.done"))
    row.get_by_role("button", name=t("common.deleteOne", name="")).click()
    dashboard.agree(t("common.delete"))
    dashboard.said(t("common.deleted"))


def test_the_second_copy_of_each_nodes_sessions_is_shown(dashboard: Dashboard) -> None:
    """What a node of three answers; ``tests/integration/cluster`` has what is in it."""
    t = dashboard.t
    partners = [
        {"node": "rookery@b", "is_whole": True, "lag": 3, "lag_bytes": 960},
        {"node": "rookery@c", "is_whole": False, "lag": 1200, "lag_bytes": 2_097_152},
        {"is_whole": False, "lag": 0, "lag_bytes": 0},
    ]

    def answer(route: Route) -> None:
        found = route.fetch().json()
        rows = [
            {"node": f"rookery@{name}", "node_status": "running", "partner": partner}
            for name, partner in zip("abc", partners, strict=True)
        ]
        route.fulfill(json=found | {"self": "rookery@a", "members": rows})

    dashboard.page.route("**/api/v5/cluster", answer)
    try:
        dashboard.open("/nodes", t("nodes.title"))
        bytes_of = {"whole": "960 B", "begun": "2.0 MB"}
        for key, node, lag in (("whole", "rookery@b", "3"), ("begun", "rookery@c", "1,200")):
            text = t(f"nodes.partner.{key}", node=node, lag=lag, bytes=bytes_of[key])
            expect(dashboard.page.get_by_text(text)).to_be_visible()
        expect(dashboard.page.get_by_text(t("nodes.partner.none"), exact=True)).to_be_visible()
        dashboard.check()
    finally:
        dashboard.page.unroute("**/api/v5/cluster")
