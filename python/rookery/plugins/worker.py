"""The process of a plugin: loads its code, calls its hooks, answers the node.

    python -m rookery.plugins.worker DATA_FD CONTROL_FD

It ends when the node says so or is gone. One event loop does everything: when a hook never returns,
no ``pong`` comes, and the node ends the process.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ctypes
import dataclasses
import gc
import importlib
import inspect
import logging
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rookery.engine.dispatch import Configured, HookDispatcher
from rookery.engine.hooks import NOT_AUTHORIZED, HookTable
from rookery.engine.questions import ALLOW, IGNORE, deny
from rookery.native.plugins import PluginDecoder, encode_answers
from rookery.native.rows import AnswerRow
from rookery.plugins.channel import LINE_BYTES_MAX, ControlChannel
from rookery.plugins.hookpoints import BY_METHOD
from rookery.plugins.node_questions import NodeQuestions
from rookery.plugins.plugin import Plugin, PluginContext

RECEIVE_BYTES = 256 << 10
DRAIN_S = 5.0
_PR_SET_PDEATHSIG = 1
_FIRST_TO_GO = 900
_UNAVAILABLE = 0x88
_IMPLEMENTATION_SPECIFIC_ERROR = 0x83

_log = logging.getLogger("rookery.plugin")


def main() -> int:
    """Run until told to stop; the exit code."""
    _die_with_the_node()
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s"
    )
    data, control = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    with data, control:
        return asyncio.run(_serve(data, control))


def _die_with_the_node() -> None:
    """An endless loop would survive a node that was killed; the node survives a leak."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    with contextlib.suppress(OSError):
        # Where memory ends before anybody has looked at this process, it ends before the node does.
        Path("/proc/self/oom_score_adj").write_text(str(_FIRST_TO_GO), encoding="ascii")


async def _serve(data: socket.socket, control: socket.socket) -> int:
    reader, writer = await asyncio.open_unix_connection(sock=control, limit=LINE_BYTES_MAX)
    channel = ControlChannel(reader, writer)
    order = await channel.hear()
    if order is None or order["op"] != "start":
        return 1
    try:
        worker = _Worker(order, data, channel)
        await worker.start()
    except Exception as error:  # noqa: BLE001  -- somebody else's code
        traceback.print_exc()
        channel.say("failed", error=_one_line(error))
        await channel.flush()
        channel.close()
        return 1
    try:
        await worker.obey()
    finally:
        await worker.stop()
        channel.close()
    return 0


def _one_line(error: BaseException) -> str:
    text = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def load(entry: str) -> type[Plugin]:
    """The class that ``module:Class`` names.

    Raises:
        TypeError: it is no plugin.
    """
    module, _, name = entry.partition(":")
    found = getattr(importlib.import_module(module), name, None)
    if not isinstance(found, type) or not issubclass(found, Plugin):
        raise TypeError(f"{entry} is no class derived from rookery.plugins.Plugin")
    return found


def fallbacks_of(failure: Mapping[str, str]) -> dict[str, Configured]:
    """What a hook that raises or is late answers, from the words of the configuration."""
    refusals = {
        "on_authenticate": _UNAVAILABLE,
        "on_authorize": NOT_AUTHORIZED,
        "on_publish": _IMPLEMENTATION_SPECIFIC_ERROR,
        "on_subscribe": _IMPLEMENTATION_SPECIFIC_ERROR,
        "on_unsubscribe": _IMPLEMENTATION_SPECIFIC_ERROR,
    }
    found: dict[str, Configured] = {}
    for method, code in refusals.items():
        hookpoint = BY_METHOD[method]
        word = failure.get(hookpoint.name, hookpoint.failure)
        if word == "deny":
            found[method] = Configured(word, deny(code))
        elif word == "allow" or hookpoint.failure == "ignore":
            found[method] = Configured(word, ALLOW)
        else:
            found[method] = Configured(word, IGNORE)
    return found


