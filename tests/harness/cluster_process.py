"""A node of a cluster in a process of its own: told by lines on its input who the others are."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from rookery.native.cluster import ClusterPeer
from rookery.native.config import (
    BrokerConfig,
    DurabilityConfig,
    ListenerConfig,
    NodeConfig,
    RetainerConfig,
)
from rookery.native.lists import ClientQuery, MessageQuery
from rookery.native.node import Node


def main() -> None:
    """Start, say where, and do what is asked until the input ends."""
    told = json.loads(sys.argv[1])
    folder = Path(told["store"]) if told["store"] else None
    broker = BrokerConfig(
        retainer=RetainerConfig(**told["retainer"]), shared_strategy=told["strategy"]
    )
    node = Node(
        NodeConfig(
            broker=broker,
            workers=told["workers"],
            listeners=(ListenerConfig(id="tcp:default", bind="127.0.0.1:0"),),
            durability=DurabilityConfig(dir=folder),
        ),
        accepts=False,
    )
    lanes = node.cluster_open(
        name=told["name"],
        incarnation=told["incarnation"],
        bind="127.0.0.1:0",
        secret=told["secret"].encode(),
        takeover_timeout_s=told["takeover_s"],
    )
    node.accept()
    say({"mqtt": int(node.listeners()[0].address.rpartition(":")[2]), "lanes": lanes})
    for line in sys.stdin:
        order = json.loads(line)
        if "settings" in order:
            node.apply_config(replace(broker, **order["settings"]))
            say(None)
        else:
            say(answer(node, order))
    node.stop(0.0)


def answer(node: Node, order: dict[str, Any]) -> object:
    """What an order is answered with."""
    if "peers" in order:
        node.cluster_peers([ClusterPeer(**peer) for peer in order["peers"]])
        return None
    if "expect" in order:
        node.cluster_expect(order["expect"])
        return None
    if "clients" in order:
        found, _ = node.lists.clients_page(ClientQuery(), 0, 1000)
        return {client.client_id: client.is_connected for client in found}
    if "lost" in order:
        kinds = {key: order[key] for key in ("may_adopt", "is_alone") if key in order}
        node.cluster_lost(order["lost"], **kinds)
        return None
    if "leave_for" in order:
        node.cluster_leave_for(order["leave_for"], order["most"])
        return None
    if "partner" in order:
        return node.cluster_partner()._asdict()
    if "pledges" in order:
        return node.stats()["pledges.count"]
    if "metrics" in order:
        return dict(node.metrics())
    if "retained" in order:
        return retained(node)
    return [status._asdict() for status in node.cluster_status()]


def retained(node: Node) -> dict[str, str]:
    """Topics and what is retained for them."""
    heads, _ = node.lists.retained_page(MessageQuery(), 0, 100_000)
    found = {head.topic: node.lists.retained(head.topic) for head in heads}
    return {topic: kept.payload.decode() for topic, kept in found.items() if kept is not None}


def say(value: object) -> None:
    """One line up."""
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main()
