"""Who has to show a certificate: none, wrong, expired, revoked, right."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.authority import Authority
from harness.events import await_events
from harness.s_client import s_client
from harness.tls_listener import StartTls

BOTH = ("-tls1_2", "-tls1_3")


@pytest.mark.parametrize("version", BOTH)
def test_mandatory(start_tls: StartTls, ca: Authority, foreign_ca: Authority, version: str) -> None:
    right, revoked = ca.issue("right"), ca.issue("revoked")
    expired = ca.issue("expired", dates=("20200101", "20210101"))
    future = ca.issue("future", dates=("20800101", "20810101"))
    wrong = foreign_ca.issue("right")
    ca.revoke(revoked)
    node = start_tls(
        verify="verify_peer", fail_if_no_peer_cert=True, cacertfile=ca.cert, crlfile=ca.crl()
    )

    admitted = {
        name
        for name, pair in {
            "right": right,
            "revoked": revoked,
            "expired": expired,
            "future": future,
            "wrong": wrong,
            "none": None,
        }.items()
        if s_client(node, ca.cert, version, pair=pair).is_admitted
    }

    assert admitted == {"right"}
    assert node.metrics()["tls.handshake.failed"] == 5


def test_optional_but_right_when_shown(
    start_tls: StartTls, ca: Authority, foreign_ca: Authority
) -> None:
    node = start_tls(verify="verify_peer", cacertfile=ca.cert)

    assert s_client(node, ca.cert).is_admitted
    assert s_client(node, ca.cert, pair=ca.issue("right")).is_admitted
    assert not s_client(node, ca.cert, pair=foreign_ca.issue("right")).is_admitted


def test_not_asked_for(start_tls: StartTls, ca: Authority, foreign_ca: Authority) -> None:
    node = start_tls()

    assert s_client(node, ca.cert, pair=foreign_ca.issue("any")).is_admitted


def test_the_depth_bounds_the_chain(start_tls: StartTls, ca: Authority, tmp_path: Path) -> None:
    middle = Authority(tmp_path, "Middle CA", signer=ca)
    pair = middle.issue("device")
    chain = ("-cert_chain", str(middle.cert))

    admitted = {}
    for depth in (0, 1):
        node = start_tls(
            verify="verify_peer", fail_if_no_peer_cert=True, cacertfile=ca.cert, depth=depth
        )
        admitted[depth] = s_client(node, ca.cert, *chain, pair=pair).is_admitted

    assert admitted == {0: False, 1: True}


def test_a_list_has_to_be_of_the_right_authority(
    start_tls: StartTls, ca: Authority, foreign_ca: Authority
) -> None:
    node = start_tls(
        verify="verify_peer",
        fail_if_no_peer_cert=True,
        cacertfile=ca.cert,
        crlfile=foreign_ca.crl(),
    )

    assert not s_client(node, ca.cert, pair=ca.issue("unlisted")).is_admitted


@pytest.mark.parametrize(
    ("option", "mended_by"),
    [("-sha256", "X.509 version 1; issue it again as version 3 with `openssl x509"), ("-sha1", "")],
)
def test_the_log_names_what_mends_a_certificate(
    start_tls: StartTls, ca: Authority, tmp_path: Path, option: str, mended_by: str
) -> None:
    node = start_tls(verify="verify_peer", fail_if_no_peer_cert=True, cacertfile=ca.cert)
    extensions = tmp_path / "extensions"
    extensions.write_text("basicConstraints=CA:FALSE\n")
    options = (option,) if mended_by else (option, "-extfile", str(extensions))
    pair = ca.sign_plainly(ca.issue("device"), tmp_path / "old.pem", *options)

    assert not s_client(node, ca.cert, "-cipher", "DEFAULT@SECLEVEL=0", pair=pair).is_admitted

    [(_, _, line, *_)] = await_events(node, "log")
    assert "TLS handshake failed" in line
    assert "listener ssl:default" in line
    assert (mended_by or "sign it again with `openssl x509 -req -sha256") in line
