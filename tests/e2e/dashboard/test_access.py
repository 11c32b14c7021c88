"""Pages about who may do what: authentication, authorization, bans."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from harness.dashboard import Dashboard
from harness.node import fresh_name
from harness.operator import Operator
from harness.ports import free_port

BUILT_IN = "password_based:built_in_database"


@pytest.fixture
def nobody_asked(operator: Operator) -> Iterator[None]:
    """Whatever becomes of the test, others get in again after it."""
    yield
    for row in operator.rest.get("/authentication"):
        operator.rest.delete(f"/authentication/{quote(row['id'], safe='')}")
    for row in operator.rest.get("/authorization/sources")["sources"]:
        if row["type"] != "file":
            operator.rest.delete(f"/authorization/sources/{row['type']}")


@pytest.mark.usefixtures("nobody_asked")
def test_a_provider_with_its_users(
    dashboard: Dashboard, operator: Operator, tmp_path: Path
) -> None:
    t = dashboard.t
    # A user stays when the provider goes.
    ann, bob = fresh_name("ann"), fresh_name("bob")
    dashboard.open("/authentication", t("authentication.title"))
    expect(dashboard.page.get_by_text(t("authentication.empty.title"), exact=True)).to_be_visible()
    dashboard.button(t("authentication.add")).click()
    expect(dashboard.dialog.get_by_role("textbox", name=t("schema.kind")).first).to_have_value(
        BUILT_IN
    )
    dashboard.check()
    dashboard.button(t("common.create"), dashboard.dialog).click()
    dashboard.said(t("common.saved"))

    content = dashboard.page.get_by_role("main")
    content.get_by_role("link", name=t("authentication.users")).click()
    expect(dashboard.page.get_by_role("heading", level=1)).to_have_text(
        t("authentication.user.title")
    )
    dashboard.button(t("authentication.user.add")).click()
    dashboard.field(t("authentication.user.id"), dashboard.dialog).fill(ann)
    dashboard.secret(t("authentication.user.password"), dashboard.dialog).fill("ann's secret")
    dashboard.check()
    dashboard.button(t("common.create"), dashboard.dialog).click()
    dashboard.said(t("common.saved"))
    expect(dashboard.row(ann)).to_be_visible()

    users = tmp_path / "users.json"
    users.write_text(json.dumps([{"user_id": bob, "password": "bob's secret"}]))
    dashboard.page.locator("input[type=file]").set_input_files(users)
    dashboard.said(t("authentication.user.imported"))
    dashboard.filter(t("authentication.user.id")).fill(bob)
    expect(dashboard.row(bob)).to_be_visible()
    expect(dashboard.row(ann)).to_have_count(0)
    with operator.login(bob, "bob's secret"):
        pass
    assert operator.refusal(bob, "wrong") != 0

    dashboard.open("/authentication", t("authentication.title"))
    dashboard.button(t("common.deleteOne", name=BUILT_IN)).click()
    dashboard.agree(t("common.delete"))
    dashboard.said(t("common.deleted"))
    expect(dashboard.page.get_by_text(t("authentication.empty.title"), exact=True)).to_be_visible()


@pytest.mark.usefixtures("nobody_asked")
def test_a_page_says_why_a_backend_cannot_be_asked(
    dashboard: Dashboard, operator: Operator
) -> None:
    t = dashboard.t
    address = f"127.0.0.1:{free_port()}"
    asked = {"method": "post", "url": f"http://{address}/", "body": {}}
    operator.rest.post(
        "/authentication", {"mechanism": "password_based", "backend": "http", **asked}
    )
    operator.rest.post("/authorization/sources", {"type": "http", **asked})
    for page, title in (("/authentication", "authentication"), ("/authorization", "authorization")):
        dashboard.open(page, t(f"{title}.title"))
        # A list that was shown a moment ago is not asked for again by itself.
        dashboard.button(t("common.refresh")).click()
        main = dashboard.page.get_by_role("main")
        expect(main.get_by_text(t("common.state.disconnected"), exact=True)).to_be_visible()
        expect(main.get_by_text(address)).to_be_visible()
        dashboard.check()


@pytest.mark.usefixtures("nobody_asked")
def test_a_password_is_written_again_when_it_would_go_elsewhere(
    dashboard: Dashboard, operator: Operator
) -> None:
    t = dashboard.t
    redis = {
        "server": f"127.0.0.1:{free_port()}",
        "password": "swordfish",
        "cmd": "HMGET u password_hash",
    }
    provider = {"mechanism": "password_based", "backend": "redis", **redis}
    operator.rest.post("/authentication", provider)
    dashboard.open("/authentication", t("authentication.title"))
    dashboard.button(t("common.refresh")).click()
    dashboard.button(t("common.editOne", name="password_based:redis")).click()
    password = dashboard.dialog.locator("input[type=password]").first
    expect(password).to_have_value("******")
    server = dashboard.dialog.get_by_label("server", exact=False).first
    server.fill(f"127.0.0.1:{free_port()}")
    dashboard.button(t("common.save"), dashboard.dialog).click()
    expect(password).to_have_attribute("aria-invalid", "true")
    expect(server).not_to_have_attribute("aria-invalid", "true")
    assert dashboard.barriers() == []
    # That the request was refused is in the console, as it should be.
    dashboard.problems.clear()
    password.fill("swordfish")
    dashboard.button(t("common.save"), dashboard.dialog).click()
    dashboard.said(t("common.saved"))


@pytest.mark.usefixtures("nobody_asked")
def test_rules_of_a_user_explain_a_decision(dashboard: Dashboard) -> None:
    t = dashboard.t
    topic = fresh_name("secret")
    dashboard.open("/authorization", t("authorization.title"))
    dashboard.button(t("authorization.add")).click()
    dashboard.choose(t("schema.kind"), "built_in_database", dashboard.dialog)
    dashboard.check()
    dashboard.button(t("common.create"), dashboard.dialog).click()
    dashboard.said(t("common.saved"))

    dashboard.page.get_by_role("tab", name=t("authorization.tab.rules")).click()
    dashboard.page.get_by_role("tabpanel").get_by_text(
        t("authorization.owner.users"), exact=True
    ).click()
    dashboard.button(t("authorization.rule.add")).click()
    dashboard.field(t("common.field.username"), dashboard.dialog).fill("eve")
    dashboard.choose(t("authorization.rule.permission"), t("common.state.deny"), dashboard.dialog)
    dashboard.field(t("common.field.filter"), dashboard.dialog).fill(topic)
    dashboard.check()
    dashboard.button(t("common.save"), dashboard.dialog).click()
    dashboard.said(t("common.saved"))
    expect(dashboard.row("eve", topic)).to_be_visible()

    dashboard.page.get_by_role("tab", name=t("authorization.tab.explain")).click()
    dashboard.field(t("authorization.explain.username")).fill("eve")
    dashboard.field(t("authorization.explain.topic")).fill(topic)
    dashboard.button(t("authorization.explain.submit")).click()
    answer = dashboard.page.get_by_text(
        t("authorization.explain.decided", source="built_in_database")
    )
    expect(answer).to_be_visible()
    dashboard.check()

    dashboard.page.get_by_role("tab", name=t("authorization.tab.rules")).click()
    dashboard.page.get_by_role("tabpanel").get_by_text(
        t("authorization.owner.users"), exact=True
    ).click()
    dashboard.button(t("common.deleteOne", name="eve")).click()
    dashboard.agree(t("common.delete"))
    dashboard.said(t("common.deleted"))
    dashboard.page.get_by_role("tab", name=t("authorization.tab.sources")).click()
    dashboard.button(t("common.deleteOne", name="built_in_database")).click()
    dashboard.agree(t("common.delete"))
    dashboard.said(t("common.deleted"))


def test_a_ban_holds_until_it_is_lifted(dashboard: Dashboard, operator: Operator) -> None:
    t = dashboard.t
    name = fresh_name("banned")
    with operator.login(client_id=name) as client:
        dashboard.open("/banned", t("banned.title"))
        dashboard.button(t("banned.add.action")).click()
        dashboard.field(t("banned.who"), dashboard.dialog).fill(name)
        dashboard.field(t("banned.reason"), dashboard.dialog).fill("too loud")
        dashboard.check()
        dashboard.button(t("banned.add.action"), dashboard.dialog).click()
        dashboard.said(t("banned.add.done"))
        client.expect_closed()
    expect(dashboard.row(name, "too loud", "admin")).to_be_visible()
    dashboard.button(t("banned.lift.one", who=name)).click()
    dashboard.agree(t("banned.lift.action"))
    dashboard.said(t("banned.lift.done"))
    with operator.login(client_id=name):
        pass
