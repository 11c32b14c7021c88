"""The socket in a node's data directory: HTTP over a Unix socket, for whoever may read it."""

from __future__ import annotations

import contextlib
import http.client
import json
import secrets
import socket
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from rookery.client.local_socket import reachable, socket_path
from rookery.errors import (
    BadRequestError,
    ConfigError,
    ConflictError,
    ExceedsLimitError,
    InternalError,
    NotAllowedError,
    NotAvailableError,
    NotFoundError,
    RookeryError,
    TimedOutError,
    UnauthorizedError,
    UnavailableError,
)

ANSWER_BYTES_MAX = 64 << 20
API = "/api/v5"
"""Where the REST interface lies; everything else on the socket is for this machine alone."""


class Content(NamedTuple):
    """A body that is not JSON."""

    content: bytes
    kind: str
    """Its ``Content-Type``."""


class ManagementClient:
    """One request per call; nothing stays open."""

    def __init__(
        self, data_dir: Path, *, timeout_s: float = 5.0, language: str = "", prefix: str = ""
    ) -> None:
        """``prefix`` stands before every path, such as :data:`API`."""
        self._path = socket_path(data_dir)
        self._prefix = prefix
        self._timeout_s = timeout_s
        self._language = language

    def get(self, path: str) -> Any:
        """Ask, and give back the JSON of the answer.

        Raises:
            UnavailableError: nobody listens there.
            TimedOutError: somebody does, and does not answer.
            RookeryError: the node refuses.
        """
        return self._request("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        """Tell the node to do something; ``body`` is sent as JSON, a :class:`Content` as it is.

        Raises:
            UnavailableError: nobody listens there.
            TimedOutError: somebody does, and does not answer.
            RookeryError: the node refuses.
        """
        return self._request("POST", path, body)

    def upload(self, path: str, field: str, name: str, content: bytes) -> Any:
        """Send a file as a form does.

        Raises:
            UnavailableError: nobody listens there.
            TimedOutError: somebody does, and does not answer.
            RookeryError: the node refuses.
        """
        # Long and random: the file cannot hold it.
        boundary = secrets.token_hex(32)
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        head = (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="{field}"; filename="{quoted}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        return self._request(
            "POST", path, Content(body, f"multipart/form-data; boundary={boundary}")
        )

    def put(self, path: str, body: Any = None) -> Any:
        """The same with PUT."""
        return self._request("PUT", path, body)

    def delete(self, path: str) -> Any:
        """The same with DELETE."""
        return self._request("DELETE", path)

    def _request(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"accept": "application/json"}
        if self._language:
            headers["accept-language"] = self._language
        content: bytes | None = None
        if isinstance(body, Content):
            content = body.content
            headers["content-type"] = body.kind
        elif body is not None:
            content = json.dumps(body, ensure_ascii=False).encode()
            headers["content-type"] = "application/json"
        try:
            with reachable(self._path) as address:
                connection = _UnixConnection(address, self._timeout_s)
                with contextlib.closing(connection):
                    connection.request(method, self._prefix + path, content, headers)
                    answer = connection.getresponse()
                    text = answer.read(ANSWER_BYTES_MAX)
        except TimeoutError:
            raise TimedOutError(f"the node does not answer on {self._path}") from None
        except (OSError, http.client.HTTPException) as error:
            raise UnavailableError(f"no node answers on {self._path}: {error}") from None
        if answer.status >= 400:
            raise _refusal(f"{method} {path}", answer.status, text)
        if answer.headers.get("content-type", "").startswith("text/"):
            return text.decode()
        return json.loads(text) if text else None


def path_of(*parts: str) -> str:
    """``/a/b`` with what stands in each part kept from being read as a path."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


_BY_STATUS: dict[int, type[RookeryError]] = {
    400: BadRequestError,
    401: UnauthorizedError,
    403: NotAllowedError,
    404: NotFoundError,
    409: ConflictError,
    413: ExceedsLimitError,
    501: NotAvailableError,
    503: UnavailableError,
    504: TimedOutError,
}


def _refusal(request: str, status: int, text: bytes) -> RookeryError:
    try:
        problem = json.loads(text)
        code, message = str(problem["code"]), str(problem["message"])
    except (ValueError, KeyError, TypeError):
        return InternalError(f"{request}: {status} {text[:200].decode(errors='replace')}")
    if code == ConfigError.code:
        return ConfigError(message.splitlines())
    kind = _BY_STATUS.get(status)
    if kind is None:
        return InternalError(f"{request}: {message}", code=code)
    return kind(message, code=code)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, address: str, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._address)
