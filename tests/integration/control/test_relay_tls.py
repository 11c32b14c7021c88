"""TLS of the relay as an operator sets it up: `rookery tls init --relay`, `rookery control start`, an edge.

Certificates that do not fit are refused, and both ends say why.
"""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import socket
import ssl
import subprocess
import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest
import pytest_asyncio
from cryptography import x509

from harness.client import DEADLINE_S
from harness.control import Asker, ControlProcess, control_world
from harness.role_command import command
from rookery.access.authority import Authority, now_utc

PATH = "/configuration/agent-relay"
# MQTT 5.0: CONNECT of nobody; any answer of the broker means that TLS let it through.
_CONNECT = bytes.fromhex("101000044d5154540502003c000003") + b"who"
_REFUSED_EXIT = 1


def knock(port: int, context: ssl.SSLContext) -> str:
    """Why a client is refused, as OpenSSL calls it; empty: the broker answered."""
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S) as plain:
        try:
            with context.wrap_socket(plain, server_hostname="localhost") as stream:
                stream.sendall(_CONNECT)
                assert stream.recv(1) == b"\x20"
        except ssl.SSLCertVerificationError as error:
            return error.verify_message
        except ssl.SSLError as error:
            return error.reason or ""
    return ""


def shown_serial(port: int) -> int:
    """Of the certificate that the port shows."""
    text = ssl.get_server_certificate(("127.0.0.1", port), timeout=DEADLINE_S)
    return x509.load_pem_x509_certificate(text.encode()).serial_number


def trusting(ca: Path, pair: tuple[Path, Path] | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca))
    if pair is not None:
        context.load_cert_chain(*pair)
    return context


class Plant(NamedTuple):
    """A running control plane whose certificates `rookery tls init` made."""

    folder: Path
    process: ControlProcess
    asker: Asker
    token: str
    port: int

    async def told(self, words: str) -> None:
        """Wait until its log says that."""
        async with asyncio.timeout(DEADLINE_S):
            while not any(words in line for line in self.process.log):
                # What is answered was printed after what is looked for, or a moment before.
                await self.asker.ask("GET", "/sign-in")

    async def relay(self, language: str = "en") -> dict[str, object]:
        headers = {"accept-language": language}
        answer = await self.asker.ask("GET", PATH, token=self.token, headers=headers)
        assert answer.status == 200, answer.text
        found: dict[str, object] = answer.json
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plant(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Plant]:
    base = tmp_path_factory.mktemp("relay")
    folder, config = base / "certs", base / "control.conf"
    made = rookery("tls", "init", "--relay", "--dir", str(folder), "--client", "plant-7")
    assert made.returncode == 0, made.stderr
    config.write_text(made.stdout[made.stdout.index("control {") : made.stdout.index("\n}") + 2])
    process = ControlProcess(base / "data", "--config", str(config))
    os.environ["NANOMQ_TLS_FAIL_IF_NO_PEER_CERT"] = "true"
    try:
        process.start()
    finally:
        del os.environ["NANOMQ_TLS_FAIL_IF_NO_PEER_CERT"]
    try:
        async with aiohttp.ClientSession() as client:
            asker = Asker(process.url, client)
            token = await asker.set_up(process.setup_code)
            answer = await asker.ask("GET", PATH, token=token)
            yield Plant(folder, process, asker, token, answer.json["tlsPort"])
    finally:
        assert process.stop() == 0


def rookery(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(command()), *words],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        env={**os.environ, "ROOKERY_LANG": "en", **environment},
        check=False,
    )


@pytest.mark.asyncio(loop_scope="module")
async def test_an_edge_with_the_certificates_that_were_made_gets_through(plant: Plant) -> None:
    pair = (plant.folder / "plant-7.pem", plant.folder / "plant-7.key")
    found = await asyncio.to_thread(knock, plant.port, trusting(plant.folder / "ca.pem", pair))
    assert found == ""
    relay = await plant.relay()
    assert (relay["isConnected"], relay["problem"]) == (True, "")
    # One switch from the file, the other from the environment, as a container for ECP has it.
    assert (relay["verifyPeer"], relay["failIfNoPeerCert"]) == (True, True)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("which", "at_the_edge", "at_control"),
    [
        ("none", "CERTIFICATE_REQUIRED", "showed no certificate and fail_if_no_peer_cert is true"),
        ("foreign", "UNKNOWN_CA", "is signed by no CA of cacertfile"),
        ("expired", "CERTIFICATE_EXPIRED", "the client's certificate has expired"),
        ("wrong ca", "unable to get local issuer", "does not trust the CA of our certificate"),
    ],
)
async def test_what_does_not_fit_is_refused_and_both_ends_say_why(
    plant: Plant, tmp_path: Path, which: str, at_the_edge: str, at_control: str
) -> None:
    ca, pair = plant.folder / "ca.pem", None
    if which == "foreign":
        pair = Authority(tmp_path, now_utc()).sign_client("stranger", 9)
    elif which == "expired":
        if not (plant.folder / "old.pem").exists():
            Authority(plant.folder, now_utc() - timedelta(days=40)).sign_client("old", 9)
        pair = (plant.folder / "old.pem", plant.folder / "old.key")
    elif which == "wrong ca":
        ca = Authority(tmp_path, now_utc()).certificate_file
    found = await asyncio.to_thread(knock, plant.port, trusting(ca, pair))
    assert at_the_edge in found
    await plant.told(at_control)


