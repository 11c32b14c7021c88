"""A secret is shown nowhere: not in errors, not in warnings, not in what holds."""

from __future__ import annotations

import json

import pytest

from rookery.config.check import check
from rookery.config.load import load
from rookery.config.problems import InvalidConfigError
from rookery.config.runtime import unhidden
from rookery.config.schema import ROOT
from rookery.config.secrets import (
    looks_secret,
    service_url_without_secrets,
    text_without_secrets,
    without_secrets,
)
from rookery.config.sources import from_sets

SECRET = "S3cret7"
PROVIDER = "mechanism=password_based,backend=http,method=get"


@pytest.mark.parametrize(
    "given",
    [
        f"authorization.sources=[{{password={SECRET},type=http}}]",
        f"authorization.sources=[{{password={SECRET},type=htt",
        f"authorization.sources=password={SECRET}",
        f"authorization={{sources={{password={SECRET}}}}}",
        f"authentication=[{{mechanism=jwt,secret={{a={SECRET}}}}}]",
        f'authentication=[{{mechanism=jwt,endpoint="x://u:{SECRET}@h"}}]',
        f'authentication=[{{{PROVIDER},url="http://u:{SECRET}@h/?token={SECRET}"}}]',
        f'authentication=[{{{PROVIDER},url="http://h/",headers={{cookie={SECRET}}}}}]',
        f'authentication=[{{{PROVIDER},url="http://h/",body={{api_token={SECRET}}}}}]',
        f'authentication=[{{{PROVIDER},url="http://h/",headers={{Authorization=[{SECRET}]}}}}]',
        f'authentication=[{{{PROVIDER},url="http://h/",headers={{X-Auth={SECRET}}}}}]',
        f'authentication=[{{{PROVIDER},url="http://h/",headers={SECRET}}}]',
        f'authentication=[{{{PROVIDER},url="http://h/",headers=[{SECRET}]}}]',
        f"authentication..password={SECRET}",
        f"authentication.password {SECRET}",
        f"authentication.password: {SECRET}",
        f"dashboard.default_password=[{SECRET}]",
        f"mqtt=[{{token={SECRET}}}]",
        f"mqtt.max_inflight={{a={{password=[{SECRET}]}}}}",
        f'mqtt.max_inflight="redis://u:{SECRET}@h"',
        f'mqtt.max_inflight="u:{SECRET}@h:1"',
        f'mqtt.max_inflight="u:{SECRET}@{SECRET}/{SECRET}@h:1"',
        f'listeners.tcp.default.bind="u:{SECRET}@h:1"',
        f'mqtt=["a", "u:{SECRET}@h"]',
        f'mqtt.max_inflight={{server="u:{SECRET} {SECRET},x@h:1"}}',
        f"license={{key={SECRET}}}",
        f'prometheus={{headers={{"X-Private-Key"={SECRET}}}}}',
        f"listeners.ssl.default.ssl_options.verify=-----BEGIN PRIVATE KEY-----{SECRET}",
    ],
)
def test_no_secret_is_shown(given: str) -> None:
    shown = []
    try:
        result = check(from_sets([given]), ROOT)
    except InvalidConfigError as error:
        shown += [problem.text(words) for problem in error.details for words in ("en", "zh")]
    else:
        shown.append(json.dumps(result.shown))
        for problem in (*result.problems, *result.warnings):
            shown += [problem.text("en"), problem.text("zh")]
    assert shown
    assert SECRET not in "\n".join(shown)


def test_what_holds_shows_no_secret_of_a_url_or_a_header() -> None:
    url = f'url="https://u:{SECRET}@h/a?token={SECRET}&app={SECRET}&c=${{clientid}}"'
    headers = f'headers={{Authorization="Bearer {SECRET}",accept=json}}'
    body = '{password="${password}"}'
    config = load(
        sets=[f"authentication=[{{{PROVIDER},{url},{headers},body={body}}}]"],
        environ={"HOME": "/nonexistent"},
    )

    rows = json.dumps([(path, value) for path, value, _ in config.settings()])
    assert SECRET not in rows + json.dumps(config.effective())
    assert "https://******@h/a?token=******&app=******&c=${clientid}" in rows
    # What a client sends is no secret of the configuration.
    assert "${password}" in rows
    assert "json" in rows
    provider = config["authentication"][0]
    assert SECRET in provider["url"]
    assert SECRET in provider["headers"]["Authorization"]


@pytest.mark.parametrize(
    "key", ["password", "passwd", "client_secret", "X-Auth-Token", "Set-Cookie", "private_key"]
)
def test_keys_that_look_secret(key: str) -> None:
    assert looks_secret(key)


@pytest.mark.parametrize(
    "key", ["password_hash_algorithm", "secret_base64_encoded", "token_expired_time", "keyfile"]
)
def test_keys_about_secrets_do_not(key: str) -> None:
    assert not looks_secret(key)


def test_sections_with_such_names_are_looked_into() -> None:
    tree = {"authorization": {"no_match": "deny", "sources": [{"password": "x", "type": "redis"}]}}
    hidden = {"no_match": "deny", "sources": [{"password": "******", "type": "redis"}]}
    assert without_secrets(tree) == {"authorization": hidden}


def test_paths_through_sections_with_such_names_show_what_they_lead_to() -> None:
    tree = {"authorization.no_match": "deny", "authorization.sources": [{"password": "x"}]}
    hidden = {"authorization.no_match": "deny", "authorization.sources": [{"password": "******"}]}
    assert without_secrets(tree) == hidden
    assert without_secrets({"api_key.secret": "x"}) == {"api_key.secret": "******"}


