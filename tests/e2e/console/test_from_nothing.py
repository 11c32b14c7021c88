"""From an empty control plane to an entry for the first cluster, page by page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from harness.console import Console
from harness.control import ControlProcess
from harness.dashboard import PHONE

ORG, PROJECT, CLUSTER = "Factory East", "Plant 1", "press line"
COLLEAGUE, THEIR_PASSWORD = "grace@example.com", "Grace-hopper-7"


def test_the_wizard_ends_with_a_tested_access_address(console: Console) -> None:
    address = console.field(console.t("common.access.label"))
    expect(address).to_have_value(console.address)
    console.button(console.t("common.access.test")).click()
    expect(console.page.get_by_text(console.t("common.access.reached"))).to_be_visible()
    console.check()
    console.button(console.t("setup.address.finish")).click()
    expect(console.button(console.t("common.mail.test"))).to_be_disabled()
    console.check()
    console.button(console.t("setup.mail.later")).click()
    console.titled("guide.title")
    first = console.page.get_by_role("listitem").filter(has_text=console.t("guide.address.title"))
    expect(first.get_by_text(console.t("common.check.done"), exact=True)).to_be_attached()


def test_the_first_steps_lead_to_an_organization(console: Console) -> None:
    console.page.get_by_role("link", name=console.t("guide.org.action")).click()
    console.titled("orgs.title")
    expect(console.page.get_by_text(console.t("orgs.empty.title"))).to_be_visible()
    console.check()
    console.button(console.t("orgs.add")).first.click()
    console.field(console.t("orgs.field.name"), console.dialog).fill(ORG)
    console.button(console.t("orgs.create"), console.dialog).click()
    console.said(console.t("orgs.created"))
    expect(console.row(ORG)).to_be_visible()
    console.button(console.t("orgs.editOne", name=ORG)).click()
    console.field(console.t("orgs.field.name"), console.dialog).fill(f"{ORG} 2")
    console.button(console.t("orgs.save"), console.dialog).click()
    console.said(console.t("orgs.saved"))
    expect(console.row(f"{ORG} 2")).to_be_visible()


def test_a_name_that_is_taken_stays_in_the_form(console: Console) -> None:
    console.open("/orgs", console.t("orgs.title"))
    console.allow("POST /api/orgs 409")
    console.button(console.t("orgs.add")).first.click()
    console.field(console.t("orgs.field.name"), console.dialog).fill(f"{ORG} 2")
    console.button(console.t("orgs.create"), console.dialog).click()
    expect(console.dialog.get_by_role("alert")).to_contain_text("ALREADY_EXISTS")
    console.check()
    console.button(console.t("orgs.cancel"), console.dialog).click()
    expect(console.dialog).to_have_count(0)


def test_an_organization_has_a_project(console: Console) -> None:
    console.open("/projects", console.t("projects.title"))
    expect(console.page.get_by_text(console.t("projects.empty.title"))).to_be_visible()
    console.button(console.t("projects.add")).first.click()
    console.field(console.t("projects.field.name"), console.dialog).fill(PROJECT)
    console.check()
    console.button(console.t("projects.create"), console.dialog).click()
    console.said(console.t("projects.created"))
    expect(console.row(PROJECT, ORG)).to_be_visible()
    switcher = console.page.get_by_role("banner").get_by_role("textbox")
    expect(switcher).to_have_value(f"{ORG} 2 / {PROJECT}")


def test_a_colleague_is_made_and_put_into_the_project(console: Console) -> None:
    console.open("/users", console.t("users.title"))
    console.button(console.t("users.add")).click()
    console.field(console.t("users.email"), console.dialog).fill(COLLEAGUE)
    console.field(console.t("users.personName"), console.dialog).fill("Grace")
    console.new_password(THEIR_PASSWORD)
    console.switch(console.t("users.password.mustChange")).click()
    console.choose(console.t("users.project"), f"{ORG} 2 / {PROJECT}", console.dialog)
    console.check()
    console.button(console.t("users.create"), console.dialog).click()
    console.said(console.t("users.saved"))
    console.button(console.t("users.places.of", email=COLLEAGUE)).click()
    expect(console.dialog).to_contain_text(f"{ORG} 2 / {PROJECT}")
    console.check()
    console.page.keyboard.press("Escape")
    console.open("/projects", console.t("projects.title"))
    console.button(console.t("projects.membersOf", name=PROJECT)).click()
    row = console.row(COLLEAGUE)
    expect(row).to_contain_text(console.t("common.role.viewer"))
    console.check()
    console.button(console.t("members.editOne", name=COLLEAGUE)).click()
    console.choose(console.t("members.field.role"), console.t("common.role.admin"), console.dialog)
    console.button(console.t("members.save"), console.dialog).click()
    console.said(console.t("members.saved"))
    expect(row).to_contain_text(console.t("common.role.admin"))


def test_the_workbench_leads_to_an_entry_and_its_commands(console: Console) -> None:
    console.page.get_by_role("link", name=console.t("shell.area.workbench")).click()
    console.titled("clusters.title")
    expect(console.page.get_by_text(console.t("clusters.empty.title"))).to_be_visible()
    console.check()
    console.button(console.t("clusters.adopt")).first.click()
    console.field(console.t("clusters.clusterName"), console.dialog).fill(CLUSTER)
    address = console.field(console.t("clusters.clusterAddress"), console.dialog)
    address.fill("http://127.0.0.1:18083")
    console.check()
    console.button(console.t("clusters.create"), console.dialog).click()
    console.said(console.t("clusters.entryMade"))
    card = console.page.get_by_role("article", name=CLUSTER)
    expect(card).to_contain_text(console.t("clusters.states.created"))
    console.button(console.t("clusters.registerOne", name=CLUSTER)).click()
    console.button(console.t("register.token.issue"), console.dialog).click()
    command = console.dialog.locator("code").filter(has_text="--registration-token rkr_").first
    expect(command).to_contain_text("--ca-sha256")
    expect(command).to_contain_text("'<password>'")
    secret = console.dialog.locator("input[type=password]")
    secret.fill("it's secret")
    expect(command).to_contain_text("'it'\"'\"'s secret'")
    checklist = console.dialog.get_by_role("list", name=console.t("register.progress"))
    expect(checklist.get_by_text(console.t("common.check.done"), exact=True)).to_have_count(1)
    console.check()
    console.page.keyboard.press("Escape")
    expect(console.dialog).to_have_count(0)


def test_a_cluster_has_a_page_of_its_own(console: Console) -> None:
    console.page.get_by_role("link", name=CLUSTER).click()
    expect(console.page.get_by_role("heading", level=1)).to_have_text(CLUSTER)
    console.settle()
    expect(console.page.get_by_text(console.t("clusters.noNodes.title"))).to_be_visible()
    console.page.get_by_role("button", name=console.t("clusters.states.created")).click()
    expect(console.page.get_by_text(console.t("clusters.noConditions")).first).to_be_visible()
    console.page.keyboard.press("Escape")
    console.check()
    console.page.get_by_role("link", name=console.t("shell.tab.back")).click()
    console.titled("clusters.title")


def test_the_list_is_a_table_too_and_is_filtered(console: Console) -> None:
    console.page.get_by_text(console.t("clusters.views.table"), exact=True).click()
    expect(console.row(CLUSTER)).to_be_visible()
    console.check()
    console.filter(console.t("common.find")).fill("no such cluster")
    expect(console.page.get_by_text(console.t("common.noMatch.title"))).to_be_visible()
    console.button(console.t("common.clearFilters")).click()
    expect(console.row(CLUSTER)).to_be_visible()
    console.page.get_by_text(console.t("clusters.views.cards"), exact=True).click()


def test_what_was_done_is_in_the_audit(console: Console) -> None:
    console.open("/audit", console.t("audit.title"))
    done = f"{console.t('audit.operations.update')} {ORG} 2"
    console.button(console.t("audit.showOne", name=done)).click()
    expect(console.dialog.get_by_role("row", name="name")).to_contain_text(f"{ORG} 2")
    console.check()
    console.page.keyboard.press("Escape")
    file = console.downloaded(console.button(console.t("audit.export")))
    assert ORG in file.read_text("utf-8")


def test_a_program_gets_a_token_that_is_shown_once(console: Console) -> None:
    console.open("/tokens", console.t("tokens.title"))
    console.button(console.t("tokens.add")).first.click()
    console.field(console.t("tokens.field.name"), console.dialog).fill("inventory")
    console.check()
    console.button(console.t("tokens.create"), console.dialog).click()
    expect(console.dialog.locator("pre")).to_contain_text("rkt_")
    console.check()
    console.button(console.t("common.kept"), console.dialog).click()
    expect(console.row("inventory")).to_contain_text(console.t("tokens.accesses.read"))
    console.button(console.t("tokens.deleteOne", name="inventory")).click()
    console.agree(console.t("tokens.delete"))
    console.said(console.t("tokens.deleted"))


def test_the_colleague_sees_their_project_alone(
    browser: Browser, control: ControlProcess, console: Console
) -> None:
    theirs = Console(browser, control.url, console.language)
    theirs.allow("POST /api/login 401")
    theirs.sign_in(COLLEAGUE, "not-the-pass-1")
    expect(theirs.page.get_by_role("alert")).to_contain_text("BAD_USERNAME_OR_PWD")
    theirs.check()
    theirs.sign_in(COLLEAGUE, THEIR_PASSWORD)
    theirs.titled("clusters.title")
    expect(theirs.page.get_by_role("article", name=CLUSTER)).to_be_visible()
    theirs.page.get_by_role("link", name=theirs.t("shell.area.system")).click()
    theirs.titled("projects.title")
    settings = theirs.page.get_by_role("link", name=theirs.t("shell.page.settings"))
    expect(settings).to_have_count(0)
    theirs.check()
    theirs.close()


@pytest.mark.parametrize(("spoken", "scheme"), [("en", "light"), ("zh", "dark")])
def test_every_page_fits_a_phone(
    browser: Browser, control: ControlProcess, console: Console, spoken: str, scheme: str
) -> None:
    phone = Console(browser, control.url, spoken, PHONE, scheme)
    phone.sign_in()
    phone.titled("clusters.title")
    paths = ["/guide", "/orgs", "/projects", "/users", "/audit", "/settings", "/tokens", "/profile"]
    for path in ["/", *paths]:
        phone.page.goto(f"{control.url}/#{path}")
        expect(phone.page.get_by_role("heading", level=1)).to_be_visible()
        phone.settle()
        too_wide = phone.page.evaluate(
            "() => document.scrollingElement.scrollWidth - window.innerWidth"
        )
        assert too_wide <= 0, path
        phone.check()
    phone.close()


def test_signing_out_ends_the_session(console: Console) -> None:
    console.page.get_by_role("banner").get_by_role("button", name="Ada").click()
    console.page.get_by_role("menuitem", name=console.t("common.signOut")).click()
    console.titled("login.title")
    console.check()
