"""Publishes what the REST interface was given, after the plugins have seen it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rookery.broker.management.context import NodeContext
from rookery.broker.plugins.publishing import Refused
from rookery.native.models import PublishOutcome
from rookery.native.node import Publication

__all__ = ["Refused", "publish_hooked"]


async def publish_hooked(
    node: NodeContext, publications: Sequence[Publication]
) -> list[PublishOutcome | Refused | None]:
    """What became of each; none: a plugin took it.

    Raises:
        BadRequestError: a topic is no topic name; none was published.
        UnavailableError: the node is stopping.
    """
    asked = await node.services.plugins.on_publish(publications)
    going = [message for message in asked if isinstance(message, Publication)]
    sent = iter(await asyncio.to_thread(node.native.lists.publish_all, going) if going else ())
    return [next(sent) if isinstance(message, Publication) else message for message in asked]
