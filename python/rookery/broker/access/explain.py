"""Says which source, and which line of it, allows or denies an action."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from rookery.access.authz import AuthzAnswer, AuthzRequest, AuthzStep, RemoteAuthorizer, reasons
from rookery.access.authz.request import subject_of
from rookery.engine.access import NO_MATCH
from rookery.errors import BadRequestError
from rookery.native.config import TopicAction
from rookery.native.models import AclDecision, Client
from rookery.native.rows import AclSubject

CLIENT_ACL = "client_acl"
Asked = Mapping[str, Any]


class ConnectedClients(Protocol):
    """What the core knows about clients that are connected."""

    def check_client_acl(
        self,
        client_id: str,
        action: TopicAction,
        topic: str,
        *,
        qos: int = 0,
        retain: bool = False,
    ) -> AclDecision | None: ...
    def client(self, client_id: str) -> Client | None: ...


async def explain(
    asked: Asked,
    native: ConnectedClients,
    authorizer: RemoteAuthorizer,
    settings: Sequence[Mapping[str, Any]],
    is_superuser: Callable[[AclSubject], Awaitable[bool]],
    language: str = "en",
) -> dict[str, Any]:
    """Ask as the core would. ``is_superuser`` is what is known of who is not connected.

    A client that is connected is taken as it is where nothing else is said about it; everything
    else is taken as said. Reasons are given in ``language``.

    Raises:
        BadRequestError: what is asked makes no sense.
    """
    request = _request_of(asked)
    subject = request.subject
    if not subject.client_id and subject.username is None and subject.peerhost is None:
        raise BadRequestError("say who: clientid, username or peerhost")
    said = ("username", "peerhost", "listener", "zone", "cert_common_name", "client_attrs")
    if subject.client_id and not any(asked.get(name) for name in said):
        known = await asyncio.to_thread(native.client, subject.client_id)
        if known is not None and known.is_connected:
            request = replace(request, subject=subject_of(known))
            # Rules that came with its authentication stand before every source.
            own = await asyncio.to_thread(
                native.check_client_acl,
                subject.client_id,
                request.action,
                request.topic,
                qos=request.qos,
                retain=request.retain,
            )
            if own is not None and own.source == CLIENT_ACL and own.verdict != "ask":
                step = AuthzStep(CLIENT_ACL, own.verdict, reasons.BY_CORE[CLIENT_ACL], own.line)
                return _answer(AuthzAnswer(own.verdict, [step]), settings, language)
    if not request.subject.is_superuser and await is_superuser(request.subject):
        request = replace(request, subject=request.subject._replace(is_superuser=True))
    return _answer(await authorizer.explain(request), settings, language)


def _answer(
    answer: AuthzAnswer, settings: Sequence[Mapping[str, Any]], language: str
) -> dict[str, Any]:
    files = {item["type"]: item["path"] for item in settings if item.get("path")}
    last = answer.steps[-1] if answer.steps else None
    return {
        "result": answer.result,
        "source": answer.source,
        "file": files.get(answer.source),
        "line": answer.line or None,
        "rule": (last.rule or None) if last is not None else None,
        "steps": [
            {"source": step.source, "said": step.said, "reason": step.reason.text(language)}
            for step in _with_rules(answer, settings)
        ],
    }


def _with_rules(answer: AuthzAnswer, settings: Sequence[Mapping[str, Any]]) -> list[AuthzStep]:
    """The steps, those included that the core took on its way without a word."""
    told = {step.source: step for step in answer.steps}
    names = [item["type"] for item in settings]
    if answer.source in names:
        names = names[: names.index(answer.source)]
    elif answer.source != NO_MATCH:
        names = []  # decided before any source was looked at
    steps = [told.get(name) or AuthzStep(name, "none", reasons.NO_RULE_FITS) for name in names]
    return [*steps, *answer.steps[-1:]]


def _request_of(asked: Asked) -> AuthzRequest:
    topic = asked.get("topic")
    qos, retain = asked.get("qos", 0), asked.get("retain", False)
    if not isinstance(topic, str) or not topic:
        raise BadRequestError("topic is missing")
    if qos not in (0, 1, 2) or isinstance(qos, bool) or not isinstance(retain, bool):
        raise BadRequestError("qos is 0, 1 or 2, retain is true or false")
    attributes = asked.get("client_attrs") or {}
    if not isinstance(attributes, dict):
        raise BadRequestError("client_attrs is an object")
    subject = AclSubject(
        client_id=_text(asked, "clientid") or "",
        username=_text(asked, "username"),
        peerhost=_address_of(asked),
        listener=_text(asked, "listener") or "",
        zone=_text(asked, "zone") or "default",
        cert_common_name=_text(asked, "cert_common_name"),
        client_attrs=tuple((str(key), str(value)) for key, value in attributes.items()),
    )
    action = _action_of(asked)
    return AuthzRequest(subject=subject, action=action, topic=topic, qos=qos, retain=retain)


def _address_of(asked: Asked) -> str | None:
    text = _text(asked, "peerhost")
    if text is None:
        return None
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        raise BadRequestError("peerhost is an address") from None


def _action_of(asked: Asked) -> TopicAction:
    match asked.get("action"):
        case "publish":
            return "publish"
        case "subscribe":
            return "subscribe"
    raise BadRequestError("action is publish or subscribe")


def _text(asked: Asked, name: str) -> str | None:
    value = asked.get(name)
    if value is not None and not isinstance(value, str):
        raise BadRequestError(f"{name} is text")
    return value or None
