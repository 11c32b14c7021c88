"""What somebody gets wrong, and what goes wrong around them: the pages say so and stay usable."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from harness.dashboard import Dashboard, ports_of
from harness.node import fresh_name
from harness.operator import Operator


def test_half_a_json_is_no_fault_of_the_page(dashboard: Dashboard) -> None:
    t = dashboard.t
    dashboard.open("/settings?like=alarm.actions", t("settings.title"))
    dashboard.button(t("common.editOne", name="alarm.actions")).click()
    dashboard.field(t("settings.value"), dashboard.dialog).fill("[log")
    dashboard.button(t("common.save"), dashboard.dialog).click()
    expect(dashboard.dialog.get_by_role("alert")).to_contain_text(t("errors.advice.NOT_JSON"))
    dashboard.check()
    dashboard.button(t("common.cancel"), dashboard.dialog).click()


def test_an_emptied_field_is_what_it_was_before(dashboard: Dashboard, operator: Operator) -> None:
    t = dashboard.t
    dashboard.open("/mqtt", t("mqtt.title"))
    field = dashboard.field("max_awaiting_rel")
    usual = field.input_value()
    for given, shown in (("77", "77"), ("", usual)):
        field.fill(given)
        dashboard.button(t("schema.save")).click()
        dashboard.said(t("schema.saved"))
        expect(field).to_have_value(shown)
    assert operator.rest.get("/configs/global_zone")["mqtt"]["max_awaiting_rel"] == int(usual)

    dashboard.open("/listeners", t("listeners.title"))
    for given in ("plant/", ""):
        dashboard.button(t("common.editOne", name="ws:default")).click()
        dashboard.field("mountpoint", dashboard.dialog).fill(given)
        dashboard.button(t("common.save"), dashboard.dialog).click()
        dashboard.said(t("listeners.done"))
        assert operator.rest.get("/listeners/ws%3Adefault")["mountpoint"] == given
    dashboard.check()


def test_what_was_typed_is_gone_once_it_is_discarded(dashboard: Dashboard) -> None:
    t = dashboard.t
    dashboard.open("/mqtt", t("mqtt.title"))
    field = dashboard.field("max_inflight")
    before = field.input_value()
    field.fill("99")
    dashboard.button(t("schema.discard")).click()
    expect(dashboard.field("max_inflight")).to_have_value(before)


def test_a_connection_that_fails_says_so(dashboard: Dashboard, operator: Operator) -> None:
    t = dashboard.t
    dashboard.open("/websocket", t("websocket.title"))
    alert = dashboard.page.get_by_role("alert")
    for wrong in ("nowhere", f"ws://{ports_of(operator)['ws:default']}/elsewhere"):
        dashboard.field(t("websocket.address")).fill(wrong)
        dashboard.button(t("websocket.connect")).click()
        expect(alert).to_contain_text(t("websocket.unreached", url=wrong))
        expect(dashboard.button(t("websocket.connect"))).to_be_enabled()
    # The browser itself writes of a refused WebSocket into its console.
    dashboard.problems = [found for found in dashboard.problems if "WebSocket" not in found]

    dashboard.field(t("websocket.address")).fill(f"ws://{ports_of(operator)['ws:default']}/mqtt")
    name = fresh_name("browser")
    dashboard.field(t("common.field.clientid")).fill(name)
    dashboard.button(t("websocket.connect")).click()
    expect(dashboard.button(t("websocket.disconnect"))).to_be_visible()
    operator.rest.delete(f"/clients/{name}")
    expect(alert).to_contain_text(t("websocket.lost", reason=""))
    expect(dashboard.button(t("websocket.connect"))).to_be_visible()
    dashboard.check()


def test_names_that_look_like_markup_or_addresses_are_names(
    dashboard: Dashboard, operator: Operator
) -> None:
    t = dashboard.t
    prefix = fresh_name("n")
    strange = [
        f"{prefix}{end}" for end in ("<img src=x onerror=alert(1)>", "/a%2Fb?c#d", "{{x}}$t(y)")
    ]
    for name in strange:
        with operator.login(client_id=name):
            dashboard.open("/clients", t("clients.title"))
            dashboard.filter(t("clients.field.clientid")).fill(name)
            dashboard.page.get_by_role("link", name=name, exact=True).click()
            expect(dashboard.page.get_by_role("heading", level=1)).to_have_text(name)
            expect(dashboard.page.locator(".facts-card").first).to_be_visible()
    with operator.login(client_id=".."):
        dashboard.open("/clients", t("clients.title"))
        # What was asked for a moment ago is shown as it was then.
        dashboard.button(t("common.refresh")).click()
        row = dashboard.page.get_by_role("row").filter(
            has=dashboard.page.get_by_text("..", exact=True)
        )
        expect(row).to_be_visible()
        expect(row.get_by_role("link")).to_have_count(0)
    dashboard.check()


def test_a_list_of_pages_is_sorted_by_the_node(dashboard: Dashboard, operator: Operator) -> None:
    t = dashboard.t
    for number in range(25):
        operator.rest.post("/banned", {"as": "clientid", "who": f"bad-{number:02}"})
    dashboard.open("/banned", t("banned.title"))
    first = dashboard.page.get_by_role("row").nth(1)
    for last in ("bad-00", "bad-24"):
        dashboard.button(t("banned.who")).click()
        expect(first).to_contain_text(last)
    operator.rest.delete("/banned")
    dashboard.check()


def test_a_node_that_does_not_answer_is_asked_again(
    browser: Browser, address: str, dashboard: Dashboard
) -> None:
    visitor = Dashboard(browser, address, dashboard.language)
    document = "**/api-docs/swagger.json"
    visitor.context.route(document, lambda route: route.abort())
    visitor.sign_in()
    alert = visitor.page.get_by_role("alert")
    expect(alert).to_contain_text(visitor.t("errors.advice.NO_ANSWER"))
    visitor.context.unroute(document)
    visitor.button(visitor.t("errors.retry")).click()
    visitor.wait_for_menu()
    visitor.check()
    visitor.close()


def test_a_session_that_was_ended_elsewhere_leads_back_to_the_same_page(
    browser: Browser, address: str, dashboard: Dashboard
) -> None:
    visitor = Dashboard(browser, address, dashboard.language)
    t = visitor.t
    visitor.sign_in()
    visitor.wait_for_menu()
    visitor.open("/banned", t("banned.title"))
    visitor.page.evaluate(
        """async () => {
            const {token, username} = JSON.parse(sessionStorage.getItem("rookery.session"));
            await fetch("/api/v5/logout", {method: "POST", body: JSON.stringify({username}), headers: {
                "Authorization": `Bearer ${token}`, "Content-Type": "application/json"}});
        }"""
    )
    visitor.allow(r" 401$")
    visitor.button(t("common.refresh")).click()
    expect(visitor.page.get_by_text(t("login.ended"))).to_be_visible()
    visitor.check()
    visitor.field(t("login.username")).fill("admin")
    visitor.secret(t("login.password")).fill("rook-4-knight")
    visitor.button(t("login.submit")).click()
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(t("banned.title"))
    visitor.check()
    visitor.close()


def test_a_secret_can_be_copied_without_tls(browser: Browser, address: str) -> None:
    visitor = Dashboard(browser, address, "en")
    t = visitor.t
    # As in a page of http://HOST:18083.
    visitor.context.add_init_script("delete Navigator.prototype.clipboard")
    visitor.sign_in()
    visitor.wait_for_menu()
    visitor.open("/api-keys", t("apiKeys.title"))
    visitor.button(t("apiKeys.add")).click()
    name = fresh_name("copied")
    visitor.field(t("common.field.name"), visitor.dialog).fill(name)
    visitor.button(t("common.create"), visitor.dialog).click()
    shown = visitor.dialog.locator("pre").inner_text()
    visitor.button(t("apiKeys.secret.copy")).click()
    expect(visitor.button(t("apiKeys.secret.copied"))).to_be_visible()
    assert visitor.page.evaluate("() => String(getSelection())").strip() == shown.strip()
    visitor.button(t("apiKeys.secret.close")).click()
    visitor.button(t("common.deleteOne", name=name)).click()
    visitor.agree(t("common.delete"))
    visitor.said(t("common.deleted"))
    visitor.close()
