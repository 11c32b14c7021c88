"""The pinned CA, and what the control plane answers."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.authority import Authority
from rookery.agent.control_api import ControlApi, checked_sha256, pinned_certificate, reason_of
from rookery.agent.failures import AgentError
from rookery.agent.http_client import Answer, Trust


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "control's CA")


def sha256_of(pem: Path) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.read_text())).hexdigest()


def test_the_pinned_certificate_alone_is_taken(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Authority(tmp_path_factory.mktemp("other"), "another CA")
    both = other.cert.read_bytes() + b"junk\n" + authority.cert.read_bytes()
    pin = sha256_of(authority.cert)

    found = pinned_certificate(both, pin)
    assert found is not None
    assert hashlib.sha256(ssl.PEM_cert_to_DER_cert(found)).hexdigest() == pin
    assert pinned_certificate(other.cert.read_bytes(), pin) is None


@given(st.binary(max_size=300))
def test_no_bytes_make_a_certificate(data: bytes) -> None:
    wrapped = b"-----BEGIN CERTIFICATE-----" + data + b"-----END CERTIFICATE-----"
    assert pinned_certificate(wrapped, "0" * 64) is None


def test_hashes_as_people_write_them() -> None:
    plain = "ab" * 32
    for text in (plain, plain.upper(), ":".join(["AB"] * 32), f"sha256:{plain}", f" {plain} "):
        assert checked_sha256(text) == plain
    for text in ("", "ab", plain + "a", "zz" * 32):
        with pytest.raises(AgentError):
            checked_sha256(text)


@given(st.binary(max_size=300), st.integers(100, 599))
def test_the_reason_of_any_answer_is_one_line(body: bytes, status: int) -> None:
    reason = reason_of(Answer(status, {}, body), "https://control:8082")

    assert str(status) in reason
    assert "\n" not in reason


def test_a_token_does_not_travel_in_the_clear() -> None:
    ControlApi.check_url("http://127.0.0.1:8082", is_insecure=False)
    ControlApi.check_url("https://control:8082", is_insecure=False)
    ControlApi.check_url("http://control:8082", is_insecure=True)
    with pytest.raises(AgentError, match="in the clear"):
        ControlApi.check_url("http://control:8082", is_insecure=False)


def test_who_is_trusted(authority: Authority) -> None:
    assert Trust().context().verify_mode is ssl.CERT_REQUIRED
    pinned = Trust(authority.cert).context()
    assert (pinned.verify_mode, pinned.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert len(pinned.get_ca_certs()) == 1
    assert Trust(is_insecure=True).context().verify_mode is ssl.CERT_NONE
