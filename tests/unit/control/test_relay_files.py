"""The certificates of the relay are looked at before it opens; what cannot be used is named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from rookery.access import own_certificates
from rookery.access.authority import Authority, now_utc
from rookery.config.control import load_control
from rookery.config.problems import InvalidConfigError
from rookery.control.relay.files import CertificateError, RelayFiles, files_of

OPTIONS = "control.relay.ssl_options"


def files(tmp_path: Path, *sets: str, environ: Mapping[str, str] | None = None) -> RelayFiles:
    config = load_control(None, tmp_path / "data", list(sets), environ=environ or {})
    return files_of(config, own_certificates.prepare(config))


@pytest.fixture
def brought(tmp_path: Path) -> Path:
    """A folder with certificates of an authority of somebody's own."""
    folder = tmp_path / "certs"
    authority = Authority(folder, now_utc())
    authority.sign_server(["relay.example"], 9)
    authority.sign_client("edge", 9)
    return folder


def sets_of(folder: Path) -> list[str]:
    return [
        f"{OPTIONS}.certfile={folder}/server.pem",
        f"{OPTIONS}.keyfile={folder}/server.key",
        f"{OPTIONS}.cacertfile={folder}/ca.pem",
        f"{OPTIONS}.verify_peer=true",
        f"control.mqtt.certFile={folder}/edge.pem",
        f"control.mqtt.keyFile={folder}/edge.key",
    ]


def _remove(folder: Path) -> None:
    (folder / "server.key").unlink()


def _other_key(folder: Path) -> None:
    (folder / "edge.key").replace(folder / "server.key")


def _expired(folder: Path) -> None:
    for name in ("server.pem", "server.key"):
        (folder / name).unlink()
    Authority(folder, now_utc() - timedelta(days=40)).sign_server(["relay.example"], 9)


def _not_yet(folder: Path) -> None:
    for name in ("server.pem", "server.key"):
        (folder / name).unlink()
    Authority(folder, now_utc() + timedelta(days=4)).sign_server(["relay.example"], 9)


def _nonsense(folder: Path) -> None:
    (folder / "ca.pem").write_text("no certificate")


def _foreign_edge(folder: Path) -> None:
    pair = Authority(folder / "other", now_utc()).sign_client("edge", 9)
    pair[0].replace(folder / "edge.pem")
    pair[1].replace(folder / "edge.key")


@pytest.mark.parametrize(
    ("spoil", "setting", "file", "words"),
    [
        (_remove, f"{OPTIONS}.keyfile", "server.key", "cannot be read"),
        (_other_key, f"{OPTIONS}.keyfile", "server.key", "is not the key of the certificate in"),
        (_expired, f"{OPTIONS}.certfile", "server.pem", "expired on"),
        (_not_yet, f"{OPTIONS}.certfile", "server.pem", "is not valid before"),
        (_nonsense, "control.mqtt.cacertFile", "ca.pem", "holds no certificate in PEM format"),
        (_foreign_edge, "control.mqtt.certFile", "edge.pem", "edges that show it would be refused"),
    ],
)
def test_each_file_that_cannot_be_used_is_named(
    tmp_path: Path,
    brought: Path,
    spoil: Callable[[Path], None],
    setting: str,
    file: str,
    words: str,
) -> None:
    found = files(tmp_path, *sets_of(brought))
    found.check(now_utc())
    spoil(brought)
    with pytest.raises(CertificateError) as refusal:
        found.check(now_utc())
    text = refusal.value.message
    assert text.startswith(f"{setting}: ")
    assert str(brought / file) in text
    assert words in text
    assert "\n" not in text
    assert refusal.value.text("zh") != text


def test_what_is_made_needs_no_settings_and_edges_get_certificates_of_it(tmp_path: Path) -> None:
    found = files(tmp_path)
    found.check(now_utc())
    assert found.is_own
    assert "cacertfile" not in found.options()
    assert files(tmp_path, f"{OPTIONS}.verify_peer=true").options()["verify"] == "verify_peer"


def test_names_of_nanomq_stand_above_the_file_and_below_names_of_our_own(
    tmp_path: Path, brought: Path
) -> None:
    given = {
        "NANOMQ_TLS_CERT_PATH": str(brought / "server.pem"),
        "NANOMQ_TLS_KEY_PATH": str(brought / "server.key"),
        "NANOMQ_TLS_CA_CERT_PATH": str(brought / "ca.pem"),
        "NANOMQ_TLS_VERIFY_PEER": "true",
        "NANOMQ_TLS_FAIL_IF_NO_PEER_CERT": "true",
        "NANOMQ_TLS_URL": "tls+nmq-tcp://0.0.0.0:8883",
        "NANOMQ_TLS_KEY_PASSWORD": "",
        "ROOKERY_CONTROL__RELAY__SSL_OPTIONS__FAIL_IF_NO_PEER_CERT": "false",
    }
    (tmp_path / "control.conf").write_text(
        'control.relay { tls = "127.0.0.1:1", ssl_options.verify_peer = false }'
    )
    config = load_control(tmp_path / "control.conf", tmp_path / "data", [], environ=given)
    assert str(config.values["relay"]["tls"]) == "0.0.0.0:8883"
    found = files_of(config, own_certificates.prepare(config))
    assert found.verify_peer
    assert not found.fail_if_no_peer_cert
    found.check(now_utc())
    off = load_control(None, tmp_path / "data", [], environ={"NANOMQ_TLS_ENABLE": "false"})
    assert not off.values["relay"]["ssl_options"]["enable"]


@pytest.mark.parametrize(
    ("written", "missing"),
    [
        (f"{OPTIONS}.certfile=a.pem", f"{OPTIONS}.keyfile"),
        ("control.mqtt.keyFile=a.key", "control.mqtt.certFile"),
        (f"{OPTIONS}.fail_if_no_peer_cert=true", f"{OPTIONS}.verify_peer"),
    ],
)
def test_half_of_what_belongs_together_is_refused(
    tmp_path: Path, written: str, missing: str
) -> None:
    with pytest.raises(InvalidConfigError) as refusal:
        files(tmp_path, written)
    assert missing in str(refusal.value)


def test_the_client_settings_of_the_document_are_read_as_written(
    tmp_path: Path, brought: Path
) -> None:
    (tmp_path / "control.conf").write_text(
        f"""control.mqtt {{
          useSSL: true
          addr: "mqtt:8883"
          username: "ecp-mqtt-cloud"
          password: "not-this-one"
          maxReconnectInterval: 3
          connectTimeout: 8
          cleanSession: true
          verifyCertificate: false
          cacertFile: "{brought}/ca.pem"
          certFile: "{brought}/edge.pem"
          keyFile: "{brought}/edge.key"
        }}"""
    )
    config = load_control(tmp_path / "control.conf", tmp_path / "data", [], environ={})
    assert config.values["mqtt"]["addr"] == "mqtt:8883"
    said = [problem.text() for problem in config.warnings]
    assert any("control.mqtt.username" in text and "one process" in text for text in said)
    assert not any("not-this-one" in text for text in said)
