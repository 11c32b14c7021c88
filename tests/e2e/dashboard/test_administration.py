"""Pages for looking into things and for accounts: traces, slow subscriptions, users, keys, audit."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from harness.dashboard import PASSWORD, Dashboard, ports_of
from harness.node import fresh_name
from harness.operator import Operator, operated


def test_a_trace_shows_what_a_client_does(dashboard: Dashboard, operator: Operator) -> None:
    t = dashboard.t
    name = fresh_name("traced")
    with operator.login(client_id=name) as client:
        dashboard.open(f"/clients/{name}", name)
        dashboard.page.get_by_role("link", name=t("clients.detail.trace"), exact=True).click()
        field = dashboard.field(t("trace.type.clientid"), dashboard.dialog)
        expect(field).to_have_value(name)
        dashboard.check()
        dashboard.button(t("trace.start"), dashboard.dialog).click()
        dashboard.said(t("trace.started"))
        expect(dashboard.row(name)).to_be_visible()
        client.publish(f"{name}/topic", b"traced payload", qos=1)
    row = dashboard.row(name)
    row.get_by_role("button", name=t("trace.read")).click()
    log = dashboard.dialog
    expect(log.get_by_role("button", name=t("common.refresh"))).to_be_enabled()
    expect(log).to_contain_text("PUBLISH")
    dashboard.check()
    dashboard.button(t("common.close"), log).click()
    row.get_by_role("button", name=t("trace.stop"), exact=False).click()
    dashboard.said(t("trace.stopped"))
    row.get_by_role("button", name=t("common.deleteOne", name="")).click()
    dashboard.agree(t("common.delete"))
    dashboard.said(t("common.deleted"))


def test_slow_subscriptions_are_switched_on(dashboard: Dashboard) -> None:
    t = dashboard.t
    dashboard.open("/slow", t("slow.title"))
    dashboard.check()
    dashboard.page.get_by_role("tab", name=t("slow.settings")).click()
    for _turn in ("on", "off"):
        dashboard.switch(t("slow.enable")).click()
        dashboard.button(t("common.save")).click()
        dashboard.said(t("common.saved"))


def test_a_user_may_look_only(dashboard: Dashboard, browser: Browser) -> None:
    t = dashboard.t
    name = fresh_name("viewer")
    dashboard.open("/users", t("users.title"))
    dashboard.button(t("users.add")).click()
    dashboard.field(t("common.field.username"), dashboard.dialog).fill(name)
    dashboard.secret(t("users.password.label"), dashboard.dialog).fill("looks-0nly")
    dashboard.check()
    dashboard.button(t("common.create"), dashboard.dialog).click()
    dashboard.said(t("common.saved"))
    expect(dashboard.row(name, t("common.role.viewer"))).to_be_visible()

    viewer = Dashboard(browser, dashboard.address, dashboard.language)
    viewer.sign_in(name, "looks-0nly")
    viewer.wait_for_menu()
    viewer.open("/listeners", t("listeners.title"))
    expect(viewer.row("tcp:default")).to_be_visible()
    expect(viewer.button(t("listeners.add"))).to_have_count(0)
    viewer.check()
    viewer.close()

    dashboard.button(t("common.deleteOne", name=name)).click()
    dashboard.agree(t("common.delete"))
    dashboard.said(t("common.deleted"))


def test_a_key_shows_its_secret_once_and_the_audit_knows(dashboard: Dashboard) -> None:
    t = dashboard.t
    name = fresh_name("key")
    dashboard.open("/api-keys", t("apiKeys.title"))
    dashboard.button(t("apiKeys.add")).click()
    dashboard.field(t("common.field.name"), dashboard.dialog).fill(name)
    dashboard.check()
    dashboard.button(t("common.create"), dashboard.dialog).click()
    expect(dashboard.dialog).to_contain_text(t("apiKeys.secret.text"))
    dashboard.check()
    dashboard.button(t("apiKeys.secret.close")).click()
    expect(dashboard.row(name)).to_be_visible()
    dashboard.button(t("common.deleteOne", name=name)).click()
    dashboard.agree(t("common.delete"))
    dashboard.said(t("common.deleted"))

    dashboard.open("/audit", t("audit.title"))
    dashboard.choose(t("audit.method"), "DELETE")
    row = dashboard.row("/api_key/").first
    expect(row).to_contain_text("admin")
    row.get_by_role("button").click()
    expect(dashboard.dialog.locator("pre")).to_contain_text(name)
    dashboard.check()


def test_a_wrong_password_says_what_to_do(
    browser: Browser, address: str, dashboard: Dashboard
) -> None:
    stranger = Dashboard(browser, address, dashboard.language)
    stranger.allow(r"POST /api/v5/login 401$")
    stranger.sign_in("nobody", "wrong-pass-1")
    alert = stranger.page.get_by_role("alert")
    expect(alert).to_contain_text("BAD_USERNAME_OR_PWD")
    expect(alert).to_contain_text(stranger.t("errors.advice.BAD_USERNAME_OR_PWD"))
    stranger.check()
    stranger.close()


def test_the_first_password_is_good_for_another_one_alone(browser: Browser, tmp_path: Path) -> None:
    with operated(tmp_path) as fresh:
        first = Dashboard(browser, f"http://{ports_of(fresh)['http:dashboard']}", "en")
        first.allow(r" 403$")
        first.sign_in(password="public")
        heading = first.page.get_by_role("heading", level=1)
        expect(heading).to_have_text(first.t("login.change.title"))
        first.check()
        first.secret(first.t("login.change.old")).fill("public")
        first.secret(first.t("login.change.next")).fill(PASSWORD)
        first.secret(first.t("login.change.again")).fill(PASSWORD)
        first.button(first.t("login.change.submit")).click()
        first.wait_for_menu()
        first.check()
        first.close()
