"""``/mqtt/retainer``: settings of retained messages, and the messages."""

from __future__ import annotations

import asyncio
import base64
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field
from starlette.responses import Response

from rookery.broker.clients.models import example_page
from rookery.broker.management.context import NodeContext
from rookery.broker.management.rows import rfc3339
from rookery.broker.rest.parameters import LikePublisher, LikeTopic, OfQos, message_id
from rookery.broker.rest.section import Section
from rookery.errors import BadRequestError, NotFoundError
from rookery.native.lists import MessageHead, MessageQuery
from rookery.web.models import Model, Page, Row
from rookery.web.rest import PageQuery, errors, example, fast, page_of
from rookery.web.sorting import OrderQuery

SECTION = "retainer"
_EXAMPLE_CONFIG = {
    "enable": True, "msg_expiry_interval": "0s", "max_payload_size": "1MB",
    "stop_publish_clear_msg": False, "max_bytes": "infinity",
    "backend": {"max_retained_messages": 0},
}  # fmt: skip
_EXAMPLE = {
    "msgid": "0006497B0AF1C3E80000000000000001", "topic": "plant/7", "qos": 1,
    "publish_at": "2026-01-31T12:00:00.000+00:00", "from_clientid": "sensor-7",
    "from_username": None,
}  # fmt: skip


class RetainerConfig(Model):
    """``retainer.*``; whatever else that section of the configuration knows is taken too."""

    model_config = ConfigDict(extra="allow")

    enable: bool | None = Field(None, description="Whether retained messages are kept.")
    msg_expiry_interval: str | int | None = Field(
        None, description="Expiry of messages that carry none; `0s` is never.", examples=["0s"]
    )
    max_payload_size: str | int | None = Field(
        None, description="Largest payload kept.", examples=["1MB"]
    )
    stop_publish_clear_msg: bool | None = Field(
        None, description="The empty message that removes one is not passed on."
    )
    max_bytes: str | int | None = Field(
        None, description="Most bytes of all of them.", examples=["infinity"]
    )
    backend: dict[str, Any] | None = Field(
        None,
        description="`max_retained_messages` is the most there are; 0 is no bound.",
        examples=[{"max_retained_messages": 0}],
    )


class RetainedRow(Row):
    """A retained message without its payload."""

    msgid: str = Field(description="Identity of the message.")
    topic: str = Field(description="Topic name.")
    qos: int = Field(description="QoS it was published with.")
    publish_at: str = Field(description="When it was published.")
    from_clientid: str = Field(description="Who published it.")
    from_username: str | None = Field(None, description="That client's user name.")


class RetainedMessage(RetainedRow):
    """A retained message."""

    payload: str = Field(description="The payload, base64.")


RetainedPage = Page[RetainedRow]
RetainedSort = Literal["topic", "qos", "from_clientid", "from_username", "publish_at"]


def router(node: NodeContext) -> APIRouter:
    """The operations."""
    api = APIRouter(tags=["MQTT"])
    _settings(api, node)
    _all(api, node)
    _one(api, node)
    return api


def _settings(api: APIRouter, node: NodeContext) -> None:
    section = Section(node, SECTION, "mqtt/retainer")

    @api.get(
        "/mqtt/retainer",
        summary="Show settings of retained messages",
        response_model=RetainerConfig,
        responses=example(_EXAMPLE_CONFIG),
    )
    async def settings() -> Response:
        """The section `retainer` of the configuration that holds."""
        return section.shown()

    @api.put(
        "/mqtt/retainer",
        summary="Change settings of retained messages",
        response_model=RetainerConfig,
        responses=errors("BAD_REQUEST", "BAD_CONFIG", "ALREADY_EXISTS") | example(_EXAMPLE_CONFIG),
    )
    async def change(body: RetainerConfig) -> Response:
        """What is not named stays as it is. Holds at once and survives a restart."""
        values = body.model_dump(exclude_unset=True, exclude_none=True)
        return await section.change(values, merged=("backend",))


def _all(api: APIRouter, node: NodeContext) -> None:
    @api.get(
        "/mqtt/retainer/messages",
        summary="List retained messages",
        response_model=RetainedPage,
        responses=errors("BAD_REQUEST") | example(example_page(_EXAMPLE)),
    )
    async def messages(
        page: PageQuery,
        topic: Annotated[
            str | None,
            Query(min_length=1, max_length=65535, description="Topic filter; absent: all."),
        ] = None,
        like_topic: LikeTopic = None,
        like_from_clientid: LikePublisher = None,
        qos: OfQos = None,
        sort: Annotated[
            RetainedSort | None,
            Query(description="Sort by this field; without it in an order that stays."),
        ] = None,
        order: OrderQuery = "asc",
    ) -> Response:
        """Those that are wanted, one for each topic."""
        query = MessageQuery(topic, like_topic, like_from_clientid, qos, sort, order == "desc")

        def read() -> dict[str, Any]:
            found, count = node.native.lists.retained_page(query, page.start, page.limit)
            return page_of([_row(head) for head in found], page.page, page.limit, count)

        return fast(await asyncio.to_thread(read))

    @api.delete(
        "/mqtt/retainer/messages",
        summary="Delete all retained messages",
        status_code=204,
        responses={204: {"description": "None is left."}},
    )
    async def clear() -> Response:
        """Subscribers are not told."""
        await asyncio.to_thread(node.native.lists.remove_retained, None)
        return Response(status_code=204)


def _one(api: APIRouter, node: NodeContext) -> None:
    responses = errors("BAD_REQUEST", "NOT_FOUND")

    @api.get(
        "/mqtt/retainer/message/{topic}",
        summary="Show a retained message",
        response_model=RetainedMessage,
        responses=responses | example({**_EXAMPLE, "payload": "MjEuNQ=="}),
    )
    async def message(topic: str) -> Response:
        """The one of this topic name."""
        found = await asyncio.to_thread(node.native.lists.retained, topic)
        if found is None:
            raise NotFoundError(f"no retained message of {topic!r}")
        row = {
            "msgid": message_id(found.id),
            "topic": found.topic,
            "qos": found.qos,
            "publish_at": rfc3339(found.timestamp_ms),
            "from_clientid": found.client_id,
            "from_username": found.username,
            "payload": base64.b64encode(found.payload).decode(),
        }
        return fast(row)

    @api.delete(
        "/mqtt/retainer/message/{topic}",
        summary="Delete retained messages",
        status_code=204,
        responses=responses | {204: {"description": "Deleted."}},
    )
    async def delete(topic: str) -> Response:
        """The one of this topic name, or all that match this topic filter. Subscribers are not
        told.
        """
        if not topic:
            raise BadRequestError("the topic is empty")
        if not await asyncio.to_thread(node.native.lists.remove_retained, topic):
            raise NotFoundError(f"no retained message of {topic!r}")
        return Response(status_code=204)


def _row(head: MessageHead) -> dict[str, Any]:
    return {
        "msgid": message_id(head.id),
        "topic": head.topic,
        "qos": head.qos,
        "publish_at": rfc3339(head.timestamp_ms),
        "from_clientid": head.client_id,
        "from_username": head.username,
    }