class _Worker:
    def __init__(
        self, order: Mapping[str, Any], data: socket.socket, channel: ControlChannel
    ) -> None:
        sys.path[:0] = order["path"]
        data_dir = Path(order["data_dir"])
        os.chdir(data_dir)
        self._data = data
        self._channel = channel
        self._has_more = False
        context = PluginContext(
            name=order["name"],
            version=order["version"],
            node=order["node"],
            data_dir=data_dir,
            settings=order["settings"],
            worker=order["worker"],
            log=logging.getLogger(order["name"]),
            send=self._publish,
        )
        self._plugin = load(order["entry"])(context)
        self._hooks = HookTable()
        if _has_hooks(self._plugin):
            self._hooks.add(self._plugin)
        on_publish = self._hooks["on_publish"]
        self._decoder = PluginDecoder(on_publish[0] if on_publish else None)
        self._fallbacks = fallbacks_of(order["failure"])

        def dispatcher(answer: Callable[[list[AnswerRow]], None]) -> HookDispatcher:
            return HookDispatcher(
                self._hooks,
                answer,
                unanswered="deny",
                deadline_s=order["deadline_ms"] / 1000,
                fallbacks=self._fallbacks,
            )

        self._dispatcher = dispatcher(self._answer)
        self._of_node = NodeQuestions(dispatcher, channel.say)

    async def start(self) -> None:
        await _done(self._plugin.start())
        # Questions may wait already; the node begins to ask when it has heard this.
        names = [BY_METHOD[method].name for method in self._hooks.names]
        asyncio.get_running_loop().add_reader(self._data, self._receive)
        # What is loaded stays: no collection looks through it while somebody waits.
        gc.collect()
        gc.freeze()
        self._channel.say("ready", hookpoints=names)

    async def obey(self) -> None:
        """Do what the node says until it says stop or is gone."""
        while (order := await self._channel.hear()) is not None:
            match order["op"]:
                case "ping":
                    self._channel.say("pong", counters=self._dispatcher.counters)
                case "settings":
                    await self._take_settings(order["settings"], order["number"])
                case "ask_publish":
                    self._of_node.ask(order["number"], order["messages"])
                case "stop":
                    return

    async def stop(self) -> None:
        """Answer what was asked, then let the plugin close what it opened."""
        asyncio.get_running_loop().remove_reader(self._data)
        while self._has_more:
            self._take(b"")
        self._receive()
        await self._dispatcher.drain(DRAIN_S)
        await self._dispatcher.close()
        await self._of_node.close(DRAIN_S)
        try:
            await _done(self._plugin.stop())
        except Exception:  # noqa: BLE001  -- somebody else's code; it is logged
            _log.exception("the plugin failed to stop")

    async def _take_settings(self, settings: dict[str, Any], number: int) -> None:
        before = self._plugin.context
        self._plugin.context = dataclasses.replace(before, settings=settings)
        try:
            await _done(self._plugin.settings_changed(settings))
        except Exception as error:  # noqa: BLE001  -- somebody else's code
            traceback.print_exc()
            self._plugin.context = before
            self._channel.say("settings_taken", number=number, error=_one_line(error))
        else:
            self._channel.say("settings_taken", number=number)

    # -- what hooks are asked and told -----------------------------------------------------

    def _receive(self) -> None:
        if self._has_more:  # that comes first, and is under way
            return
        try:
            data = self._data.recv(RECEIVE_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:  # the node closed it; what is left to do is told by the other socket
            asyncio.get_running_loop().remove_reader(self._data)
            return
        self._take(data)

    def _take(self, data: bytes) -> None:
        turn = self._decoder.feed(data)
        self._has_more = turn.has_more
        if turn.answers:
            self._send(turn.answers)
        if turn.asked:
            self._dispatcher.settle(turn.asked)
        if turn.rows:
            questions = [row for row in turn.rows if row[0] == "ask"]
            if questions:
                self._dispatcher.ask(questions)
            if len(questions) < len(turn.rows):
                self._dispatcher.tell([row for row in turn.rows if row[0] != "ask"])
        if turn.has_more:
            # A heartbeat may wait meanwhile.
            asyncio.get_running_loop().call_soon(self._take, b"")

    def _answer(self, answers: list[AnswerRow]) -> None:
        try:
            data = encode_answers(answers)
        except Exception:  # noqa: BLE001  -- one of them is no answer: all the others are
            data = b"".join(map(self._encoded, answers))
        self._send(data)

    def _send(self, data: bytes) -> None:
        # The thread at the other end always reads.
        with contextlib.suppress(OSError):
            self._data.sendall(data)

    def _encoded(self, answer: AnswerRow) -> bytes:
        try:
            return encode_answers([answer])
        except Exception:  # noqa: BLE001  -- whatever it is, it is no answer; it is logged
            self._dispatcher.counters["hooks.errors"] += 1
            _log.exception("on_publish returned a message that cannot be published")
            return encode_answers([(answer[0], *self._fallbacks["on_publish"].verdict)])

    def _publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        text = base64.b64encode(payload).decode()
        self._channel.say("publish", topic=topic, payload=text, qos=qos, retain=retain)


def _has_hooks(plugin: Plugin) -> bool:
    return any(getattr(type(plugin), method) is not getattr(Plugin, method) for method in BY_METHOD)


async def _done(result: Any) -> None:
    if inspect.isawaitable(result):
        await result


if __name__ == "__main__":
    # As this module: a plugin that imports it gets the same one.
    sys.exit(main())
