"""Pages about messages: retained, delayed, rewritten, subscribed and counted topics, and a client."""

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


def test_a_topic_is_rewritten_by_the_first_rule(dashboard: Dashboard, operator: Operator) -> None:
    t = dashboard.t
    source = f"{fresh_name('old')}/#"
    base = source.removesuffix("/#")
    dashboard.open("/topic-rewrite", t("topicRewrite.title"))
    for result in ("late", "early"):
        dashboard.button(t("topicRewrite.add")).click()
        dashboard.field(t("topicRewrite.source"), dashboard.dialog).fill(source)
        dashboard.field(t("topicRewrite.expression"), dashboard.dialog).fill(f"^{base}/(.+)$")
        dashboard.field(t("topicRewrite.result"), dashboard.dialog).fill(f"{base}-{result}/$1")
        dashboard.check()
        dashboard.button(t("common.create"), dashboard.dialog).click()
        dashboard.said(t("common.saved"))
        expect(dashboard.row(f"{base}-{result}")).to_be_visible()
    early = dashboard.row(f"{base}-early")
    early.get_by_role("button", name=t("common.moveUp", name=source)).click()
    dashboard.said(t("topicRewrite.moved"))
    expect(dashboard.page.get_by_role("row").nth(1)).to_contain_text(f"{base}-early")
    dashboard.check()
    with operator.login() as reader, operator.login() as writer:
        reader.subscribe(f"{base}-early/#", qos=1)
        writer.publish(f"{base}/7", b"new", qos=1)
        reader.receive(f"{base}-early/7", b"new")

    early.get_by_role("button", name=t("common.editOne", name=source)).click()
    dashboard.field(t("topicRewrite.expression"), dashboard.dialog).fill("(")
    dashboard.allow(r"PUT /api/v5/mqtt/topic_rewrite 400$")
    dashboard.button(t("common.save"), dashboard.dialog).click()
    expect(dashboard.dialog.get_by_role("alert")).to_be_visible()
    dashboard.check()
    dashboard.button(t("common.cancel"), dashboard.dialog).click()
    for result in ("late", "early"):
        row = dashboard.row(f"{base}-{result}")
        row.get_by_role("button", name=t("common.deleteOne", name=source)).click()
        dashboard.agree(t("common.delete"))
        dashboard.said(t("common.deleted"))
        expect(row).to_have_count(0)


def test_a_client_is_subscribed_by_itself(dashboard: Dashboard, operator: Operator) -> None:
    t = dashboard.t
    name = fresh_name("auto")
    pattern = f"{name}/${{clientid}}"
    dashboard.open("/auto-subscribe", t("autoSubscribe.title"))
    dashboard.button(t("autoSubscribe.add")).click()
    dashboard.field(t("common.field.filter"), dashboard.dialog).fill(pattern)
    dashboard.choose(t("autoSubscribe.qos"), "1", dashboard.dialog)
    dashboard.check()
    dashboard.button(t("common.create"), dashboard.dialog).click()
    dashboard.said(t("common.saved"))
    expect(dashboard.row(pattern)).to_be_visible()
    dashboard.check()
    with operator.login(client_id=name):
        [row] = operator.rest.get(f"/clients/{name}/subscriptions")
        assert (row["topic"], row["qos"]) == (f"{name}/{name}", 1)
    dashboard.button(t("common.deleteOne", name=pattern)).click()
    dashboard.agree(t("common.delete"))
    dashboard.said(t("common.deleted"))
    expect(dashboard.row(pattern)).to_have_count(0)


def test_messages_of_a_topic_are_counted(dashboard: Dashboard, operator: Operator) -> None:
    t = dashboard.t
    topic = fresh_name("counted")
    dashboard.open("/topic-metrics", t("topicMetrics.title"))
    dashboard.button(t("topicMetrics.add.action")).click()
    dashboard.field(t("common.field.topic"), dashboard.dialog).fill(topic)
    dashboard.check()
    dashboard.button(t("topicMetrics.add.action"), dashboard.dialog).click()
    dashboard.said(t("topicMetrics.add.done"))
    expect(dashboard.row(topic)).to_be_visible()
    with operator.login() as client:
        for _ in range(3):
            client.publish(topic, b"one more", qos=1)
    received = dashboard.row(topic).get_by_role("cell").nth(1)
    expect(received).to_have_text("3")
    dashboard.check()
    dashboard.button(f"{t('common.details')} {topic}").click()
    expect(dashboard.dialog.get_by_role("row").nth(2)).to_contain_text("3")
    dashboard.check()
    dashboard.button(t("common.close"), dashboard.dialog).click()
    dashboard.button(t("topicMetrics.reset.one", topic=topic)).click()
    dashboard.agree(t("topicMetrics.reset.action"))
    dashboard.said(t("topicMetrics.reset.done"))
    expect(received).to_have_text("0")
    dashboard.button(t("common.deleteOne", name=topic)).click()
    dashboard.agree(t("common.delete"))
    dashboard.said(t("common.deleted"))
    expect(dashboard.row(topic)).to_have_count(0)
