"""Bodies of webhooks: a JSON text with ``${…}`` in its strings.

Values are put into strings that were read already, so that nothing that an alarm says can change the form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from rookery.control.alarms.push.messages import Origin, Told, shown_time
from rookery.control.errors import InvalidError, Text

LENGTH_MAX = 8192
DEPTH_MAX = 16
VARIABLES: tuple[str, ...] = (
    "name",
    "contents",
    "alerttime",
    "level",
    "severity",
    "status",
    "link",
    "address",
    "systemtime",
    "endtime",
    "resource",
    "kind",
    "id",
    "org",
    "project",
)
REQUIRED = ("name", "contents", "alerttime")
_VARIABLE = re.compile(r"\$\{(\w{1,32})\}")

BAD_JSON = Text("the template is no JSON object: {reason}", "模板不是有效的 JSON 对象：{reason}")
UNKNOWN = Text(
    "the template has ${{{name}}}, which is none of {known}",
    "模板中的 ${{{name}}} 无效，可用变量：{known}",
)
MISSING = Text("the template lacks ${{{name}}}", "模板缺少 ${{{name}}}")

DEFAULT = json.dumps(
    {
        "data": {
            "Alarm Name": "${name}",
            "Level": "${level}",
            "Status": "${status}",
            "Contents": "${contents}",
            "Alarm Link": "${link}",
            "Service Address": "${address}",
            "Alert Time": "${alerttime}",
            "End Time": "${endtime}",
            "System Time": "${systemtime}",
            "Resource": "${resource}",
            "Organization": "${org}",
            "Project": "${project}",
        },
        "id": "${id}",
        "kind": "${kind}",
        "severity": "${severity}",
    },
    indent=2,
)
"""The body where nobody chose another."""


def checked(template: str) -> str:
    """The template, if it can be used.

    Raises:
        InvalidError: it cannot.
    """
    form = _read(template)
    found = {name for text in _texts(form) for name in _VARIABLE.findall(text)}
    for name in sorted(found - set(VARIABLES)):
        raise InvalidError(UNKNOWN, name=name, known=", ".join(VARIABLES))
    for name in REQUIRED:
        if name not in found:
            raise InvalidError(MISSING, name=name)
    return template


def body_of(template: str, told: Told, origin: Origin, now_ms: int) -> bytes:
    """The body for one alarm."""
    values = {
        "name": told.name,
        "contents": told.contents,
        "alerttime": shown_time(told.starts_ms),
        "level": told.level,
        "severity": told.severity,
        "status": str(told.event),
        "link": origin.link,
        "address": origin.address,
        "systemtime": shown_time(now_ms),
        "endtime": shown_time(told.ends_ms),
        "resource": told.resource,
        "kind": told.kind,
        "id": told.id,
        "org": origin.org,
        "project": origin.project,
    }
    return json.dumps(_filled(_read(template or DEFAULT), values), ensure_ascii=False).encode()


def _read(template: str) -> Any:
    try:
        form = json.loads(template)
    except (ValueError, RecursionError) as error:
        raise InvalidError(BAD_JSON, reason=str(error)[:200]) from None
    if not isinstance(form, dict) or _depth(form) > DEPTH_MAX:
        raise InvalidError(BAD_JSON, reason="{…}")
    return form


def _depth(form: Any, depth: int = 0) -> int:
    if depth > DEPTH_MAX:
        return depth
    below = form.values() if isinstance(form, dict) else form if isinstance(form, list) else ()
    return max((_depth(each, depth + 1) for each in below), default=depth)


def _texts(form: Any) -> Iterator[str]:
    if isinstance(form, str):
        yield form
    elif isinstance(form, dict):
        for name, value in form.items():
            yield name
            yield from _texts(value)
    elif isinstance(form, list):
        for value in form:
            yield from _texts(value)


def _filled(form: Any, values: Mapping[str, str]) -> Any:
    if isinstance(form, str):
        return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), form)
    if isinstance(form, dict):
        return {_filled(name, values): _filled(value, values) for name, value in form.items()}
    if isinstance(form, list):
        return [_filled(value, values) for value in form]
    return form
