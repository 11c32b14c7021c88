"""``rookery up``: the newcomer's command."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from rookery.cli import node, output
from rookery.cli.messages import say
from rookery.cli.parsers import add_command, add_sources, load_config

if TYPE_CHECKING:
    from rookery.config import Config

EXAMPLES = """\
  rookery up
  rookery up --lan
  rookery up --data-dir ./data --set listeners.tcp.default.bind=127.0.0.1:1884"""

LOCAL = {
    "listeners": {
        "tcp": {"default": {"bind": "127.0.0.1:1883"}},
        "ws": {"default": {"bind": "127.0.0.1:8083"}},
    }
}
LAN = {"access": {"anonymous": "everyone"}}
# By WebSocket and TLS.
SCHEMES = {
    (False, False): "mqtt",
    (False, True): "mqtts",
    (True, False): "ws",
    (True, True): "wss",
}


def declare(commands: Any) -> None:
    """Add the command."""
    parser = add_command(commands, "up", "help.up", _up, examples=EXAMPLES)
    add_sources(parser)
    parser.add_argument("--lan", action="store_true", help=say("option.lan"))
    parser.add_argument("--no-control", action="store_true", help=say("option.no-control"))


def _up(arguments: argparse.Namespace) -> int:
    from rookery.cli.control_child import ControlChild  # noqa: PLC0415

    config = load_config(arguments, LAN if arguments.lan else LOCAL)
    if arguments.no_control:
        return node.run(config, lambda _closed: _tell(config))
    # What is wrong with its settings is told before anything is started.
    child = ControlChild(arguments, config.data_dir)

    def ready(_closed: object) -> None:
        # After the node, which is there at once: a control plane takes its time.
        _tell(config)
        child.start()

    try:
        return node.run(config, ready)
    finally:
        child.stop()


def _tell(config: Config) -> None:
    lines = ["", say("up.ready")]
    listeners = config.to_native().listeners
    # A free port is known to the node alone; its own lines above name it.
    for listener in listeners:
        host, _, port = listener.bind.rpartition(":")
        if port == "0" or listener.bind.startswith("unix:"):
            continue
        scheme = SCHEMES[listener.websocket is not None, listener.tls is not None]
        path = "" if listener.websocket is None else listener.websocket.path
        lines.append(say("up.mqtt", url=f"{scheme}://{_reachable(host)}:{port}{path}"))
    http = config.management.http
    if http is not None and http.port != 0:
        host = f"[{http.host}]" if ":" in http.host else http.host
        lines.append(say("up.http", url=f"http://{_reachable(host)}:{http.port}/"))
    lines.extend(_first_steps(config))
    if config["access.anonymous"] == "everyone":
        lines.append(say("up.open"))
    else:
        lines.append(say("up.local"))
    lines.extend([say("up.stop"), ""])
    output.line("\n".join(lines))


def _first_steps(config: Config) -> list[str]:
    ports = [
        listener.bind.rpartition(":")[2]
        for listener in config.to_native().listeners
        if listener.websocket is None and not listener.bind.startswith("unix:")
    ]
    if not ports or ports[0] == "0":
        return []
    option = "" if ports[0] == "1883" else f" -p {ports[0]}"
    return [
        say("up.try"),
        f"  rookery sub{option} -t 'hello/#' -v",
        f"  rookery pub{option} -t hello/world -m 'it works'",
    ]


def _reachable(host: str) -> str:
    """A name under which this machine reaches an address that means all of them."""
    return {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)
