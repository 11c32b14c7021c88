"""An OpenID provider: node's oidc-provider, which is certified, as a process of its own.

with OidcProvider("client", "secret", "https://…/oidc/callback") as provider:
    provider.issuer
    provider.knows("subject", email="…", email_verified=True)
"""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import pytest

from harness.client import DEADLINE_S

FOLDER = Path(__file__).resolve().parents[1] / "integration" / "oidc"


class OidcProvider:
    """Runs while the block does."""

    def __init__(self, client_id: str, client_secret: str, redirect_uri: str) -> None:
        self._settings = {
            "clientId": client_id,
            "clientSecret": client_secret,
            "redirectUri": redirect_uri,
        }
        self.issuer = ""

    def knows(self, subject: str, **claims: Any) -> None:
        """What it says of somebody from now on."""
        asked = urllib.request.Request(
            f"{self.issuer}/accounts/{quote(subject)}", json.dumps(claims).encode(), method="PUT"
        )
        with urllib.request.urlopen(asked, timeout=DEADLINE_S):
            pass

    def __enter__(self) -> Self:
        node = shutil.which("node")
        if node is None or not (FOLDER / "node_modules").is_dir():
            pytest.fail("the OpenID provider is missing: tools/setup.sh test installs it")
        self._process = subprocess.Popen(
            [node, "provider.mjs"],
            cwd=FOLDER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(self._settings) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the OpenID provider did not start: node provider.mjs says why"
        self.issuer = f"http://localhost:{json.loads(line)['port']}"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(DEADLINE_S)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
