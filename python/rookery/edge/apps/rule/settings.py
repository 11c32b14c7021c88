"""Settings of a rule."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from rookery.edge.apps.mqtt.settings import BROKER, CACHE, QOS, TOPIC_LENGTH_MAX, check_tls
from rookery.edge.errors import NODE_SETTING_INVALID, PARAM_IS_WRONG, EdgeError
from rookery.edge.schema import Field
from rookery.errors import RookeryError
from rookery.words import Words

SQL_LENGTH_MAX = 8192

_NO_PARAMS = Words("a subscription of a rule has no parameters", "规则的订阅没有参数")
_BAD_SQL = Words("cannot be used: {reason}", "无法使用：{reason}")
_NO_GROUPS = Words(
    'has to select from groups, such as FROM "device/group" or FROM "+/group"',
    '须从采集组选取数据，例如 FROM "device/group" 或 FROM "+/group"',
)
_NOTHING_TO_DO = Words(
    "has results that go nowhere: switch on publishing or writing",
    "结果没有去处：请开启发布或写入设备",
)
_WILDCARD = Words("must be a topic without + and #", "应为不含 + 和 # 的主题")


def _topic(text: str) -> Words | None:
    return _WILDCARD if not {"+", "#", "\0"}.isdisjoint(text) else None


def _if_published(one: Field) -> Field:
    """Asked for only where results are published."""
    return (
        one if one.shown_if is not None else dataclasses.replace(one, shown_if=("publish", (True,)))
    )


_RULE = (
    Field(
        name="sql",
        type="text",
        title=Words("SQL", "SQL"),
        about=Words(
            "As of rules of the broker. Each group that the rule subscribes to is a topic, device/group, and its "
            'payload has values: SELECT payload.values.t AS t FROM "press/fast" WHERE t > 80',
            "语法与 MQTT 服务器的规则相同。订阅的每个采集组对应一个主题 device/group，payload 中含 values："
            'SELECT payload.values.t AS t FROM "press/fast" WHERE t > 80',
        ),
        is_required=True,
        low=1,
        high=SQL_LENGTH_MAX,
    ),
    Field(
        name="write",
        type="bool",
        title=Words("Write to devices", "写入设备"),
        about=Words(
            "Each result is a request to write: it needs node, group, tag and value, or node, group and tags",
            "每条结果作为一次写请求：须含 node、group、tag 和 value，或 node、group 和 tags",
        ),
        default=False,
    ),
    Field(
        name="publish",
        type="bool",
        title=Words("Publish", "发布到 MQTT"),
        about=Words("Whether results are sent to an MQTT broker", "是否将结果发送到 MQTT 服务器"),
        default=True,
    ),
    Field(
        name="topic",
        type="string",
        title=Words("Topic", "主题"),
        about=Words(
            "Where results go; ${…} takes from the result, such as alarms/${node}",
            "结果发布的主题；可用 ${…} 引用结果字段，例如 alarms/${node}",
        ),
        is_required=True,
        low=1,
        high=TOPIC_LENGTH_MAX,
        shown_if=("publish", (True,)),
        check=_topic,
    ),
    Field(
        name="payload",
        type="text",
        title=Words("Payload", "消息内容"),
        about=Words(
            "Text with ${…}; left out it is the whole result as JSON",
            "可含 ${…} 的文本；留空则为整条结果的 JSON",
        ),
        shown_if=("publish", (True,)),
    ),
)
FIELDS = _RULE + tuple(_if_published(one) for one in (*BROKER, QOS, *CACHE))


def check_setting(setting: Mapping[str, Any]) -> None:
    """Refuse SQL that cannot be used, and settings that do not go together."""
    # Only who makes rules needs what compiles them.
    from rookery.native.rules import compile_rule  # noqa: PLC0415

    try:
        found = compile_rule(setting["sql"])
    except RookeryError as error:
        reason = Words(error.text("en"), error.text("zh"))
        raise _refused("sql", _BAD_SQL.format(reason=reason)) from None
    if found.events or found.sources or not found.filters:
        raise _refused("sql", _NO_GROUPS)
    if not setting["publish"] and not setting["write"]:
        raise _refused("publish", _NOTHING_TO_DO)
    check_tls(setting)


def check_params(params: Mapping[str, Any], _app: str, _driver: str, _group: str) -> dict[str, Any]:
    """There are none; what the form of MQTT sends is left out."""
    for name, value in params.items():
        if value and name not in ("topic", "static_tags"):
            raise EdgeError(PARAM_IS_WRONG, name=name, reason=_NO_PARAMS)
    return {}


def _refused(field: str, reason: Words) -> EdgeError:
    return EdgeError(NODE_SETTING_INVALID, field=field, reason=reason)
