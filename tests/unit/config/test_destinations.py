"""A secret that nobody wrote again goes nowhere but where it went."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rookery.config import Config, InvalidConfigError, load
from rookery.config.runtime import RuntimeChanges
from rookery.config.secrets import HIDDEN

HTTP = {
    "mechanism": "password_based",
    "backend": "http",
    "method": "post",
    "url": "http://auth.example:8080/ask",
    "headers": {"authorization": "swordfish"},
    "body": {"password": "${password}"},
}
REDIS = {
    "mechanism": "password_based",
    "backend": "redis",
    "server": "redis.example:6379",
    "password": "swordfish",
    "cmd": "HMGET mqtt:${username} password_hash",
    "ssl": {"enable": True},
}
CHAIN = ("authentication",)
CONNECTOR = ("connectors", "redis", "cache")
HTTP_CONNECTOR = {"url": "http://sink.example", "headers": {"x-key": "swordfish"}}


def started(tmp_path: Path, environ: dict[str, str] | None = None) -> Config:
    return load(None, tmp_path, environ=environ or {})


def changed(config: Config, changes: Mapping[Any, Any]) -> Config:
    stored = RuntimeChanges(config.data_dir)
    new, tree = stored.changed(config, changes)
    stored.save(tree, 0)
    return new


def refused(config: Config, changes: Mapping[Any, Any], kind: str = "secret_moved") -> list[str]:
    before = RuntimeChanges(config.data_dir).at(())
    with pytest.raises(InvalidConfigError) as found:
        changed(config, changes)
    assert RuntimeChanges(config.data_dir).at(()) == before
    assert all(problem.kind.startswith(kind) for problem in found.value.details)
    return [problem.path for problem in found.value.details]


def lost(config: Config, changes: Mapping[Any, Any]) -> list[str]:
    return refused(config, changes, "secret_lost")


def hiding(entry: dict[str, Any], **other: Any) -> dict[str, Any]:
    shown = {**entry, **other}
    if "password" in shown:
        shown["password"] = HIDDEN
    if "headers" in shown:
        shown["headers"] = dict.fromkeys(shown["headers"], HIDDEN)
    return shown


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example:8080/ask",
        "http://auth.example:8081/ask",
        "https://auth.example:8080/ask",
        "http://auth.example:8080@evil.example/ask",
    ],
)
def test_headers_do_not_follow_to_another_scheme_host_or_port(tmp_path: Path, url: str) -> None:
    config = changed(started(tmp_path), {CHAIN: [HTTP]})
    other = hiding(HTTP, url=url, ssl={"enable": True})
    assert refused(config, {CHAIN: [other]}) == ["authentication.1.headers.authorization"]
    said = {**other, "headers": {"authorization": "swordfish"}}
    assert changed(config, {CHAIN: [said]})["authentication"][0]["url"] == url


def test_what_leads_to_the_same_place_keeps_its_secrets(tmp_path: Path) -> None:
    config = changed(started(tmp_path), {CHAIN: [HTTP, REDIS]})
    same = hiding(HTTP, url="http://Auth.example:8080/other", request_timeout="3s")
    new = changed(config, {CHAIN: [same, hiding(REDIS, pool_size=2)]})
    assert RuntimeChanges(new.data_dir).at(CHAIN)[0]["headers"] == HTTP["headers"]
    assert new["authentication"][1]["password"].reveal() == "swordfish"


def test_entries_that_change_places_keep_their_own_secrets(tmp_path: Path) -> None:
    config = changed(started(tmp_path), {CHAIN: [HTTP, {**REDIS, "password": "other"}]})
    new = changed(config, {CHAIN: [hiding(REDIS), hiding(HTTP)]})
    assert new["authentication"][0]["password"].reveal() == "other"
    assert new["authentication"][1]["headers"] == HTTP["headers"]


@pytest.mark.parametrize(
    "other",
    [{"server": "evil.example:6379"}, {"server": "redis.example:1"}, {"ssl": {"enable": False}}],
)
def test_a_password_does_not_follow(tmp_path: Path, other: dict[str, Any]) -> None:
    config = changed(started(tmp_path), {CHAIN: [HTTP, REDIS]})
    changes = {CHAIN: [hiding(HTTP), hiding(REDIS, **other)]}
    assert refused(config, changes) == ["authentication.2.password"]


def test_a_secret_of_the_environment_does_not_follow(tmp_path: Path) -> None:
    environ = {"ROOKERY_CONNECTORS__REDIS__CACHE__PARAMETERS__PASSWORD": "swordfish"}
    stored = {"parameters": {"redis_type": "single", "server": "redis.example:6379"}}
    changed(started(tmp_path), {CONNECTOR: stored})
    config = started(tmp_path, environ)
    away = {"parameters": {"redis_type": "single", "server": "evil.example:6379"}}
    assert refused(config, {CONNECTOR: away}) == ["connectors.redis.cache.parameters.password"]


def test_secrets_of_actions_do_not_follow_their_connector(tmp_path: Path) -> None:
    action = {"connector": "sink", "parameters": {"headers": {"authorization": "swordfish"}}}
    at, action_at = ("connectors", "http", "sink"), ("actions", "http", "tell")
    plain = {"url": "http://sink.example"}
    config = changed(started(tmp_path), {at: plain, action_at: action})
    assert refused(config, {at: {"url": "http://evil.example"}}) == ["connectors.http.sink.url"]
    other = {("connectors", "http", "evil"): {"url": "http://evil.example"}}
    config = changed(config, other)
    moved = {**action, "connector": "evil", "parameters": {"headers": {"authorization": HIDDEN}}}
    key = "actions.http.tell.parameters.headers.authorization"
    assert refused(config, {action_at: moved}) == [key]
    both = {at: {"url": "http://new.example"}, action_at: action}
    assert changed(config, both)["connectors"]["http"]["sink"]["url"] == "http://new.example"


def test_whole_roots_are_no_way_around(tmp_path: Path) -> None:
    named = {"http": {"sink": HTTP_CONNECTOR}}
    config = changed(started(tmp_path), {("connectors",): named})
    moved = {"http": {"sink": hiding(HTTP_CONNECTOR, url="http://evil.example")}}
    assert refused(config, {("connectors",): moved}) == ["connectors.http.sink.headers.x-key"]


def test_headers_of_telemetry_do_not_follow(tmp_path: Path) -> None:
    exporter = {"endpoint": "http://collector.example:4318", "headers": {"x-token": "swordfish"}}
    at = ("opentelemetry", "exporter")
    config = changed(started(tmp_path), {at: exporter})
    moved = hiding(exporter, endpoint="http://evil.example:4318")
    assert refused(config, {at: moved}) == ["opentelemetry.exporter.headers.x-token"]


SINK, TELL = ("connectors", "http", "sink"), ("actions", "http", "tell")


def tells(path: str, **parameters: Any) -> dict[str, Any]:
    return {"connector": "sink", "parameters": {"path": path, **parameters}}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("/y?token=******&v=${temp}", "/y?token=swordfish&v=${temp}"),
        ("/x?token=******&v=${temp}&w=1", "/x?token=swordfish&v=${temp}&w=1"),
        ("/x?v=${temp}", "/x?v=${temp}"),
    ],
)
def test_the_path_of_a_request_keeps_its_secret(tmp_path: Path, sent: str, kept: str) -> None:
    known = {SINK: {"url": "http://sink.example"}, TELL: tells("/x?token=swordfish&v=${temp}")}
    new = changed(changed(started(tmp_path), known), {TELL: tells(sent)})
    assert new["actions"]["http"]["tell"]["parameters"]["path"] == kept


def test_a_text_keeps_what_follows_a_word_for_a_secret(tmp_path: Path) -> None:
    body = '{"api_key": "swordfish", "v": "${v}"}'
    known = {SINK: {"url": "http://sink.example"}, TELL: tells("/x", body=body)}
    config = changed(started(tmp_path), known)
    shown = config.effective()["actions"]["http"]["tell"]["parameters"]["body"]
    assert "swordfish" not in shown
    sent = shown.replace("${v}", "${w}")
    new = changed(config, {TELL: tells("/x", body=sent)})
    kept = new["actions"]["http"]["tell"]["parameters"]["body"]
    assert kept == body.replace("${v}", "${w}")


@pytest.mark.parametrize("path", ["/x?kode=******", "/x?token=******&sig=******"])
def test_a_mask_that_means_nothing_is_refused(tmp_path: Path, path: str) -> None:
    known = {SINK: {"url": "http://sink.example"}, TELL: tells("/x?token=swordfish")}
    config = changed(started(tmp_path), known)
    assert lost(config, {TELL: tells(path)}) == ["actions.http.tell.parameters.path"]
    assert lost(config, {TELL: tells("/x", body="token=******")})
    new = changed(config, {TELL: tells("/x", body="stars: ******")})
    assert new["actions"]["http"]["tell"]["parameters"]["body"] == "stars: ******"


@pytest.mark.parametrize(
    "url", ["HTTP://sink.example", "http://SINK.example", "http://sink.example:80"]
)
def test_one_place_written_in_another_way_keeps_its_secrets(tmp_path: Path, url: str) -> None:
    config = changed(started(tmp_path), {SINK: {"url": "http://u:p@sink.example/?code=swordfish"}})
    place = url.replace("//", "//******@")
    new = changed(config, {SINK: {"url": f"{place}/?code=******"}})
    kept = new["connectors"]["http"]["sink"]["url"]
    assert kept == url.replace("//", "//u:p@") + "/?code=swordfish"


def test_nothing_is_made_with_a_mask_for_a_secret(tmp_path: Path) -> None:
    config = started(tmp_path)
    url = {"url": "http://sink.example/?code=******"}
    assert lost(config, {SINK: url}) == ["connectors.http.sink.url"]
    assert lost(config, {CONNECTOR: {"server": "h:1", "password": HIDDEN}})
    assert lost(config, {(*CONNECTOR, "password"): HIDDEN}) == ["connectors.redis.cache.password"]
    assert lost(config, {CHAIN: [hiding(REDIS)]}) == ["authentication.1.password"]
    gateway = {"push_gateway": {"url": "http://h", "headers": {"x-token": HIDDEN}}}
    assert lost(config, {("prometheus",): gateway})


def test_a_path_does_not_take_its_secret_elsewhere(tmp_path: Path) -> None:
    known = {SINK: {"url": "http://sink.example"}, TELL: tells("/x?token=swordfish")}
    config = changed(started(tmp_path), known)
    assert refused(config, {SINK: {"url": "http://evil.example"}}) == ["connectors.http.sink.url"]
    config = changed(config, {("connectors", "http", "evil"): {"url": "http://evil.example"}})
    moved = {**tells("/x?token=******"), "connector": "evil"}
    assert refused(config, {TELL: moved}) == ["actions.http.tell.parameters.path"]
