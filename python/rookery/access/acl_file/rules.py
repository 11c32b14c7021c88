"""From terms to rules: what a tuple in an ``acl.conf`` means, in the syntax of EMQX 3 to 6.

What versions write differently is taken in every form: ``pubsub`` and ``all``, ``user`` and
``username``, ``client`` and ``clientid``, a single topic and a list of them, ``%u`` and
``${username}``.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Literal

from rookery.access.acl_file.errors import Misplaced, quoted
from rookery.access.acl_file.terms import Atom, Integer, List, Place, Term, Text, Tuple
from rookery.access.errors import Words
from rookery.access.topic_filters import is_topic_filter
from rookery.native.config import AclAction, AclPermission, AclRule, AclTopic, AclWho
from rookery.native.regex_texts_zh import in_chinese

RegexCheck = Callable[[str], str | None]
"""Says what is wrong with a regular expression; none: nothing."""

QOS_ALL = (0, 1, 2)
_EQ_PREFIX = "eq "

_A_RULE = Words(
    "a rule: {allow|deny, who, action, topics} or {allow|deny, all}",
    "规则：{allow|deny, 对象, 动作, 主题} 或 {allow|deny, all}",
)
_PERMISSION = Words("allow or deny", "allow 或 deny")
_WHO = Words(
    "all, {username, …}, {clientid, …}, {ipaddr, …}, {ipaddrs, […]}, {client_attr, name, …}, "
    "{zone, …}, {listener, …}, {'and', […]} or {'or', […]}",
    "all、{username, …}、{clientid, …}、{ipaddr, …}、{ipaddrs, […]}、{client_attr, 名称, …}、"
    "{zone, …}、{listener, …}、{'and', […]} 或 {'or', […]}",
)
_NAME = Words('text in double quotes or {re, "…"}', '双引号括起的文本或 {re, "…"}')
_TEXT = Words("text in double quotes", "双引号括起的文本")
_REGEX = Words("a regular expression ({reason})", "正则表达式（{reason}）")
_ADDRESS = Words("an IP address or a network such as 10.0.0.0/8", "IP 地址或网段，例如 10.0.0.0/8")
_ADDRESSES = Words("a list of addresses in double quotes", "双引号括起的地址列表")
_WHO_LIST = Words("a list of who forms, at least one", "对象列表，至少一项")
_ACTION = Words(
    "publish, subscribe, all (pubsub) or {action, [{qos, …}, {retain, …}]}",
    "publish、subscribe、all（pubsub）或 {动作, [{qos, …}, {retain, …}]}",
)
_CONDITION = Words(
    "{qos, 0..2 or a list} or {retain, true|false|all}",
    "{qos, 0..2 或列表} 或 {retain, true|false|all}",
)
_QOS = Words("0, 1, 2 or a list of them", "0、1、2 或其列表")
_RETAIN = Words("true, false or all", "true、false 或 all")
_TOPICS = Words(
    "a list of topic filters, one topic filter or the atom all",
    "主题过滤器列表、单个主题过滤器或原子 all",
)
_TOPIC = Words('a topic filter in double quotes or {eq, "…"}', '双引号括起的主题过滤器或 {eq, "…"}')
_FILTER = Words(
    "a topic filter: not empty, + alone in its level, # alone in the last level",
    "主题过滤器：不为空，+ 独占一层，# 独占最后一层",
)
_KNOWN_PLACEHOLDERS = Words(
    "a placeholder that there is: ${username}, ${clientid}, ${cert_common_name}, ${zone} or "
    '${client_attrs.NAME}; {eq, "…"} takes the text as it is',
    "已有的占位符：${username}、${clientid}、${cert_common_name}、${zone} 或 "
    '${client_attrs.名称}；{eq, "…"} 按原文比较',
)
_PROFILE = Words(
    "all (security profiles are EMQX's; say what is allowed instead)",
    "all（security_profile 为 EMQX 特有，请直接写明允许的内容）",
)

_ACTIONS: dict[str, AclAction] = {
    "publish": "publish",
    "subscribe": "subscribe",
    "all": "all",
    "pubsub": "all",
}
_NAMED: dict[str, Literal["username", "clientid", "zone", "listener"]] = {
    "user": "username",
    "username": "username",
    "client": "clientid",
    "clientid": "clientid",
    "zone": "zone",
    "listener": "listener",
}
_OLD_PLACEHOLDERS = {"%u": "${username}", "%c": "${clientid}"}
_UNKNOWN_PLACEHOLDER = re.compile(
    r"\$\{(?!(username|clientid|cert_common_name|zone|client_attrs\.[^}]+)\})[^}]*\}"
)


def rule_of(term: Term, check_regex: RegexCheck) -> AclRule:
    """The rule that a term of the file stands for.

    Raises:
        Misplaced: it is none.
    """
    if not isinstance(term, Tuple) or len(term.items) not in {2, 4}:
        raise _misplaced(term, _A_RULE)
    permission = _permission(term.items[0])
    line = term.place.line
    if len(term.items) == 2:
        if _is_atom(term.items[1], "all"):
            return AclRule(permission=permission, all_topics=True, line=line)
        if isinstance(term.items[1], Tuple) and _word(term.items[1]) == "security_profile":
            raise _misplaced(term.items[1], _PROFILE)
        raise _misplaced(term, _A_RULE)
    _, who, action_term, topics = term.items
    subject = _who(who, check_regex)
    action, qos, retain = _action(action_term)
    return AclRule(
        permission=permission,
        who=subject,
        action=action,
        qos=qos,
        retain=retain,
        topics=_topics(topics),
        all_topics=_is_atom(topics, "all"),
        line=line,
    )


def _misplaced(term: Term, expected: Words) -> Misplaced:
    place: Place = term.place
    return Misplaced(place.line, place.column, expected, quoted(term.shown()))


def _is_atom(term: Term, name: str) -> bool:
    return isinstance(term, Atom) and term.name == name


def _word(term: Tuple) -> str:
    """The atom that a tuple begins with."""
    first = term.items[0] if term.items else None
    return first.name if isinstance(first, Atom) else ""


def _text(term: Term, expected: Words = _TEXT) -> str:
    if not isinstance(term, Text):
        raise _misplaced(term, expected)
    return term.value


def _permission(term: Term) -> AclPermission:
    if _is_atom(term, "allow"):
        return "allow"
    if _is_atom(term, "deny"):
        return "deny"
    raise _misplaced(term, _PERMISSION)


# ---- who ------------------------------------------------------------------------------


def _who(term: Term, check_regex: RegexCheck) -> AclWho:
    if _is_atom(term, "all"):
        return AclWho()
    if not isinstance(term, Tuple):
        raise _misplaced(term, _WHO)
    word, arguments = _word(term), term.items[1:]
    if word == "client_attr" and len(arguments) == 2:
        values, is_regex = _names(arguments[1], check_regex)
        attr = arguments[0].name if isinstance(arguments[0], Atom) else _text(arguments[0])
        return AclWho(kind="client_attr", attr=attr, values=values, is_regex=is_regex)
    if len(arguments) != 1:
        raise _misplaced(term, _WHO)
    argument = arguments[0]
    if word in _NAMED:
        return _named(_NAMED[word], argument, check_regex)
    match word:
        case "ipaddr":
            return AclWho(kind="ipaddr", values=(_address(argument),))
        case "ipaddrs":
            if not isinstance(argument, List):
                raise _misplaced(argument, _ADDRESSES)
            return AclWho(kind="ipaddr", values=tuple(_address(item) for item in argument.items))
        case "and" | "or":
            if not isinstance(argument, List) or not argument.items:
                raise _misplaced(argument, _WHO_LIST)
            members = tuple(_who(item, check_regex) for item in argument.items)
            return AclWho(kind="and" if word == "and" else "or", members=members)
    raise _misplaced(term, _WHO)


def _named(
    kind: Literal["username", "clientid", "zone", "listener"],
    argument: Term,
    check_regex: RegexCheck,
) -> AclWho:
    # EMQX 3 and 4: {user, all} is whoever there is.
    if kind in {"username", "clientid"} and _is_atom(argument, "all"):
        return AclWho()
    if kind in {"zone", "listener"} and isinstance(argument, Atom):
        return AclWho(kind=kind, values=(argument.name,))
    values, is_regex = _names(argument, check_regex)
    return AclWho(kind=kind, values=values, is_regex=is_regex)


def _names(term: Term, check_regex: RegexCheck) -> tuple[tuple[str, ...], bool]:
    if isinstance(term, Tuple) and _word(term) == "re" and len(term.items) == 2:
        expression = _text(term.items[1])
        reason = check_regex(expression)
        if reason is not None:
            raise _misplaced(term.items[1], _REGEX.format(reason=Words(reason, in_chinese(reason))))
        return (expression,), True
    return (_text(term, _NAME),), False


def _address(term: Term) -> str:
    text = _text(term, _ADDRESS)
    try:
        # EMQX takes networks with bits set beyond the mask.
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise _misplaced(term, _ADDRESS) from None
    # A mask in dots or a scope means something to Python alone.
    return text if text.count("/") == 0 or text.rpartition("/")[2].isdigit() else str(network)


# ---- action ---------------------------------------------------------------------------


def _action(term: Term) -> tuple[AclAction, tuple[int, ...], bool | None]:
    if isinstance(term, Atom) and term.name in _ACTIONS:
        return _ACTIONS[term.name], QOS_ALL, None
    if not isinstance(term, Tuple) or len(term.items) != 2 or _word(term) not in _ACTIONS:
        raise _misplaced(term, _ACTION)
    conditions = term.items[1]
    if not isinstance(conditions, List):
        raise _misplaced(conditions, _ACTION)
    qos: set[int] = set()
    retain: bool | None = None
    for condition in conditions.items:
        if not isinstance(condition, Tuple) or len(condition.items) != 2:
            raise _misplaced(condition, _CONDITION)
        match _word(condition):
            case "qos":
                qos.update(_qos(condition.items[1]))
            case "retain":
                retain = _retain(condition.items[1])
            case _:
                raise _misplaced(condition, _CONDITION)
    return _ACTIONS[_word(term)], tuple(sorted(qos)) or QOS_ALL, retain


def _qos(term: Term) -> list[int]:
    levels = []
    for item in term.items if isinstance(term, List) else (term,):
        if not isinstance(item, Integer) or item.value not in QOS_ALL:
            raise _misplaced(item, _QOS)
        levels.append(item.value)
    if not levels:
        raise _misplaced(term, _QOS)
    return levels


def _retain(term: Term) -> bool | None:
    if isinstance(term, Atom):
        match term.name:
            case "true":
                return True
            case "false":
                return False
            case "all":
                return None
    raise _misplaced(term, _RETAIN)


# ---- topics ---------------------------------------------------------------------------


def _topics(term: Term) -> tuple[AclTopic, ...]:
    if _is_atom(term, "all"):
        return ()
    if isinstance(term, List):
        return tuple(_topic(item) for item in term.items)
    if isinstance(term, Text | Tuple):
        return (_topic(term),)
    raise _misplaced(term, _TOPICS)


def _topic(term: Term) -> AclTopic:
    if isinstance(term, Tuple) and _word(term) == "eq" and len(term.items) == 2:
        topic = topic_of(_EQ_PREFIX + _text(term.items[1]))
    else:
        topic = topic_of(_text(term, _TOPIC))
    if topic is None:
        raise _misplaced(term, _FILTER)
    # Taken as text, a misspelt one would make a denial that denies nothing.
    if not topic.is_literal and _UNKNOWN_PLACEHOLDER.search(topic.text):
        raise _misplaced(term, _KNOWN_PLACEHOLDERS)
    return topic


def topic_of(text: str) -> AclTopic | None:
    """The topic of a rule as it is written in files, tokens and databases; none: it is none."""
    if text.startswith(_EQ_PREFIX):
        text = text.removeprefix(_EQ_PREFIX)
        return AclTopic(text=text, is_literal=True) if is_topic_filter(text) else None
    # EMQX 3 and 4 take these as whole levels only.
    text = "/".join(_OLD_PLACEHOLDERS.get(level, level) for level in text.split("/"))
    return AclTopic(text=text) if is_topic_filter(text) else None
