"""Subscriptions of one client, and making or ending some for it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body
from starlette.responses import Response

from rookery.broker.audit import changed
from rookery.broker.clients.models import (
    EXAMPLE_SUBSCRIPTION,
    Subscribe,
    SubscriptionRow,
    Unsubscribe,
)
from rookery.broker.clients.rows import subscription_row
from rookery.broker.management.context import NodeContext
from rookery.broker.rest.parameters import ClientIdNotFoundError
from rookery.errors import BadRequestError
from rookery.native.lists import SubscribeRequest, SubscriptionQuery, SubscriptionView
from rookery.web.models import LIMIT_MAX
from rookery.web.rest import errors, example, fast
from rookery.words import Words

FILTERS_MAX = 10_000
TOLD_MAX = 200
"""Of more subscriptions the audit log tells how many they are."""
_REASONS = {
    0x83: Words("the limits of the node do not allow it", "超出节点的限制"),
    0x87: Words("not authorized", "未授权"),
    0x8F: Words("the topic filter is invalid", "主题过滤器无效"),
    0x82: Words("No Local does not go with a shared subscription", "No Local 不能用于共享订阅"),
    0x97: Words(
        "the client has as many subscriptions as it may, or another one holds it exclusively",
        "客户端的订阅数已达上限，或该主题已被其他客户端独占订阅",
    ),
    0x9E: Words("shared subscriptions are switched off", "共享订阅已关闭"),
    0xA2: Words("wildcard subscriptions are switched off", "通配符订阅已关闭"),
}
_REASON = Words("reason code 0x{code:02x}", "原因码 0x{code:02x}")
_MORE = Words("and {count} more", "以及另外 {count} 项")
_FAILED_FROM = 0x80
_ERRORS = errors("BAD_REQUEST", "CLIENTID_NOT_FOUND")


def add_to(api: APIRouter, node: NodeContext) -> None:
    """Add the operations."""
    _reading(api, node)
    _making(api, node)
    _ending(api, node)


def _refused(refused: Sequence[tuple[str, Words]]) -> BadRequestError:
    said = [(f"{topic!r}: {why.en}", f"{topic!r}：{why.zh}") for topic, why in refused[:10]]
    if len(refused) > 10:
        said.append(_MORE.format(count=len(refused) - 10))
    english, chinese = zip(*said, strict=True)
    return BadRequestError("; ".join(english), message_zh="；".join(chinese))


def _rows_of(
    node: NodeContext, clientid: str, only: Collection[str] | None = None
) -> list[dict[str, Any]]:
    """Subscriptions of a client, with ``only`` those to these filters."""
    found, _ = node.native.lists.subscriptions_page(
        SubscriptionQuery(client_id=clientid), 0, LIMIT_MAX
    )
    wanted = found if only is None else [view for view in found if view.topic_filter in only]
    return [subscription_row(view, node.node_name) for view in wanted]


def _tell(before: list[dict[str, Any]], after: list[dict[str, Any]], *, is_refused: bool) -> None:
    """Into the audit log, how the subscriptions were that a request names, and how they are."""
    if not is_refused or after != before:  # what was refused may have done a part of it
        changed(before=_short(before), after=_short(after))


def _short(rows: list[dict[str, Any]]) -> Any:
    return rows if len(rows) <= TOLD_MAX else f"{len(rows)} subscriptions, too many to keep"


def _reading(api: APIRouter, node: NodeContext) -> None:
    @api.get(
        "/clients/{clientid}/subscriptions",
        summary="List a client's subscriptions",
        response_model=list[SubscriptionRow],
        responses=errors("CLIENTID_NOT_FOUND") | example([EXAMPLE_SUBSCRIPTION]),
    )
    async def subscriptions(clientid: str) -> Response:
        """The first 10,000 of them; `/subscriptions?clientid=` has pages."""

        def read() -> list[dict[str, Any]]:
            rows = _rows_of(node, clientid)
            if not rows and node.native.lists.client_view(clientid) is None:
                raise ClientIdNotFoundError(clientid)
            return rows

        return fast(await asyncio.to_thread(read))


def _making(api: APIRouter, node: NodeContext) -> None:
    async def make(clientid: str, wanted: Sequence[Subscribe]) -> list[dict[str, Any]]:
        filters = [
            SubscribeRequest(item.topic, item.qos, bool(item.nl), bool(item.rap), item.rh)
            for item in wanted
        ]
        native = node.native
        client = await asyncio.to_thread(native.lists.client_view, clientid)
        before = await asyncio.to_thread(_rows_of, node, clientid, {item.topic for item in wanted})
        made = await asyncio.to_thread(native.lists.subscribe_client, clientid, filters)
        if made is None or client is None:
            raise ClientIdNotFoundError(clientid)
        views = (
            SubscriptionView(
                clientid,
                one.subscription.topic_filter,
                one.subscription.qos,
                one.subscription.no_local,
                one.subscription.retain_as_published,
                one.subscription.retain_handling,
                client.is_durable,
            )
            for one in made
            if one.subscription is not None
        )
        rows = [subscription_row(view, node.node_name) for view in views]
        refused = [
            (item.topic, _REASONS.get(one.reason, _REASON.format(code=one.reason)))
            for item, one in zip(wanted, made, strict=True)
            if one.subscription is None
        ]
        after = {row["topic"]: row for row in (*before, *rows)}
        _tell(before, list(after.values()), is_refused=bool(refused))
        if refused:
            raise _refused(refused)
        return rows

    @api.post(
        "/clients/{clientid}/subscribe",
        summary="Subscribe for a client",
        response_model=SubscriptionRow,
        responses=_ERRORS | example(EXAMPLE_SUBSCRIPTION),
    )
    async def subscribe(clientid: str, body: Subscribe) -> Response:
        """It gets messages as if it had sent a SUBSCRIBE, retained ones included; rules of
        authorization are not asked.
        """
        return fast((await make(clientid, [body]))[0])

    @api.post(
        "/clients/{clientid}/subscribe/bulk",
        summary="Make many subscriptions for a client",
        response_model=list[SubscriptionRow],
        responses=_ERRORS | example([EXAMPLE_SUBSCRIPTION]),
    )
    async def subscribe_all(
        clientid: str,
        body: Annotated[list[Subscribe], Body(max_length=FILTERS_MAX)],
    ) -> Response:
        """As one by one. If some are refused the answer names them; the others were made."""
        return fast(await make(clientid, body))


def _ending(api: APIRouter, node: NodeContext) -> None:
    async def end(clientid: str, wanted: Sequence[Unsubscribe]) -> Response:
        topics = [item.topic for item in wanted]
        before = await asyncio.to_thread(_rows_of, node, clientid, set(topics))
        ended = await asyncio.to_thread(node.native.lists.unsubscribe_client, clientid, topics)
        is_gone = ended is None or (
            not topics and await asyncio.to_thread(node.native.lists.client_view, clientid) is None
        )
        if is_gone or ended is None:
            raise ClientIdNotFoundError(clientid)
        invalid = [
            repr(topic)
            for topic, reason in zip(topics, ended, strict=True)
            if reason >= _FAILED_FROM
        ]
        # The broker ends every one of these that there is.
        _tell(before, [], is_refused=bool(invalid))
        if invalid:
            raise BadRequestError(f"no topic filter: {', '.join(invalid[:10])}")
        return Response(status_code=204)

    responses = _ERRORS | {204: {"description": "It does not get these messages."}}

    @api.post(
        "/clients/{clientid}/unsubscribe",
        summary="Unsubscribe for a client",
        status_code=204,
        responses=responses,
    )
    async def unsubscribe(clientid: str, body: Unsubscribe) -> Response:
        """As if it had sent an UNSUBSCRIBE. A subscription that it does not have is no error."""
        return await end(clientid, [body])

    @api.post(
        "/clients/{clientid}/unsubscribe/bulk",
        summary="End many subscriptions of a client",
        status_code=204,
        responses=responses,
    )
    async def unsubscribe_all(
        clientid: str,
        body: Annotated[list[Unsubscribe], Body(max_length=FILTERS_MAX)],
    ) -> Response:
        """As one by one."""
        return await end(clientid, body)
