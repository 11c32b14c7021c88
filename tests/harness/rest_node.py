"""Asks a node's REST interface the way a program elsewhere does."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import re
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from harness.client import DEADLINE_S
from harness.node import HOST, Node, Settings, fresh_name
from rookery.client.management import Content, ManagementClient, path_of

ADMIN = "admin"
PASSWORD = "a-password-1"  # somebody chose it: it passes the rule
PREFIX = "/api/v5"


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None

    @property
    def code(self) -> str:
        """The error code; empty for an answer that has none."""
        try:
            return str(self.json["code"])
        except (ValueError, KeyError, TypeError):
            return ""


class Rest:
    """One caller of one node."""

    def __init__(
        self,
        port: int,
        *,
        authorization: str = "",
        tls: ssl.SSLContext | None = None,
        host: str = HOST,
    ) -> None:
        self.port = port
        self.authorization = authorization
        self._tls = tls
        self._host = host

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """``path`` as it is, query included."""
        sent = {"authorization": self.authorization} if self.authorization else {}
        content = None
        if isinstance(body, bytes):
            content = body
        elif body is not None:
            content = json.dumps(body).encode()
            sent["content-type"] = "application/json"
        connection = (
            http.client.HTTPConnection(self._host, self.port, timeout=DEADLINE_S)
            if self._tls is None
            else http.client.HTTPSConnection(
                self._host, self.port, timeout=DEADLINE_S, context=self._tls
            )
        )
        with contextlib.closing(connection):
            connection.request(method, path, content, {**sent, **(headers or {})})
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, named, answer.read())

    def get(self, path: str) -> Answer:
        return self.ask("GET", PREFIX + path)

    def post(self, path: str, body: Any = None) -> Answer:
        return self.ask("POST", PREFIX + path, body)

    def put(self, path: str, body: Any = None) -> Answer:
        return self.ask("PUT", PREFIX + path, body)

    def delete(self, path: str) -> Answer:
        return self.ask("DELETE", PREFIX + path)

    def with_token(self, token: str) -> Rest:
        return Rest(self.port, authorization=f"Bearer {token}", tls=self._tls)

    def with_key(self, key: str, secret: str) -> Rest:
        pair = base64.b64encode(f"{key}:{secret}".encode()).decode()
        return Rest(self.port, authorization=f"Basic {pair}", tls=self._tls)

    def login(self, username: str = ADMIN, password: str = PASSWORD) -> Rest:
        """Somebody who signed in."""
        answer = self.post("/login", {"username": username, "password": password})
        assert answer.status == 200, answer
        return self.with_token(answer.json["token"])


class RestNode:
    """A node and those who ask it."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.local = ManagementClient(node.data_dir, timeout_s=DEADLINE_S)

    def port(self, listener: str = "http:dashboard") -> int:
        rows = {row["listener"]: row["address"] for row in self.local.get("/ports")}
        return int(str(rows[listener]).rpartition(":")[2])

    @property
    def nobody(self) -> Rest:
        """Without credentials."""
        return Rest(self.port())

    @property
    def admin(self) -> Rest:
        """Signed in anew as the configured administrator."""
        return self.nobody.login()

    def user(self, role: str) -> Rest:
        """A user made for this, signed in."""
        name = fresh_name(f"{role}-")
        body = {"username": name, "password": PASSWORD, "role": role}
        self.local.post(PREFIX + "/users", body)
        return self.nobody.login(name)

    def key(self, role: str) -> Rest:
        """An API key made for this."""
        name = re.sub("[^a-z0-9]", "-", fresh_name(f"{role}-"))
        made = self.local.post(PREFIX + "/api_key", {"name": name, "role": role})
        return self.nobody.with_key(made["api_key"], made["api_secret"])

    def set(self, hocon: str) -> None:
        """Change settings while the node runs."""
        self.local.put(PREFIX + "/configs", Content(hocon.encode(), "text/plain"))

    def audit(self, query: str = "") -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.local.get(f"{PREFIX}/audit?{query}")["data"]
        return rows


def api(*parts: str) -> str:
    """A path without the prefix, each part kept whole."""
    return path_of(*parts)


@contextlib.contextmanager
def rest_node(
    folder: Path, settings: Settings | None = None, *, has_admin: bool = True
) -> Iterator[RestNode]:
    """A node that runs; with ``has_admin`` somebody has chosen the administrator's password."""
    chosen = {"dashboard.default_password": PASSWORD} if has_admin else {}
    node = Node(folder, {**chosen, **(settings or {})})
    node.start()
    try:
        yield RestNode(node)
    finally:
        node.stop()
