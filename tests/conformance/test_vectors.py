"""Runs every vector of ``vectors/`` against the broker; see ``harness/vectors.py``."""

from __future__ import annotations

from typing import Any

import pytest

from harness import packets
from harness.client import RawClient
from harness.node import Node, fresh_name
from harness.vectors import LEVELS, Vector, compile_bytes, load

KINDS: dict[str, type[packets.Packet]] = {
    kind.__name__.upper(): kind
    for kind in (
        packets.ConnAck,
        packets.Publish,
        packets.PubAck,
        packets.PubRec,
        packets.PubRel,
        packets.PubComp,
        packets.SubAck,
        packets.UnsubAck,
        packets.PingResp,
        packets.Disconnect,
    )
}


def run_step(client: RawClient, step: dict[str, Any], names: dict[str, str]) -> None:
    if "send" in step:
        client.send_until_closed(compile_bytes(step["send"], names))
    elif step.get("expect") in KINDS:
        fields = {name: value for name, value in step.items() if name != "expect"}
        packet = client.expect(KINDS[step["expect"]])
        for name, value in fields.items():
            assert getattr(packet, name) == value, f"{name} of {packet} is not {value}"
    elif "expect" in step:
        wanted = compile_bytes(step["expect"], names)
        assert client.read_raw(len(wanted)) == wanted
    elif "closed" in step:
        codes = step["closed"] if isinstance(step["closed"], list) else []
        client.expect_closed([int(code, 16) for code in codes])
    elif "open" in step:
        client.expect_nothing()
    else:
        raise ValueError(f"no such step: {step}")


@pytest.mark.parametrize("vector", load(), ids=lambda vector: vector.id)
def test_vector(node: Node, vector: Vector) -> None:
    names = {"id": fresh_name("v"), "topic": fresh_name("v/")}
    level = LEVELS[vector.version]
    client = node.connect(names["id"], level) if vector.connected else node.open(level)
    for step in vector.steps:
        run_step(client, step, names)
    with node.connect() as other:
        other.fence()  # whatever the vector did, others are served


def test_the_notation() -> None:
    names = {"id": "cd"}
    assert compile_bytes("10 (0004 'a{id}' `xy` 00*3 [FF])", names) == (
        b"\x10\x0f\x00\x04\x00\x03acdxy\0\0\0\x00\x01\xff"
    )
    for bad in ("1", "(00", "00)", "'open"):
        with pytest.raises(ValueError, match=r"cannot read|unbalanced"):
            compile_bytes(bad, names)
