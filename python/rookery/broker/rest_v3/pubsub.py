"""Publishing, and subscribing and unsubscribing for a client that is connected."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeAlias, cast

from rookery.broker.audit import changed
from rookery.broker.publish.hooked import Refused, publish_hooked
from rookery.broker.publish.topics import objection
from rookery.broker.rest_v3.answers import (
    BAD_PARAMETER,
    BAD_QOS,
    BAD_TOPIC,
    CLIENT_OFFLINE,
    SUCCESS,
    UNKNOWN_ERROR,
    RefusedError,
    code_of,
)
from rookery.broker.rest_v3.asking import Ask, Handler, Operation, flag, text
from rookery.broker.rest_v3.clients import subscriptions_of
from rookery.errors import BadRequestError, RookeryError
from rookery.native.lists import SubscribeRequest
from rookery.native.node import Publication
from rookery.web.errors import in_language, told

PUBLISHER = "http_api"
TOPICS_MAX = 1000
"""In one request, however they are written."""

_FAILED_FROM = 0x80
_TOPIC_FILTER_INVALID = 0x8F
Change: TypeAlias = Callable[[Ask, Mapping[str, Any]], Awaitable[None]]


async def _publish(ask: Ask, members: Mapping[str, Any]) -> None:
    payload = _payload(members)
    client_id = text(members, "client_id", "clientid", default=PUBLISHER)
    config = ask.node.services.settings.config
    most, is_delayed_on = config["mqtt.max_packet_size"], config["delayed.enable"]
    qos, retain = _qos(members), flag(members, "retain", default=False)
    publications = [
        Publication(topic, payload, qos=qos, retain=retain, client_id=client_id)
        for topic in _topics(members)
    ]
    if any(len(item.topic.encode()) + len(payload) > most for item in publications):
        raise RefusedError(BAD_PARAMETER, f"the message is larger than {most} bytes")
    now_ms = ask.node.clock.now_ms()
    if any(objection(item.topic, now_ms, is_delayed_on=is_delayed_on) for item in publications):
        raise RefusedError(BAD_TOPIC, "bad_topic")
    try:
        outcomes = await publish_hooked(ask.node, publications)
    except BadRequestError:
        raise RefusedError(BAD_TOPIC, "bad_topic") from None
    refused = [
        f"{message.topic} (reason code 0x{outcome.reason_code:02x})"
        for message, outcome in zip(publications, outcomes, strict=True)
        if isinstance(outcome, Refused)
    ]
    if refused:
        raise RefusedError(UNKNOWN_ERROR, f"refused by a plugin: {', '.join(refused)}")


async def _subscribe(ask: Ask, members: Mapping[str, Any]) -> None:
    client_id = text(members, "client_id", "clientid")
    qos = _qos(members)
    filters = [SubscribeRequest(topic, qos) for topic in _topics(members)]
    await _check_online(ask, client_id)
    before = await subscriptions_of(ask, client_id)
    made = await asyncio.to_thread(ask.node.native.lists.subscribe_client, client_id, filters)
    if made is None:
        raise RefusedError(CLIENT_OFFLINE, "channel_not_found")
    await _told(ask, client_id, before)
    for wanted, got in zip(filters, made, strict=True):
        if got.subscription is None:
            code = BAD_TOPIC if got.reason == _TOPIC_FILTER_INVALID else UNKNOWN_ERROR
            raise RefusedError(code, f"{wanted.topic_filter}: reason code 0x{got.reason:02x}")


async def _unsubscribe(ask: Ask, members: Mapping[str, Any]) -> None:
    client_id = text(members, "client_id", "clientid")
    topics = _topics(members)
    await _check_online(ask, client_id)
    before = await subscriptions_of(ask, client_id)
    ended = await asyncio.to_thread(ask.node.native.lists.unsubscribe_client, client_id, topics)
    if ended is None:
        raise RefusedError(CLIENT_OFFLINE, "channel_not_found")
    await _told(ask, client_id, before)
    if any(reason >= _FAILED_FROM for reason in ended):
        raise RefusedError(BAD_TOPIC, "bad_topic")


async def _told(ask: Ask, client_id: str, before: list[dict[str, Any]]) -> None:
    after = await subscriptions_of(ask, client_id)
    changed(f"subscriptions/{client_id}", before=before, after=after)


async def _once(ask: Ask, change: Change) -> None:
    await change(ask, ask.members)


async def _each(ask: Ask, change: Change) -> list[dict[str, Any]]:
    """Each item has an answer of its own; one that is refused leaves the others alone."""
    if not isinstance(ask.body, list) or len(ask.body) > TOPICS_MAX:
        raise RefusedError(BAD_PARAMETER, f"the body has to be a list of at most {TOPICS_MAX}")
    answers = []
    for members in ask.body:
        said: dict[str, Any] = {"code": SUCCESS}
        try:
            if not isinstance(members, dict):
                raise RefusedError(BAD_PARAMETER, "not an object")
            await change(ask, members)
        except RefusedError as refused:
            said = {"code": refused.code, "message": in_language(ask.scope, "", refused.message)}
        except RookeryError as error:
            said = {"code": code_of(error), "message": told(ask.scope, error)}
        if isinstance(members, dict):
            said = {name: members[name] for name in ("topic", "topics") if name in members} | said
        answers.append(said)
    return answers


async def _check_online(ask: Ask, client_id: str) -> None:
    found = await asyncio.to_thread(ask.node.native.lists.client_view, client_id)
    if found is None or not found.is_connected:
        raise RefusedError(CLIENT_OFFLINE, "channel_not_found")


def _topics(members: Mapping[str, Any]) -> list[str]:
    """``topic``, and ``topics`` with commas between them."""
    found = [text(members, "topic", default=""), *text(members, "topics", default="").split(",")]
    topics = [topic for topic in found if topic]
    if not topics:
        raise RefusedError(BAD_TOPIC, "bad_topic")
    if len(topics) > TOPICS_MAX:
        raise RefusedError(BAD_PARAMETER, f"at most {TOPICS_MAX} topics")
    return topics


def _qos(members: Mapping[str, Any]) -> int:
    qos = members.get("qos", 0)
    # bool is an int; true is no QoS.
    if isinstance(qos, int) and not isinstance(qos, bool) and 0 <= qos <= 2:
        return qos
    raise RefusedError(BAD_QOS, "bad_qos")


def _payload(members: Mapping[str, Any]) -> bytes:
    payload = text(members, "payload", default="")
    match text(members, "encoding", default="plain"):
        case "plain":
            return payload.encode()
        case "base64":
            try:
                return base64.b64decode(payload, validate=True)
            except (binascii.Error, ValueError):
                raise RefusedError(BAD_PARAMETER, "the payload is no base64") from None
    raise RefusedError(BAD_PARAMETER, "encoding is plain or base64")


def _operations() -> tuple[Operation, ...]:
    publish = {"topic": "plant/7/set", "payload": "21.5", "qos": 1, "retain": False,
               "client_id": "billing"}  # fmt: skip
    subscribe = {"topic": "plant/7/#", "qos": 1, "client_id": "sensor-1"}
    unsubscribe = {"topic": "plant/7/#", "client_id": "sensor-1"}
    kinds: tuple[tuple[str, Change, dict[str, Any], str], ...] = (
        ("publish", _publish, publish,
         "Publish a message to `topic`, or to all of `topics` (commas between them)."),
        ("subscribe", _subscribe, subscribe, "Subscribe for a client that is connected."),
        ("unsubscribe", _unsubscribe, unsubscribe, "Unsubscribe for a client that is connected."),
    )  # fmt: skip
    found = []
    for verb, change, body, summary in kinds:
        once = cast("Handler", partial(_once, change=change))
        each = cast("Handler", partial(_each, change=change))
        found += [
            Operation(method="POST", path=f"/mqtt/{verb}", handle=once, name=f"mqtt_{verb}",
                      summary=summary, body=body),
            Operation(method="POST", path=f"/mqtt/{verb}_batch", handle=each,
                      name=f"mqtt_{verb}_batch", summary=f"Several: {summary}", body=[body],
                      data=[{"topic": body["topic"], "code": SUCCESS}]),
        ]  # fmt: skip
    return tuple(found)


OPERATIONS = _operations()
