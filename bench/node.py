"""How Rookery is started and reached: the shipped command, or a native test binary."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brokers import Command, Options
from certificates import certificate
from peers import CERTIFICATES, ROOT

# How a listener beside the plain one is asked for: the option of the native test binary, and the
# kind in the settings of the command.
NATIVE_PORT = {"tls": "--tls-port", "ws": "--ws-port", "wss": "--wss-port"}
LISTENER = {"tls": "ssl", "ws": "ws", "wss": "wss"}


@dataclass(frozen=True)
class Started:
    """What stands in Rookery's place; the shipped command when neither is given."""

    native: str | None = None  # a binary: PATH --port P --workers N
    template: str | None = None  # a command with {port}, {data} and {workers}
    shipped: str = str(ROOT / ".venv/bin/rookery")


def command(started: Started, port: int, data: Path, options: Options) -> Command:
    """The command line of a node."""
    if started.template:
        text = started.template.format(port=port, data=data, workers=options.workers)
        return Command(shlex.split(text))
    if started.native:
        argv = [started.native, "--port", str(port), "--workers", str(options.workers)]
        if options.sync:
            argv += ["--data-dir", str(data)]
        if options.sync in ("always", "never"):
            argv += ["--sync", options.sync]
        if options.rules:
            argv += ["--quiet-rules", str(options.rules)]
        return Command(argv + _native_listener(options))
    settings = [
        f"listeners.tcp.default.bind=127.0.0.1:{port}",
        f"node.workers={options.workers}",
        "dashboard.listeners.http.bind=0",
        *_listener_settings(options),
    ]
    if options.sync:
        settings.append(f"durability.sync={options.sync}")
    argv = [started.shipped, "node", "start", "--data-dir", str(data)]
    if options.rules:
        argv += ["--config", str(_quiet_rules(options.rules, data))]
    return Command(argv + [word for setting in settings for word in ("--set", setting)])


def _quiet_rules(count: int, data: Path) -> Path:
    """A configuration file with rules that want nothing of a load."""
    rules = {
        f"quiet_{n}": {
            "sql": f'SELECT * FROM "quiet/{n}/+" WHERE payload.t > {n}',
            "actions": [{"function": "console"}],
        }
        for n in range(count)
    }
    path = data / "rules.conf"
    path.write_text(json.dumps({"rule_engine": {"rules": rules}}))
    return path


def _native_listener(options: Options) -> list[str]:
    if options.transport == "tcp":
        return []
    argv = [NATIVE_PORT[options.transport], str(options.transport_port)]
    if options.is_tls:
        files = certificate(options.certificate, CERTIFICATES)
        argv += ["--cert", str(files.certificate), "--key", str(files.key)]
    return argv


def _listener_settings(options: Options) -> list[str]:
    # The default listener of WebSocket would take the port that everybody uses.
    settings = [] if options.transport == "ws" else ["listeners.ws.default.bind=127.0.0.1:0"]
    if options.transport == "tcp":
        return settings
    listener = f"listeners.{LISTENER[options.transport]}.default"
    settings.append(f"{listener}.bind=127.0.0.1:{options.transport_port}")
    if options.is_tls:
        files = certificate(options.certificate, CERTIFICATES)
        settings += [
            f"{listener}.ssl_options.certfile={files.certificate}",
            f"{listener}.ssl_options.keyfile={files.key}",
        ]
    return settings


def transport_load(options: Options) -> dict[str, Any]:
    """What the generator must know of the way to a broker."""
    load: dict[str, Any] = {}
    if options.is_websocket:
        load["websocket"] = True
    if options.is_tls:
        ca = certificate(options.certificate, CERTIFICATES).ca
        load |= {"tls": True, "tls_ca_file": str(ca)}
    return load
