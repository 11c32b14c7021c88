"""Rules as JSON objects: in tokens, in answers of services and databases, in the built-in database.

The form is EMQX's: ``{"permission": "allow", "action": "publish", "topic": "a/#", "qos": [0, 1],
"retain": "all"}``, with ``topics`` for several, and ``username_re``, ``clientid_re`` and ``ipaddr``
to narrow it down; and the older ``{"pub": […], "sub": […], "all": […]}``, which denies the rest.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from rookery.access.acl_file import topic_of
from rookery.access.errors import AccessError, Words
from rookery.native.config import AclAction, AclPermission, AclRule, AclTopic, AclWho

RULES_MAX = 1000
"""Rules of one client, or of one answer."""

QOS_ALL = (0, 1, 2)
REGEX_LENGTH_MAX = 4096

_NOT_A_LIST = Words("rules must be a list of objects", "规则应为对象列表")
_TOO_MANY = Words("more than 1000 rules", "超过 1000 条规则")
_NOT_AN_OBJECT = Words("a rule must be an object", "规则应为对象")
_BAD = Words(
    "{name}: {value} is not allowed; allowed: {allowed}",
    "{name}：不允许的值 {value}，允许：{allowed}",
)
_SHOWN_MAX = 60

_PERMISSIONS: dict[object, AclPermission] = {"allow": "allow", "deny": "deny"}
_ACTIONS: dict[object, AclAction] = {
    "publish": "publish",
    "pub": "publish",
    "subscribe": "subscribe",
    "sub": "subscribe",
    "all": "all",
    "pubsub": "all",
}
_RETAIN: dict[object, bool | None] = {
    "true": True, "1": True, "false": False, "0": False, "all": None, "": None, None: None,
}  # fmt: skip


_FILTERS = Words("topic filters", "主题过滤器")


def _bad(name: str, value: object, allowed: str | Words) -> AccessError:
    shown = repr(value)
    return AccessError(_BAD.format(name=name, value=shown[:_SHOWN_MAX], allowed=allowed))


def rules_from_json(value: object) -> tuple[AclRule, ...]:
    """Rules in either form, checked in their order.

    Raises:
        AccessError: says which member of which rule cannot be.
    """
    if isinstance(value, Mapping):
        return _old_form(value)
    if not isinstance(value, list | tuple):
        raise AccessError(_NOT_A_LIST)
    if len(value) > RULES_MAX:
        raise AccessError(_TOO_MANY)
    return tuple(rule_from_json(item) for item in value)


def _old_form(value: Mapping[str, Any]) -> tuple[AclRule, ...]:
    rules = []
    for name, action in (("pub", "publish"), ("sub", "subscribe"), ("all", "all")):
        filters = value.get(name)
        if filters:
            rules.append(
                AclRule(permission="allow", action=_ACTIONS[action], topics=_topics(name, filters))
            )
    return (*rules, AclRule(permission="deny", all_topics=True))


def rule_from_json(value: object) -> AclRule:
    """One rule.

    Raises:
        AccessError: says which member cannot be.
    """
    if not isinstance(value, Mapping):
        raise AccessError(_NOT_AN_OBJECT)
    permission = _PERMISSIONS.get(_hashable(value.get("permission")))
    if permission is None:
        raise _bad("permission", value.get("permission"), "allow, deny")
    action = _ACTIONS.get(_hashable(value.get("action")))
    if action is None:
        raise _bad("action", value.get("action"), "publish, subscribe, all")
    name = "topics" if "topics" in value and value.get("topic") is None else "topic"
    return AclRule(
        permission=permission,
        who=_who(value),
        action=action,
        qos=_qos(value.get("qos")),
        retain=_retain(value.get("retain")),
        topics=_topics(name, value.get(name)),
    )


def _hashable(value: object) -> object:
    """The value, or something that is in no table."""
    return value if value is None or isinstance(value, str | int) else ()


def _topics(name: str, value: object) -> tuple[AclTopic, ...]:
    filters: Sequence[object] = (value,) if isinstance(value, str) else _list(value)
    topics = []
    for text in filters:
        topic = topic_of(text) if isinstance(text, str) else None
        if topic is None:
            raise _bad(name, text, _FILTERS)
        topics.append(topic)
    if len(topics) > RULES_MAX:
        raise AccessError(_TOO_MANY)
    if not topics:
        raise _bad(name, value, _FILTERS)
    return tuple(topics)


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _qos(value: object) -> tuple[int, ...]:
    if value is None or value == "":
        return QOS_ALL
    items: Sequence[object]
    if isinstance(value, str):
        items = value.split(",")
    else:
        items = (value,) if isinstance(value, int) else _list(value)
    levels = set()
    for item in items:
        text = str(item).strip() if not isinstance(item, bool) else ""
        if text not in {"0", "1", "2"}:
            raise _bad("qos", value, "0, 1, 2")
        levels.add(int(text))
    if not levels:
        raise _bad("qos", value, "0, 1, 2")
    return tuple(sorted(levels))


def _retain(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    key = str(value) if isinstance(value, int) else _hashable(value)
    if key not in _RETAIN:
        raise _bad("retain", value, "true, false, all")
    return _RETAIN[key]


def _who(value: Mapping[str, Any]) -> AclWho:
    members = []
    for name, kind in (("username_re", "username"), ("clientid_re", "clientid")):
        expression = value.get(name)
        if expression is None:
            continue
        if not isinstance(expression, str) or not 0 < len(expression) <= REGEX_LENGTH_MAX:
            raise _bad(name, expression, "a regular expression")
        members.append(
            AclWho(
                kind="username" if kind == "username" else "clientid",
                values=(expression,),
                is_regex=True,
            )
        )
    address = value.get("ipaddr")
    if address is not None:
        members.append(AclWho(kind="ipaddr", values=(_address(address),)))
    if not members:
        return AclWho()
    return members[0] if len(members) == 1 else AclWho(kind="and", members=tuple(members))


def _address(value: object) -> str:
    try:
        return str(ipaddress.ip_network(str(value), strict=False))
    except ValueError:
        raise _bad("ipaddr", value, "an address or a network") from None


def rule_to_json(rule: AclRule) -> dict[str, Any]:
    """A rule as :func:`rule_from_json` takes it; ``all_topics`` has no such form."""
    topics = ["eq " + topic.text if topic.is_literal else topic.text for topic in rule.topics]
    record: dict[str, Any] = {"permission": rule.permission, "action": rule.action}
    record.update({"topic": topics[0]} if len(topics) == 1 else {"topics": topics})
    if rule.qos != QOS_ALL:
        record["qos"] = list(rule.qos)
    if rule.retain is not None:
        record["retain"] = rule.retain
    for who in rule.who.members or (rule.who,):
        if who.kind == "ipaddr":
            record["ipaddr"] = who.values[0]
        elif who.is_regex:
            record[f"{who.kind}_re"] = who.values[0]
    return record
