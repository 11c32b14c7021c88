"""Whether a rule fits a request, by the core's own rules of comparison.

The core matches what it was given; what a database answers for one client is matched here. A
permission must cover all that a requested filter can reach, a denial stops all that it may touch.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from rookery.access.authz.request import AuthzRequest
from rookery.native.config import AclRule, AclTopic, AclWho

VALUE_LENGTH_MAX = 1024
"""Longer names fit no regular expression: those of Python may take long over long text."""

_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_NOT_ONE_LEVEL = frozenset("+#/\0")


def first_match(rules: Iterable[AclRule], request: AuthzRequest) -> AclRule | None:
    """The first rule that fits, which decides."""
    return next((rule for rule in rules if fits(rule, request)), None)


def fits(rule: AclRule, request: AuthzRequest) -> bool:
    """Whether a rule is about this client, action and topic."""
    if rule.action not in {"all", request.action} or request.qos not in rule.qos:
        return False
    if rule.retain is not None and request.action == "publish" and rule.retain != request.retain:
        return False
    if not _is_meant(rule.who, request):
        return False
    is_permission = rule.permission == "allow"
    return rule.all_topics or any(
        _topic_fits(topic, request, is_permission=is_permission) for topic in rule.topics
    )


def _is_meant(who: AclWho, request: AuthzRequest) -> bool:
    subject = request.subject
    value: str | None = None
    match who.kind:
        case "all":
            return True
        case "and":
            return all(_is_meant(member, request) for member in who.members)
        case "or":
            return any(_is_meant(member, request) for member in who.members)
        case "ipaddr":
            return _is_address_in(subject.peerhost, who.values)
        case "username":
            value = subject.username
        case "clientid":
            value = subject.client_id
        case "zone":
            value = subject.zone
        case "listener":
            value = subject.listener
        case "client_attr":
            value = dict(subject.client_attrs).get(who.attr)
    if value is None:
        return False
    if not who.is_regex:
        return value in who.values
    return len(value) <= VALUE_LENGTH_MAX and any(
        _searches(pattern, value) for pattern in who.values
    )


def _searches(pattern: str, value: str) -> bool:
    try:
        return re.search(pattern, value) is not None
    except re.error:
        return False


def _is_address_in(text: str | None, networks: Iterable[str]) -> bool:
    try:
        address = ipaddress.ip_address((text or "").partition("%")[0])
    except ValueError:
        return False
    bits = _bits(address)
    for network in networks:
        known = ipaddress.ip_network(network, strict=False)
        # An IPv4 prefix counts behind the 96 bits of the mapped form.
        ignored = known.max_prefixlen - known.prefixlen
        if bits >> ignored == _bits(known.network_address) >> ignored:
            return True
    return False


def _bits(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> int:
    """An address as 128 bits; an IPv4 address and its mapped form are the same."""
    if isinstance(address, ipaddress.IPv4Address):
        return 0xFFFF_0000_0000 | int(address)
    return int(address)


def _topic_fits(topic: AclTopic, request: AuthzRequest, *, is_permission: bool) -> bool:
    text = _rendered(topic.text, request)
    if text is None:
        return False
    if topic.is_literal:
        return text == request.topic
    # MQTT-5.0 [MQTT-4.7.2-1].
    if request.topic.startswith("$") and text.startswith(("+", "#")):
        return False
    return _levels_fit(text.split("/"), request.topic.split("/"), is_permission=is_permission)


def _rendered(text: str, request: AuthzRequest) -> str | None:
    """The filter with values put in; none when one is missing or is not part of one level."""
    if "${" not in text:
        return text
    is_whole = True

    def value_of(match: re.Match[str]) -> str:
        nonlocal is_whole
        name = match[1]
        if name not in {"username", "clientid", "cert_common_name", "zone"} and not (
            name.startswith("client_attrs.")
        ):
            return match[0]
        value = request.variable(name)
        if not value or _NOT_ONE_LEVEL.intersection(value):
            is_whole = False
            return ""
        return value

    rendered = _PLACEHOLDER.sub(value_of, text)
    return rendered if is_whole else None


def _levels_fit(wanted: list[str], levels: list[str], *, is_permission: bool) -> bool:
    for position, want in enumerate(wanted):
        if want == "#":
            return True
        if position == len(levels):
            return False
        level = levels[position]
        if want == "+":
            if is_permission and level == "#":
                return False
        elif want != level:
            return False
    return len(levels) == len(wanted)
