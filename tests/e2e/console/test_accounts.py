"""Accounts in a browser: mail, invitations, a forgotten password, second factors, an OpenID provider.

One flow in one language; the words of the other are looked at by the texts' own test.
"""

from __future__ import annotations

import base64
import json
import re
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from playwright.sync_api import Browser, Page, expect

from harness.console import Console
from harness.control import ADMIN, PASSWORD, ControlProcess
from harness.mail import MailServer, link_of
from harness.oidc import OidcProvider
from harness.ports import free_port

COLLEAGUE, THEIRS, LATER = "grace@example.com", "Grace-hopper-7", "Other-word-8"
CLIENT, SECRET = "rookery", "client-secret-1"


@pytest.fixture(scope="module")
def language() -> str:
    return "en"


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlProcess]:
    """A control plane with a project, under the address that the browser uses."""
    port = f"127.0.0.1:{free_port()}"
    process = ControlProcess(tmp_path_factory.mktemp("control"), "--set", f"control.bind={port}")
    process.start()
    try:
        given = {"email": ADMIN, "password": PASSWORD, "name": "Ada", "accessAddress": process.url}
        post(process, "/setup", given)
        token = post(process, "/login", {"email": ADMIN, "password": PASSWORD})["accessToken"]
        org = post(process, "/orgs", {"name": "Factory"}, token)
        post(process, f"/orgs/{org['id']}/projects", {"name": "Plant 1"}, token)
        yield process
    finally:
        process.stop()


def post(process: ControlProcess, path: str, body: object, token: str = "") -> Any:
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    asked = urllib.request.Request(
        f"{process.url}/api{path}", json.dumps(body).encode(), headers, method="POST"
    )
    with urllib.request.urlopen(asked) as answer:
        text = answer.read()
    return json.loads(text) if text else None


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with MailServer(tmp_path_factory.mktemp("mail"), user="rookery", password="app-1") as server:
        yield server


@pytest.fixture(scope="module")
def provider(control: ControlProcess) -> Iterator[OidcProvider]:
    with OidcProvider(CLIENT, SECRET, f"{control.url}/oidc/callback") as provider:
        yield provider


@pytest.fixture(scope="module")
def signed_in(browser: Browser, control: ControlProcess, language: str) -> Iterator[Console]:
    shown = Console(browser, control.url, language)
    shown.sign_in()
    shown.titled("clusters.title")
    yield shown
    shown.close()


@pytest.fixture
def other(browser: Browser, control: ControlProcess, language: str) -> Iterator[Console]:
    """Somebody else's browser."""
    shown = Console(browser, control.url, language)
    shown.allow("401$")
    yield shown
    shown.check()
    shown.close()


def card(console: Console, title: str) -> Any:
    heading = console.page.get_by_role("heading", name=console.t(title), exact=True)
    return console.page.locator(".mantine-Card-root").filter(has=heading)


def test_a_mail_server_is_tried_out_and_kept(console: Console, server: MailServer) -> None:
    console.open("/settings", console.t("settings.title"))
    shown = card(console, "settings.mailServer.title")
    given = server.settings()
    console.field(console.t("common.mail.host"), shown).fill("localhost")
    console.field(console.t("common.mail.port"), shown).fill(str(server.port))
    console.field(console.t("common.mail.username"), shown).fill("rookery")
    console.field(console.t("common.mail.sender"), shown).fill(given["sender"])
    console.field(console.t("common.mail.authority"), shown).fill(given["caCertificate"])
    secret = console.secret(console.t("common.mail.password"), shown)
    secret.fill("wrong")
    console.allow("POST /api/configuration/mail/test 400")
    test = console.button(console.t("common.mail.test"), shown)
    test.click()
    expect(shown.get_by_role("alert")).to_contain_text("refuses user and password")
    secret.fill("app-1")
    test.click()
    expect(shown.get_by_role("status")).to_be_visible()
    assert server.next()["To"] == ADMIN
    console.button(console.t("settings.save"), shown).click()
    console.said(console.t("settings.saved"))


