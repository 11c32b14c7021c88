"""Settings of HTTP connectors and their actions."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from rookery.connectors.kinds import KIND, Headers, Seconds, UrlKind
from rookery.connectors.refusals import RefusedValue
from rookery.connectors.settings import ActionSettings, ConnectorSettings, Parameters, Tls
from rookery.connectors.templates import fault
from rookery.native.actions import render
from rookery.types import Secret
from rookery.words import Words

_NO_URL = Words("must be http://host… or https://host…", "应为 http://主机… 或 https://主机…")
_NO_PLAIN_URL = Words(
    "must be http://host… or https://host…, without placeholders before the path",
    "应为 http://主机… 或 https://主机…，且路径之前不含占位符",
)
_HOLDS_LOGIN = Words(
    "must not hold a name or password; use the header authorization",
    "不能包含用户名或密码，请使用 authorization 请求头",
)
_BAD_CHARACTERS = Words(
    "must have no fragment, blanks or control characters", "不能包含片段（#）、空格或控制字符"
)
_NO_HEADER = Words("{name} is no name of a header", "{name} 不是有效的请求头名称")
_OWN_HEADER = Words("{name} is made by the client itself", "{name} 由客户端自行生成，不能设置")
_BAD_HEADER = Words("the value of {name} holds control characters", "{name} 的值包含控制字符")
_NEEDS_TLS = Words("url: https needs ssl.enable = true", "url：https 需要 ssl.enable = true")

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# What is the client's own business.
_REFUSED = frozenset({"content-length", "transfer-encoding", "upgrade", "te", "trailer"})
_INERT = ("request", "retry_interval", "pool_type", "enable_pipelining")


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise RefusedValue(_NO_URL) from None
    if parts.scheme not in ("http", "https") or not host or "$" in parts.netloc:
        raise RefusedValue(_NO_PLAIN_URL)
    if "@" in parts.netloc:
        raise RefusedValue(_HOLDS_LOGIN)
    if parts.fragment or _CONTROL.search(url) or " " in url:
        raise RefusedValue(_BAD_CHARACTERS)
    return url


def _checked_path(path: str) -> str:
    # One that is not closed would be sent as plain text.
    if (why := fault(path, render)) is not None:
        raise RefusedValue(why)
    return path


def _checked_headers(headers: dict[str, Secret]) -> dict[str, Secret]:
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise RefusedValue(_NO_HEADER.format(name=repr(name[:64])))
        if name.lower() in _REFUSED:
            raise RefusedValue(_OWN_HEADER.format(name=name))
        if _CONTROL.search(value.reveal()):
            raise RefusedValue(_BAD_HEADER.format(name=name))
    return headers


def _default_headers() -> dict[str, Secret]:
    return {
        "accept": Secret("application/json"),
        "cache-control": Secret("no-cache"),
        "content-type": Secret("application/json"),
    }


CheckedHeaders = Annotated[Headers, AfterValidator(_checked_headers)]


class HttpConnectorSettings(ConnectorSettings):
    """``connectors.http.<name>``."""

    url: Annotated[str, UrlKind(), AfterValidator(_checked_url)] = Field(
        repr=False,
        title="URL",
        description="Where requests go; the path may have placeholders such as ${topic}.",
    )
    headers: CheckedHeaders = Field(
        default_factory=dict,
        title="Headers",
        description="Sent with the requests of all actions; values may have placeholders.",
    )
    connect_timeout: Seconds = Field(
        default=15.0, title="Connect timeout", description="Deadline of a connection."
    )
    pool_size: int = Field(
        default=8,
        ge=1,
        le=4096,
        title="Connections",
        description="Most requests under way at once; each has a connection of its own.",
    )
    max_inactive: Seconds = Field(
        default=10.0,
        title="Idle time",
        description="How long a connection without a request is kept.",
    )
    ssl: Tls = Field(default_factory=Tls, title="TLS", description="TLS to the service.")

    @model_validator(mode="before")
    @classmethod
    def _without_inert(cls, raw: Any) -> Any:
        if isinstance(raw, dict):
            return {key: value for key, value in raw.items() if key not in _INERT}
        return raw

    @model_validator(mode="after")
    def _agrees(self) -> HttpConnectorSettings:
        if self.url.startswith("https:") and not self.ssl.enable:
            raise RefusedValue(_NEEDS_TLS)
        return self


class HttpParameters(Parameters):
    """``actions.http.<name>.parameters``."""

    method: Literal["post", "put", "get", "delete"] = Field(
        default="post", title="Method", description="Method of the request."
    )
    path: Annotated[str, AfterValidator(_checked_path)] = Field(
        default="",
        max_length=8192,
        title="Path",
        description="Stands behind the URL of the connector; may have placeholders, "
        "whose values are encoded.",
        json_schema_extra={KIND: "template"},
    )
    headers: CheckedHeaders = Field(
        default_factory=_default_headers,
        title="Headers",
        description="Stand before those of the connector; values may have placeholders.",
    )
    body: str | None = Field(
        default=None,
        max_length=1 << 20,
        title="Body",
        description="What is sent, with placeholders; the whole result as JSON if absent.",
        json_schema_extra={KIND: "body"},
    )
    max_retries: int = Field(
        default=2,
        ge=0,
        le=100,
        title="Quick retries",
        description="How often a request is repeated at once when its connection breaks.",
    )
    request_timeout: Seconds = Field(
        default=15.0, title="Request timeout", description="Deadline of an answer."
    )


class HttpActionSettings(ActionSettings):
    """``actions.http.<name>``."""

    parameters: HttpParameters = Field(
        default_factory=HttpParameters, title="Parameters", description="What is requested."
    )
