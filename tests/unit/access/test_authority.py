"""``rookery tls init``: certificates that openssl accepts, and nothing that exists is touched."""

from __future__ import annotations

import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rookery.access.authority import Authority, now_utc
from rookery.cli.main import run
from rookery.config import load
from rookery.errors import BadRequestError, ConflictError

HOSTS = ["broker.example", "192.0.2.1", "::1"]


def verified(folder: Path, name: str, *options: str) -> bool:
    command = ["openssl", "verify", "-x509_strict", *options, "-CAfile", f"{folder}/ca.pem"]
    run = subprocess.run([*command, f"{folder}/{name}.pem"], capture_output=True, check=False)
    return run.returncode == 0


def test_openssl_accepts_them_for_what_they_are(tmp_path: Path) -> None:
    authority = Authority(tmp_path, now_utc())
    authority.sign_server(HOSTS, 30)
    authority.sign_client("sensor 1", 30)
    for host in ("-verify_hostname broker.example", "-verify_ip 192.0.2.1", "-verify_ip ::1"):
        assert verified(tmp_path, "server", "-purpose", "sslserver", *host.split())
    assert not verified(tmp_path, "server", "-verify_hostname", "other.example")
    assert verified(tmp_path, "sensor_1", "-purpose", "sslclient")
    assert not verified(tmp_path, "sensor_1", "-purpose", "sslserver")


def test_another_certificate_of_the_same_key_takes_the_place_of_the_one_before(
    tmp_path: Path,
) -> None:
    authority = Authority(tmp_path, now_utc())
    authority.sign_server(HOSTS, 30)
    key = (tmp_path / "server.key").read_bytes()
    authority.sign_server_again([*HOSTS, "other.example"], 30)
    assert verified(tmp_path, "server", "-verify_hostname", "other.example")
    assert (tmp_path / "server.key").read_bytes() == key
    names = {"ca.pem", "ca.key", "server.pem", "server.key"}
    assert {file.name for file in tmp_path.iterdir()} == names
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


def test_everything_is_the_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "certs"
    Authority(folder, now_utc()).sign_server(HOSTS, 30)
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_nothing_that_exists_is_replaced(tmp_path: Path) -> None:
    Authority(tmp_path, now_utc()).sign_client("a", 30)
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    again = Authority(tmp_path, now_utc())
    assert not again.is_new
    with pytest.raises(ConflictError):
        again.sign_client("a", 30)
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_later_certificate_is_of_the_same_authority(tmp_path: Path) -> None:
    Authority(tmp_path, now_utc())
    Authority(tmp_path, now_utc()).sign_client("later", 30)
    assert verified(tmp_path, "later")


@pytest.mark.parametrize("missing", ["ca.pem", "ca.key"])
def test_half_an_authority_signs_nothing(tmp_path: Path, missing: str) -> None:
    Authority(tmp_path, now_utc())
    (tmp_path / missing).unlink()
    with pytest.raises(BadRequestError):
        Authority(tmp_path, now_utc())


@pytest.mark.parametrize("name", ["", "x" * 65, "a\nb"])
def test_a_common_name_is_short_and_printable(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadRequestError):
        Authority(tmp_path, now_utc()).sign_client(name, 30)


def test_an_expired_certificate_is_one(tmp_path: Path) -> None:
    past = datetime.now(UTC) - timedelta(days=40)
    Authority(tmp_path, past).sign_server(HOSTS, 30)
    assert not verified(tmp_path, "server")


def test_the_lines_that_are_printed_are_a_good_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROOKERY_LANG", "en")
    assert run(["tls", "init", "--dir", str(tmp_path / "certs"), "--host", "a.example"]) == 0
    printed = capsys.readouterr().out
    lines = printed.partition("configuration file:\n")[2].partition("\nThen:")[0]
    file = tmp_path / "r.conf"
    file.write_text(lines)
    config = load(file, tmp_path / "data", environ={})
    tls = next(item.tls for item in config.to_native().listeners if item.id == "ssl:default")
    assert tls is not None
    assert Path(tls.certfile).exists()
    assert tls.fail_if_no_peer_cert
    assert verified(tmp_path / "certs", "client", "-purpose", "sslclient")
