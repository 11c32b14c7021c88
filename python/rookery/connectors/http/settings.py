"""Settings of HTTP connectors and their actions."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from rookery.connectors.kinds import KIND, Headers, Seconds, UrlKind
from rookery.connectors.settings import ActionSettings, ConnectorSettings, Parameters, Tls
from rookery.types import Secret

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
        raise ValueError("must be http://host… or https://host…") from None
    if parts.scheme not in ("http", "https") or not host or "$" in parts.netloc:
        raise ValueError(
            "must be http://host… or https://host…, without placeholders before the path"
        )
    if "@" in parts.netloc:
        raise ValueError("must not hold a name or password; use the header authorization")
    if parts.fragment or _CONTROL.search(url) or " " in url:
        raise ValueError("must have no fragment, blanks or control characters")
    return url


def _checked_headers(headers: dict[str, Secret]) -> dict[str, Secret]:
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name[:64]!r} is no name of a header")
        if name.lower() in _REFUSED:
            raise ValueError(f"{name} is made by the client itself")
        if _CONTROL.search(value.reveal()):
            raise ValueError(f"the value of {name} holds control characters")
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
            raise ValueError("url: https needs ssl.enable = true")
        return self


class HttpParameters(Parameters):
    """``actions.http.<name>.parameters``."""

    method: Literal["post", "put", "get", "delete"] = Field(
        default="post", title="Method", description="Method of the request."
    )
    path: str = Field(
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
