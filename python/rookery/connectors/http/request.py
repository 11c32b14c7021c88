"""A request as the settings describe it: which fields it needs, and how it is put together."""

from __future__ import annotations

import json
import re
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from rookery.access.errors import Words
from rookery.connectors.base import Unrecoverable
from rookery.connectors.http.settings import HttpConnectorSettings, HttpParameters
from rookery.connectors.templates import has_placeholder, pieces, plain_text
from rookery.native.action_fields import ActionItem, FieldSpec, FieldValue, Row, Text

URL_LENGTH_MAX = 65_536
# What every client sends by itself.
_OWN = frozenset({"connection", "keep-alive", "host"})
_PLAIN_PATH = "/-._~!$&'()*+,;=:@%"
_PLAIN_QUERY = _PLAIN_PATH + "?"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DOTS = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:$|/)", re.IGNORECASE)

_CONTROL_CHARACTERS = Words(
    "the value of header {name} holds control characters", "请求头 {name} 的值含有控制字符"
)
_BAD_PATH = Words(
    "a value makes the path lead elsewhere (. or ..)", "占位符的值使路径指向别处（. 或 ..）"
)
_TOO_LONG = Words("the URL is longer than {most} characters", "URL 超过 {most} 个字符")


class Request(NamedTuple):
    """What is sent for one item."""

    url: str
    headers: dict[str, str]
    body: bytes | None


class _Part(NamedTuple):
    """A piece of the URL: text that is there already, or the number of a field."""

    text: str
    field: int
    is_query: bool


class RequestTemplate:
    """Makes requests of items. ``fields`` are what it needs of each."""

    def __init__(self, connector: HttpConnectorSettings, parameters: HttpParameters) -> None:
        self.method = parameters.method.upper()
        self._fields: list[FieldSpec] = []
        parts = urlsplit(connector.url)
        self._base = f"{parts.scheme}://{parts.netloc}"
        self._url = self._url_parts(_joined(parts.path, parts.query, parameters.path))
        self._headers: dict[str, str] = {}
        self._made_headers: list[tuple[str, int]] = []
        # Those of the action stand before those of the connector.
        named = {name.lower(): value for name, value in connector.headers.items()}
        named |= {name.lower(): value for name, value in parameters.headers.items()}
        for name, value in named.items():
            if name in _OWN:
                continue
            if has_placeholder(value.reveal()):
                self._made_headers.append((name, self._field(Text(value.reveal()))))
            else:
                self._headers[name] = plain_text(value.reveal())
        self._headers.setdefault("user-agent", "rookery")
        self._body: int | None = None
        if parameters.method in ("post", "put"):
            body = parameters.body
            self._body = self._field(Row() if body is None else Text(body))
        self.fields = tuple(self._fields)

    def request(self, item: ActionItem) -> Request:
        """The request of one item.

        Raises:
            Unrecoverable: a value cannot be part of one.
        """
        headers = dict(self._headers)
        for name, number in self._made_headers:
            value = _text(item.fields[number])
            if _CONTROL.search(value):
                raise Unrecoverable(_CONTROL_CHARACTERS.format(name=name))
            headers[name] = value
        body = None if self._body is None else _octets(item.fields[self._body])
        return Request(self._made_url(item), headers, body)

    def _field(self, spec: FieldSpec) -> int:
        if spec not in self._fields:
            self._fields.append(spec)
        return self._fields.index(spec)

    def _url_parts(self, template: str) -> list[_Part]:
        parts: list[_Part] = []
        is_query = False
        for piece in pieces(template):
            if piece.is_placeholder:
                parts.append(_Part("", self._field(Text(piece.text)), is_query))
            else:
                is_query = is_query or "?" in piece.text
                parts.append(_Part(quote(piece.text, safe=_PLAIN_QUERY), -1, is_query))
        return parts

    def _made_url(self, item: ActionItem) -> str:
        url = "".join(
            part.text
            if part.field < 0
            # A topic stays a path: http://host/${topic}.
            else quote(_octets(item.fields[part.field]), safe="" if part.is_query else "/")
            for part in self._url
        )
        if _DOTS.search(url.partition("?")[0]):
            raise Unrecoverable(_BAD_PATH)
        if len(url) > URL_LENGTH_MAX:
            raise Unrecoverable(_TOO_LONG.format(most=URL_LENGTH_MAX))
        return self._base + url


def _joined(path: str, query: str, more: str) -> str:
    """The path of the connector, then that of the action; queries of both at the end."""
    more_path, _, more_query = more.partition("?")
    whole = path or "/"
    if more_path:
        whole = f"{whole.removesuffix('/')}/{more_path.removeprefix('/')}"
    queries = "&".join(part for part in (query, more_query) if part)
    return f"{whole}?{queries}" if queries else whole


def _text(value: FieldValue) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else json.dumps(value)


def _octets(value: FieldValue) -> bytes:
    return value if isinstance(value, bytes) else _text(value).encode("utf-8", "replace")
