"""Listeners with TLS, authentication and authorization: what is taken, refused, and handed on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rookery.config import InvalidConfigError, load
from rookery.native import config as native
from rookery.types import Secret

TLS = {"certfile": "c.pem", "keyfile": "k.pem"}
HTTP = {"mechanism": "password_based", "backend": "http", "method": "post", "url": "http://h/"}


def loaded(tmp_path: Path, tree: dict[str, Any]) -> Any:
    file = tmp_path / "etc" / "r.conf"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(tree), encoding="utf-8")
    return load(file, tmp_path / "data", environ={})


def problems(tmp_path: Path, tree: dict[str, Any]) -> list[str]:
    with pytest.raises(InvalidConfigError) as caught:
        loaded(tmp_path, tree)
    place = f"{tmp_path}/etc/r.conf:1: "
    return [text.removeprefix(place) for text in caught.value.problems]


def ssl(**options: Any) -> dict[str, Any]:
    return {"listeners": {"ssl": {"a": {"ssl_options": {**TLS, **options}}}}}


def test_files_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    config = loaded(tmp_path, ssl(cacertfile="${EMQX_ETC_DIR}/ca.pem", keyfile="/keys/k.pem"))
    tls = next(item.tls for item in config.to_native().listeners if item.id == "ssl:a")
    assert tls.certfile == str(tmp_path / "etc" / "c.pem")
    assert tls.cacertfile == str(tmp_path / "etc" / "ca.pem")
    assert tls.keyfile == "/keys/k.pem"


def test_a_tls_listener_is_handed_on_whole(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        {
            "listeners": {
                "wss": {
                    "a": {
                        "bind": "[::1]:8084",
                        "access_rules": ["deny 10.0.0.7", "allow all"],
                        "max_conn_rate": "300/5m",
                        "messages_rate": "10/s",
                        "messages_burst": "90/s",
                        "trusted_proxies": ["10.0.0.0/8"],
                        "enable_authn": "false",
                        "tcp_options": {"keepalive": "60, 10, 3", "recbuf": "64KB"},
                        "websocket": {"check_origin_enable": True, "check_origins": "https://a"},
                        "ssl_options": {
                            **TLS,
                            "password": "pw",
                            "verify": "verify_peer",
                            "cacertfile": "/ca.pem",
                            "versions": ["tlsv1.2"],
                            "ciphers": "ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256",
                            "reuse_sessions": False,
                            "sni": {"*.b.example": {"certfile": "/b.pem", "keyfile": "/b.key"}},
                        },
                    }
                }
            }
        },
    )
    listener = next(item for item in config.to_native().listeners if item.id == "wss:a")
    assert listener == native.ListenerConfig(
        id="wss:a",
        kind="wss",
        bind="[::1]:8084",
        access_rules=("deny 10.0.0.7/32", "allow all"),
        max_conn_rate=1.0,
        max_conn_burst=300,
        messages_rate=10.0,
        messages_burst=100,
        trusted_proxies=("10.0.0.0/8",),
        enable_authn=False,
        keepalive=(60, 10, 3),
        recv_buffer_bytes=65_536,
        websocket=native.WebSocketConfig(check_origins=("https://a",)),
        tls=native.TlsConfig(
            certfile=str(tmp_path / "etc" / "c.pem"),
            keyfile=str(tmp_path / "etc" / "k.pem"),
            password="pw",
            verify="verify_peer",
            cacertfile="/ca.pem",
            versions=("tlsv1.2",),
            ciphers=("ECDHE-RSA-AES128-GCM-SHA256", "TLS_AES_128_GCM_SHA256"),
            session_tickets=False,
            sni=(("*.b.example", "/b.pem", "/b.key"),),
        ),
    )
    assert "pw" not in repr(listener)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"depth": 10}, None),
        ({"depth": 6}, None),
        ({"depth": 7}, "7: chains of more than 6 intermediate certificates are never accepted"),
        ({"versions": ["tlsv1.1"]}, "TLS 1.1 and older are broken and not offered"),
        ({"versions": "tlsv1.3"}, None),
        ({"ciphers": ["PSK-AES128-GCM-SHA256"]}, "pre-shared keys are not available"),
        ({"ciphers": ["AES128-SHA"]}, "only suites with forward secrecy and AEAD are offered"),
        ({"dhfile": "dh.pem"}, "refused: key exchange is by elliptic curves only"),
        ({"user_lookup_fun": "x"}, "refused: pre-shared keys are not available"),
        ({"enable_crl_check": True}, "lists are not fetched from distribution points; use crlfile"),
        ({"ocsp": {"enable_ocsp_stapling": True}}, "not available in this version"),
        ({"verify": "verify_peer"}, "needs listeners.ssl.a.ssl_options.cacertfile as well"),
        ({"fail_if_no_peer_cert": True}, "verify = verify_peer as well"),
        ({"crlfile": "crl.pem"}, "verify = verify_peer as well"),
        ({"certfile": None}, "`rookery tls init` makes a certificate for a test"),
        ({"sni": {"a b": TLS}}, "a host name"),
        ({"sni": {"a.b": {"certfile": "x"}}}, "sni.\"a.b\".keyfile: missing"),
    ],
    ids=str,
)  # fmt: skip
def test_what_tls_cannot_do_is_refused_with_the_reason(
    tmp_path: Path, options: dict[str, Any], text: str | None
) -> None:
    if text is None:
        assert loaded(tmp_path, ssl(**options))
    else:
        assert text in "\n".join(problems(tmp_path, ssl(**options)))


def test_a_disabled_tls_listener_needs_no_certificate(tmp_path: Path) -> None:
    config = loaded(tmp_path, {"listeners": {"ssl": {"a": {"enable": False}}}})
    assert "ssl:a" not in {item.id for item in config.to_native().listeners}


@pytest.mark.parametrize(
    ("bind", "shown"),
    [
        ("unix:/run/mqtt.sock", "unix:/run/mqtt.sock"),
        ("unix:mqtt.sock", None),
        (f"unix:/{'x' * 107}", None),
        (0, "0.0.0.0:0"),
    ],
)
def test_a_listener_may_be_a_unix_socket(tmp_path: Path, bind: Any, shown: str | None) -> None:
    tree = {"listeners": {"tcp": {"a": {"bind": bind}}}}
    if shown is None:
        assert problems(tmp_path, tree)
    else:
        listeners = loaded(tmp_path, tree).to_native().listeners
        assert next(item.bind for item in listeners if item.id == "tcp:a") == shown


@pytest.mark.parametrize(
    "rule", ["allow", "allow 10.0.0.0/33", "deny a.example", "permit all", "allow all all", 5]
)
def test_an_access_rule_is_an_address_or_all(tmp_path: Path, rule: Any) -> None:
    tree = {"listeners": {"tcp": {"a": {"access_rules": [rule]}}}}
    assert "access_rules" in problems(tmp_path, tree)[0]


# -- authentication ---------------------------------------------------------------------------


def test_providers_reach_their_place_parsed_and_in_order(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        {
            "authentication": [
                {"mechanism": "jwt", "algorithm": "hmac-based", "secret": "s"},
                {**HTTP, "enable": False},
                {"mechanism": "scram", "backend": "built_in_database", "algorithm": "sha512"},
            ]
        },
    )
    jwt, scram = config.management.access.authentication
    assert (jwt["secret"], jwt["refresh_interval"]) == (Secret("s"), 300_000)
    assert scram["iteration_count"] == 4096
    broker = config.to_native().broker
    assert broker.admission == "ask"
    assert broker.auth_methods == ("SCRAM-SHA-512",)
    assert '"s"' not in json.dumps(config.effective()["authentication"])


def test_a_provider_is_found_by_its_number(tmp_path: Path) -> None:
    file = tmp_path / "r.conf"
    file.write_text(json.dumps({"authentication": [HTTP]}))
    environ = {"ROOKERY_AUTHENTICATION__1__ENABLE": "false"}
    config = load(file, tmp_path, environ=environ)
    assert config.management.access.authentication == ()
    assert config.to_native().broker.admission == "loopback"


def test_one_object_is_a_chain_of_one(tmp_path: Path) -> None:
    assert len(loaded(tmp_path, {"authentication": HTTP}).management.access.authentication) == 1


@pytest.mark.parametrize(
    ("chain", "text"),
    [
        ([{}], "authentication.1.mechanism: missing"),
        ([{"mechanism": "password_based"}], "authentication.1.backend: missing"),
        ([{"mechanism": "magic"}], 'authentication.1.mechanism: "magic" is not allowed here'),
        ([{"mechanism": "gssapi"}], "authentication.1.mechanism: not available in this version"),
        ([{"mechanism": "password_based", "backend": "mysql"}],
         "authentication.1.backend: not available in this version"),
        ([HTTP, HTTP], "authentication.2: password_based:http is there already at authentication.1"),
        ([{**HTTP, "url": "ftp://h/"}], "authentication.1.url"),
        ([{**HTTP, "method": "put"}], "allowed: one of get, post"),
        ([{**HTTP, "urll": "x"}], "did you mean authentication.1.url?"),
        ([{"mechanism": "jwt"}], "authentication.1.algorithm: missing"),
        ([{"mechanism": "jwt", "algorithm": "hmac-based"}], "needs authentication.1.secret as well"),
        ([{"mechanism": "jwt", "algorithm": "public-key"}], "needs authentication.1.public_key"),
        ([{"mechanism": "jwt", "use_jwks": True}], "needs authentication.1.endpoint as well"),
        ([{"mechanism": "cinfo", "checks": [{"is_match": [], "result": "deny"}]}],
         "an expression or a list of them"),
        ([{"mechanism": "password_based", "backend": "redis", "cmd": "HMGET x"}],
         "needs authentication.1.server as well"),
        ([{"mechanism": "password_based", "backend": "redis", "cmd": "x", "redis_type": "sentinel",
           "servers": "a:1"}], "needs authentication.1.sentinel as well"),
        ([{"mechanism": "password_based", "backend": "built_in_database",
           "password_hash_algorithm": {"name": "pbkdf2"}}],
         "password_hash_algorithm.mac_fun: missing"),
        ([{"mechanism": "password_based", "backend": "built_in_database",
           "password_hash_algorithm": {"name": "crypt"}}], '"crypt" is not allowed here'),
    ],
    ids=str,
)  # fmt: skip
def test_a_chain_that_cannot_work_is_refused(tmp_path: Path, chain: list[Any], text: str) -> None:
    assert text in "\n".join(problems(tmp_path, {"authentication": chain}))


def test_client_attributes_need_a_chain_that_gives_them(tmp_path: Path) -> None:
    init = [{"expression": "clientid", "set_as_attr": "a"}]
    tree: dict[str, Any] = {"mqtt": {"client_attrs_init": init}}
    assert problems(tmp_path, tree) == ["mqtt.client_attrs_init: needs authentication as well"]
    access = loaded(tmp_path, {**tree, "authentication": [HTTP]}).management.access
    assert access.client_attrs_init == {"default": tuple(init)}


def test_a_listener_that_refuses_who_shows_nothing(tmp_path: Path) -> None:
    tree = {"listeners": {"tcp": {"a": {"bind": 1, "enable_authn": "quick_deny_anonymous"}}}}
    listeners = {item.id: item for item in loaded(tmp_path, tree).to_native().listeners}
    assert listeners["tcp:a"].enable_authn
    assert listeners["tcp:a"].quick_deny_anonymous
    assert not listeners["tcp:default"].quick_deny_anonymous


# -- authorization ----------------------------------------------------------------------------


def test_settings_of_authorization_reach_the_core(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        {
            "authorization": {
                "no_match": "deny",
                "deny_action": "disconnect",
                "cache": {"max_size": 8, "ttl": "5s", "excludes": ["a/#"]},
                "sources": [
                    {"type": "file", "path": "acl.conf"},
                    {"type": "built_in_database", "enable": False},
                ],
            },
            "access": {"sys_topics": "everyone", "max_connections": 10},
            "flapping_detect": {"enable": True, "ban_time": "1h"},
        },
    )
    broker = config.to_native().broker
    assert broker.authorization == native.AuthorizationConfig(
        no_match="deny",
        deny_action="disconnect",
        cache_max_size=8,
        cache_ttl_ms=5000,
        cache_excludes=("a/#",),
    )
    assert (broker.sys_topics_open, broker.max_connections) == (True, 10)
    assert broker.flapping == native.FlappingConfig(enable=True, ban_ms=3_600_000)
    assert broker.login_backoff == native.LoginBackoffConfig()
    sources = config.management.access.sources
    assert [item["path"] for item in sources] == [str(tmp_path / "etc" / "acl.conf")]


@pytest.mark.parametrize(
    ("sources", "text"),
    [
        ([{"type": "file"}], "needs path or rules, one of them"),
        ([{"type": "file", "path": "a", "rules": "b"}], "needs path or rules, one of them"),
        ([{"type": "ldap"}], "authorization.sources.1.type: not available in this version"),
        ([{"type": "mysql"}], "authorization.sources.1.type: not available in this version"),
        ([{"path": "a"}], "authorization.sources.1.type: missing"),
        ([{"type": "file", "path": "a"}] * 2, "file is there already at authorization.sources.1"),
    ],
    ids=str,
)
def test_a_source_that_cannot_work_is_refused(
    tmp_path: Path, sources: list[Any], text: str
) -> None:
    tree = {"authorization": {"sources": sources}}
    assert text in "\n".join(problems(tmp_path, tree))
