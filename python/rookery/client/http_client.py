"""Asks a node's REST interface: requests, bodies, and refusals as the errors they are.

How the node is reached (a Unix socket, TCP, TLS) is decided by whoever derives from
:class:`NodeClient`.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import secrets
import ssl
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple
from urllib.parse import quote

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
from rookery.words import Words

ANSWER_BYTES_MAX = 64 << 20
API = "/api/v5"
"""Where the REST interface lies; everything else on the socket is for this machine alone."""


class UnreachableError(UnavailableError):
    """Nobody listens where the node was looked for."""


class NotAnsweringError(TimedOutError):
    """Somebody listens there and says nothing."""


class Content(NamedTuple):
    """A body that is not JSON."""

    content: bytes
    kind: str
    """Its ``Content-Type``."""


class NodeClient:
    """One request per call; nothing stays open."""

    def __init__(
        self, place: str, *, prefix: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        """``place`` says in errors where the node was looked for, ``prefix`` stands before paths."""
        self.place = place
        self._prefix = prefix
        self._headers = dict(headers or {})

    def opened(self) -> AbstractContextManager[http.client.HTTPConnection]:
        """A connection for one request."""
        raise NotImplementedError

    def get(self, path: str) -> Any:
        """Ask, and give back the JSON of the answer.

        Raises:
            UnreachableError: nobody listens there.
            NotAnsweringError: somebody does, and does not answer.
            RookeryError: the node refuses.
        """
        return self._request("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        """Tell the node to do something; ``body`` is sent as JSON, a :class:`Content` as it is.

        Raises:
            UnreachableError: nobody listens there.
            NotAnsweringError: somebody does, and does not answer.
            RookeryError: the node refuses.
        """
        return self._request("POST", path, body)

    def upload(self, path: str, field: str, name: str, content: bytes) -> Any:
        """Send a file as a form does.

        Raises:
            UnreachableError: nobody listens there.
            NotAnsweringError: somebody does, and does not answer.
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
        headers = {"accept": "application/json", **self._headers}
        content: bytes | None = None
        if isinstance(body, Content):
            content = body.content
            headers["content-type"] = body.kind
        elif body is not None:
            content = json.dumps(body, ensure_ascii=False).encode()
            headers["content-type"] = "application/json"
        try:
            with self.opened() as connection, contextlib.closing(connection):
                connection.request(method, self._prefix + path, content, headers)
                answer = connection.getresponse()
                text = answer.read(ANSWER_BYTES_MAX)
        except TimeoutError:
            raise NotAnsweringError(
                f"the node does not answer on {self.place}",
                message_zh=f"{self.place} 上的节点没有应答",
            ) from None
        except ssl.SSLError as error:
            raise UnreachableError(
                f"no trust in {self.place}: {error}", message_zh=f"{self.place} 不受信任：{error}"
            ) from None
        except (OSError, http.client.HTTPException) as error:
            why = _reason(error)
            raise UnreachableError(
                f"no node answers on {self.place}: {why.en}",
                message_zh=f"{self.place} 上没有节点应答：{why.zh}",
            ) from None
        if answer.status >= 400:
            raise _refusal(f"{method} {path}", answer.status, text)
        if answer.headers.get("content-type", "").startswith("text/"):
            return text.decode()
        return json.loads(text) if text else None


def _reason(error: Exception) -> Words:
    """Why there is no connection, in plain words where it is one of the usual reasons."""
    if isinstance(error, FileNotFoundError):
        return Words(
            "its socket is not there; is the node running?", "套接字不存在，节点可能未运行"
        )
    if isinstance(error, ConnectionRefusedError):
        return Words(
            "the connection was refused; is the node running?", "连接被拒绝，节点可能未运行"
        )
    return Words(str(error), str(error))


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
        # Of the outcome of a message there is no code but MQTT's.
        code = str(problem["code"] if "code" in problem else problem["reason_code"])
        said = problem["message"]
        # An object where a value breaks a rule that programs test for.
        message = str(said.get("text", said) if isinstance(said, dict) else said)
    except (ValueError, KeyError, TypeError):
        return InternalError(f"{request}: {status} {text[:200].decode(errors='replace')}")
    if code == ConfigError.code:
        return ConfigError(message.splitlines())
    kind = _BY_STATUS.get(status)
    if kind is None:
        return InternalError(f"{request}: {message}", code=code)
    return kind(message, code=code)
