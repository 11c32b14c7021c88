"""An aiomqtt client that knows several addresses and goes to the next when one is lost.

    python aiomqtt_client.py 192.0.2.11:1883 192.0.2.12:1883

Subscribes to `demo/#` and prints what arrives. For TLS give the client
`tls_context=ssl.create_default_context(cafile="ca.pem")` and the ports of TLS listeners.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import sys

import aiomqtt

KEEP_ALIVE_S = 30
WAIT_S_MIN = 0.5
WAIT_S_MAX = 30.0


async def serve(address):
    """Until the connection is lost; raises MqttError then."""
    host, _, port = address.rpartition(":")
    async with aiomqtt.Client(
        host,
        int(port),
        identifier="failover-aiomqtt",
        protocol=aiomqtt.ProtocolVersion.V5,
        keepalive=KEEP_ALIVE_S,
    ) as client:
        # After every connect: the next node may not know our session.
        await client.subscribe("demo/#", qos=1)
        print("connected to", address, flush=True)
        async for message in client.messages:
            print("received", message.topic, message.payload.decode(), flush=True)


async def main(addresses):
    failures = 0
    # Clients that begin at different addresses spread over the nodes.
    first = random.randrange(len(addresses))
    for address in itertools.cycle(addresses[first:] + addresses[:first]):
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            await serve(address)
        except aiomqtt.MqttError as error:
            print("lost", address, error, flush=True)
        # A connection that held for a while is no failure.
        failures = 0 if loop.time() - began > KEEP_ALIVE_S else failures + 1
        if failures >= len(addresses):
            # Every address failed: wait longer each time, by chance, so that a fleet does not
            # come back all at once.
            rounds = failures // len(addresses)
            await asyncio.sleep(random.uniform(WAIT_S_MIN, min(WAIT_S_MAX, WAIT_S_MIN * 2**rounds)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
