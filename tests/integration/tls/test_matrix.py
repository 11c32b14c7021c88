"""Versions, keys, names and cipher suites, as the openssl command sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.authority import KEY_TYPES, Authority, Pair, openssl
from harness.s_client import s_client
from harness.tls_listener import StartTls
from rookery.errors import StartError

OLD = ("-cipher", "DEFAULT@SECLEVEL=0")


@pytest.mark.parametrize(
    ("versions", "admitted"),
    [
        (("tlsv1.3", "tlsv1.2"), {"-tls1_3", "-tls1_2"}),
        (("tlsv1.3",), {"-tls1_3"}),
        (("tlsv1.2",), {"-tls1_2"}),
    ],
)
def test_versions(
    start_tls: StartTls, ca: Authority, versions: tuple[str, ...], admitted: set[str]
) -> None:
    node = start_tls(versions=versions)

    found = {
        option
        for option in ("-tls1_3", "-tls1_2", "-tls1_1", "-tls1")
        if s_client(node, ca.cert, option, *OLD).is_admitted
    }

    assert found == admitted
    assert node.metrics()["tls.handshake.failed"] == 4 - len(admitted)


@pytest.mark.parametrize("key_type", sorted(KEY_TYPES))
def test_keys(start_tls: StartTls, ca: Authority, key_type: str) -> None:
    pair = ca.issue("localhost", key_type)
    node = start_tls(certfile=pair.cert, keyfile=pair.key)

    for option in ("-tls1_3", "-tls1_2"):
        outcome = s_client(node, ca.cert, option)
        assert outcome.is_admitted, outcome.text


@pytest.mark.parametrize(
    "options",
    [
        ("pkcs8", "-topk8", "-v2", "aes-256-cbc"),
        ("pkcs8", "-topk8", "-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA1"),
        ("pkcs8", "-topk8", "-v2", "des3"),
        ("pkcs8", "-topk8", "-scrypt"),
    ],
    ids=lambda options: options[-1],
)
def test_encrypted_keys(
    start_tls: StartTls, ca: Authority, tmp_path: Path, options: tuple[str, ...]
) -> None:
    pair = ca.issue("localhost", "rsa2048")
    key = tmp_path / "encrypted.key"
    openssl(*options, "-in", pair.key, "-out", key, "-passout", "pass:secret")

    node = start_tls(certfile=pair.cert, keyfile=key, password="secret")
    assert s_client(node, ca.cert).is_admitted

    with pytest.raises(StartError, match=r"ssl_options.keyfile: .*is `password` right"):
        start_tls(certfile=pair.cert, keyfile=key, password="wrong")
    with pytest.raises(StartError, match=r"ssl_options.keyfile: .*`password` is not set"):
        start_tls(certfile=pair.cert, keyfile=key)


def test_an_old_encrypted_key_names_the_command_that_converts_it(
    start_tls: StartTls, ca: Authority, tmp_path: Path
) -> None:
    pair = ca.issue("localhost", "rsa2048")
    key, converted = tmp_path / "old.key", tmp_path / "old.key.new"
    openssl(
        *("rsa", "-in", pair.key, "-aes256", "-traditional", "-passout", "pass:secret", "-out", key)
    )
    assert "Proc-Type: 4,ENCRYPTED" in key.read_text()

    with pytest.raises(StartError, match=r"ssl_options.keyfile: .*`openssl pkcs8 -topk8") as caught:
        start_tls(certfile=pair.cert, keyfile=key, password="secret")

    command = str(caught.value).split("`openssl ")[1].split("`")[0]
    openssl(*command.split(), "-passin", "pass:secret", "-passout", "pass:secret")
    node = start_tls(certfile=pair.cert, keyfile=converted, password="secret")
    assert s_client(node, ca.cert).is_admitted


def test_a_chain_is_sent_whole(start_tls: StartTls, ca: Authority, tmp_path: Path) -> None:
    middle = Authority(tmp_path, "Middle CA", signer=ca)
    pair = middle.issue("localhost")
    chain = tmp_path / "chain.pem"
    chain.write_text(pair.cert.read_text() + middle.cert.read_text())

    node = start_tls(certfile=chain, keyfile=pair.key)

    assert s_client(node, ca.cert).is_admitted


def test_names_choose_the_certificate(start_tls: StartTls, ca: Authority) -> None:
    default, one, wild = ca.issue("default"), ca.issue("one"), ca.issue("wild")
    node = start_tls(
        certfile=default.cert,
        keyfile=default.key,
        sni=(
            ("one.example.com", str(one.cert), str(one.key)),
            ("*.example.org", str(wild.cert), str(wild.key)),
        ),
    )

    shown = {
        name: s_client(node, ca.cert, "-servername", name).subject.rpartition("CN = ")[2]
        for name in ("one.example.com", "ONE.example.com", "a.example.org", "a.b.example.org", "x")
    }

    assert shown == {
        "one.example.com": "one",
        "ONE.example.com": "one",
        "a.example.org": "wild",
        "a.b.example.org": "default",
        "x": "default",
    }


def test_cipher_suites_go_by_their_usual_names(start_tls: StartTls, ca: Authority) -> None:
    node = start_tls(ciphers=("ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_AES_128_GCM_SHA256"))

    assert s_client(node, ca.cert, "-tls1_2").is_admitted
    assert "TLS_AES_128_GCM_SHA256" in s_client(node, ca.cert, "-tls1_3").text
    other = ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384")
    assert not s_client(node, ca.cert, *other).is_admitted


def test_what_the_library_cannot_do_is_refused_with_the_reason(start_tls: StartTls) -> None:
    with pytest.raises(StartError, match="ciphers: PSK-AES128-CBC-SHA: pre-shared keys"):
        start_tls(ciphers=("PSK-AES128-CBC-SHA",))
    with pytest.raises(StartError, match="depth: more than 6"):
        start_tls(depth=7)


def test_tickets_are_a_switch(start_tls: StartTls, ca: Authority, tmp_path: Path) -> None:
    session = str(tmp_path / "session")
    for switch in (True, False):
        node = start_tls(session_tickets=switch)
        for version in ("-tls1_2", "-tls1_3"):
            s_client(node, ca.cert, version, "-sess_out", session)
            again = s_client(node, ca.cert, version, "-sess_in", session)
            assert again.is_admitted
            assert ("Reused, " in again.text) == switch, version


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("-sha256",), "X.509 version 1; issue it again"),
        (("-sha1",), "X.509 version 1; issue it again"),
    ],
)
def test_a_certificate_of_old_make_is_named(
    start_tls: StartTls, ca: Authority, tmp_path: Path, options: tuple[str, ...], reason: str
) -> None:
    pair = ca.sign_plainly(ca.issue("localhost"), tmp_path / "old.pem", *options)

    with pytest.raises(
        StartError, match=f"ssl_options.certfile: .*old.pem: .*CN=localhost.* is {reason}"
    ):
        start_tls(certfile=pair.cert, keyfile=pair.key)


def test_a_weak_signature_is_named(start_tls: StartTls, ca: Authority, tmp_path: Path) -> None:
    extensions = tmp_path / "extensions"
    extensions.write_text("basicConstraints=CA:FALSE\n")
    pair: Pair = ca.sign_plainly(
        ca.issue("localhost"), tmp_path / "weak.pem", "-sha1", "-extfile", str(extensions)
    )

    with pytest.raises(
        StartError, match=r"ssl_options.certfile: .*weak.pem: .*is signed with SHA-1"
    ):
        start_tls(certfile=pair.cert, keyfile=pair.key)
