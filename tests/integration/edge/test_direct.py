"""Edge services that control reaches at an address: added, one or many; asked how they are; worked on."""

from __future__ import annotations

import asyncio
import csv
import io
import ssl
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio

from harness.client import DEADLINE_S
from harness.control import PASSWORD as CONTROL_PASSWORD
from harness.control import World, control_world
from harness.edge import PASSWORD, EdgeWorld, edge_world
from harness.edge_agents import until
from harness.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

VIEWER = "vic@example.com"
NOWHERE = "http://127.0.0.1:1"


class Site(NamedTuple):
    """A control plane with a project, and an edge service that knows nothing of it."""

    world: World
    edge: EdgeWorld
    admin: str
    viewer: str
    token: str
    path: str

    @property
    def services(self) -> str:
        return f"{self.path}/edgeservices"

    async def get(self, path: str, *, token: str = "") -> Any:
        answer = await self.world.ask("GET", path, token=token or self.admin)
        assert answer.status == 200, answer.text
        return answer.json

    def place(self, **more: Any) -> dict[str, Any]:
        """What somebody types."""
        return {"address": self.edge.url, "username": "admin", "password": PASSWORD, **more}

    async def add(self, name: str, **more: Any) -> dict[str, Any]:
        answer = await self.world.ask(
            "POST", self.services, self.place(name=name, **more), token=self.admin
        )
        assert answer.status == 201, answer.text
        made: dict[str, Any] = answer.json
        return made

    async def delete(self, row: dict[str, Any]) -> None:
        path, given = f"{self.services}/{row['id']}", {"name": row["name"]}
        answer = await self.world.ask("DELETE", path, given, token=self.admin)
        assert answer.status == 204, answer.text

    async def running(self, service: str) -> dict[str, Any]:
        async def found() -> dict[str, Any] | None:
            row: dict[str, Any] = await self.get(f"{self.services}/{service}")
            return row if row["state"] == "running" else None

        return await until(found)

    async def problem(self, service: str) -> str:
        """Why it cannot be asked, once it was tried."""

        async def found() -> str | None:
            shown = await self.get(f"{self.services}/{service}/connection")
            return str(shown["problem"]) or None

        return await until(found)

    async def bring(self, table: str) -> Any:
        """Import a file."""
        async with self.world.client.post(
            f"{self.world.url}/api{self.services}/import",
            data=table.encode(),
            headers={"authorization": f"Bearer {self.admin}", "content-type": "text/csv"},
        ) as answer:
            return answer.status, await answer.json()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("direct")
    sets = ("control.agents.report_interval=1s", "control.edges.targets=any")
    async with control_world(folder / "control", sets=sets) as world:
        admin = await world.set_up()
        org = await world.make(admin, "/orgs", {"name": "Factory East"})
        project = await world.make(admin, f"/orgs/{org}/projects", {"name": "Plant 1"})
        given = {"email": VIEWER, "password": CONTROL_PASSWORD, "role": "viewer"}
        user = await world.make(admin, f"/orgs/{org}/members", given)
        members = f"/orgs/{org}/projects/{project}/members"
        await world.make(admin, members, {"userId": user, "role": "viewer"})
        viewer = await world.sign_in(VIEWER, CONTROL_PASSWORD)
        async with edge_world(folder / "edge") as edge:
            token = await edge.first_visit()
            path = f"/orgs/{org}/projects/{project}"
            yield Site(world, edge, admin, viewer, token, path)


