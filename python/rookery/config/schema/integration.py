"""``rule_engine``, ``connectors``, ``actions`` and ``sources``: where messages go besides subscribers.

What a connector of a type takes stands with that type (``rookery.connectors``), which is loaded only
where one is configured: here is who may be named how, and every key keeps the line that it was
written in.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from rookery.config.schema.model import (
    REQUIRED,
    UNSET,
    Anything,
    Bool,
    Custom,
    Field,
    ListOf,
    MapOf,
    Struct,
    Text,
    WrongMember,
    inert,
)
from rookery.errors import BadRuleError

# A table reads better with one field in two or three lines.
# fmt: off

CONNECTOR_TYPES = (
    "http", "mqtt", "pgsql", "redis", "kafka_producer", "kafka_consumer", "elasticsearch", "disk_log",
)
ACTION_TYPES = tuple(name for name in CONNECTOR_TYPES if name != "kafka_consumer")
SOURCE_TYPES = ("mqtt", "kafka_consumer")

RULES_MAX = 10_000
OUTPUTS_MAX = 100
SQL_MAX = 65_535
RULE_ID, RULE_ID_FORM = r"[A-Za-z0-9_-]{1,255}", "1 to 255 letters, digits, _ and -"
NAME, NAME_FORM = r"[^\0]{1,255}", "1 to 255 characters"
"""What rules, and connectors, actions and sources may be called."""
FUNCTIONS = ("republish", "console")
REPUBLISH_KEYS = frozenset({
    "topic", "qos", "retain", "payload", "mqtt_properties", "user_properties", "direct_dispatch",
})
MQTT_PROPERTIES = (
    "Payload-Format-Indicator", "Message-Expiry-Interval", "Content-Type", "Response-Topic",
    "Correlation-Data",
)
_QOS = (0, 1, 2, "0", "1", "2")
_FLAGS = (False, True, "false", "true")
_TAKEN = {
    "topic": "a topic name, with placeholders such as ${clientid}",
    "qos": "0, 1, 2 or a placeholder",
    "retain": "true, false or a placeholder",
    "payload": "text, with placeholders such as ${clientid}",
    "user_properties": "a placeholder",
    "mqtt_properties": "text, with placeholders such as ${clientid}",
}


def _sql(raw: Any) -> str:
    if not isinstance(raw, str) or not 0 < len(raw) <= SQL_MAX:
        raise ValueError("not the SQL of a rule")
    try:
        _compiles(raw)
    except BadRuleError as error:
        raise ValueError(error.text(), error.text("zh")) from None
    return raw


@lru_cache(maxsize=2 * RULES_MAX)
def _compiles(sql: str) -> None:
    """Remembered: one change of a rule reads the whole configuration again."""
    # The compiled parser: a configuration without rules does not load it.
    from rookery.native.rules import compile_rule  # noqa: PLC0415

    compile_rule(sql)


def _output(raw: Any) -> Any:
    """An action by its id, or a function with its arguments."""
    if isinstance(raw, str):
        kind, colon, name = raw.partition(":")
        if not colon or not name:
            raise ValueError("an action is TYPE:NAME")
        if kind not in ACTION_TYPES:
            raise ValueError(f"there are no actions of type {kind}")
        return raw
    if not isinstance(raw, dict):
        raise ValueError("not an action")
    function = raw.get("function")
    if function not in FUNCTIONS:
        raise _wrong(("function",), function, "one of " + ", ".join(FUNCTIONS))
    if unknown := raw.keys() - {"function", "args"}:
        raise WrongMember("unknown", (min(unknown),))
    if function == "republish":
        _republish(raw.get("args"))
    return raw


def _wrong(at: tuple[str, ...], found: Any, allowed: str) -> WrongMember:
    return WrongMember("required" if found is None else "value", at, found=found, allowed=allowed)


def _republish(args: Any) -> None:
    if not isinstance(args, dict):
        raise _wrong(("args",), args, "an object")
    if unknown := args.keys() - REPUBLISH_KEYS:
        raise WrongMember("unknown", ("args", min(unknown)))
    for name in ("topic", "payload", "user_properties"):
        if not isinstance(args.get(name, ""), str):
            raise _wrong(("args", name), args[name], "text")
    if not args.get("topic"):
        raise _wrong(("args", "topic"), args.get("topic"), "a topic")
    for name, taken, allowed in (
        ("qos", _QOS, "0, 1, 2 or a placeholder"),
        ("retain", _FLAGS, "true, false or a placeholder"),
        ("direct_dispatch", _FLAGS, "true or false"),
    ):
        found = args.get(name, taken[0])
        may_be_placeholder = name != "direct_dispatch" and _is_placeholder(found)
        if not isinstance(found, str | int) or not (found in taken or may_be_placeholder):
            raise _wrong(("args", name), found, allowed)
    _properties(args.get("mqtt_properties", {}))
    _usable(args)


def _properties(properties: Any) -> None:
    at = ("args", "mqtt_properties")
    if not isinstance(properties, dict):
        raise _wrong(at, properties, "an object")
    if unknown := properties.keys() - set(MQTT_PROPERTIES):
        raise WrongMember("unknown", (*at, min(unknown)))
    for name, value in properties.items():
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise _wrong((*at, name), value, "text")


def _usable(args: dict[str, Any]) -> None:
    """Its templates, as the core reads them."""
    from rookery.native.rules import Republish, republish_problem  # noqa: PLC0415

    problem = republish_problem(Republish.of(args))
    if problem is not None:
        at = ("args", *problem.at)
        found = args
        for step in problem.at:
            found = found.get(step, {})
        raise WrongMember("value", at, found=found, allowed=_TAKEN[problem.at[0]],
                          reasons={"en": problem.words.en, "zh": problem.words.zh})  # fmt: skip


def _is_placeholder(raw: Any) -> bool:
    return isinstance(raw, str) and raw.startswith("${") and raw.endswith("}")


RULE = Struct((
    Field("name", Text(longest=1024), "", "Its name for people.", "规则名称。", hot=True),
    Field("enable", Bool(), True, "Whether it runs.", "是否启用。", hot=True),
    Field("sql", Custom("SQL such as SELECT * FROM \"t/#\"", _sql), REQUIRED,
          "What it selects, and from where.", "规则 SQL：选取什么以及从何处选取。", hot=True),
    Field("actions", ListOf(Custom(
        "an action: TYPE:NAME, an object with function = republish and args, or with "
        "function = console", _output), OUTPUTS_MAX), [],
          "What is done with each row: actions, republish, console.",
          "对每条结果执行的动作：动作 ID、republish 或 console。", hot=True),
    Field("description", Text(), "", "What it is for.", "规则描述。", hot=True),
    Field("metadata", Anything(), {}, "When it was made and changed; kept as it is.",
          "创建与修改时间等元数据，原样保存。", hot=True),
))

RULE_ENGINE = Struct((
    Field("ignore_sys_message", Bool(), True,
          "Whether the node's own messages under $SYS are not for rules. Where they are, only a "
          "filter that names $SYS/… takes them.",
          "规则是否忽略节点自身发布的 $SYS 消息；不忽略时，只有写出 $SYS/… 的过滤器才会匹配。", hot=True),
    Field("rules", MapOf(RULE, RULE_ID, RULE_ID_FORM), {}, "Rules by their id.", "规则，键为规则 ID。",
          hot=True),
    inert("jq_function_default_timeout", Anything(), UNSET, "Timeout of jq.", "jq 函数超时。",
          "there is no function jq", "不提供 jq 函数"),
    inert("jq_implementation_module", Anything(), UNSET, "Implementation of jq.", "jq 实现。",
          "there is no function jq", "不提供 jq 函数"),
))


def _entries(types: tuple[str, ...]) -> MapOf:
    settings = MapOf(Anything(), NAME, NAME_FORM)
    return MapOf(MapOf(settings), "|".join(types), "one of " + ", ".join(types))


CONNECTORS = _entries(CONNECTOR_TYPES)
ACTIONS = _entries(ACTION_TYPES)
SOURCES = _entries(SOURCE_TYPES)
