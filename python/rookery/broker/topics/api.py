"""``/topics``: the routes of the node."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from rookery.broker.clients.models import example_page
from rookery.broker.management.context import NodeContext
from rookery.broker.rest.parameters import OnNode, check_node
from rookery.errors import NotFoundError
from rookery.native.lists import TopicQuery
from rookery.web.models import Page, Row
from rookery.web.rest import PageQuery, errors, example, fast, page_of
from rookery.web.sorting import OrderQuery


class TopicRow(Row):
    """A topic filter that somebody subscribed to."""

    topic: str = Field(description="The filter, without the share name.", examples=["plant/#"])
    node: str = Field(description="The node of the subscribers.")


TopicPage = Page[TopicRow]
_EXAMPLE = {"topic": "plant/#", "node": "rookery@127.0.0.1"}


class TopicNotFoundError(NotFoundError):
    """Nobody subscribed to it."""

    code = "TOPIC_NOT_FOUND"


def router(node: NodeContext) -> APIRouter:
    """The operations."""
    api = APIRouter(tags=["Topics"])

    @api.get(
        "/topics",
        summary="List topic filters",
        response_model=TopicPage,
        responses=errors("INVALID_PARAMETER") | example(example_page(_EXAMPLE)),
    )
    async def topics(
        page: PageQuery,
        topic: Annotated[str | None, Query(description="This topic filter only.")] = None,
        like_topic: Annotated[
            str | None, Query(description="Topic filters that hold this text.")
        ] = None,
        sort: Annotated[
            Literal["topic"] | None,
            Query(description="Sort by this field; in no order without it."),
        ] = None,
        order: OrderQuery = "asc",
        on_node: Annotated[OnNode, Query(alias="node")] = None,
    ) -> Response:
        """Every topic filter that somebody subscribed to, once for each node."""
        check_node(node, on_node)

        lists = node.services.lists
        if topic is not None:
            is_like = like_topic is None or like_topic in topic
            nodes = await lists.of_topic(topic, on_node) if topic and is_like else []
            return fast(page.cut([{"topic": topic, "node": name} for name in nodes]))
        query = TopicQuery(like_topic, sort is not None, order == "desc")
        found = await lists.page("topics", query, page.start, page.limit, on_node)
        return fast(page_of(found.rows, page.page, page.limit, found.total))

    @api.get(
        "/topics/{topic}",
        summary="Show a topic filter",
        response_model=list[TopicRow],
        responses=errors("TOPIC_NOT_FOUND") | example([_EXAMPLE]),
    )
    async def one(topic: str) -> Response:
        """The nodes on which somebody subscribed to it."""
        nodes = await node.services.lists.of_topic(topic) if topic else []
        if not nodes:
            raise TopicNotFoundError(f"nobody subscribed to {topic!r}")
        return fast([{"topic": topic, "node": name} for name in nodes])

    return api