async def test_added_it_is_asked_how_it_is_and_shown_as_the_others_are(site: Site) -> None:
    row = await site.add("hall-3", labels=["site=east"], description="Hall 3")
    assert (row["mode"], row["agentId"], row["labels"]) == ("direct", None, ["site=east"])
    await site.edge.did(
        site.token, "POST", "/neuron/node", {"name": "sim", "plugin": "Simulator", "params": {}}
    )

    async def found() -> dict[str, Any] | None:
        shown: dict[str, Any] = await site.get(f"{site.services}/{row['id']}", token=site.viewer)
        return shown if shown["drivers"]["total"] == 1 else None

    shown = await until(found)
    assert (shown["state"], shown["presence"], shown["nodes"][0]["name"]) == (
        "running", "online", "sim",
    )  # fmt: skip
    assert shown["version"]
    overview = await site.get(f"{site.path}/monitoring/edge")
    assert (overview["edges"]["online"], overview["drivers"]["total"]) == (1, 1)
    # It dialed in nowhere.
    assert (await site.get("/edgeagents"))["items"] == []
    told = await site.get(f"{site.services}/{row['id']}/connection")
    assert told == {
        "address": site.edge.url, "username": "admin", "certificateSha256": "", "problem": "",
    }  # fmt: skip
    audit = await site.world.ask("GET", "/audit?resource=edgeServices", token=site.admin)
    assert PASSWORD not in audit.text
    let_go = await site.world.ask("POST", f"{site.services}/{row['id']}/unadopt", token=site.admin)
    assert let_go.problem == (409, "CONFLICT")
    await site.edge.did(site.token, "DELETE", "/neuron/node", {"name": "sim"})
    await site.delete(row)
    assert (await site.get(site.services))["total"] == 0


async def test_its_interface_and_pages_are_there_with_the_callers_role(site: Site) -> None:
    row = await site.add("worked-on")
    proxy = f"/edgeservice/proxy/{row['id']}/api"
    me = await site.get(f"{proxy}/me")
    assert (me["name"], me["role"], me["via"]) == ("ada@example.com", "administrator", "control")
    assert (await site.get(f"{proxy}/me", token=site.viewer))["role"] == "viewer"
    node = {"name": "plc", "plugin": "Simulator", "params": {}}
    refused = await site.world.ask("POST", f"{proxy}/neuron/node", node, token=site.viewer)
    assert (refused.status, refused.json["error"]) == (403, 1017)
    made = await site.world.ask("POST", f"{proxy}/neuron/node", node, token=site.admin)
    assert made.status == 200, made.text
    # A token that is no good any more costs nobody anything.
    given = {"old_pass": PASSWORD, "new_pass": PASSWORD + "-2"}
    again = await site.edge.did(site.token, "POST", "/password", given)
    back = {"old_pass": PASSWORD + "-2", "new_pass": PASSWORD}
    again = await site.edge.did(again["token"], "POST", "/password", back)
    export = await site.get(f"{proxy}/neuron/global/config")
    assert export["nodes"][0]["name"] == "plc"
    deleted = await site.world.ask("DELETE", f"{proxy}/neuron/node", {"name": "plc"},
                                   token=site.admin)  # fmt: skip
    assert deleted.status == 200, deleted.text
    for who, role in ((site.admin, "administrator"), (site.viewer, "viewer")):
        opened = await site.world.ask("POST", f"{site.services}/{row['id']}/page", token=who)
        assert opened.status == 200, opened.text
        parts = urlsplit(opened.json["url"])
        base = f"http://127.0.0.1:{parts.port}"
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as browser:
            async with browser.get(opened.json["url"]) as entered:
                assert entered.status == 200
            async with browser.get(f"{base}/api/session") as session:
                assert await session.json() == {"via": "control"}
            # What a page says of itself counts for nothing.
            forged = {"x-rookery-role": "administrator", "authorization": "Bearer x"}
            async with browser.get(f"{base}/api/me", headers=forged) as shown:
                assert (await shown.json())["role"] == role
    await site.delete(row)
    assert (await site.edge.did(again["token"], "GET", "/me"))["via"] == "token"


async def test_streams_pass_and_end_with_who_reads_them(site: Site) -> None:
    row = await site.add("streamed")
    token = await site.edge.sign_in()
    node = {"name": "sim", "plugin": "Simulator", "params": {}}
    await site.edge.did(token, "POST", "/neuron/node", node)
    group = {"node": "sim", "group": "g", "interval": 100}
    await site.edge.did(token, "POST", "/neuron/group", group)
    tag = {"name": "t", "address": "sine", "attribute": 1, "type": 9}
    await site.edge.did(token, "POST", "/neuron/tags", {"node": "sim", "group": "g", "tags": [tag]})
    proxy = f"/edgeservice/proxy/{row['id']}/api/neuron"
    url = f"{site.world.url}/api{proxy}/read/stream?node=sim&group=g"
    headers = {"authorization": f"Bearer {site.viewer}"}
    async with asyncio.timeout(DEADLINE_S), site.world.client.get(url, headers=headers) as live:
        assert live.headers["content-type"].startswith("text/event-stream")
        found = b""
        while found.count(b'"t"') < 2:
            found += await live.content.readany()

    async def over() -> bool | None:
        return None if site.world.control.edges.way.calls else True

    await until(over)
    await site.edge.did(token, "DELETE", "/neuron/node", {"name": "sim"})
    await site.delete(row)


