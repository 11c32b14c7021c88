"""What stands around the operations: TLS for everybody from elsewhere, pages, certificates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from starlette.responses import PlainTextResponse

from harness.control import World
from rookery.access import own_certificates as certificates
from rookery.config.control import load_control
from rookery.web.only_tls import OnlyTls


async def through(client: str, scheme: str = "http") -> tuple[int, dict[str, str]]:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    scope = {
        "type": "http", "method": "GET", "path": "/api/orgs", "query_string": b"a=1",
        "headers": [(b"host", b"control.example.com:8082")], "client": (client, 1),
        "scheme": scheme, "server": ("192.0.2.9", 8082), "root_path": "",
    }  # fmt: skip
    await OnlyTls(PlainTextResponse("here"))(scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers


@pytest.mark.parametrize("client", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
async def test_this_machine_may_speak_plain_http(client: str) -> None:
    assert (await through(client))[0] == 200


@pytest.mark.parametrize("client", ["192.0.2.7", "2001:db8::7"])
async def test_everybody_else_is_sent_to_https(client: str) -> None:
    status, headers = await through(client)
    assert (status, headers["location"]) == (308, "https://control.example.com:8082/api/orgs?a=1")
    assert (await through(client, "https"))[0] == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "http://[", "http://a:99999", "null"])
async def test_a_page_of_another_origin_uses_nothing(world: World, admin: str, origin: str) -> None:
    headers = {"origin": origin}
    answer = await world.ask("GET", "/orgs", token=admin, headers=headers)
    assert answer.problem == (403, "CROSS_ORIGIN")


async def test_without_built_pages_the_console_says_how_they_are_built(world: World) -> None:
    async with world.client.get(f"{world.url}/clusters") as answer:
        text = await answer.text()
    assert answer.status in (200, 404)
    assert answer.status == 200 or "tools/setup.sh" in text


async def test_the_document_is_served(world: World) -> None:
    async with world.client.get(f"{world.url}/api-docs/swagger.json") as answer:
        found = await answer.json()
    assert found["paths"]["/orgs"]["post"]["x-permission"] == {
        "resource": "organizations",
        "level": "edit",
    }


def test_certificates_stay_until_their_names_change(tmp_path: Path) -> None:
    def prepared(*names: str) -> certificates.Certificates:
        sets = [f"control.tls.names=[{','.join(names)}]"]
        return certificates.prepare(load_control(None, tmp_path, sets, environ={}))

    first = prepared('"a.example"')
    before = first.certificate_file.read_bytes()
    assert prepared('"a.example"').certificate_file.read_bytes() == before
    other = prepared('"b.example"')
    assert other.ca_sha256 == first.ca_sha256
    found = x509.load_pem_x509_certificate(other.certificate_file.read_bytes())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["b.example"]
    assert first.key_file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("body", "english", "chinese"),
    [
        ({}, "name: Field required", "name: 缺少必填项"),
        ({"name": 5}, "name: Input should be a valid string", "name: 应为字符串"),
        ({"name": "x" * 201}, "at most 200 characters", "name: 最多 200 个字符"),
        ({"name": "x", "nmae": "y"}, "nmae: Extra inputs", "nmae: 未知的字段"),
    ],
)
async def test_what_does_not_fit_is_told_in_the_readers_language(
    world: World, admin: str, body: dict[str, Any], english: str, chinese: str
) -> None:
    for language, text in (("en", english), ("zh-CN", chinese)):
        headers = {"accept-language": language}
        answer = await world.ask("POST", "/orgs", body, token=admin, headers=headers)
        assert answer.problem == (400, "BAD_REQUEST")
        assert text in answer.json["message"]