@pytest.mark.asyncio(loop_scope="module")
async def test_certificates_are_replaced_without_a_restart(plant: Plant, tmp_path: Path) -> None:
    before = await asyncio.to_thread(shown_serial, plant.port)
    authority = Authority(plant.folder, now_utc())
    authority.sign_server_again(["localhost", "127.0.0.1"], 9)
    await plant.told("the relay shows the certificate that its files hold now")
    assert await asyncio.to_thread(shown_serial, plant.port) != before
    relay = await plant.relay()
    certificate = relay["certificate"]
    assert isinstance(certificate, dict)
    assert certificate["daysLeft"] in (8, 9)

    # What does not fit is not taken, and it is told.
    kept = tmp_path / "kept.key"
    shutil.copy(plant.folder / "server.key", kept)
    other = Authority(tmp_path / "other", now_utc()).sign_server(["localhost"], 9)[1]
    other.replace(plant.folder / "server.key")
    await plant.told("were not read again, the old ones hold")
    assert (await plant.relay())["certificateProblem"] != ""
    pair = (plant.folder / "plant-7.pem", plant.folder / "plant-7.key")
    context = trusting(plant.folder / "ca.pem", pair)
    assert await asyncio.to_thread(knock, plant.port, context) == ""
    kept.replace(plant.folder / "server.key")
    async with asyncio.timeout(DEADLINE_S):
        while (await plant.relay())["certificateProblem"] != "":
            pass


@pytest.mark.asyncio(loop_scope="module")
async def test_files_that_cannot_be_used_are_named_in_one_line(
    plant: Plant, tmp_path: Path
) -> None:
    old = Authority(tmp_path / "old", now_utc() - timedelta(days=40))
    certificate, key = old.sign_server(["localhost"], 9)
    done = await asyncio.to_thread(
        rookery,
        *("control", "start", "--data-dir", str(tmp_path / "data")),
        *("--set", "control.bind=127.0.0.1:0", "--set", "control.relay.tcp=127.0.0.1:0"),
        NANOMQ_TLS_URL="tls+nmq-tcp://127.0.0.1:0",
        NANOMQ_TLS_CERT_PATH=str(certificate),
        NANOMQ_TLS_KEY_PATH=str(key),
    )
    assert done.returncode == _REFUSED_EXIT
    told = [line for line in (done.stdout + done.stderr).splitlines() if str(certificate) in line]
    assert len(told) == 1, told
    assert "control.relay.ssl_options.certfile" in told[0]
    assert "expired on" in told[0]


async def test_what_is_exported_lets_an_edge_in_and_holds_no_key_of_an_authority(
    tmp_path: Path,
) -> None:
    options = "control.relay.ssl_options"
    sets = [f"{options}.verify_peer=true", f"{options}.fail_if_no_peer_cert=true"]
    async with control_world(tmp_path / "data", sets=sets) as world:
        admin = await world.set_up()
        async with world.client.post(
            f"{world.url}/api{PATH}/certificates",
            json={"name": "plant-7"},
            headers={"authorization": f"Bearer {admin}"},
        ) as answer:
            assert answer.status == 200
            content = await answer.read()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(tmp_path / "edge")
        names = ["README.txt", "cacert.pem", "client-cert.pem", "client-key.pem"]
        assert sorted(path.name for path in (tmp_path / "edge").iterdir()) == names
        authority_key = (tmp_path / "data" / "certificates" / "ca.key").read_bytes()
        parts = [path.read_bytes() for path in (tmp_path / "edge").iterdir()]
        assert not any(authority_key in part for part in parts)
        pair = (tmp_path / "edge" / "client-cert.pem", tmp_path / "edge" / "client-key.pem")
        shown = x509.load_pem_x509_certificate(pair[0].read_bytes())
        assert shown.subject.rfc4514_string() == "CN=plant-7"
        port = world.control.adoption.relay.ports["tls"]
        context = trusting(tmp_path / "edge" / "cacert.pem", pair)
        assert await asyncio.to_thread(knock, port, context) == ""
        # The control plane has no certificate of its own to show, and is told just what was set.
        relay = (await world.ask("GET", PATH, token=admin)).json
        assert (relay["isConnected"], relay["problem"]) == (True, "")
        rows = await world.ask("GET", "/audit?resource=settings&size=1", token=admin)
        assert rows.json["items"][0]["operation"] == "export"
