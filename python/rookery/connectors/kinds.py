"""Kinds of values in settings: how people write them, what Python gets, how they are shown.

Used as ``connect_timeout: Annotated[float, Duration()]`` and ``password: Annotated[Secret,
SecretKind()]``; the common ones have names below.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, SerializationInfo
from pydantic_core import CoreSchema, core_schema

from rookery.config.secrets import HIDDEN, header_without_secrets, service_url_without_secrets
from rookery.config.values import (
    format_bytesize,
    format_duration,
    parse_bytesize,
    parse_duration_ms,
)
from rookery.connectors.refusals import RefusedValue
from rookery.types import Secret
from rookery.words import Words

REVEAL = "reveal"
"""Key of the serialization context with which secrets are written out."""

KIND = "x-kind"
"""Key of the JSON schema that tells a form what to draw: duration, bytesize, template, sql …"""

_NO_DURATION = Words(
    "must be a duration such as 15s, 1m, 2h or 1d", "应为时长，如 15s、1m、2h 或 1d"
)
_DURATION_RANGE = Words("must be a duration from {low} to {high}", "应为 {low} 到 {high} 的时长")
_NO_SIZE = Words("must be a size such as 100, 4KB or 1MB", "应为大小，如 100、4KB 或 1MB")
_SIZE_RANGE = Words("must be a size from {low} to {high}", "应为 {low} 到 {high} 的大小")
_NO_TEXT = Words("must be text", "应为字符串")
_TOO_LONG = Words("must have at most {most} characters", "最多 {most} 个字符")
_NO_HEADERS = Words("must be an object of names and texts", "应为由名称和字符串组成的对象")
_MANY_HEADERS = Words("must have at most {most} members", "最多 {most} 项")
_NO_URL = Words("must be a URL", "应为 URL")

HEADERS_MAX = 100
INFINITY = "infinity"
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Duration:
    """``15s`` outside, seconds inside; a bare number counts milliseconds, as in EMQX.

    Attributes:
        low_ms: Shortest.
        high_ms: Longest.
        may_be_infinite: Whether ``infinity`` is one, ``math.inf`` inside.
    """

    low_ms: int = 0
    high_ms: int = 24 * _HOUR_MS
    may_be_infinite: bool = False

    def parse(self, raw: object) -> float:
        if self.may_be_infinite and raw in (INFINITY, math.inf):
            return math.inf
        try:
            ms = parse_duration_ms(raw)
        except ValueError:
            raise RefusedValue(_NO_DURATION) from None
        if not self.low_ms <= ms <= self.high_ms:
            low, high = format_duration(self.low_ms), format_duration(self.high_ms)
            raise RefusedValue(_DURATION_RANGE.format(low=low, high=high))
        return ms / 1000

    @staticmethod
    def show(value: float) -> str:
        return INFINITY if value == math.inf else format_duration(round(value * 1000))

    def __get_pydantic_core_schema__(
        self, _source: Any, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.parse, serialization=core_schema.plain_serializer_function_ser_schema(self.show)
        )

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        made: dict[str, Any] = {"type": "string", KIND: "duration"}
        return made | ({"x-words": [INFINITY]} if self.may_be_infinite else {})


@dataclass(frozen=True, slots=True)
class ByteSize:
    """``256MB`` outside, octets inside."""

    low: int = 0
    high: int = 1 << 50

    def parse(self, raw: object) -> int:
        try:
            size = parse_bytesize(raw)
        except ValueError:
            raise RefusedValue(_NO_SIZE) from None
        if not self.low <= size <= self.high:
            low, high = format_bytesize(self.low), format_bytesize(self.high)
            raise RefusedValue(_SIZE_RANGE.format(low=low, high=high))
        return size

    def __get_pydantic_core_schema__(
        self, _source: Any, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(format_bytesize),
        )

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", KIND: "bytesize"}


@dataclass(frozen=True, slots=True)
class SecretKind:
    """Text that is :class:`~rookery.types.Secret` inside and hidden outside."""

    longest: int = 65_536

    def parse(self, raw: object) -> Secret:
        if isinstance(raw, Secret):
            raw = raw.reveal()
        elif isinstance(raw, (int, float)) and not isinstance(raw, bool):
            raw = str(raw)
        if not isinstance(raw, str):
            raise RefusedValue(_NO_TEXT)
        if len(raw) > self.longest:
            raise RefusedValue(_TOO_LONG.format(most=self.longest))
        return Secret(raw)

    @staticmethod
    def show(value: Secret, info: SerializationInfo) -> str:
        return value.reveal() if reveals(info) else HIDDEN

    def __get_pydantic_core_schema__(
        self, _source: Any, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(
                self.show, info_arg=True
            ),
        )

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "format": "password", KIND: "secret"}


@dataclass(frozen=True, slots=True)
class HeadersKind:
    """Headers by name; those that may hold a key are hidden outside."""

    def parse(self, raw: object) -> dict[str, Secret]:
        if not isinstance(raw, dict):
            raise RefusedValue(_NO_HEADERS)
        if len(raw) > HEADERS_MAX:
            raise RefusedValue(_MANY_HEADERS.format(most=HEADERS_MAX))
        kind = SecretKind(longest=8192)
        return {str(name): kind.parse(value) for name, value in raw.items()}

    @staticmethod
    def show(value: dict[str, Secret], info: SerializationInfo) -> dict[str, Any]:
        return {
            name: text.reveal() if reveals(info) else header_without_secrets(text.reveal(), name)
            for name, text in value.items()
        }

    def __get_pydantic_core_schema__(
        self, _source: Any, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(
                self.show, info_arg=True
            ),
        )

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "object",
            "additionalProperties": {"type": "string"},
            KIND: "headers",
        }


@dataclass(frozen=True, slots=True)
class UrlKind:
    """A URL; what its query says without a placeholder is hidden outside."""

    longest: int = 8192

    def parse(self, raw: object) -> str:
        if not isinstance(raw, str) or not 0 < len(raw) <= self.longest:
            raise RefusedValue(_NO_URL)
        return raw.strip()

    @staticmethod
    def show(value: str, info: SerializationInfo) -> str:
        return value if reveals(info) else service_url_without_secrets(value)

    def __get_pydantic_core_schema__(
        self, _source: Any, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(
                self.show, info_arg=True
            ),
        )

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", KIND: "url"}


def reveals(info: SerializationInfo) -> bool:
    """Whether secrets are written out, for what is stored."""
    return bool(info.context and info.context.get(REVEAL))


def _words(raw: object) -> object:
    if isinstance(raw, str):
        return [word.strip() for word in raw.split(",") if word.strip()]
    return raw


Seconds: TypeAlias = Annotated[float, Duration(low_ms=1, high_ms=_HOUR_MS)]
"""A deadline or interval, of one hour at most."""

AnySeconds: TypeAlias = Annotated[float, Duration()]
"""A duration that may be nothing, of one day at most."""

Ttl: TypeAlias = Annotated[float, Duration(1, 365 * 24 * _HOUR_MS, may_be_infinite=True)]
"""How long something lives; ``math.inf``: for ever."""

Bytes: TypeAlias = Annotated[int, ByteSize()]
SecretText: TypeAlias = Annotated[Secret, SecretKind()]
Headers: TypeAlias = Annotated[dict[str, Secret], HeadersKind()]
CommaList: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_words)]
"""Texts as a list, or as one text with commas between them."""
