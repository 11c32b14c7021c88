"""Says which source, and which line of it, allows or denies an action."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from rookery.engine.access import SOURCES_MAX, Rules, Source, subject_of
from rookery.errors import BadRequestError
from rookery.native.config import TopicAction
from rookery.native.models import AclDecision, Client

Asked = Mapping[str, Any]


class ExplainingNode(Rules, Protocol):
    """The core's side."""

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
    native: ExplainingNode,
    services: Mapping[str, Source],
    settings: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Ask as the core would.

    A client that is connected is taken as it is where nothing else is said about it; everything
    else is taken as said.

    Raises:
        BadRequestError: what is asked makes no sense.
    """
    action, topic, qos, retain = _action_of(asked)
    client = _client_of(asked)
    if not client.client_id and client.username is None and not asked.get("peerhost"):
        raise BadRequestError("say who: clientid, username or peerhost")
    says_more = any(
        asked.get(name) for name in ("username", "peerhost", "listener", "zone", "cert_common_name")
    )
    decision = None
    if client.client_id and not says_more:
        decision = await asyncio.to_thread(
            native.check_client_acl, client.client_id, action, topic, qos=qos, retain=retain
        )
        known = await asyncio.to_thread(native.client, client.client_id)
        client = client if known is None else known
    if decision is None:
        decision = await asyncio.to_thread(
            native.check_acl, subject_of(client), action, topic, qos=qos, retain=retain
        )
    said: dict[str, str] = {}
    for _step in range(SOURCES_MAX):
        if decision.verdict != "ask":
            break
        source = decision.source
        service = services.get(source)
        answer = await service.decide(client, action, topic, qos, retain) if service else None
        said[source] = answer or "ignore"
        if answer is not None:
            decision = AclDecision(answer, source, 0)
            break
        decision = await asyncio.to_thread(
            native.check_acl,
            subject_of(client),
            action,
            topic,
            qos=qos,
            retain=retain,
            after=source,
        )
    return _answer(decision, said, settings)


def _answer(
    decision: AclDecision, said: Mapping[str, str], settings: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    files = {item["type"]: item["path"] for item in settings if item.get("path")}
    steps: list[dict[str, Any]] = []
    for item in settings:
        name = item["type"]
        if name == decision.source:
            break
        steps.append({"source": name, "said": said.get(name, "nomatch")})
    if decision.source in {item["type"] for item in settings} or not steps:
        steps.append({"source": decision.source, "said": decision.verdict})
    elif decision.source != "no_match":
        # Decided before any source was looked at.
        steps = [{"source": decision.source, "said": decision.verdict}]
    else:
        steps.append({"source": "no_match", "said": decision.verdict})
    return {
        "result": "allow" if decision.verdict == "allow" else "deny",
        "source": decision.source,
        "file": files.get(decision.source),
        "line": decision.line or None,
        "steps": steps,
    }


def _action_of(asked: Asked) -> tuple[TopicAction, str, int, bool]:
    action, topic = asked.get("action"), asked.get("topic")
    qos, retain = asked.get("qos", 0), asked.get("retain", False)
    if not isinstance(topic, str) or not topic:
        raise BadRequestError("topic is missing")
    if qos not in (0, 1, 2) or isinstance(qos, bool) or not isinstance(retain, bool):
        raise BadRequestError("qos is 0, 1 or 2, retain is true or false")
    if action == "publish":
        return "publish", topic, qos, retain
    if action == "subscribe":
        return "subscribe", topic, qos, retain
    raise BadRequestError("action is publish or subscribe")


def _client_of(asked: Asked) -> Client:
    def text(name: str) -> str | None:
        value = asked.get(name)
        if value is not None and not isinstance(value, str):
            raise BadRequestError(f"{name} is text")
        return value

    attributes = asked.get("client_attrs") or {}
    if not isinstance(attributes, dict):
        raise BadRequestError("client_attrs is an object")
    host = text("peerhost")
    peer = None if not host else (f"[{host}]:0" if ":" in host else f"{host}:0")
    return Client(
        client_id=text("clientid") or "",
        username=text("username"),
        is_connected=False,
        peer=peer,
        listener=text("listener"),
        protocol_version=5,
        keep_alive_s=0,
        clean_start=True,
        session_expiry_interval_s=0,
        created_at_ms=0,
        connected_at_ms=0,
        disconnected_at_ms=None,
        generation=0,
        subscriptions=0,
        inflight=0,
        queued=0,
        dropped=0,
        awaiting_rel=0,
        is_durable=False,
        cert_common_name=text("cert_common_name"),
        client_attrs=tuple((str(k), str(v)) for k, v in attributes.items()),
        zone=text("zone"),
    )
