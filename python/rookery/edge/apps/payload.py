"""What applications send of a report: Neuron's formats, and templates of one's own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from rookery.edge.errors import NODE_SETTING_INVALID, EdgeError
from rookery.edge.model import FLOATS, Report, Tag, TagType, Value
from rookery.edge.wire import value_json
from rookery.words import Words

Encode: TypeAlias = "Callable[[Report, Mapping[str, Any], int], bytes]"
"""Payload of a report with the static tags of its subscription and its number."""

VALUES, TAGS, ECP, CUSTOM = range(4)
TEMPLATE_LENGTH_MAX = 8192

_PLACE = re.compile(r"\$\{([^}]*)\}")
_NO_JSON = Words("is no JSON: {reason}", "不是 JSON：{reason}")
_NO_PLACE = Words("knows no {name}, but {known}", "不支持 {name}，可用：{known}")
# A placeholder may stand where a number or an object does, without quotation marks.
_BARE = re.compile(r"([:\[,]\s*)(\$\{\w+\})(?=\s*[,}\]])")
_NEEDED = Words("needs a template", "需要填写模板")


def plain(value: Any) -> Any:
    """For :func:`json.dumps`: what it does not know by itself."""
    return value_json(value)


def dump(body: Any) -> bytes:
    """JSON as short as it can be."""
    try:
        return _dump(body)
    except ValueError:  # a number that is none
        return _dump(_finite(body))


def _dump(body: Any) -> bytes:
    text = json.dumps(
        body, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=plain
    )
    return text.encode()


def _finite(body: Any) -> Any:
    if isinstance(body, Mapping):
        return {name: _finite(value) for name, value in body.items()}
    if isinstance(body, list):
        return [_finite(value) for value in body]
    return value_json(body)


def encoder(form: int, template: str, *, with_errors: bool, with_seq: bool) -> Encode:
    """What makes payloads of a format.

    Raises:
        EdgeError: the template is none.
    """
    if form == CUSTOM:
        made = parse_template(template)
        return lambda report, static, seq: dump(_filled(made, _Context(report, static, seq)))
    body = {VALUES: _values, TAGS: _tags, ECP: _ecp}[form]

    def encode(report: Report, static: Mapping[str, Any], seq: int) -> bytes:
        head: dict[str, Any] = {
            "timestamp": report.timestamp_ms,
            "node": report.node,
            "group": report.group,
        }
        if with_seq:
            head["seq"] = seq
        return dump(head | body(report, static, with_errors))

    return encode


def _values(report: Report, static: Mapping[str, Any], with_errors: bool) -> dict[str, Any]:
    values = {**report.values, **static} if static else report.values
    return {"values": values, "errors": report.errors if with_errors else {}, "metas": {}}


def _tags(report: Report, static: Mapping[str, Any], with_errors: bool) -> dict[str, Any]:
    made = _named(report.values) + _named(static)
    return {"tags": made + (_named(report.errors, "error") if with_errors else [])}


def _ecp(report: Report, static: Mapping[str, Any], _with_errors: bool) -> dict[str, Any]:
    """Values with what they are: 1 bool, 2 int, 3 float, 4 string."""
    tags = report.tags
    made = [
        {"name": name, "value": value, "type": _ecp_type(tags.get(name), value)}
        for name, value in report.values.items()
    ]
    made += [
        {"name": name, "value": value, "type": _ecp_type(None, value)}
        for name, value in static.items()
    ]
    return {"tags": made}


def _ecp_type(tag: Tag | None, value: Value) -> int:
    if isinstance(value, bool) or (tag is not None and tag.type is TagType.BIT):
        return 1
    if isinstance(value, (str, bytes)):
        return 4
    is_float = isinstance(value, float) or (tag is not None and tag.type in FLOATS)
    return 3 if is_float else 2


def _named(values: Mapping[str, Any], key: str = "value") -> list[dict[str, Any]]:
    return [{"name": name, key: value} for name, value in values.items()]


class _Context:
    """What the placeholders of a template stand for."""

    def __init__(self, report: Report, static: Mapping[str, Any], seq: int) -> None:
        self.report = report
        self.static = static
        self.seq = seq

    def value(self, name: str) -> Any:
        return PLACES[name](self)


PLACES: dict[str, Callable[[_Context], Any]] = {
    "timestamp": lambda one: one.report.timestamp_ms,
    "node": lambda one: one.report.node,
    "group": lambda one: one.report.group,
    "seq": lambda one: one.seq,
    "tags": lambda one: _named(one.report.values) + _named(one.report.errors, "error"),
    "tag_values": lambda one: _named(one.report.values),
    "tag_errors": lambda one: _named(one.report.errors, "error"),
    "static_tags": lambda one: _named(one.static),
    "values": lambda one: one.report.values,
    "errors": lambda one: one.report.errors,
    "static_values": lambda one: one.static,
}


def parse_template(text: str) -> Any:
    """A template: JSON in whose texts placeholders stand.

    Raises:
        EdgeError: it is no JSON, or a placeholder is not known.
    """
    if not text:
        raise _refused(_NEEDED)
    try:
        made = json.loads(_BARE.sub(r'\1"\2"', text))
    except (ValueError, RecursionError) as error:
        raise _refused(_NO_JSON.format(reason=error)) from None
    for name in _places(made):
        if name not in PLACES:
            known = ", ".join(f"${{{one}}}" for one in PLACES)
            raise _refused(_NO_PLACE.format(name=f"${{{name}}}", known=known))
    return made


def _places(made: Any) -> Iterator[str]:
    if isinstance(made, dict):
        for name, value in made.items():
            yield from _PLACE.findall(name)
            yield from _places(value)
    elif isinstance(made, list):
        for value in made:
            yield from _places(value)
    elif isinstance(made, str):
        yield from _PLACE.findall(made)


def _filled(made: Any, context: _Context) -> Any:
    if isinstance(made, dict):
        return {_text(name, context): _filled(value, context) for name, value in made.items()}
    if isinstance(made, list):
        return [_filled(value, context) for value in made]
    if not isinstance(made, str):
        return made
    whole = _PLACE.fullmatch(made)
    return context.value(whole[1]) if whole is not None else _text(made, context)


def _text(made: str, context: _Context) -> str:
    if "${" not in made:
        return made
    return _PLACE.sub(lambda found: _shown(context.value(found[1])), made)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else dump(value).decode()


def _refused(reason: Words) -> EdgeError:
    return EdgeError(NODE_SETTING_INVALID, field="schema", reason=reason)