def test_a_colleague_follows_the_link_of_an_invitation(
    console: Console, other: Console, server: MailServer
) -> None:
    console.open("/invitations", console.t("invitations.title"))
    console.button(console.t("invitations.invite")).click()
    console.field(console.t("invitations.emails"), console.dialog).fill(COLLEAGUE)
    console.choose(console.t("invitations.org"), "Factory", console.dialog)
    console.choose(console.t("invitations.project"), "Plant 1", console.dialog)
    console.check()
    console.button(console.t("invitations.invite"), console.dialog).click()
    console.said(console.t("invitations.invited"))
    expect(console.row(COLLEAGUE)).to_contain_text("Plant 1: Viewer")
    other.page.goto(link_of(server.next()))
    other.titled("links.invitation.title")
    other.field(other.t("links.personName")).fill("Grace")
    other.new_password(THEIRS)
    other.check()
    other.button(other.t("links.invitation.submit")).click()
    other.titled("clusters.title")
    console.page.reload()
    expect(console.page.get_by_text(console.t("invitations.empty.title"))).to_be_visible()


def test_a_user_is_edited_given_a_password_and_disabled(console: Console, other: Console) -> None:
    console.open("/users", console.t("users.title"))
    console.button(console.t("users.editOne", name=COLLEAGUE)).click()
    console.field(console.t("users.personName"), console.dialog).fill("Grace H.")
    console.button(console.t("users.save"), console.dialog).click()
    console.said(console.t("users.saved"))
    expect(console.row(COLLEAGUE)).to_contain_text("Grace H.")
    console.button(console.t("users.password.resetOf", email=COLLEAGUE)).click()
    console.new_password(LATER, "users.password.next")
    console.check()
    console.button(console.t("users.password.reset"), console.dialog).click()
    console.said(console.t("users.saved"))
    # Handed over by somebody else, it is changed at the first sign-in.
    other.sign_in(COLLEAGUE, LATER)
    other.titled("profile.must.changePassword")
    other.secret(other.t("profile.password.old")).fill(LATER)
    other.new_password(THEIRS, "profile.password.next")
    other.check()
    other.button(other.t("profile.password.submit")).click()
    other.titled("clusters.title")
    console.button(console.t("users.editOne", name=COLLEAGUE)).click()
    console.page.get_by_role("switch", name=console.t("users.field.enabled")).click()
    console.button(console.t("users.save"), console.dialog).click()
    console.said(console.t("users.saved"))
    other.page.reload()
    other.titled("login.title")
    other.sign_in(COLLEAGUE, THEIRS)
    expect(other.page.get_by_role("alert").last).to_contain_text("disabled")
    console.button(console.t("users.editOne", name=COLLEAGUE)).click()
    console.page.get_by_role("switch", name=console.t("users.field.enabled")).click()
    console.button(console.t("users.save"), console.dialog).click()
    console.said(console.t("users.saved"))


def test_who_is_locked_out_sets_another_password_by_mail(
    other: Console, server: MailServer
) -> None:
    other.page.goto(other.address)
    for _ in range(6):
        other.sign_in(COLLEAGUE, "Wrong-word-1")
        expect(other.page.get_by_role("alert").last).to_be_visible()
    expect(other.page.get_by_role("alert").last).to_contain_text("LOGIN_LOCKED")
    other.button(other.t("login.forgot.link")).click()
    other.field(other.t("login.email")).fill(COLLEAGUE)
    other.check()
    other.button(other.t("login.forgot.submit")).click()
    expect(other.page.get_by_text(other.t("login.forgot.sent"))).to_be_visible()
    other.page.goto(link_of(server.next()))
    other.titled("links.reset.title")
    other.new_password(LATER, "links.reset.next")
    other.check()
    other.button(other.t("links.reset.submit")).click()
    expect(other.page.get_by_text(other.t("links.reset.done"))).to_be_visible()
    other.page.get_by_role("link", name=other.t("links.toSignIn")).click()
    other.sign_in(COLLEAGUE, LATER)
    other.titled("clusters.title")


def codes_of(page: Page) -> TOTP:
    """An authenticator that is told what the page shows."""
    secret = page.locator("code").filter(has_text=re.compile("^[A-Z2-7]{32}$")).inner_text()
    return TOTP(base64.b32decode(secret), 6, SHA1(), 30)


