"""What the pages do by themselves keeps nobody signed in, and what they say stands in nobody's way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Browser, Request, expect

from harness.dashboard import Dashboard
from harness.node import fresh_name
from harness.operator import Operator

AUTOMATIC = "x-automatic-request"
COVERED = """
() => [...document.querySelectorAll("button, a[href], input")]
  .filter((control) => control.closest(".toasts, .shell-side, .skip-link") === null)
  .filter((control) => control.checkVisibility())
  .filter((control) => {
    control.scrollIntoView({ block: "nearest" });
    const box = control.getBoundingClientRect();
    const found = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return found?.closest(".toasts") != null;
  })
  .map((control) => control.outerHTML)
"""


def test_what_nobody_caused_is_marked(dashboard: Dashboard) -> None:
    def is_automatic(request: Request) -> bool:
        return "monitor_current" in request.url and AUTOMATIC in request.headers

    def is_caused(request: Request) -> bool:
        return "/api/v5/" in request.url and AUTOMATIC not in request.headers

    with dashboard.page.expect_request(is_automatic):
        dashboard.open("/", dashboard.t("overview.title"))
    with dashboard.page.expect_request(is_caused):
        dashboard.page.keyboard.press("Shift")


def test_who_works_without_asking_for_anything_stays_signed_in(
    browser: Browser, address: str
) -> None:
    working = Dashboard(browser, address, "en")
    working.sign_in()
    working.wait_for_menu()
    working.open("/websocket", working.t("websocket.title"))

    def is_caused(request: Request) -> bool:
        return "monitor_current" in request.url and AUTOMATIC not in request.headers

    working.page.clock.set_fixed_time(datetime.now(UTC) + timedelta(minutes=1))
    with working.page.expect_request(is_caused):
        working.page.keyboard.press("Shift")
    working.check()
    working.close()


def test_a_failure_covers_nothing_and_can_be_read_again(
    dashboard: Dashboard, operator: Operator
) -> None:
    t = dashboard.t
    names = sorted(fresh_name("gone") for _ in range(20))
    for name in names:
        operator.rest.post("/banned", {"as": "clientid", "who": name})
    dashboard.allow(r" 404$")
    dashboard.open("/banned", t("banned.title"))
    dashboard.button(t("banned.lift.one", who=names[0])).click()
    operator.rest.delete("/banned")
    dashboard.agree(t("banned.lift.action"))
    toast = dashboard.page.locator(".toasts > *").filter(has_text="NOT_FOUND")
    expect(toast).to_be_visible()

    assert dashboard.page.evaluate(COVERED) == []

    toast.get_by_role("button").click()
    dashboard.button(t("common.failures.button", number=1)).click()
    expect(dashboard.dialog).to_contain_text("NOT_FOUND")
    dashboard.button(t("common.failures.forget"), dashboard.dialog).click()
    dashboard.check()


def test_a_ban_with_the_name_of_a_step_can_be_lifted(
    dashboard: Dashboard, operator: Operator
) -> None:
    t = dashboard.t
    for name in (".", ".."):
        operator.rest.post("/banned", {"as": "clientid", "who": name})
        dashboard.open("/banned", t("banned.title"))
        dashboard.button(t("common.refresh")).click()
        dashboard.page.get_by_role(
            "button", name=t("banned.lift.one", who=name), exact=True
        ).click()
        dashboard.agree(t("banned.lift.action"))
        dashboard.said(t("banned.lift.done"))
        assert operator.rest.get("/banned")["data"] == []
