"""What a service, a token or a row says about a client that it knows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rookery.access.errors import AccessError, Words
from rookery.access.rules_json import rules_from_json
from rookery.access.verdict import CLIENT_ATTR_LENGTH_MAX, CLIENT_ATTRS_MAX, Admit
from rookery.native.config import AclRule

_ATTRIBUTE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}")
_TRUE = frozenset({"true", "1"})
# Nobody means the year 33658; somebody may have sent milliseconds.
_SECONDS_MAX = 1_000_000_000_000
CLIENT_ID_BYTES_MAX = 65_535

_NO_TIME = Words(
    "{name} must be seconds since 1970, as a number", "{name} 应为 1970 年以来的秒数（数字）"
)
_PAST = Words("{name} is in the past", "{name} 已过期")


def is_superuser(record: Mapping[str, Any], name: str = "is_superuser") -> bool:
    """EMQX's idea of true: ``true``, 1 and above, and the same as text. Everything else is not."""
    value = record.get(name)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value >= 1
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return isinstance(value, str) and value.strip().lower() in _TRUE


def client_attrs(record: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """``client_attrs``: what is no attribute is left out, as in EMQX."""
    value = record.get("client_attrs")
    if not isinstance(value, Mapping):
        return ()
    attributes = []
    for name, text in value.items():
        if isinstance(text, bool):
            text = "true" if text else "false"  # noqa: PLW2901
        if not isinstance(text, str | int) or not _ATTRIBUTE_NAME.fullmatch(str(name)):
            continue
        if len(str(text)) <= CLIENT_ATTR_LENGTH_MAX and "\0" not in str(text):
            attributes.append((str(name), str(text)))
    return tuple(attributes[:CLIENT_ATTRS_MAX])


def expire_at_ms(record: Mapping[str, Any], name: str, now_ms: int) -> int | None:
    """A time in seconds as milliseconds.

    Raises:
        AccessError: it is no time, or one that is over.
    """
    value = record.get(name)
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not value <= _SECONDS_MAX:
        raise AccessError(_NO_TIME.format(name=name))
    if value * 1000 <= now_ms:
        raise AccessError(_PAST.format(name=name))
    return int(value * 1000)


def acl(record: Mapping[str, Any], name: str = "acl") -> tuple[AclRule, ...] | None:
    """The rules that come along.

    Raises:
        AccessError: one of them cannot be.
    """
    value = record.get(name)
    return None if value is None else rules_from_json(value)


def client_id_override(record: Mapping[str, Any]) -> str | None:
    value = record.get("clientid_override")
    if not isinstance(value, str) or not value or "\0" in value:
        return None
    return value if len(value.encode("utf-8", "replace")) <= CLIENT_ID_BYTES_MAX else None


def admit_from(record: Mapping[str, Any], *, now_ms: int, reason: str) -> Admit:
    """Everything that an answer may say.

    Raises:
        AccessError: something of it cannot be.
    """
    return Admit(
        is_superuser=is_superuser(record),
        client_attrs=client_attrs(record),
        expire_at_ms=expire_at_ms(record, "expire_at", now_ms),
        acl=acl(record),
        client_id_override=client_id_override(record),
        reason=reason,
    )
