"""A process that has imported what roles of ``rookery`` are made of, and becomes them when asked to.

A program of its own, run by :mod:`harness.role_command`: for each order it forks, and the fork runs the
command from its arguments on. An order is JSON with four descriptors (three streams, and where the end is
told); its answer has the id of the fork and a descriptor of it. When whoever asks goes away, so do the
forks.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from rookery.cli import main

ORDER_BYTES_MAX = 1 << 17
MODULES = {
    "node": (
        "rookery.cli.node",
        "rookery.broker.serving",
        "rookery.broker.management.serve",
        "rookery.broker.rest.site",
        "rookery.broker.rest.admission",
        "rookery.broker.rest.app",
        "rookery.broker.rest_v3.app",
        "rookery.broker.cluster.service",
        "rookery.broker.connectors.showing",
        "rookery.connectors.manager",
        "rookery.access.build",
        "rookery.native.hocon",
    ),
    "control": (
        "rookery.cli.control",
        "rookery.agent.bundle",
        "rookery.control.serving",
        "rookery.access.build",
    ),
    "edge": (
        "rookery.cli.edge",
        "rookery.edge.serving",
        "rookery.edge.apps.mqtt",
        "rookery.edge.apps.rule",
        "rookery.edge.apps.sparkplug",
        "rookery.edge.drivers.http_json",
        "rookery.edge.drivers.modbus",
        "rookery.edge.drivers.opcua",
        "rookery.edge.drivers.simulator",
    ),
}
FEATURES = {
    "node": "rookery.broker.rest.features",
    "control": "rookery.control.features",
    "edge": "rookery.edge.features",
}
"""Which name the modules of a role's operations."""


def modules_of(role: str) -> Iterator[str]:
    """What most who start it and ask it something make it import."""
    yield from ("rookery.cli.main", "rookery.app", *MODULES[role])
    for feature in import_module(FEATURES[role]).FEATURES:
        yield feature if isinstance(feature, str) else f"rookery.broker.{feature.module}"


class Forks:
    """Those that run."""

    def __init__(self, orders: socket.socket) -> None:
        self._orders = orders
        self._poll = select.poll()
        self._poll.register(orders, select.POLLIN)
        # By a descriptor of the process: its id, and where its end is told.
        self._running: dict[int, tuple[int, int]] = {}
        self._imported: set[str] = set()

    def serve(self) -> list[str] | None:
        """Take orders; in a fork the words of its command, here none when nobody asks any more."""
        while True:
            for descriptor, _ in self._poll.poll():
                if descriptor != self._orders.fileno():
                    self._tell_end(descriptor)
                    continue
                data, given, _, _ = socket.recv_fds(self._orders, ORDER_BYTES_MAX, 4)
                if not data:
                    self._end_all()
                    return None
                words = self._fork(json.loads(data), given)
                if words is not None:
                    return words

    def _fork(self, order: dict[str, Any], given: Sequence[int]) -> list[str] | None:
        self._have(order["words"][0])
        *streams, told = given
        pid = os.fork()
        if pid == 0:
            self._running[self._orders.detach()] = (0, told)
            self._become(order, streams)
            words: list[str] = order["words"]
            return words
        for stream in streams:
            os.close(stream)
        process = os.pidfd_open(pid)
        self._running[process] = (pid, told)
        self._poll.register(process, select.POLLIN)
        socket.send_fds(self._orders, [json.dumps(pid).encode()], [process])
        return None

    def _have(self, role: str) -> None:
        if role in self._imported:
            return
        gc.disable()
        for module in modules_of(role):
            import_module(module)
        self._imported.add(role)
        gc.enable()
        gc.collect()
        gc.freeze()
        # A fork has the thread that forked and no other.
        assert len(list(Path("/proc/self/task").iterdir())) == 1

    def _become(self, order: dict[str, Any], streams: Sequence[int]) -> None:
        for descriptor, (_, told) in self._running.items():
            os.close(descriptor)
            os.close(told)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(order["folder"])
        os.environ.clear()
        os.environ.update(order["environ"])
        time.tzset()
        sys.argv = ["rookery", *order["words"]]

    def _tell_end(self, process: int) -> None:
        pid, told = self._running.pop(process)
        self._poll.unregister(process)
        _, status = os.waitpid(pid, 0)
        with contextlib.suppress(BrokenPipeError):
            os.write(told, json.dumps(os.waitstatus_to_exitcode(status)).encode())
        os.close(told)
        os.close(process)

    def _end_all(self) -> None:
        for process in self._running:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(process, signal.SIGKILL)


def run(words: Sequence[str]) -> None:
    """Be that command. It ends without taking apart, module by module, what it was given."""
    code: object = 1
    try:
        code = main(words)
    except SystemExit as ended:
        code = ended.code
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else code is not None)


if __name__ == "__main__":
    wanted = Forks(socket.socket(fileno=int(sys.argv[1]))).serve()
    if wanted is not None:
        run(wanted)
