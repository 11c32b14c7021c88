"""A process that runs one source of a connector and tells what rules get: a line for each message.

``python -m harness.bridge_source TYPE CONNECTOR SOURCE``, both as JSON. It takes one message for
each line on its standard input, so whoever runs it says when a message counts as received.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from harness.connectors import PAUSE_S, connected, context
from rookery.connectors.base import Columns, Unhealthy
from rookery.connectors.registry import connector_type


async def main(name: str, connector_json: str, source_json: str) -> None:
    kind = connector_type(name)
    assert kind.source_settings is not None
    settings = kind.connector_settings.model_validate_json(connector_json)
    connector = kind.open(settings, context(Path(), f"{name}:remote"))
    loop = asyncio.get_running_loop()

    async def receive(columns: Columns) -> int:
        shown = {
            key: value.decode() if isinstance(value, bytes) else value
            for key, value in columns.items()
        }
        print(json.dumps(shown), flush=True)
        if not await loop.run_in_executor(None, sys.stdin.readline):
            sys.exit()
        return 1

    source = connector.open_source(kind.source_settings.model_validate_json(source_json), receive)
    while True:
        await connected(connector)
        try:
            await source.run()
        except Unhealthy as error:
            print(error, file=sys.stderr, flush=True)
            await connector.stop()
            await asyncio.sleep(PAUSE_S)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
