"""A paho-mqtt client that knows several addresses and goes to the next when one is lost.

    python paho_client.py 192.0.2.11:1883 192.0.2.12:1883

Subscribes to `demo/#` and prints what arrives. For TLS call `client.tls_set("ca.pem")` before
connecting and give the ports of TLS listeners.
"""

from __future__ import annotations

import itertools
import random
import sys
import time

import paho.mqtt.client as mqtt

KEEP_ALIVE_S = 30
WAIT_S_MIN = 0.5
WAIT_S_MAX = 30.0


def on_connect(client, userdata, flags, reason_code, properties):
    if reason_code.is_failure:
        print("refused:", reason_code, flush=True)
        client.disconnect()  # this node does not want us: on to the next one
        return
    # Subscribing here, not once at the start: the next node may not know our session.
    client.subscribe("demo/#", qos=1)
    print("connected to", userdata["address"], flush=True)
    userdata["failures"] = 0


def on_message(client, userdata, message):
    print("received", message.topic, message.payload.decode(), flush=True)


def run(addresses):
    state = {"address": "", "failures": 0}
    client = mqtt.Client(
        mqtt.CallbackAPIVersion.VERSION2,
        client_id="failover-paho",
        protocol=mqtt.MQTTv5,
        userdata=state,
    )
    client.on_connect = on_connect
    client.on_message = on_message
    # Clients that begin at different addresses spread over the nodes.
    first = random.randrange(len(addresses))
    for address in itertools.cycle(addresses[first:] + addresses[:first]):
        host, _, port = address.rpartition(":")
        state["address"] = address
        try:
            client.connect(host, int(port), keepalive=KEEP_ALIVE_S)
            while client.loop(timeout=1.0) == mqtt.MQTT_ERR_SUCCESS:
                pass
        except OSError as error:
            print("no way to", address, error, flush=True)
        state["failures"] += 1
        if state["failures"] >= len(addresses):
            # Every address failed: wait longer each time, by chance, so that a fleet does not
            # come back all at once.
            rounds = state["failures"] // len(addresses)
            time.sleep(random.uniform(WAIT_S_MIN, min(WAIT_S_MAX, WAIT_S_MIN * 2**rounds)))


if __name__ == "__main__":
    run(sys.argv[1:])
