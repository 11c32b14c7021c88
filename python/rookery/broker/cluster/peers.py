"""Takes servers of nodes that left out of JetStream: it would count them as absent for ever, and need more
than half of all that ever were.

A server that was taken out is not let in again under its name for minutes; so a node's server has another
name after the node left, with the node's new identity in it.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable
from typing import Any

import nats
import nats.errors

from rookery.broker.cluster.bus import CONNECT_WAIT_S, Access

ASK_WAIT_S = 2.0
_ID_LENGTH = 12
_JSZ = "$SYS.REQ.SERVER.PING.JSZ"
_REMOVE = "$JS.API.SERVER.REMOVE"

_log = logging.getLogger("rookery.cluster.nats")


def server_name(node_name: str, node_id: str) -> str:
    """What the server of a node is called."""
    return f"{node_name}#{node_id[:_ID_LENGTH]}"


async def remove_left(access: Access, has_left: Callable[[str, str], bool]) -> None:
    """Have those servers forgotten, as far as JetStream has a leader that can be asked now.

    ``access`` is to the system account.
    """
    with contextlib.suppress(OSError, TimeoutError, nats.errors.Error):
        client = await nats.connect(
            servers=list(access.servers),
            user=access.user,
            password=access.password,
            connect_timeout=int(CONNECT_WAIT_S),
            allow_reconnect=False,
        )
        try:
            answer = await client.request(_JSZ, b'{"leader_only": true}', timeout=ASK_WAIT_S)
            for name in _servers(answer.data):
                node_name, _, node_id = name.rpartition("#")
                if not has_left(node_name, node_id):
                    continue
                _log.info("the server of %s is taken out of JetStream", name)
                told = json.dumps({"peer": name}).encode()
                await client.request(_REMOVE, told, timeout=ASK_WAIT_S)
        finally:
            await client.close()


def _servers(data: bytes) -> list[str]:
    found: Any = json.loads(data).get("data") or {}
    replicas = (found.get("meta_cluster") or {}).get("replicas") or []
    return [str(replica.get("name")) for replica in replicas]