async def test_a_certificate_is_trusted_by_its_fingerprint_or_not_at_all(site: Site) -> None:
    secure = site.edge.url.replace("http://", "https://")
    tried = await site.world.ask(
        "POST", f"{site.services}/test", site.place(address=secure), token=site.admin
    )
    assert tried.status == 503
    parts = urlsplit(secure)
    pem = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", parts.port or 0))
    shown = sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    assert shown in tried.json["message"]
    chinese = await site.world.ask(
        "POST", f"{site.services}/test", site.place(address=secure), token=site.admin,
        headers={"accept-language": "zh"},
    )  # fmt: skip
    assert "证书不受本机信任（" in chinese.json["message"]
    # As OpenSSL and browsers write it.
    colons = ":".join(shown[at : at + 2] for at in range(0, 64, 2)).upper()
    given = site.place(address=secure, certificateSha256=colons)
    tried = await site.world.ask("POST", f"{site.services}/test", given, token=site.admin)
    assert tried.status == 200, tried.text
    assert tried.json["version"]
    other = site.place(address=secure, certificateSha256="0" * 64)
    tried = await site.world.ask("POST", f"{site.services}/test", other, token=site.admin)
    assert tried.status == 503
    assert "another certificate" in tried.json["message"]
    row = await site.add("pinned", address=secure, certificateSha256=colons)
    await site.running(row["id"])
    await site.delete(row)


async def test_why_it_cannot_be_asked_is_told_in_words(site: Site) -> None:
    silent = f"http://127.0.0.1:{free_port()}"
    for place, words in (
        ({"address": silent}, "Connection refused"),
        ({"password": "wrong-one-1"}, "refuses the user name or the password"),
        ({"address": site.world.url}, "no edge service"),
    ):
        tried = await site.world.ask(
            "POST", f"{site.services}/test", site.place(**place), token=site.admin
        )
        assert tried.status == 503, tried.text
        assert words in tried.json["message"]
        assert "wrong-one-1" not in tried.text
    token = await site.edge.sign_in()
    vera = {"name": "vera", "password": "looks-on-7", "role": "viewer"}
    await site.edge.did(token, "POST", "/users", vera)
    first = await site.edge.ask("POST", "/login", {"name": "vera", "pass": "looks-on-7"})
    chosen = {"old_pass": "looks-on-7", "new_pass": "looks-on-8"}
    await site.edge.did(first.json["token"], "POST", "/password", chosen)
    looks = await site.edge.sign_in("vera", "looks-on-8")
    for who, role, status in (
        (looks, "administrator", 403),  # nobody gets more than the token has
        (looks, "viewer", 403),
        ("nobody", "viewer", 401),
        (token, "owner", 400),
        (token, "viewer", 200),
    ):
        spoken = {"x-rookery-role": role, "x-rookery-caller": "ada%40example.com"}
        answer = await site.edge.ask("GET", "/me", token=who, headers=spoken)
        assert answer.status == status, (role, answer.text)
        if status == 200:
            assert (answer.json["name"], answer.json["role"]) == ("ada@example.com", "viewer")
    given = site.place(username="vera", password="looks-on-8")
    tried = await site.world.ask("POST", f"{site.services}/test", given, token=site.admin)
    assert tried.status == 503
    assert "no administrator" in tried.json["message"]
    # One that is not there can be added: it is told what is the matter, and found when it is.
    row = await site.add("late", address=silent)
    assert "Connection refused" in await site.problem(row["id"])
    assert (await site.get(f"{site.services}/{row['id']}"))["state"] == "offline"
    asked = await site.world.ask("GET", f"/edgeservice/proxy/{row['id']}/api/me", token=site.admin)
    assert asked.problem == (503, "SOURCE_ERROR")
    moved = {"address": site.edge.url, "username": "admin"}
    path = f"{site.services}/{row['id']}/connection"
    refused = await site.world.ask("PUT", path, moved, token=site.admin)
    assert refused.status == 400
    assert "password" in refused.json["message"]
    done = await site.world.ask("PUT", path, {**moved, "password": PASSWORD}, token=site.admin)
    assert done.status == 204, done.text
    await site.running(row["id"])
    await site.delete(row)


