"""Parts of the REST interface that need no node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.requests import Request

from harness.node import ROOT
from rookery.broker.audit import AuditLog, changed, one_entry, reader
from rookery.broker.rest.features import FEATURES, Feature
from rookery.clock import ManualClock
from rookery.web.codes import ERROR_CODES
from rookery.web.errors import in_language
from rookery.web.examples import of_schema
from rookery.web.origin import is_foreign
from rookery.web.rest import PageParams, errors, page_of
from rookery.web.segments import decoded, encoded
from rookery.web.static_pages import NONCE_PLACE, Pages


@pytest.mark.parametrize(
    ("raw", "segments"),
    [
        (b"/a/b", ["", "a", "b"]),
        (b"/a%2Fb/c?x=%2f", ["", "a/b", "c"]),
        (b"/a%252Fb", ["", "a%2Fb"]),
        (b"/%E4%BD%A0", ["", "你"]),
        (b"/a+b%20c", ["", "a+b c"]),
        (b"/%2f%2F", ["", "//"]),
    ],
)
def test_segments_stay_whole(raw: bytes, segments: list[str]) -> None:
    assert [decoded(part) for part in encoded(raw).split("/")] == segments


@pytest.mark.parametrize(("raw", "why"), [(b"/%ff", "can't decode"), (b"/%ef%bf%bf", "not a path")])
def test_what_is_no_text_is_no_path(raw: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        encoded(raw)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"host": "a:1"}, False),
        ({"host": "a:1", "origin": "http://a:1"}, False),
        ({"host": "a:1", "origin": "https://a:1"}, False),
        ({"host": "a:1", "origin": "http://a:2"}, True),
        ({"host": "a:1", "origin": "http://b:1"}, True),
        ({"host": "a:1", "origin": ""}, True),
        ({"host": "a:1", "origin": "http://["}, True),
        ({"host": "a:1", "sec-fetch-site": "none"}, False),
        ({"host": "a:1", "sec-fetch-site": "cross-site"}, True),
    ],
)
def test_what_another_origin_is(headers: dict[str, str], expected: bool) -> None:
    assert is_foreign(Headers(headers)) is expected


def test_pages_of_a_list() -> None:
    rows = list(range(25))

    assert PageParams(3, 10).cut(rows) == {
        "data": [20, 21, 22, 23, 24],
        "meta": {"page": 3, "limit": 10, "count": 25, "hasnext": False},
    }
    assert PageParams(2, 10).cut(rows)["meta"]["hasnext"] is True
    assert PageParams(9, 10).cut(rows)["data"] == []
    assert page_of([1], 1, 1, None, hasnext=True)["meta"] == {
        "page": 1,
        "limit": 1,
        "hasnext": True,
    }


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.module)
def test_a_feature_is_found_by_how_its_paths_begin(feature: Feature) -> None:
    router = feature.router(MagicMock())

    paths = [route.path for route in router.routes if isinstance(route, APIRoute)]
    assert {path.split("/")[1] for path in paths} == set(feature.begins)


def test_every_code_can_be_documented() -> None:
    for code, meaning in ERROR_CODES.items():
        assert 400 <= meaning.status < 600
        assert set(errors(code)) == {meaning.status}


def test_every_code_has_its_meaning_in_both_languages() -> None:
    for code, meaning in ERROR_CODES.items():
        assert meaning.text("en").isascii(), code
        assert any("\u4e00" <= letter <= "\u9fff" for letter in meaning.text("zh")), code


def test_a_refusal_is_read_in_the_language_asked_for() -> None:
    def told(language: str, code: str, message: str) -> str:
        headers = [(b"accept-language", language.encode())]
        return in_language({"type": "http", "headers": headers}, code, message)

    assert told("zh-CN,en", "NOT_FOUND", "no client a") == "不存在客户端 a"
    assert told("zh", "NOT_FOUND", "Not found") == "未找到"
    assert told("de", "NOT_FOUND", "no client a") == "no client a"
    assert told("zh", "SOMETHING_ELSE", "no client a") == "不存在客户端 a"
    assert told("zh", "SOMETHING_ELSE", "colours fade") == "colours fade"
    assert told("zh", "NOT_FOUND", "colours fade") == "未找到：colours fade"


def test_two_codes_share_a_status() -> None:
    found = errors("NOT_FOUND", "USER_NOT_FOUND", (400, "ALREADY_EXISTS"))

    assert set(found) == {400, 404}
    examples = found[404]["content"]["application/json"]["examples"]
    assert set(examples) == {"NOT_FOUND", "USER_NOT_FOUND"}


def entries(log: AuditLog) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.file.read_text().splitlines()]


def test_what_services_tell_becomes_one_entry(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, ManualClock())
    with one_entry() as changes:
        log.record("update", "a", before=1, after=2)
        changed("b", after={"password": "secret"})
        log.record("PUT", "/x", after=changes.after, request={"body": {"password": "secret"}})
    log.record("update", "c")

    first, second = entries(log)
    assert first["after"] == {"a": 2, "b": {"password": "******"}}
    assert first["request"]["body"] == {"password": "******"}
    assert (second["target"], "request" in second) == ("c", False)


def test_entries_are_found_from_the_last_one_back_over_files(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, ManualClock())
    log.file.parent.mkdir()
    long = "x" * 1000
    older = log.file.with_name(log.file.name + ".1")
    older.write_text("".join(json.dumps({"n": n, "x": long}) + "\n" for n in range(300)))
    log.file.write_text(
        "".join(json.dumps({"n": n, "x": long}) + "\n" for n in range(300, 500)) + '{"cut'
    )

    found = reader.find(log, lambda entry: entry["n"] % 2 == 0, 95, 10)

    assert [entry["n"] for entry in found.entries] == list(range(308, 288, -2))
    assert found.is_more
    assert not reader.find(log, lambda entry: entry["n"] < 5, 0, 5).is_more


def test_entries_of_the_audit_log_are_sorted(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, ManualClock())
    log.file.parent.mkdir()
    numbers = (3, None, 1, 2, 3)
    log.file.write_text("".join(json.dumps({"n": number}) + "\n" for number in numbers))

    def page(start: int, limit: int, *, is_descending: bool = False) -> tuple[list[Any], bool]:
        found = reader.find_sorted(
            log,
            lambda entry: entry["n"] != 2,
            lambda entry: (entry["n"] is not None, entry["n"] or 0),
            start,
            limit,
            is_descending=is_descending,
        )
        return [entry["n"] for entry in found.entries], found.is_more

    assert page(0, 10) == ([None, 1, 3, 3], False)
    assert page(1, 2) == ([1, 3], True)
    assert page(0, 3, is_descending=True) == ([3, 3, 1], True)
    assert page(3, 3, is_descending=True) == ([None], False)
    assert page(9, 3) == ([], False)


def request(path: str) -> Request:
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": "/" + path,
            "headers": [],
            "path_params": {"path": path},
        }
    )


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    folder = tmp_path / "pages"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(f"<p>start {NONCE_PLACE}</p>")
    (folder / "assets" / "a-1234.js").write_text("1")
    (folder / "rook.svg").write_text("<svg/>")
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    return Pages(folder, name="dashboard", api="/api/v5")


@pytest.mark.parametrize("path", ["", "index.html", "clients/a b", "link", "../secret", "a\0b"])
async def test_a_path_that_is_no_file_is_the_dashboards(pages: Pages, path: str) -> None:
    first, second = await pages.get(request(path)), await pages.get(request(path))

    assert bytes(first.body).startswith(b"<p>start ")
    assert NONCE_PLACE.encode() not in bytes(first.body)
    nonce = bytes(first.body).split()[1].removesuffix(b"</p>").decode()
    assert f"'nonce-{nonce}'" in first.headers["content-security-policy"]
    assert bytes(first.body) != bytes(second.body)
    assert first.headers["cache-control"] == "no-cache"


async def test_files_with_a_hash_in_their_name_are_kept_for_ever(pages: Pages) -> None:
    asset = await pages.get(request("assets/a-1234.js"))
    picture = await pages.get(request("rook.svg"))

    assert "immutable" in asset.headers["cache-control"]
    assert asset.headers["content-type"].startswith(("text/javascript", "application/javascript"))
    assert picture.headers["cache-control"] == "no-cache"
    assert (await pages.get(request("assets/old-1.js"))).status_code == 404


async def test_without_pages_it_says_where_they_come_from(tmp_path: Path) -> None:
    answer = await Pages(tmp_path / "none", name="dashboard", api="/api/v5").get(request(""))

    assert answer.status_code == 404
    assert b"/api/v5" in bytes(answer.body)


def test_an_operation_shows_the_body_that_it_names_itself() -> None:
    schemas = {"Thing": {"properties": {"name": {"type": "string", "default": ""}}}}
    own = {"$ref": "#/components/schemas/Thing", "examples": [{"name": "extra"}]}
    plain = {"$ref": "#/components/schemas/Thing"}
    document = {"components": {"schemas": schemas}}
    assert of_schema(document, own) == {"name": "extra"}
    assert of_schema(document, plain) == {"name": ""}


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/trace", {"name": "slow-device", "type": "clientid", "clientid": "dev-001"}),
        ("/listeners", {"type": "tcp", "name": "extra"}),
    ],
)
def test_the_example_of_the_document_is_one_that_the_node_takes(
    path: str, wanted: dict[str, str]
) -> None:
    document = json.loads((ROOT / "docs" / "reference" / "openapi.json").read_text("utf-8"))
    shown = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert {name: shown[name] for name in wanted} == wanted
    assert "topic" not in shown