def test_a_second_factor_is_set_up_and_asked_for(other: Console) -> None:
    other.sign_in(COLLEAGUE, LATER)
    other.titled("clusters.title")
    other.open("/profile", other.t("profile.title"))
    other.button(other.t("profile.factor.begin")).click()
    # Whoever only found the page open does not know it.
    other.secret(other.t("profile.password.old"), other.dialog).fill(LATER)
    other.button(other.t("profile.factor.begin"), other.dialog).click()
    expect(other.page.get_by_role("img", name=other.t("profile.factor.picture"))).to_be_visible()
    mine = codes_of(other.page)
    now_s = int(time.time())
    other.field(other.t("profile.factor.code")).fill(mine.generate(now_s).decode())
    other.check()
    other.button(other.t("profile.factor.confirm")).click()
    recovery = other.dialog.locator("pre").inner_text().split()
    assert len(recovery) == 10
    other.check()
    other.button(other.t("common.kept"), other.dialog).click()
    expect(other.page.get_by_text(other.t("profile.factor.on"), exact=True)).to_be_visible()
    other.button(other.t("profile.sessions.endOthers")).click()
    other.agree(other.t("profile.sessions.end"))
    other.said(other.t("profile.sessions.ended"))
    other.context.clear_cookies()
    other.page.evaluate("() => sessionStorage.clear()")
    other.page.reload()
    other.titled("login.title")
    other.sign_in(COLLEAGUE, LATER)
    code = other.field(other.t("login.code.label"))
    code.fill("000000")
    other.button(other.t("login.submit")).click()
    expect(other.page.get_by_role("alert").last).to_contain_text("BAD_SECOND_FACTOR")
    code.fill(recovery[0])
    other.check()
    other.button(other.t("login.submit")).click()
    other.titled("clusters.title")


def test_an_administrator_takes_it_away(console: Console) -> None:
    console.open("/users", console.t("users.title"))
    # It was open all the time, and nobody tells it.
    console.page.reload()
    console.button(console.t("users.factor.resetOf", email=COLLEAGUE)).click()
    console.agree(console.t("users.factor.reset"))
    console.said(console.t("users.saved"))
    expect(console.button(console.t("users.factor.resetOf", email=COLLEAGUE))).to_have_count(0)


def test_somebody_signs_in_at_a_provider(
    console: Console, other: Console, provider: OidcProvider
) -> None:
    console.open("/settings", console.t("settings.title"))
    shown = card(console, "settings.oidc.title")
    expect(shown).to_contain_text(f"{console.address}/oidc/callback")
    console.field(console.t("settings.oidc.name"), shown).fill("Company account")
    console.field(console.t("settings.oidc.issuer"), shown).fill(provider.issuer)
    console.field(console.t("settings.oidc.clientId"), shown).fill(CLIENT)
    console.secret(console.t("settings.oidc.clientSecret"), shown).fill(SECRET)
    console.button(console.t("settings.oidc.test"), shown).click()
    expect(shown.get_by_role("status")).to_be_visible()
    console.check()
    console.button(console.t("settings.save"), shown).click()
    console.said(console.t("settings.saved"))
    provider.knows("grace-1", email=COLLEAGUE, email_verified=True)
    provider.knows("stranger", email="eve@example.com", email_verified=True)
    for subject in ("stranger", "grace-1"):
        other.page.goto(other.address)
        other.button(other.t("login.elsewhere.with", name="Company account")).click()
        other.page.get_by_label("Account").fill(subject)
        if subject == "stranger":
            other.allow("POST /api/oidc/finish 403")
        other.page.get_by_role("button", name="Go on").click()
        if subject == "stranger":
            expect(other.page.get_by_role("alert")).to_contain_text("nobody has invited")
            other.context.clear_cookies()
    other.titled("clusters.title")
    assert "code" not in other.page.url


def test_the_audit_is_filtered_and_says_what_changed(console: Console) -> None:
    console.open("/audit", console.t("audit.title"))
    console.filter(console.t("audit.operator")).fill(COLLEAGUE)
    rows = console.page.locator("tbody tr")
    expect(rows.filter(has_text=ADMIN)).to_have_count(0)
    expect(rows.filter(has_text=console.t("audit.operations.acceptInvitation"))).to_have_count(1)
    console.check()


def test_an_entry_is_edited(console: Console) -> None:
    console.page.get_by_role("link", name=console.t("shell.area.workbench")).click()
    console.titled("clusters.title")
    console.button(console.t("clusters.adopt")).first.click()
    console.field(console.t("clusters.clusterName"), console.dialog).fill("press line")
    console.button(console.t("clusters.create"), console.dialog).click()
    console.said(console.t("clusters.entryMade"))
    console.button(console.t("clusters.moreOf", name="press line")).click()
    console.page.get_by_role("menuitem", name=console.t("clusters.edit"), exact=True).click()
    console.field(console.t("clusters.clusterName"), console.dialog).fill("press line 2")
    console.check()
    console.button(console.t("clusters.save"), console.dialog).click()
    expect(console.page.get_by_role("article", name="press line 2")).to_be_visible()
