"""The schema of the configuration as JSON Schema: what is shown fits it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from rookery.config import load
from rookery.config.json_schema import json_schema
from rookery.config.schema import ROOT
from rookery.config.schema.authentication import PROVIDER
from rookery.config.schema.authorization import SOURCE

MUCH = """
mqtt { idle_timeout = 5000, max_packet_size = 2048, retry_interval = "infinity" }
listeners.tcp.default { bind = 1883, max_connections = "100", access_rules = "allow all" }
listeners.ws.default { max_conn_rate = 1000, enable_authn = false }
license { connection_low_watermark = 0.5, connection_high_watermark = "60%" }
sys_topics.sys_msg_interval = disabled
log.file { enable = true, rotation_size = infinity }
authentication = [
  {mechanism = password_based, backend = built_in_database, password_hash_algorithm {name = sha512}}
  {mechanism = jwt, algorithm = hmac-based, secret = swordfish, verify_claims {username = "${username}"}}
  {mechanism = cinfo, checks = [{is_match = "true", result = ignore}]}
  {mechanism = scram, backend = built_in_database}
  {mechanism = x509}
  {mechanism = password_based, backend = http, method = post, url = "https://h/", headers {a = b}}
  {mechanism = password_based, backend = redis, server = "h:1", cmd = "HMGET k password_hash"}
]
authorization.sources = [
  {type = file, rules = "{allow, all}."}
  {type = built_in_database}
  {type = postgresql, server = h, database = d, query = "SELECT 1", password = p}
]
"""


def shown(tmp_path: Path, text: str) -> dict[str, Any]:
    file = tmp_path / "r.conf"
    file.write_text(text)
    return load(file, tmp_path / "data", environ={"ROOKERY_MQTT__MAX_INFLIGHT": "7"}).effective()


@pytest.mark.parametrize("text", ["", MUCH])
def test_what_is_shown_fits(tmp_path: Path, text: str) -> None:
    validator = jsonschema_rs.validator_for(json_schema(ROOT))
    errors = [
        f"{e.instance_path}: {e.message}" for e in validator.iter_errors(shown(tmp_path, text))
    ]
    assert errors == []


def test_numbers_are_shown_as_what_they_mean(tmp_path: Path) -> None:
    effective = shown(tmp_path, MUCH)
    assert effective["mqtt"]["idle_timeout"] == "5s"
    assert effective["mqtt"]["max_packet_size"] == "2KB"
    assert effective["mqtt"]["max_inflight"] == 7
    assert effective["listeners"]["tcp"]["default"]["max_connections"] == 100
    assert effective["listeners"]["tcp"]["default"]["bind"] == "1883"
    assert effective["license"]["connection_low_watermark"] == "50%"


@pytest.mark.parametrize(
    ("forms", "entry"),
    [
        (PROVIDER, {"mechanism": "jwt", "from": "nowhere"}),
        (PROVIDER, {"mechanism": "password_based"}),
        (PROVIDER, {"mechanism": "password_based", "backend": "http", "method": "put", "url": "x"}),
        (SOURCE, {"type": "mysql"}),
        (SOURCE, {"type": "http"}),
    ],
)
def test_what_no_form_has_does_not_fit(forms: Any, entry: dict[str, Any]) -> None:
    assert not jsonschema_rs.validator_for(json_schema(forms)).is_valid(entry)
