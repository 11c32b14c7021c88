"""Files of EMQX 5."""

from __future__ import annotations

from pathlib import Path

from rookery.config.importing import Outcome

from .conftest import Import

FIVE = """
node { name = "emqx@10.0.0.8", cookie = "secret", data_dir = "data", process_limit = 2097152 }
cluster { name = plant, discovery_strategy = manual }
listeners.tcp.default { bind = "0.0.0.0:1884", max_connections = 1024000, acceptors = 8 }
listeners.ssl.default {
  bind = "0.0.0.0:8883"
  ssl_options {
    keyfile = "${EMQX_ETC_DIR}/certs/key.pem"
    certfile = "${EMQX_ETC_DIR}/certs/cert.pem"
  }
}
broker.shared_subscription_strategy = random
mqtt.max_packet_size = 2MB
authentication = [
  {mechanism = password_based, backend = built_in_database, user_id_type = clientid}
  {mechanism = password_based, backend = mysql, server = "127.0.0.1:3306"}
]
authorization.sources = [{type = file, enable = true, path = "${EMQX_ETC_DIR}/acl.conf"}]
rule_engine.rules.one { sql = "SELECT * FROM \\"t/#\\"", actions = [] , enable = true}
dashboard { listeners.http.bind = 18083, default_password = "public" }
telemetry.enable = true
"""
RULES = '{allow, {username, {re, "^dashboard$"}}, subscribe, ["$SYS/#"]}.\n{deny, all}.\n'


def test_what_the_schema_knows_is_taken(do_import: Import, home: Path) -> None:
    result = do_import(texts={"emqx.conf": FIVE, "acl.conf": RULES})
    plain = result.plain()

    assert plain["node"] == {"name": "emqx@10.0.0.8", "cookie": "secret"}
    assert plain["listeners"]["tcp"]["default"] == {
        "bind": "0.0.0.0:1884",
        "max_connections": 1024000,
    }
    keyfile = plain["listeners"]["ssl"]["default"]["ssl_options"]["keyfile"]
    assert keyfile == str(home / "etc" / "certs" / "key.pem")
    assert plain["mqtt"] == {"max_packet_size": "2MB", "shared_subscription_strategy": "random"}
    assert plain["authentication"] == [
        {
            "mechanism": "password_based",
            "backend": "built_in_database",
            "user_id_type": "clientid",
        }
    ]
    assert plain["authorization"]["sources"] == [
        {"type": "file", "enable": True, "path": "acl.conf"}
    ]
    assert plain["rule_engine"]["rules"]["one"]["sql"] == 'SELECT * FROM "t/#"'


def test_every_value_has_an_outcome(do_import: Import) -> None:
    outcomes = do_import(texts={"emqx.conf": FIVE, "acl.conf": RULES}).outcomes()

    assert outcomes["node.name"] is Outcome.TAKEN
    assert outcomes["node.data_dir"] is Outcome.NOT_NEEDED
    assert outcomes["node.process_limit"] is Outcome.NOT_NEEDED
    assert outcomes["broker.shared_subscription_strategy"] is Outcome.CHANGED
    assert outcomes["authentication.2.backend"] is Outcome.UNSUPPORTED
    assert outcomes["rule_engine.rules.one.sql"] is Outcome.TAKEN
    assert outcomes["authorization.sources.1.path"] is Outcome.CHANGED
    assert outcomes["dashboard.listeners.http.bind"] is Outcome.CHANGED


def test_without_authentication_the_door_is_not_open(do_import: Import) -> None:
    result = do_import(texts={"emqx.conf": "listeners.tcp.default { bind = 1883 }\n"})

    assert result.config["access.anonymous"] == "loopback"
    assert "EMQX admitted everybody" in result.remarks()
    assert "8883" in result.remarks()


def test_old_and_new_are_told_apart_by_their_keys(do_import: Import) -> None:
    new = do_import(texts={"emqx.conf": "mqtt.max_inflight = 7\nlisteners.tcp.default.bind = 1\n"})

    assert new.config["mqtt.max_inflight"] == 7
    assert new.config["listeners.tcp.default.bind"].port == 1


def test_a_listener_stays_without_the_old_versions_of_tls(do_import: Import) -> None:
    text = FIVE.replace(
        "ssl_options {", 'ssl_options { versions = ["tlsv1.3", "tlsv1.2", "tlsv1.1"]'
    )
    result = do_import(texts={"emqx.conf": text, "acl.conf": RULES})

    options = result.plain()["listeners"]["ssl"]["default"]["ssl_options"]
    assert options["versions"] == ["tlsv1.3", "tlsv1.2"]
    entry = result.entry("listeners.ssl.default.ssl_options.versions")
    assert entry.outcome is Outcome.CHANGED


def test_a_report_hides_secrets_and_nothing_else(do_import: Import) -> None:
    text = FIVE + (
        "authorization.no_match = deny\n"
        "authentication = [{mechanism = password_based, backend = http, method = post"
        ', url = "http://me:word@127.0.0.1/", headers { authorization = "Basic word" }}]\n'
    )
    result = do_import(texts={"emqx.conf": text, "acl.conf": RULES})
    shown = {entry.setting.key: entry.setting.shown for entry in result.imported.entries}

    assert shown["authorization.no_match"] == "deny"
    assert shown["node.cookie"] == "******"
    assert "word" not in shown["authentication.1.url"]
    assert shown["authentication.1.headers.authorization"] == "******"


def test_an_included_file_that_is_missing_is_reported_with_its_line(do_import: Import) -> None:
    result = do_import(texts={"emqx.conf": 'mqtt { max_packet_size = 2MB }\ninclude "gone.conf"\n'})

    entry = result.entry("include")
    assert (entry.setting.line, entry.setting.value) == (2, "gone.conf")
    assert entry.outcome is Outcome.UNKNOWN
    assert result.plain()["mqtt"] == {"max_packet_size": "2MB"}