async def test_what_cannot_be_is_refused(site: Site) -> None:
    for place, status in (
        ({"address": "ftp://10.0.0.7"}, 400),
        ({"address": "https://10.0.0.7:8085/pages"}, 400),
        ({"address": "https://ada:secret@10.0.0.7"}, 400),
        ({"address": "https://10.0.0.7:0"}, 400),
        ({"certificateSha256": "aa"}, 400),
        ({"certificateSha256": "a" * 64}, 400),  # of http:// there is none
        ({"password": None}, 400),
        ({"username": "a\x00b"}, 400),
    ):
        given = site.place(name="odd", **place)
        refused = await site.world.ask("POST", site.services, given, token=site.admin)
        assert refused.status == status, (place, refused.text)
    denied = await site.world.ask("POST", site.services, site.place(name="x"), token=site.viewer)
    assert denied.status == 403
    hidden = await site.world.ask("GET", f"{site.services}/export", token=site.viewer)
    assert hidden.status == 403
    first = await site.add("once")
    twice = await site.world.ask("POST", site.services, site.place(name="two"), token=site.admin)
    assert twice.problem == (409, "ALREADY_EXISTS")
    assert "once" in twice.json["message"]
    await site.delete(first)
    assert (await site.get(site.services))["total"] == 0


async def test_many_come_from_a_file_or_none_of_them(site: Site) -> None:
    template = await site.world.ask("GET", f"{site.services}/import-template", token=site.admin)
    head = template.text.lstrip("\ufeff").splitlines()[0]
    url = site.edge.url
    bad = "\r\n".join(
        (
            head,
            f"good,{url},admin,{PASSWORD},,a=b c,first",
            ",https://10.0.0.7,admin,x,,,",
            "odd,ftp://10.0.0.8,admin,x,,,",
            "good,https://10.0.0.9,admin,x,,,",
            "silent,https://10.0.0.10,admin,,,,",
        )
    )
    status, said = await site.bring(bad)
    assert (status, said["added"]) == (200, 0)
    assert [one["line"] for one in said["errors"]] == [3, 4, 5, 6]
    assert "line 2" in said["errors"][2]["reason"]
    assert (await site.get(site.services))["total"] == 0
    lines = (
        head,
        f"good,{url},admin,{PASSWORD},,a=b c,first",
        f"=odd,{NOWHERE},,{PASSWORD},,,",
        "",
    )
    good = "\r\n".join(lines)
    assert await site.bring(good) == (200, {"added": 2, "errors": []})
    rows = (await site.get(f"{site.services}?label=a%3Db"))["items"]
    await site.running(rows[0]["id"])
    _, said = await site.bring(good)
    assert [one["line"] for one in said["errors"]] == [2, 3]
    export = await site.world.ask("GET", f"{site.services}/export", token=site.admin)
    assert PASSWORD not in export.text
    table = list(csv.DictReader(io.StringIO(export.text.lstrip("\ufeff"))))
    assert [(row["name"], row["address"], row["labels"]) for row in table] == [
        ("'=odd", NOWHERE, ""), ("good", url, "a=b c"),
    ]  # fmt: skip
    for row in (await site.get(site.services))["items"]:
        await site.delete(row)
    # The columns of ECP.
    parts = urlsplit(url)
    ecp = (
        "category,name,nodeType,endpoint,scheme,tagName,password\n"
        f"4,ecp,Direct,{parts.netloc},{parts.scheme},east,{PASSWORD}\n"
    )
    assert (await site.bring(ecp))[1] == {"added": 1, "errors": []}
    [row] = (await site.get(site.services))["items"]
    assert (row["name"], row["labels"]) == ("ecp", ["east"])
    await site.delete(row)
    for wrong, words in (
        ("name,colour\nx,red\n", "colour"),
        ("name\nx\n", "address"),
        ("name,address\n", "no row"),
        ('name,address\n"x', "comma-separated"),
    ):
        status, said = await site.bring(wrong)
        assert status == 400
        assert words in said["message"]
