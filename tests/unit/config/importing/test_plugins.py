"""Files of plugins: the chain, the sources, users."""

from __future__ import annotations

import pytest

from rookery.access import build
from rookery.clock import ManualClock
from rookery.config.importing import Outcome
from rookery.config.importing.features.pgsql import acl_query, user_query
from rookery.config.importing.features.redis import user_command
from rookery.config.importing.hashes import algorithm

from .conftest import Import

CHAIN = "listener.tcp.external = 1883\nallow_anonymous = true\nacl_nomatch = deny\n"


def test_an_http_service_is_asked_as_before(do_import: Import) -> None:
    result = do_import("v4", ["plugins/emqx_auth_http.conf"])
    (provider,) = result.plain()["authentication"]
    (source,) = result.plain()["authorization"]["sources"]

    assert provider == {
        "mechanism": "password_based",
        "backend": "http",
        "method": "post",
        "url": "http://127.0.0.1:80/mqtt/auth",
        "body": {
            "clientid": "${clientid}",
            "username": "${username}",
            "password": "${password}",
            "from": "${peerhost}",
        },
        "headers": {"content-type": "application/json"},
        "request_timeout": "5s",
    }
    assert source["type"] == "http"
    assert source["method"] == "get"
    assert source["body"] == {
        "access": "${action}",
        "username": "${username}",
        "topic": "${topic}",
    }
    assert "204" in result.entry("auth.http.auth_req.url").notes[0].en
    assert result.entry("auth.http.super_req.url").outcome is Outcome.UNSUPPORTED


THREE = """\
auth.http.auth_req = http://127.0.0.1:8991/mqtt/auth
auth.http.auth_req.method = post
auth.http.auth_req.params = clientid=%c,username=%u,password=%P,port=%l
auth.http.acl_req = http://127.0.0.1:8991/mqtt/acl
auth.http.acl_req.method = post
auth.http.acl_req.params = access=%A,ipaddr=%a,topic=%t,acceptport=%l,mountpoint=%m
auth.http.header.Accept = */*
"""


def test_a_service_of_version_3_gets_forms_and_what_is_known(do_import: Import) -> None:
    result = do_import(texts={"emqx.conf": CHAIN, "plugins/emqx_auth_http.conf": THREE})
    (provider,) = result.plain()["authentication"]
    (source,) = result.plain()["authorization"]["sources"]

    headers = {"accept": "*/*", "content-type": "application/x-www-form-urlencoded"}
    assert provider["headers"] == source["headers"] == headers
    assert provider["body"]["port"] == "${sockport}"
    # The port of the listener is not known when a topic is asked about.
    assert list(source["body"]) == ["access", "ipaddr", "topic", "mountpoint"]
    assert "acceptport" in result.entry("auth.http.acl_req.params").notes[-1].en
    assert list(build.sources((source,), ManualClock())) == ["http"]


def test_tokens(do_import: Import) -> None:
    (provider,) = do_import("v4", ["plugins/emqx_auth_jwt.conf"]).plain()["authentication"]

    assert provider == {
        "mechanism": "jwt",
        "from": "username",
        "use_jwks": False,
        "algorithm": "hmac-based",
        "secret": "emqxsecret",
        "secret_base64_encoded": False,
        "verify_claims": {"username": "${username}"},
    }


def test_users_go_to_a_file_beside_the_result(do_import: Import) -> None:
    result = do_import("v4", ["plugins/emqx_auth_mnesia.conf"])
    (provider,) = result.plain()["authentication"]

    assert provider["bootstrap_file"] == "users.json"
    assert provider["password_hash_algorithm"] == {"name": "sha256", "salt_position": "prefix"}
    assert result.imported.users == [
        {"user_id": "admin", "password": "plain as day", "is_superuser": False},
        {
            "user_id": "name~!@#$%^&*()_+",
            "password": "pwsswd~!@#$%^&*()_+",
            "is_superuser": False,
        },
    ]
    assert result.entry("auth.client.1.clientid").outcome is Outcome.UNSUPPORTED


def test_postgresql(do_import: Import) -> None:
    result = do_import("v4", ["plugins/emqx_auth_pgsql.conf"])
    (provider,) = result.plain()["authentication"]
    (source,) = result.plain()["authorization"]["sources"]

    assert provider["server"] == "127.0.0.1:5432"
    assert provider["password_hash_algorithm"] == {"name": "sha256", "salt_position": "prefix"}
    assert provider["query"] == (
        "SELECT password AS password_hash, salt, (select is_superuser from mqtt_user"
        " where username = ${username} limit 1) AS is_superuser"
        " from mqtt_user where username = ${username} limit 1"
    )
    assert source["query"].endswith(
        " topic from mqtt_acl where username = ${username} or username = '$all'"
    )