def test_texts_keep_what_is_no_secret() -> None:
    assert text_without_secrets("host=a password='b c' port=1") == "host=a password=****** port=1"
    assert text_without_secrets("sensors/1@a") == "sensors/1@a"


def test_a_url_put_back_as_it_was_shown_keeps_its_password() -> None:
    known = {"url": f"http://u:{SECRET}@h/a", "headers": {"cookie": SECRET}}
    shown = {"url": "http://******@h/a", "headers": {"cookie": "******"}}
    assert unhidden(shown, known) == known
    assert unhidden({"url": "http://h2/"}, known) == {"url": "http://h2/"}


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("http://******@h/b?c=1", f"http://u:{SECRET}@h/b?c=1"),
        # Elsewhere, over plain text, or to a host that only begins so, it stays unknown.
        ("http://******@h2/a", "http://******@h2/a"),
        ("http://******@h:81/a", "http://******@h:81/a"),
        ("https://******@h/a", "https://******@h/a"),
        ("http://v:other@h/b", "http://v:other@h/b"),
        ("http://h/b?app=******&c=${clientid}&d=2", "http://h/b?app=******&c=${clientid}&d=2"),
    ],
)
def test_a_url_with_another_path_keeps_its_password_and_another_host_does_not_get_it(
    sent: str, meant: str
) -> None:
    assert unhidden({"url": sent}, {"url": f"http://u:{SECRET}@h/a"}) == {"url": meant}


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        "x" * 1_000_000,
        "secret" * 100_000,
        "secret" + " " * 1_000_000,
        "?" + "token" * 100_000,
        "a" * 1_000_000 + "@",
        "a://" * 100_000 + "@",
        "'secret'" * 100_000,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    assert len(without_secrets(text)) > 0


def test_of_headers_those_are_shown_that_say_nothing_secret() -> None:
    headers = {"X-Auth": SECRET, "Content-Type": "application/json", "x": "${username}"}

    shown = without_secrets({"url": "http://h/", "headers": headers})

    assert shown["headers"] == {**headers, "X-Auth": "******"}


def test_of_what_a_service_is_sent_only_placeholders_are_shown() -> None:
    body = {
        "k": SECRET, "list": [SECRET, "${topic}"], "in": {"deep": SECRET}, "number": 5,
        "user": "${username}", "topic": "devices/${topic}", "token": f"{SECRET}${{username}}",
        "flag": True,
    }  # fmt: skip
    shown = without_secrets({"url": "http://h/", "body": body})["body"]

    assert SECRET not in json.dumps(shown)
    assert shown["number"] == "******"
    assert (shown["user"], shown["topic"]) == ("${username}", "devices/${topic}")
    assert shown["flag"] is True
    assert unhidden(shown, body)["k"] == SECRET
    assert without_secrets({"body": "one text of ${payload}"}) == {"body": "one text of ${payload}"}


def test_of_a_query_only_what_clients_send_is_shown() -> None:
    url = f"http://h/?key={SECRET}&token=${{password}}&secret=${{username}}{SECRET}&keep=1"
    assert text_without_secrets(url) == (
        "http://h/?key=******&token=${password}&secret=******&keep=1"
    )


def test_an_address_is_shown_without_what_stands_before_its_host() -> None:
    value = {
        "server": f"u:{SECRET}@h:1",
        "bootstrap_hosts": f"h:1,u:{SECRET},@h:2",
        "servers": [f"u:{SECRET}@h", "h:1"],
        "node": "name@host",
        "topic": "a:b@c",
    }
    assert without_secrets(value) == {
        "server": "******@h:1",
        "bootstrap_hosts": "******@h:2",
        "servers": ["******@h", "h:1"],
        "node": "name@host",
        "topic": "a:b@c",
    }


@pytest.mark.parametrize(
    "text",
    ["password_based:built_in_database", "the provider password_based:redis does not answer"],
)
def test_the_name_of_a_provider_is_no_secret(text: str) -> None:
    assert text_without_secrets(text) == text
    assert without_secrets({"bindings": {"id": text}}) == {"bindings": {"id": text}}
    hidden = text_without_secrets(f"{text}, password:{SECRET}")
    assert text in hidden
    assert SECRET not in hidden


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://h/a?app=7&c=${clientid}", "http://h/a?app=******&c=${clientid}"),
        ("http://h/a?key&x=p-${username}&=", "http://h/a?******&x=p-${username}&="),
        ("http://h/a?token=s${clientid}&b=2", "http://h/a?token=******&b=******"),
        ("http://h/${clientid}/b=1", "http://h/${clientid}/b=1"),
    ],
)
def test_a_service_may_be_asked_with_a_key_of_any_name_in_its_url(url: str, shown: str) -> None:
    assert service_url_without_secrets(url) == shown
    assert without_secrets({"url": url}) == {"url": shown}
    assert unhidden({"url": shown}, {"url": url}) == {"url": url}


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("http://h/b?a=******&c=${username}&b=******", "http://h/b?a=1&c=${username}&b=3"),
        ("http://h/a?a=******&a=******&a=******", "http://h/a?a=1&a=2&a=******"),
        ("http://h/a?a=new&b=******", "http://h/a?a=new&b=3"),
        ("http://h/a?x=******", "http://h/a?x=******"),
        ("http://h2/a?a=******", "http://h2/a?a=******"),
        ("https://h/a?a=******", "https://h/a?a=******"),
    ],
)
def test_hidden_parameters_of_a_url_stay_where_they_were_meant_for(sent: str, meant: str) -> None:
    known = {"url": "http://h/a?a=1&a=2&b=3&c=${clientid}"}
    assert unhidden({"url": sent}, known) == {"url": meant}
