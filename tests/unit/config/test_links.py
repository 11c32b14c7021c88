"""``cluster.links`` in a configuration file: what is taken, what is refused, what is warned of."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric import ec

from rookery.config import Config, load
from rookery.config.links import is_private, native_link
from rookery.config.problems import InvalidConfigError
from rookery.config.schema.links import redundant

DOCUMENT = """\
cluster {
  name = "emqx-us-east"
  links = [
    {
      name = "emqx-eu-west"
      server = "emqx.us-east.myinfra.net"
      username = "clink-user:us-east"
      password = "clink-password-no-one-knows"
      clientid = "clink-us-east"
      topics = ["global/#", "fwd/#", "cluster/+/status"]
      ssl {
        enable = true
        verify = verify_peer
        certfile = "etc/certs/client/emqx-us-east.pem"
      }
    }
  ]
}
"""
"""The example of the document, its dots removed."""
ONE = """\
cluster.links = [{
  name = west
  server = "10.0.0.9"
  topics = ["t/#"]
}]
"""


CERT = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def key_of(password: bytes | None) -> str:
    kind = pem.NoEncryption() if password is None else pem.BestAvailableEncryption(password)
    made = ec.generate_private_key(ec.SECP256R1())
    return made.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, kind).decode()


def loaded(tmp_path: Path, text: str) -> Config:
    file = tmp_path / "r.conf"
    file.write_text(text)
    return load(file, tmp_path / "data", environ={})


def problems(tmp_path: Path, text: str, language: str = "en") -> str:
    try:
        loaded(tmp_path, text)
    except InvalidConfigError as error:
        return error.text(language)
    return ""


def test_the_example_of_the_document_works_as_written(tmp_path: Path) -> None:
    config = loaded(tmp_path, DOCUMENT)
    [item] = config["cluster.links"]
    assert item["server"].addresses == (("emqx.us-east.myinfra.net", 1883),)
    assert item["topics"] == ["global/#", "fwd/#", "cluster/+/status"]
    assert item["ssl"]["certfile"] == str(tmp_path / "etc/certs/client/emqx-us-east.pem")
    [shown] = config.effective()["cluster"]["links"]
    assert shown["password"] == "******"
    assert "no-one-knows" not in str(shown)
    assert not config.warnings
    # Its file has both, the certificate and the key.
    file = tmp_path / "etc/certs/client/emqx-us-east.pem"
    file.parent.mkdir(parents=True)
    file.write_text(CERT + key_of(None))
    tls = native_link(item, "emqx-us-east").tls
    assert tls is not None
    assert tls.verify
    assert tls.cert_pem == tls.key_pem == file.read_bytes()
    file.write_text(CERT)
    with pytest.raises(InvalidConfigError, match="it holds no private key"):
        native_link(item, "emqx-us-east")


def test_what_is_not_named_has_the_defaults_of_emqx(tmp_path: Path) -> None:
    config = loaded(tmp_path, ONE)
    [item] = config["cluster.links"]
    link = native_link(item, "east")
    assert link.client_id == "east"
    assert link.servers == [("10.0.0.9", 1883)]
    assert (link.enable, link.pool_size, link.retry_interval_ms, link.max_inflight) == (
        *(True, 8, 15_000, 32),
    )
    assert (link.buffer_bytes_max, link.request_ttl_ms) == (256 << 20, 45_000)
    assert (link.connect_timeout_ms, link.health_check_interval_ms) == (5_000, 15_000)
    assert link.order_by_client
    assert link.tls is None
    assert (link.username, link.password) == (None, None)
    assert (link.accept_username, link.accept_cert_cn, link.accept_clientid_prefix) == (
        *(None, None, None),
    )


def test_every_key_of_emqx_is_known(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        ONE.replace(
            "}]",
            """\
  enable = false, pool_size = 4, retry_interval = 20s, max_inflight = 0, ps_actor_incarnation = 3
  tcp_opts { nodelay = true, keepalive = "none" }
  ssl { enable = true, verify = verify_none, depth = 10, versions = ["tlsv1.3"], hibernate_after = 5s }
  resource_opts {
    worker_pool_size = 32, health_check_interval = 5s, health_check_interval_jitter = 1s
    health_check_timeout = 30s, start_timeout = 3s, request_ttl = infinity, inflight_window = 50
    max_buffer_bytes = 1MB, dispatch_strategy = random, query_mode = async
  }
}]""",
        ),
    )
    link = native_link(config["cluster.links"][0], "east")
    assert (link.enable, link.pool_size, link.retry_interval_ms) == (False, 4, 20_000)
    assert link.max_inflight == 65_535
    assert link.request_ttl_ms is None
    assert (link.buffer_bytes_max, link.order_by_client) == (1 << 20, False)
    assert link.tls is not None
    assert not link.tls.verify
    told = {warning.path.removeprefix("cluster.links.1.") for warning in config.warnings}
    assert {"tcp_opts", "resource_opts.worker_pool_size", "ssl.versions"} <= told


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("name = west", 'name = ""', "Name cannot be empty string"),
        ("name = west", f"name = {'n' * 255}", "Name length must be less than 255"),
        ("name = west", "name = -west", "Invalid name format"),
        ("name = west", "name = emqxcl", "it is this cluster's own name (cluster.name)"),
        ("name = west", "", "cluster.links.1.name: missing"),
        ('"10.0.0.9"', '"http://10.0.0.9"', "http:// is not supported; use mqtt:// or mqtts://"),
        ('"10.0.0.9"', '"10.0.0.9:99999"', "the port must be a number from 1 to 65535"),
        ('"10.0.0.9"', '"a b"', "not a host name or an IP address"),
        ('"10.0.0.9"', '""', "1 to 16 addresses are expected"),
        ('"10.0.0.9"', '"mqtt://a,mqtts://b"', "either all addresses have mqtts:// or none"),
        ('["t/#"]', '["t/#/x"]', "not topic filters: t/#/x"),
        ('["t/#"]', '["$share/g/t"]', "not topic filters: $share/g/t"),
        ('["t/#"]', '["$LINK/cluster/route/x"]', "is what links speak over"),
        ('["t/#"]', '["t/+", "t/1"]', "t/1: another one of the list takes the same"),
        ('["t/#"]', '["t", "t"]', "t: another one of the list takes the same"),
        ('["t/#"]', '"t"', "a list is expected"),
        (
            "topics =",
            "topic =",
            "cluster.links.1.topic: unknown key, did you mean cluster.links.1.topics?",
        ),
        ("}]", "password = a, ssl.password = b }]", "cluster.links.1.ssl.password: needs"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    text = ONE.replace(old, new, 1)
    assert told in problems(tmp_path, text)
    assert "cluster.links.1" in problems(tmp_path, text, "zh")


def test_two_links_to_one_cluster_are_refused(tmp_path: Path) -> None:
    text = ONE + ONE.replace("cluster.links = [{", "cluster.links = ${cluster.links} [{")
    assert "cluster.links.2.name: west is there already at cluster.links.1" in problems(
        tmp_path, text
    )


@pytest.mark.parametrize(
    ("server", "addresses"),
    [
        ("a:1,b", [("a", 1), ("b", 1883)]),
        ("mqtt://a.example", [("a.example", 1883)]),
        ("mqtts://a.example", [("a.example", 8883)]),
        ("[::1]:1884", [("::1", 1884)]),
        ("[fd00::1]", [("fd00::1", 1883)]),
        ("mqtts://[fd00::1]:1", [("fd00::1", 1)]),
    ],
)
def test_addresses_are_tried_in_the_order_in_which_they_stand(
    tmp_path: Path, server: str, addresses: list[tuple[str, int]]
) -> None:
    config = loaded(tmp_path, ONE.replace("10.0.0.9", server))
    link = native_link(config["cluster.links"][0], "east")
    assert link.servers == addresses
    assert (link.tls is not None) == server.startswith("mqtts")


@pytest.mark.parametrize(
    ("topics", "found"),
    [
        (["a", "b"], []),
        (["#", "a/b"], ["a/b"]),
        (["#", "$SYS/a"], []),
        (["+/a", "$SYS/a"], []),
        (["a/#", "a"], ["a"]),
        (["a/+", "a/#"], ["a/+"]),
        (["a/+/c", "a/b/+"], []),
        (["a/+/c", "a/b/c", "a/b/c"], ["a/b/c", "a/b/c"]),
        (["a/", "a"], []),
        (["+", "/"], []),
        (["+/+", "/"], ["/"]),
    ],
)
def test_a_filter_that_another_one_covers_is_redundant(topics: list[str], found: list[str]) -> None:
    assert redundant(topics) == found


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("10.1.2.3", True),
        ("192.168.0.1", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("fd00::1", True),
        ("8.8.8.8", False),
        ("2a00::1", False),
        ("localhost", True),
        ("broker-b", True),
        ("broker.svc.cluster.local", True),
        ("mqtt.example.com", False),
    ],
)
def test_where_a_network_is_private(host: str, expected: bool) -> None:
    assert is_private(host) is expected


@pytest.mark.parametrize(
    ("change", "is_warned"),
    [
        ("", True),
        ("ssl.enable = true", False),
        ("enable = false", False),
    ],
)
def test_a_link_that_anybody_on_the_way_can_read_is_warned_of(
    tmp_path: Path, change: str, is_warned: bool
) -> None:
    text = ONE.replace("10.0.0.9", "mqtt.example.com").replace("}]", f"{change}\n}}]")
    warnings = loaded(tmp_path, text).warnings
    assert [warning.kind for warning in warnings] == ["link_plain"] * is_warned
    assert all("mqtt.example.com" in warning.text("zh") for warning in warnings)


def test_a_password_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hidden\n")
    text = ONE.replace("}]", f'username = u, password = "file://{tmp_path}/secret" }}]')
    [item] = loaded(tmp_path, text)["cluster.links"]
    assert native_link(item, "east").password == b"hidden"
    (tmp_path / "secret").unlink()
    with pytest.raises(InvalidConfigError, match="No such file"):
        native_link(item, "east")


def test_certificates_may_stand_there_themselves_and_a_key_is_opened(tmp_path: Path) -> None:
    key = key_of(b"open")
    ssl = (
        f'ssl {{ enable = true, certfile = """{CERT}""", keyfile = """{key}""", password = open }}'
    )
    config = loaded(tmp_path, ONE.replace("}]", f"{ssl}\n}}]"))
    [item] = config["cluster.links"]
    tls = native_link(item, "east").tls
    assert tls is not None
    assert tls.cert_pem == CERT.encode()
    assert tls.key_pem is not None
    assert tls.key_pem.startswith(b"-----BEGIN PRIVATE KEY-----")
    assert "PRIVATE" not in str(config.effective()["cluster"]["links"])
    config = loaded(tmp_path, ONE.replace("}]", ssl.replace("= open", "= shut") + "\n}]"))
    with pytest.raises(InvalidConfigError, match="it does not open the key"):
        native_link(config["cluster.links"][0], "east")
