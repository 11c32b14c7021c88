"""From rules back to the text of an ``acl.conf``, in the syntax of EMQX 5."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rookery.access.acl_file.rules import QOS_ALL
from rookery.native.config import AclRule, AclTopic, AclWho

_ESCAPED = re.compile(r'[\\"\x00-\x1f\x7f]')
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def write(rules: Iterable[AclRule]) -> str:
    """One rule a line."""
    return "".join(f"{write_rule(rule)}.\n" for rule in rules)


def write_rule(rule: AclRule) -> str:
    """One rule, without the dot that ends it."""
    action = _action(rule)
    if rule.all_topics and rule.who == AclWho() and action == "all":
        return f"{{{rule.permission}, all}}"
    topics = "all" if rule.all_topics else _list(_topic(topic) for topic in rule.topics)
    return f"{{{rule.permission}, {_who(rule.who)}, {action}, {topics}}}"


def _list(items: Iterable[str]) -> str:
    return "[" + ", ".join(items) + "]"


def _string(text: str) -> str:
    return '"' + _ESCAPED.sub(lambda m: _SHORT.get(m[0], f"\\x{{{ord(m[0]):x}}}"), text) + '"'


def _who(who: AclWho) -> str:
    match who.kind:
        case "all":
            return "all"
        case "and" | "or":
            return f"{{'{who.kind}', {_list(_who(member) for member in who.members)}}}"
        case "ipaddr":
            if len(who.values) == 1:
                return f"{{ipaddr, {_string(who.values[0])}}}"
            return f"{{ipaddrs, {_list(_string(value) for value in who.values)}}}"
    head = who.kind if who.kind != "client_attr" else f"client_attr, {_string(who.attr)}"
    each = [
        f"{{{head}, {{re, {_string(value)}}}}}" if who.is_regex else f"{{{head}, {_string(value)}}}"
        for value in who.values
    ]
    return each[0] if len(each) == 1 else f"{{'or', {_list(each)}}}"


def _action(rule: AclRule) -> str:
    conditions = []
    if rule.qos != QOS_ALL:
        conditions.append("{qos, " + _list(str(level) for level in rule.qos) + "}")
    if rule.retain is not None:
        conditions.append("{retain, " + ("true" if rule.retain else "false") + "}")
    return f"{{{rule.action}, {_list(conditions)}}}" if conditions else rule.action


def _topic(topic: AclTopic) -> str:
    text = _string(topic.text)
    return f"{{eq, {text}}}" if topic.is_literal else text
