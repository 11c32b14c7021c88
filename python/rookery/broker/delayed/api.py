"""``/mqtt/delayed``: settings of delayed publish, and the messages that wait."""

from __future__ import annotations

import asyncio
import base64
import re
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.responses import Response

from rookery.broker.clients.models import example_page
from rookery.broker.management.context import NodeContext
from rookery.broker.management.rows import rfc3339
from rookery.broker.rest.parameters import LikePublisher, LikeTopic, OfQos, message_id
from rookery.broker.rest.section import Section
from rookery.errors import BadRequestError, NotFoundError
from rookery.native.lists import MessageHead, MessageQuery, MessageSort
from rookery.native.models import Message
from rookery.web.models import Model, Page, Row
from rookery.web.rest import PageQuery, errors, example, fast, page_of
from rookery.web.sorting import OrderQuery

SECTION = "delayed"
PAYLOAD_SHOWN_MAX = 2048
TOO_LARGE = "PAYLOAD_TO_LARGE"
"""EMQX's word, as EMQX spells it."""
_ID = re.compile(r"[0-9A-Fa-f]{32}", re.ASCII)
_EXAMPLE = {
    "msgid": "0006497B0AF1C3E80000000000000001", "node": "rookery@127.0.0.1",
    "publish_at": "2026-01-31T12:00:00.000+00:00", "delayed_interval": 60,
    "delayed_remaining": 42, "expected_at": "2026-01-31T12:01:00.000+00:00", "topic": "plant/7",
    "qos": 1, "from_clientid": "sensor-7", "from_username": None,
}  # fmt: skip
_EXAMPLE_CONFIG = {"enable": True, "max_delayed_messages": 0}


OnThatNode = Annotated[str, Path(alias="node", description="The node where it waits.")]


class DelayedConfig(Model):
    """``delayed.*``."""

    enable: bool | None = Field(
        None, description="Whether `$delayed/<seconds>/<topic>` is honoured.", examples=[True]
    )
    max_delayed_messages: int | None = Field(
        None, ge=0, le=1_000_000_000, description="Most that wait; 0 is no bound.", examples=[0]
    )


class DelayedRow(Row):
    """A delayed message without its payload."""

    msgid: str = Field(description="Identity of the message.")
    node: str = Field(description="The node where it waits.")
    publish_at: str = Field(description="When it was published.")
    delayed_interval: int = Field(description="Seconds it waits in all.")
    delayed_remaining: int = Field(description="Seconds that are left.")
    expected_at: str = Field(description="When it goes out.")
    topic: str = Field(description="Topic name, without `$delayed/<seconds>/`.")
    qos: int = Field(description="QoS.")
    from_clientid: str = Field(description="Who published it.")
    from_username: str | None = Field(None, description="That client's user name.")


class DelayedMessage(DelayedRow):
    """A delayed message."""

    payload: str = Field(description="The payload, base64; `PAYLOAD_TO_LARGE` above 2,048 bytes.")


DelayedPage = Page[DelayedRow]


class BadMessageIdError(BadRequestError):
    """That is no identity of a message."""

    code = "MESSAGE_ID_SCHEMA_ERROR"


class NoSuchNodeError(BadRequestError):
    """There is no such node."""

    code = "INVALID_NODE"


class MessageIdNotFoundError(NotFoundError):
    """It does not wait, or not any more."""

    code = "MESSAGE_ID_NOT_FOUND"


class MessageNotFoundError(NotFoundError):
    """None waits for that topic."""

    code = "MESSAGE_NOT_FOUND"


class BadTopicNameError(BadRequestError):
    """That is no topic name."""

    code = "INVALID_TOPIC_NAME"


def router(node: NodeContext) -> APIRouter:
    """The operations."""
    api = APIRouter(tags=["MQTT"])
    _settings(api, node)
    _messages(api, node)
    _one(api, node)
    return api


def _settings(api: APIRouter, node: NodeContext) -> None:
    section = Section(node, SECTION, "mqtt/delayed")

    @api.get(
        "/mqtt/delayed",
        summary="Show settings of delayed publish",
        response_model=DelayedConfig,
        responses=example(_EXAMPLE_CONFIG),
    )
    async def settings() -> Response:
        """The section `delayed` of the configuration that holds."""
        return section.shown()

    @api.put(
        "/mqtt/delayed",
        summary="Change settings of delayed publish",
        response_model=DelayedConfig,
        responses=errors("BAD_REQUEST", "BAD_CONFIG", "ALREADY_EXISTS") | example(_EXAMPLE_CONFIG),
    )
    async def change(body: DelayedConfig) -> Response:
        """What is not named stays as it is. Holds at once and survives a restart."""
        return await section.change(body.model_dump(exclude_none=True))


