"""``/subscriptions``: who subscribed to what."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from rookery.broker.clients.models import EXAMPLE_SUBSCRIPTION, SubscriptionPage, example_page
from rookery.broker.management.context import NodeContext
from rookery.broker.rest.parameters import OnNode, check_node
from rookery.native.lists import SubscriptionQuery, SubscriptionSort
from rookery.web.rest import PageQuery, errors, example, fast, page_of
from rookery.web.sorting import OrderQuery


def router(node: NodeContext) -> APIRouter:
    """The operations."""
    api = APIRouter(tags=["Subscriptions"])

    @api.get(
        "/subscriptions",
        summary="List subscriptions",
        response_model=SubscriptionPage,
        responses=errors("INVALID_PARAMETER") | example(example_page(EXAMPLE_SUBSCRIPTION)),
    )
    async def subscriptions(
        page: PageQuery,
        on_node: Annotated[OnNode, Query(alias="node")] = None,
        clientid: Annotated[str | None, Query(description="Of this client.")] = None,
        qos: Annotated[int | None, Query(ge=0, le=2, description="With this QoS.")] = None,
        topic: Annotated[
            str | None, Query(description="With this topic filter, as the client wrote it.")
        ] = None,
        match_topic: Annotated[
            str | None,
            Query(
                description="Topic filters that this filter matches; a topic name without "
                "wildcards also finds the filters that take its messages."
            ),
        ] = None,
        share_group: Annotated[str | None, Query(description="Of this shared group.")] = None,
        durable: Annotated[bool | None, Query(description="Whether they are on disk.")] = None,
        sort: Annotated[
            SubscriptionSort | None,
            Query(description="Sort by this field; in no order without it."),
        ] = None,
        order: OrderQuery = "asc",
    ) -> Response:
        """Subscriptions of clients that are connected or whose session lives on. All filters must
        fit.
        """
        check_node(node, on_node)
        query = SubscriptionQuery(
            clientid, qos, topic, match_topic, share_group, durable, sort, order == "desc"
        )

        found = await node.services.lists.page(
            "subscriptions", query, page.start, page.limit, on_node
        )
        return fast(page_of(found.rows, page.page, page.limit, found.total))

    return api
