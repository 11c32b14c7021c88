"""The one-file program, on the oldest Python, over TLS with a pinned CA."""

from __future__ import annotations

import hashlib
import os
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.agent_command import AgentCommand, api_url
from harness.authority import Authority
from harness.interpreters import oldest_and_this
from harness.rest_node import RestNode
from harness.stand_in_control import AGENT_ID, StandInControl
from rookery.agent import bundle


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "control's CA")


@pytest.fixture
def secured(authority: Authority) -> Iterator[StandInControl]:
    made = StandInControl(pair=authority.issue("control"), ca=authority.cert)
    made.open()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def program(tmp_path: Path) -> Iterator[AgentCommand]:
    path = tmp_path / bundle.FILE_NAME
    bundle.write(path)
    command = AgentCommand(tmp_path / "agent", (oldest_and_this("3.9")[0], "-I", str(path)))
    try:
        yield command
    finally:
        command("stop")


def pin_of(authority: Authority) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(authority.cert.read_text())).hexdigest()


def test_it_registers_and_reports_over_tls(
    authority: Authority, secured: StandInControl, program: AgentCommand, node: RestNode
) -> None:
    secured.clock_ms = 1_700_000_000_000  # an hour that nobody has any more: not its business
    done = program.register(secured, api_url(node), "--ca-sha256", pin_of(authority))
    assert (done.code, AGENT_ID in done.out) == (0, True), done
    assert program("start").code == 0

    report = secured.report(lambda one: one.facts is not None)
    assert report.mqtt_connect_error == ""
    assert [one.status for one in report.cluster_nodes] == ["running"]

    told = program("doctor")
    lines = told.out.splitlines()
    assert "[ok] control plane: certificate: signed by the pinned CA" in lines
    (broken,) = [line for line in lines if line.startswith("[BROKEN]")]
    assert broken.startswith("[BROKEN] clock: ")
    assert "NTP" in lines[-1]
    assert "behind" not in told.err


def test_another_ca_is_found_out(
    secured: StandInControl, program: AgentCommand, node: RestNode
) -> None:
    refused = program.register(secured, api_url(node), "--ca-sha256", "ab" * 32)
    assert (refused.code, "another than --ca-sha256 says" in refused.err) == (1, True), refused
    # Without the hash the system's CAs decide, and they do not know it.
    unknown = program.register(secured, api_url(node))
    assert (unknown.code, "TLS: " in unknown.err) == (1, True), unknown
    assert secured.registrations == []

    taken = program.register(secured, api_url(node), "--insecure-skip-verify")
    assert (taken.code, "not checked" in taken.err) == (0, True), taken


def test_the_install_script_installs_it(
    authority: Authority, secured: StandInControl, tmp_path: Path
) -> None:
    path = tmp_path / "served.pyz"
    bundle.write(path)
    secured.files["/dl/agent/rookery-agent.pyz"] = path.read_bytes()
    script = tmp_path / "install.sh"
    script.write_text(bundle.install_script())

    def install(pin: str) -> subprocess.CompletedProcess[str]:
        words = ["--url", secured.url, "--ca-sha256", pin, "--home", str(tmp_path / "agent")]
        return subprocess.run(
            ["sh", str(script), *words, "--no-link"],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        )

    refused = install("ab" * 32)
    assert (refused.returncode, "another than" in refused.stderr) == (1, True), refused
    assert not (tmp_path / "agent").exists()
    done = install(pin_of(authority))
    assert done.returncode == 0, done
    assert (tmp_path / "agent" / "bin" / bundle.FILE_NAME).read_bytes() == path.read_bytes()