def test_redis(do_import: Import) -> None:
    result = do_import("v4", ["plugins/emqx_auth_redis.conf"])
    (provider,) = result.plain()["authentication"]

    assert provider["servers"] == "10.0.0.1:6379,10.0.0.2:6379"
    assert provider["cmd"] == "HMGET mqtt_user:${username} password is_superuser"
    assert provider["password_hash_algorithm"] == {
        "name": "pbkdf2",
        "mac_fun": "sha256",
        "iterations": 1000,
        "dk_length": 20,
    }


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("emqx_auth_mysql.conf", {Outcome.UNSUPPORTED}),
        ("emqx_web_hook.conf", {Outcome.UNSUPPORTED}),
        ("emqx_management.conf", {Outcome.CHANGED, Outcome.UNSUPPORTED}),
        ("emqx_retainer.conf", {Outcome.TAKEN, Outcome.NOT_NEEDED}),
        (
            "emqx_dashboard.conf",
            {Outcome.TAKEN, Outcome.CHANGED, Outcome.NOT_NEEDED, Outcome.UNSUPPORTED},
        ),
    ],
)
def test_what_other_plugins_become(do_import: Import, name: str, outcome: set[Outcome]) -> None:
    result = do_import("v4", [f"plugins/{name}"])

    assert set(result.outcomes().values()) == outcome


def test_an_open_door_behind_the_chain_is_closed(do_import: Import) -> None:
    result = do_import(
        texts={"emqx.conf": CHAIN, "plugins/emqx_auth_jwt.conf": "auth.jwt.secret = s\n"}
    )

    assert "access" not in result.plain()
    assert result.entry("allow_anonymous").outcome is Outcome.UNSUPPORTED


def test_only_loaded_plugins_count_and_in_their_order(do_import: Import) -> None:
    loaded = "{emqx_auth_redis, true}.\n{emqx_auth_http, true}.\n{emqx_auth_jwt, false}.\n"
    result = do_import(
        "v4",
        texts={"loaded_plugins": loaded, "emqx.conf": CHAIN},
        names=[
            "plugins/emqx_auth_http.conf",
            "plugins/emqx_auth_jwt.conf",
            "plugins/emqx_auth_redis.conf",
        ],
    )
    backends = [item["backend"] for item in result.plain()["authentication"]]

    assert backends == ["redis", "http"]
    assert result.entry("auth.jwt.secret").outcome is Outcome.NOT_NEEDED


def test_a_folder_stands_for_its_installation(do_import: Import, home: object) -> None:
    result = do_import("v4")

    assert result.entry("acl.conf").outcome is Outcome.TAKEN
    assert "authentication" not in result.plain()
    assert "emqx_auth_http.conf" in result.remarks()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", {"name": "plain", "salt_position": "disable"}),
        ("sha256,salt", {"name": "sha256", "salt_position": "suffix"}),
        ("salt,bcrypt", {"name": "bcrypt"}),
    ],
)
def test_hashes(text: str, expected: dict[str, object]) -> None:
    assert algorithm(text) == expected


def test_queries_that_are_not_plain_are_left_to_people() -> None:
    assert user_query("select lower(password) from t", "") is None
    assert user_query("call find_user('%u')", "") is None
    assert acl_query("select * from mqtt_acl") is None


def test_a_superuser_elsewhere_is_not_merged() -> None:
    assert user_command("HGET user:%u password", "GET super:%u") == (
        "HMGET user:${username} password",
        False,
    )


def test_a_database_that_is_not_known_here_opens_nothing(do_import: Import) -> None:
    result = do_import(
        texts={
            "emqx.conf": CHAIN,
            "plugins/emqx_auth_mysql.conf": "auth.mysql.server = 127.0.0.1:3306\n",
        }
    )

    assert result.config["access.anonymous"] == "loopback"
    assert "no provider" in result.remarks()


@pytest.mark.parametrize(
    "line",
    [
        "auth.mysql.acl_query = select 1",
        "auth.pgsql.acl_query = select something_else from somewhere",
        "auth.redis.acl_cmd = HGETALL x\nauth.redis.pool = many",
    ],
)
def test_rules_that_are_not_taken_over_deny(do_import: Import, line: str) -> None:
    texts = {
        "emqx.conf": "listener.tcp.external = 1883\nacl_nomatch = allow\n",
        "plugins/rules.conf": f"{line}\n",
    }
    result = do_import(texts=texts)

    assert result.config["authorization.no_match"] == "deny"
    assert result.entry("acl_nomatch").outcome is Outcome.CHANGED


def test_one_line_without_sense_leaves_its_whole_provider_out(do_import: Import) -> None:
    text = "auth.jwt.secret = s\nauth.jwt.verify_claims = perhaps\n"
    result = do_import(texts={"emqx_auth_jwt.conf": text})

    assert "authentication" not in result.plain()
    assert "emqx_auth_jwt.conf:2" in result.entry("auth.jwt.secret").notes[0].en
