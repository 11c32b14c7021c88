"""Trying settings out: connect, look, disconnect."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from rookery.access.errors import SettingError, Words
from rookery.access.reasons import no_answer
from rookery.connectors.base import Action, Connector, ConnectorError, Unhealthy
from rookery.connectors.defects import defect
from rookery.connectors.health import LET_GO_S
from rookery.connectors.settings import ActionSettings, ConnectorSettings

_logger = logging.getLogger(__name__)
_SERVICE = Words("the service", "服务")


@contextlib.asynccontextmanager
async def connected(
    connector: Connector[Any, Any], settings: ConnectorSettings
) -> AsyncIterator[None]:
    """A connector that is connected and gave a sign of life, until the end of the block.

    Raises:
        ConnectorError: it does not work.
        SettingError: it cannot work.
    """
    deadline_s = settings.resource_opts.start_timeout
    try:
        await check(connector.start, deadline_s)
        await check(connector.check, deadline_s)
        yield
    finally:
        with contextlib.suppress(ConnectorError):
            await check(connector.stop, LET_GO_S)


async def look(action: Action, settings: ActionSettings) -> None:
    """See whether an action could send.

    Raises:
        ConnectorError: it could not.
    """
    deadline_s = settings.resource_opts.start_timeout
    try:
        await check(action.start, deadline_s)
        await check(action.check, deadline_s)
    finally:
        with contextlib.suppress(ConnectorError):
            await check(action.stop, LET_GO_S)


async def check(question: Callable[[], Awaitable[None]], deadline_s: float) -> None:
    """Ask with a deadline.

    Raises:
        ConnectorError: the answer, its absence, or what nobody expected.
        SettingError: of the question.
    """
    try:
        async with asyncio.timeout(deadline_s):
            await question()
    except TimeoutError:
        raise Unhealthy(no_answer(_SERVICE, deadline_s)) from None
    except (ConnectorError, SettingError):
        raise
    except Exception as error:  # noqa: BLE001 - of a client library; it is logged
        raise Unhealthy(defect(_logger, "probe", error)) from None
