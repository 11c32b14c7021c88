"""Pages that show what happens: overview, clients, subscriptions, topics, alarms."""

from __future__ import annotations

from playwright.sync_api import expect

from harness.dashboard import Dashboard
from harness.node import fresh_name
from harness.operator import Operator


def test_the_overview_shows_clients_and_the_node(dashboard: Dashboard, operator: Operator) -> None:
    with operator.login(client_id=fresh_name("seen")):
        dashboard.open("/", dashboard.t("overview.title"))
        tile = dashboard.page.locator(".tiles > *").filter(
            has_text=dashboard.t("overview.tile.live_connections")
        )
        expect(tile.locator(".tile-value")).not_to_have_text("0")
        card = dashboard.page.locator(".facts-card")
        expect(card).to_contain_text("rookery@127.0.0.1")
        expect(card).to_contain_text(dashboard.t("common.state.running"))
        dashboard.check()


def test_a_client_is_found_subscribed_and_disconnected(
    dashboard: Dashboard, operator: Operator
) -> None:
    name = fresh_name("found")
    topic = f"{name}/#"
    with operator.login(client_id=name) as client:
        dashboard.open("/clients", dashboard.t("clients.title"))
        dashboard.filter(dashboard.t("clients.field.clientid")).fill(name)
        link = dashboard.page.get_by_role("link", name=name)
        expect(link).to_be_visible()
        dashboard.check()
        link.click()
        expect(dashboard.page.get_by_role("heading", level=1)).to_have_text(name)
        dashboard.check()
        dashboard.page.get_by_role("tab", name=dashboard.t("clients.detail.subscriptions")).click()
        dashboard.field(dashboard.t("clients.subscribe.topic")).fill(topic)
        dashboard.button(dashboard.t("clients.subscribe.action")).click()
        expect(dashboard.row(topic)).to_be_visible()
        dashboard.said(dashboard.t("clients.subscribe.done"))

        dashboard.open("/subscriptions", dashboard.t("subscriptions.title"))
        dashboard.filter(dashboard.t("subscriptions.field.clientid")).fill(name)
        expect(dashboard.row(name, topic)).to_be_visible()
        dashboard.check()

        dashboard.open("/topics", dashboard.t("topics.title"))
        expect(dashboard.row(topic)).to_be_visible()
        dashboard.check()

        dashboard.open(f"/clients/{name}", name)
        for tab in ("mqueue", "inflight"):
            dashboard.page.get_by_role("tab", name=dashboard.t(f"clients.detail.{tab}")).click()
            expect(dashboard.page.get_by_role("tabpanel")).to_contain_text(
                dashboard.t("clients.noMessages.title")
            )
        dashboard.button(dashboard.t("clients.kick.action")).click()
        dashboard.agree(dashboard.t("clients.kick.action"))
        dashboard.said(dashboard.t("clients.kick.done"))
        client.expect_closed()


def test_alarms_explain_that_there_are_none(dashboard: Dashboard) -> None:
    dashboard.open("/alarms", dashboard.t("alarms.title"))
    for tab in ("active", "past"):
        dashboard.page.get_by_role("tab", name=dashboard.t(f"alarms.{tab}")).click()
        dashboard.settle()
        dashboard.check()
