"""Asks what stands behind an agent, and tells that it gave no answer from an answer."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from rookery.control.errors import OutOfReachError, Text
from rookery.control.relay.tunnel import Answer, Asks, Call, TunnelTimeoutError

UNREACHABLE = Text("the agent got no answer: {reason}", "代理未得到应答：{reason}")


@contextlib.asynccontextmanager
async def answered(
    asks: Asks, agent_id: str, call: Call, body: AsyncIterator[bytes] | None
) -> AsyncIterator[Answer]:
    """Ask; the answer can be read inside the block.

    Raises:
        OutOfReachError: the agent, or what stands behind it, cannot be reached.
        TunnelTimeoutError: the answer took too long.
        TooManyError: too many calls are under way.
    """
    async with asks.call(agent_id, call, body) as answer:
        if answer.error and answer.status == 504:
            raise TunnelTimeoutError(answer.error)
        if answer.error:
            raise OutOfReachError(UNREACHABLE, code="SOURCE_ERROR", reason=answer.error)
        yield answer
