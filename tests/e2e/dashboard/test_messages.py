"""Pages about messages: retained, delayed, and the client that runs in the browser."""

from __future__ import annotations

from playwright.sync_api import expect

from harness.dashboard import Dashboard, ports_of
from harness.node import fresh_name
from harness.operator import Operator


def test_a_retained_message_is_read_and_deleted(dashboard: Dashboard, operator: Operator) -> None:
    topic = f"{fresh_name('kept')}/state"
    with operator.login() as client:
        client.publish(topic, b'{"on": true}', qos=1, retain=True)
    dashboard.open("/retained", dashboard.t("retained.title"))
    dashboard.filter(dashboard.t("retained.field.filter")).fill(topic)
    expect(dashboard.row(topic)).to_be_visible()
    dashboard.check()
    dashboard.button(dashboard.t("retained.showOne", topic=topic)).click()
    expect(dashboard.dialog.locator("pre")).to_contain_text('"on": true')
    dashboard.check()
    dashboard.button(dashboard.t("common.close"), dashboard.dialog).click()
    dashboard.button(dashboard.t("common.deleteOne", name=topic)).click()
    dashboard.agree(dashboard.t("common.delete"))
    dashboard.said(dashboard.t("common.deleted"))
    expect(dashboard.row(topic)).to_have_count(0)


def test_a_delayed_message_is_read_and_deleted(dashboard: Dashboard, operator: Operator) -> None:
    topic = f"{fresh_name('later')}/state"
    with operator.login() as client:
        client.publish(f"$delayed/600/{topic}", b"not yet", qos=1)
    dashboard.open("/delayed", dashboard.t("delayed.title"))
    expect(dashboard.row(topic)).to_be_visible()
    dashboard.check()
    dashboard.button(dashboard.t("delayed.showOne", topic=topic)).click()
    expect(dashboard.dialog.locator("pre")).to_have_text("not yet")
    dashboard.button(dashboard.t("common.close"), dashboard.dialog).click()
    dashboard.button(dashboard.t("common.deleteOne", name=topic)).click()
    dashboard.agree(dashboard.t("common.delete"))
    dashboard.said(dashboard.t("common.deleted"))
    expect(dashboard.row(topic)).to_have_count(0)


def test_the_browser_sends_itself_a_message(dashboard: Dashboard, operator: Operator) -> None:
    topic = fresh_name("browser")
    dashboard.open("/websocket", dashboard.t("websocket.title"))
    dashboard.field(dashboard.t("websocket.address")).fill(
        f"ws://{ports_of(operator)['ws:default']}/mqtt"
    )
    dashboard.button(dashboard.t("websocket.connect")).click()
    expect(dashboard.button(dashboard.t("websocket.disconnect"))).to_be_visible()
    dashboard.field(dashboard.t("websocket.field.filter")).fill(topic)
    dashboard.button(dashboard.t("websocket.subscribe.action")).click()
    unsubscribe = dashboard.button(f"{dashboard.t('websocket.unsubscribe')} {topic}")
    expect(unsubscribe).to_be_visible()
    dashboard.field(dashboard.t("websocket.field.topic")).fill(topic)
    dashboard.button(dashboard.t("websocket.publish.action")).click()
    log = dashboard.page.get_by_role("log")
    expect(log.get_by_text(dashboard.t("websocket.in"), exact=True)).to_be_visible()
    expect(log.get_by_text(dashboard.t("websocket.out"), exact=True)).to_be_visible()
    dashboard.check()
    dashboard.button(dashboard.t("websocket.disconnect")).click()
    expect(dashboard.button(dashboard.t("websocket.connect"))).to_be_visible()
