"""Nodes behind the real balancers, with the files of ``deploy``."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.balanced import DEVICE, KINDS, Site, StartSite, sites
from harness.node import HOST, ROOT


@pytest.fixture(scope="session")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``rookery tls init`` makes, and HAProxy's form of it."""
    folder = tmp_path_factory.mktemp("certs")
    cli = str(ROOT / ".venv/bin/rookery")
    command = [os.environ.get("ROOKERY_TEST_CLI", cli), "tls", "init", "--dir", str(folder)]
    subprocess.run([*command, "--host", HOST, "--client", DEVICE], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module", params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    """Which balancer, and where TLS ends."""
    name: str = request.param
    return name


@pytest.fixture
def start_site(
    kind: str, certs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartSite]:
    """Two nodes and a balancer in front of them, of one test, which may break them."""
    with sites(kind, certs, tmp_path_factory) as start:
        yield start


@pytest.fixture
def site(start_site: StartSite) -> Site:
    """With the times of the files."""
    return start_site()


@pytest.fixture(scope="module")
def shared_site(kind: str, certs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The same for tests that leave it as it was: use names of your own."""
    with sites(kind, certs, tmp_path_factory) as start:
        yield start()
