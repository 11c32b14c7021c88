"""Files for TLS towards services: which of them, and which certificate in it, cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.authority import Authority, Pair
from rookery.access.errors import SettingError
from rookery.access.tls import ClientTls


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "CA")


@pytest.fixture(scope="module")
def pair(ca: Authority) -> Pair:
    return ca.issue("service")


def refusal(cacertfile: Path | None = None, pair: Pair | None = None) -> str:
    certfile, keyfile = (None, None) if pair is None else (pair.cert, pair.key)
    with pytest.raises(SettingError) as refused:
        ClientTls(cacertfile=cacertfile, certfile=certfile, keyfile=keyfile).context()
    return str(refused.value)


def damaged(text: str) -> str:
    """The same with the same marks and without its beginning."""
    lines = text.splitlines(keepends=True)
    return "".join([lines[0], *lines[3:]])


def test_a_whole_chain_is_taken(ca: Authority, pair: Pair, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("who may sign:\n" + ca.cert.read_text() + "\n" + pair.cert.read_text())
    assert len(ClientTls(cacertfile=bundle).context().get_ca_certs()) == 1


def test_the_certificate_that_cannot_be_read_is_named(
    ca: Authority, pair: Pair, tmp_path: Path
) -> None:
    bundle, good = tmp_path / "bundle.pem", ca.cert.read_text()
    bundle.write_text("who may sign:\n" + good + damaged(pair.cert.read_text()) + good)
    line = 2 + good.count("\n")
    told = refusal(cacertfile=bundle)
    assert told.startswith(f"ssl.cacertfile: {bundle}: certificate 2, from line {line} on")


def test_one_that_was_cut_off_is_named(ca: Authority, tmp_path: Path) -> None:
    bundle, good = tmp_path / "bundle.pem", ca.cert.read_text()
    bundle.write_text(good + good[: len(good) // 2])
    told = refusal(cacertfile=bundle)
    assert f"{bundle}: certificate 2, from line {1 + good.count(chr(10))} on" in told


def test_a_file_without_a_certificate_says_so(pair: Pair) -> None:
    assert refusal(cacertfile=pair.key) == (
        f"ssl.cacertfile: {pair.key}: holds no certificate in PEM format"
    )


def test_other_files_are_named(ca: Authority, pair: Pair, tmp_path: Path) -> None:
    missing = tmp_path / "none.pem"
    assert refusal(cacertfile=missing) == f"ssl.cacertfile: {missing}: No such file or directory"
    other = ca.issue("other")
    told = refusal(pair=Pair(pair.cert, other.key))
    assert told == f"ssl.keyfile: {other.key}: key values mismatch"
    told = refusal(pair=Pair(pair.cert, missing))
    assert told == f"ssl.keyfile: {missing}: No such file or directory"
    told = refusal(pair=Pair(missing, pair.key))
    assert told == f"ssl.certfile: {missing}: No such file or directory"
