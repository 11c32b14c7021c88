"""HAProxy without TLS in front of the nodes of a cluster; further ones are added while it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.balancer import HaProxy
from harness.members import Member
from harness.node import HOST
from harness.rest_node import RestNode

_FILE = """
global
    stats socket {socket} mode 600 level admin
    maxconn 8000
defaults
    mode tcp
    timeout connect 5s
    timeout client 16m
    timeout server 16m
    retries 3
    option redispatch 1
frontend mqtt
    bind {host}:{mqtt}
    default_backend nodes
frontend other
    bind {host}:{other}
    default_backend nodes
backend nodes
    balance roundrobin
    option httpchk GET /api/v5/load_rebalance/availability_check
    http-check expect status 200
"""
_SERVER = "server {name} {host}:{mqtt} check port {status} inter 500ms fall 2 rise 2"


class PlainHaProxy(HaProxy):
    """One after the other gets the next connection; who is drained gets none."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "haproxy/haproxy.cfg", folder)

    def configure(self, nodes: Sequence[tuple[int, int, int]], times: Mapping[str, str]) -> None:
        lines = [
            _FILE.format(
                socket=self.folder / "admin.sock",
                host=HOST,
                mqtt=self.mqtt_port,
                other=self.wss_port,
            )
        ]
        for number, (mqtt, _, status) in enumerate(nodes, 1):
            server = _SERVER.format(name=f"node{number}", host=HOST, mqtt=mqtt, status=status)
            lines.append(f"    {server}\n")
        self.conf.write_text("".join(lines))

    def front(self, members: Sequence[Member]) -> None:
        """Start with these, and wait until all are found good."""
        self.start([ports(member) for member in members])
        self.await_up(*(f"nodes/node{number}" for number in range(1, len(members) + 1)))

    def add(self, name: str, member: Member) -> None:
        """A further one, as an operator does it."""
        mqtt, _, status = ports(member)
        text = _SERVER.format(name=f"nodes/{name}", host=HOST, mqtt=mqtt, status=status)
        answer = self.command(f"add {text}")
        assert "registered" in answer, answer
        self.command(f"enable health nodes/{name}")
        self.command(f"enable server nodes/{name}")


def ports(member: Member) -> tuple[int, int, int]:
    """MQTT, the same again, and status."""
    return member.node.port, member.node.port, RestNode(member.node).port()
