"""Asks for JSON by HTTP."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeAlias

import aiohttp

from rookery.edge.conversion import FLOAT_MAX, RANGES
from rookery.edge.drivers.base import Driver, LinkLost, NoAnswer, Reading, Refused
from rookery.edge.drivers.http_json.address import Address, parse
from rookery.edge.errors import DECODE_FAILURE, READ_FAILURE, TYPE_MISMATCH
from rookery.edge.model import FLOATS, Tag, TagType, Value
from rookery.words import Words

BYTES_MAX = 1 << 20

_UNREACHABLE = Words("{host} cannot be reached: {reason}", "无法连接 {host}：{reason}")
_LATE = Words("{host} does not answer", "{host} 无应答")
_STATUS = Words("{host} answers {status}", "{host} 返回 {status}")
_NO_JSON = Words("{host} answers with no JSON", "{host} 返回的不是 JSON")

Plan: TypeAlias = dict[str, list[tuple[Tag, Address]]]
_NOWHERE = object()


class HttpJson(Driver[Plan]):
    """One service; every document of a group is asked for once a cycle."""

    def __init__(self, setting: Mapping[str, Any]) -> None:
        self._setting = setting
        self._session: aiohttp.ClientSession | None = None
        self._host = setting["url"].split("://", 1)[1].split("/", 1)[0]

    async def connect(self) -> None:
        setting = self._setting
        headers = {"Accept": "application/json"}
        if setting["token"]:
            headers["Authorization"] = f"Bearer {setting['token']}"
        elif setting["username"]:
            pair = f"{setting['username']}:{setting['password'] or ''}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        timeout = aiohttp.ClientTimeout(total=setting["timeout"] / 1000)
        self._session = aiohttp.ClientSession(headers=headers, timeout=timeout)

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def plan(self, tags: Sequence[Tag]) -> Plan:
        plan: Plan = {}
        for tag in tags:
            address = parse(tag)
            plan.setdefault(address.path, []).append((tag, address))
        return plan

    async def read(self, plan: Plan) -> Reading:
        reading = Reading()
        refused: Refused | None = None
        for path, wanted in plan.items():
            try:
                document = await self._get(path)
            except Refused as error:
                refused = error
                reading.errors |= dict.fromkeys((tag.name for tag, _ in wanted), error.number)
                continue
            for tag, address in wanted:
                _take(tag, address, document, reading)
        if refused is not None and not reading.values:
            raise refused
        return reading

    async def _get(self, path: str) -> Any:
        assert self._session is not None
        url = self._setting["url"].rstrip("/") + path if path else self._setting["url"]
        try:
            # Where a redirect leads nobody has allowed.
            async with self._session.get(url, allow_redirects=False) as answer:
                status, body = answer.status, bytearray()
                async for part in answer.content.iter_chunked(65_536):
                    body += part
                    if len(body) > BYTES_MAX:
                        break
        except TimeoutError:
            raise NoAnswer(_LATE.format(host=self._host)) from None
        except (aiohttp.ClientError, OSError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise LinkLost(_UNREACHABLE.format(host=self._host, reason=reason)) from None
        self.received_bytes += len(body)
        if status != HTTPStatus.OK:
            raise Refused(_STATUS.format(host=self._host, status=status))
        try:
            return json.loads(bytes(body)) if len(body) <= BYTES_MAX else _too_long()
        except (ValueError, RecursionError):
            raise _NoJson(_NO_JSON.format(host=self._host)) from None


class _NoJson(Refused):
    """It is there, and cannot be understood."""

    number = DECODE_FAILURE.number


def _too_long() -> Any:
    raise ValueError


def _take(tag: Tag, address: Address, document: Any, reading: Reading) -> None:
    found = _place(document, address.names)
    if found is _NOWHERE or found is None:
        reading.errors[tag.name] = READ_FAILURE.number
        return
    value = _typed(tag.type, found)
    if value is None:
        reading.errors[tag.name] = TYPE_MISMATCH.number
    else:
        reading.values[tag.name] = value


def _place(document: Any, names: Sequence[str]) -> Any:
    for name in names:
        if isinstance(document, dict) and name in document:
            document = document[name]
        elif isinstance(document, list) and name.isdecimal() and int(name) < len(document):
            document = document[int(name)]
        else:
            return _NOWHERE
    return document


def _typed(kind: TagType, found: Any) -> Value | None:
    """None where the tag's type cannot hold it. Numbers that are written as text are numbers too."""
    if kind is TagType.STRING:
        return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
    if kind is TagType.BOOL:
        return bool(found) if isinstance(found, int) else None
    try:
        number = float(found) if kind in FLOATS or isinstance(found, float) else int(found)
        if kind in FLOATS:
            return number if kind is TagType.DOUBLE or abs(number) <= FLOAT_MAX else None
        low, high = RANGES[kind]
        return int(number) if number == int(number) and low <= number <= high else None
    except (ValueError, TypeError, OverflowError):
        return None