def _messages(api: APIRouter, node: NodeContext) -> None:
    @api.get(
        "/mqtt/delayed/messages",
        summary="List delayed messages",
        response_model=DelayedPage,
        responses=example(example_page(_EXAMPLE)),
    )
    async def messages(
        page: PageQuery,
        like_topic: LikeTopic = None,
        like_from_clientid: LikePublisher = None,
        qos: OfQos = None,
        sort: Annotated[
            MessageSort | None,
            Query(description="Sort by this field; the next one to go out first without it."),
        ] = None,
        order: OrderQuery = "asc",
    ) -> Response:
        """Messages that wait for their time."""
        query = MessageQuery(None, like_topic, like_from_clientid, qos, sort, order == "desc")
        if sort is None:
            query = query._replace(is_descending=False)

        def read() -> dict[str, Any]:
            found, count = node.native.lists.delayed_page(query, page.start, page.limit)
            rows = [_row(node, due_ms, head) for due_ms, head in found]
            return page_of(rows, page.page, page.limit, count)

        return fast(await asyncio.to_thread(read))

    @api.delete(
        "/mqtt/delayed/messages/{topic}",
        summary="Delete the delayed messages for a topic",
        status_code=204,
        responses=errors("INVALID_TOPIC_NAME", "MESSAGE_NOT_FOUND")
        | {204: {"description": "Deleted."}},
    )
    async def delete_all(topic: str) -> Response:
        """All that wait for this topic name."""
        if not topic or any(char in topic for char in "+#\0"):
            raise BadTopicNameError(f"{topic!r} is no topic name")
        if not await asyncio.to_thread(node.native.lists.remove_delayed_to, topic):
            raise MessageNotFoundError(f"no delayed message for {topic!r}")
        return Response(status_code=204)


def _one(api: APIRouter, node: NodeContext) -> None:
    responses = errors("MESSAGE_ID_SCHEMA_ERROR", "INVALID_NODE", "MESSAGE_ID_NOT_FOUND")

    @api.get(
        "/mqtt/delayed/messages/{node}/{msgid}",
        summary="Show a delayed message",
        response_model=DelayedMessage,
        responses=responses | example({**_EXAMPLE, "payload": "MjEuNQ=="}),
    )
    async def message(node_name: OnThatNode, msgid: str) -> Response:
        """One that waits."""
        number = _number(node, node_name, msgid)
        found = await asyncio.to_thread(node.native.lists.delayed, number)
        if found is None:
            raise MessageIdNotFoundError(f"no delayed message {msgid}")
        due_ms, kept = found
        payload = base64.b64encode(kept.payload).decode()
        is_shown = len(kept.payload) <= PAYLOAD_SHOWN_MAX
        return fast({**_row(node, due_ms, kept), "payload": payload if is_shown else TOO_LARGE})

    @api.delete(
        "/mqtt/delayed/messages/{node}/{msgid}",
        summary="Delete a delayed message",
        status_code=204,
        responses=responses | {204: {"description": "Deleted."}},
    )
    async def delete(node_name: OnThatNode, msgid: str) -> Response:
        """It does not go out."""
        number = _number(node, node_name, msgid)
        if not await asyncio.to_thread(node.native.lists.remove_delayed, number):
            raise MessageIdNotFoundError(f"no delayed message {msgid}")
        return Response(status_code=204)


def _number(node: NodeContext, node_name: str, msgid: str) -> int:
    if node_name != node.node_name:
        raise NoSuchNodeError(f"no node {node_name!r}")
    if _ID.fullmatch(msgid) is None:
        raise BadMessageIdError("an identity of a message has 32 hexadecimal digits")
    return int(msgid, 16)


def _row(node: NodeContext, due_ms: int, message: MessageHead | Message) -> dict[str, Any]:
    now_ms = node.clock.now_ms()
    return {
        "msgid": message_id(message.id),
        "node": node.node_name,
        "publish_at": rfc3339(message.timestamp_ms),
        "delayed_interval": max(1, round((due_ms - message.timestamp_ms) / 1000)),
        "delayed_remaining": max(0, round((due_ms - now_ms) / 1000)),
        "expected_at": rfc3339(due_ms),
        "topic": message.topic,
        "qos": message.qos,
        "from_clientid": message.client_id,
        "from_username": message.username,
    }
