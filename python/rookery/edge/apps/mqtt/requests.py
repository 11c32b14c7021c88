"""Requests that come over MQTT: to write and to read tags."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rookery.edge.apps.base import Drivers
from rookery.edge.errors import BODY_IS_WRONG, EdgeError
from rookery.edge.model import Write
from rookery.edge.wire import value_json
from rookery.words import Words

WRITES_MAX = 1000
BYTES_MAX = 1 << 20
UUID_LENGTH_MAX = 256

_NO_JSON = Words("no JSON object", "不是 JSON 对象")
_NO_TEXT = Words("{name} must be text", "{name} 应为字符串")
_NO_TAGS = Words(
    "it needs tag and value, or tags with at most {most} of both",
    "需要 tag 和 value，或最多 {most} 项的 tags",
)


async def write(drivers: Drivers, payload: bytes) -> dict[str, Any]:
    """Write what a request says; the answer has the number of the error, 0 for none."""
    body: Mapping[str, Any] = {}
    try:
        body = _body(payload)
        node = _name(body, "node")
        written = await drivers.write_all(node, _writes(body))
    except EdgeError as error:
        return {"uuid": _uuid(body), "error": error.number, "message": error.text()}
    failed = [one for one in written if one.error]
    answer: dict[str, Any] = {"uuid": _uuid(body), "error": failed[0].error if failed else 0}
    if failed and len(written) > 1:
        answer["tags"] = [{"tag": one.tag, "error": one.error} for one in written]
    if failed and failed[0].reason is not None:
        answer["message"] = failed[0].reason.en
    return answer


def read(drivers: Drivers, payload: bytes) -> dict[str, Any]:
    """What was read last of the group that a request names."""
    body: Mapping[str, Any] = {}
    try:
        body = _body(payload)
        node, group = _name(body, "node"), _name(body, "group")
        values = drivers.read(node, group)
    except EdgeError as error:
        return {"uuid": _uuid(body), "error": error.number, "message": error.text()}
    names = body.get("tags")
    wanted = set(map(str, names)) if isinstance(names, list) else None
    tags = [
        {"name": one.name, "error": one.error}
        if one.error
        else {"name": one.name, "value": value_json(one.value)}
        for one in values
        if wanted is None or one.name in wanted
    ]
    return {"uuid": _uuid(body), "node": node, "group": group, "tags": tags}


def _body(payload: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(payload) if len(payload) <= BYTES_MAX else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise EdgeError(BODY_IS_WRONG, reason=_NO_JSON)
    return found


def _uuid(body: Mapping[str, Any]) -> Any:
    uuid = body.get("uuid")
    return uuid[:UUID_LENGTH_MAX] if isinstance(uuid, str) else ""


def _name(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str):
        raise EdgeError(BODY_IS_WRONG, reason=_NO_TEXT.format(name=key))
    return value


def _writes(body: Mapping[str, Any]) -> list[Write]:
    tags = body.get("tags")
    refused = EdgeError(BODY_IS_WRONG, reason=_NO_TAGS.format(most=WRITES_MAX))
    if tags is None:
        if "value" not in body:
            raise refused
        return [Write(_name(body, "group"), _name(body, "tag"), body["value"])]
    if not isinstance(tags, list) or not 1 <= len(tags) <= WRITES_MAX:
        raise refused
    made = []
    for one in tags:
        if not isinstance(one, dict) or "value" not in one:
            raise refused
        group = _name(one if "group" in one else body, "group")
        made.append(Write(group, _name(one, "tag"), one["value"]))
    return made
