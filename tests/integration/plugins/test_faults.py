"""Whatever a plugin does, messages flow; and it comes back."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from harness.client import RawClient
from harness.operator import Operator, operated
from harness.packets import PubAck, Publish
from harness.plugins import Plugins, archive_of
from harness.rest import RestSocket
from harness.waiting import until

SETTINGS = {
    "plugins.restart_backoff": "10ms",
    "plugins.heartbeat_interval": "100ms",
    "plugins.heartbeat_timeout": "1s",
    "plugins.stable_time": "1s",
}
ID = "probe-1.0.0"
ALARM = f"plugin_crash/{ID}"
FAULTS = {
    "exit": "os._exit(3)",
    "endless loop": "while True: pass",
    "memory": "self.leak = bytearray(200 << 20)",
    "exception": "raise ValueError('no')",
}


def plugin(fault: str) -> str:
    return f"""
import os
from rookery.plugins import Message, Plugin

class Probe(Plugin):
    def on_publish(self, message: Message) -> Message:
        if message.topic == "fault":
            {fault}
        return message.replace(payload=message.payload + b"!")
"""


def alarms(operator: Operator) -> set[str]:
    return operator.alarms()


def marked(client: RawClient, topic_name: str) -> bool:
    """Whether a message goes through the plugin; that it arrives is asserted."""
    client.publish(topic_name, b"m", qos=1)
    payload = client.receive(topic_name).payload
    assert payload in (b"m", b"m!")
    return payload == b"m!"


@pytest.mark.parametrize("fault", FAULTS)
def test_messages_flow_whatever_a_hook_does(tmp_path: Path, fault: str) -> None:
    with operated(tmp_path, settings=SETTINGS) as operator:
        plugins = Plugins(operator)
        plugins.run(archive_of(plugin(FAULTS[fault]), deadline_s=1.0, memory_max=128 << 20), ID)
        with operator.login() as client:
            client.subscribe("#", qos=1)
            assert marked(client, "before")

            client.publish("fault", b"m", qos=1)
            client.receive("fault", b"m" if fault != "memory" else None)

            until(lambda: marked(client, "after"), "the plugin is back")
            if fault != "exception":  # that one is the hook's own business
                until(lambda: plugins.row(ID)["restarts"] >= 1, "it was started anew")
                until(lambda: ALARM not in alarms(operator), "the alarm is over")


def test_nobody_waits_for_a_plugin_that_hangs_but_the_first(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    hanging = f"while not os.path.exists({str(gate)!r}): time.sleep(0.01)"
    code = plugin(hanging).replace("import os", "import os\nimport time", 1)
    settings = {**SETTINGS, "plugins.heartbeat_timeout": "1h"}
    with operated(tmp_path, settings=settings) as operator:
        plugins = Plugins(operator)
        plugins.run(archive_of(code, deadline_s=1.0), ID)
        with operator.login() as client:
            client.subscribe("#", qos=1)
            assert marked(client, "before")
            client.publish("fault", b"m", qos=1)
            client.receive("fault", b"m")

            for _ in range(100):
                assert not marked(client, "meanwhile")

            (figures,) = (
                RestSocket(operator.node.data_dir).ask("GET", f"/plugins/{ID}/workers").json
            )
            # Had each of them waited, each would be late.
            assert (figures["late"], figures["failed"]) == (1, 100)
            gate.touch()
            until(lambda: marked(client, "after"), "the plugin answers again")
            assert marked(client, "after")
        assert plugins.row(ID)["restarts"] == 0


def test_a_killed_worker_is_replaced_and_an_alarm_says_so(tmp_path: Path) -> None:
    settings = {**SETTINGS, "plugins.stable_time": "1h"}
    with operated(tmp_path, settings=settings) as operator:
        plugins = Plugins(operator)
        plugins.run(archive_of(plugin("pass"), workers=2), ID)
        first = plugins.pids()
        assert len(first) == 2

        for pid in first:
            os.kill(pid, signal.SIGKILL)

        with operator.login() as client:
            client.subscribe("#", qos=1)
            marked(client, "meanwhile")
            until(lambda: ALARM in alarms(operator), "the alarm")
            until(lambda: marked(client, "after"), "the plugin is back")
        until(lambda: len(plugins.pids() - first) == 2, "two new processes")


def test_a_plugin_that_fails_too_often_has_crashed_until_it_is_started(tmp_path: Path) -> None:
    with operated(tmp_path, settings={**SETTINGS, "plugins.restart_max": "3"}) as operator:
        plugins = Plugins(operator)
        plugins.run(archive_of(plugin("os._exit(1)"), failure={"message.publish": "deny"}), ID)
        with operator.login() as client:
            until(lambda: _broken(client, plugins), "it gives up")
            client.send(Publish("t", b"m", 1, 7, False, False, {}))
            # What is configured for it answers.
            assert client.expect(PubAck, packet_id=7).reason_code == 0x83
        (alarm,) = [row for row in operator.rest.get("/alarms")["data"] if row["name"] == ALARM]
        assert alarm["details"] == {"plugin": ID, "failures": 3}
        assert alarm["message"].endswith("(failure 3 since it was started)")

        plugins.act(ID, "start")

        assert plugins.row(ID)["status"] == "running"


def _broken(client: RawClient, plugins: Plugins) -> bool:
    client.publish("fault", b"m")
    return bool(plugins.row(ID)["status"] == "crashed")


def test_a_plugin_that_cannot_start_says_why_and_changes_nothing(tmp_path: Path) -> None:
    code = plugin("pass") + "    def start(self):\n        raise OSError('no such database')\n"
    with operated(tmp_path, settings=SETTINGS) as operator:
        plugins = Plugins(operator)
        plugins.install(archive_of(code))

        with pytest.raises(Exception, match="no such database"):
            plugins.act(ID, "start")

        assert not plugins.row(ID)["enable"]
        with operator.login() as client:
            client.subscribe("t", qos=1)
            assert not marked(client, "t")


def test_what_a_hook_raised_is_an_error_of_the_log_as_well(tmp_path: Path) -> None:
    with operated(tmp_path, settings=SETTINGS) as operator:
        Plugins(operator).run(
            archive_of(plugin("print('it was printed'); raise ValueError('no')")), ID
        )
        with operator.login() as client:
            client.publish("fault", b"m", qos=1)

        def errors() -> str:
            return "\n".join(line for line in operator.node.log if "[error]" in line)

        until(lambda: "ValueError: no" in errors(), "the log says why it failed")
        assert "in on_publish" in errors()
        assert "probe: it was printed" not in errors()


def test_where_memory_ends_a_worker_goes_before_the_node(tmp_path: Path) -> None:
    def score(pid: int) -> int:
        return int(Path(f"/proc/{pid}/oom_score_adj").read_text(encoding="ascii"))

    with operated(tmp_path, settings=SETTINGS) as operator:
        plugins = Plugins(operator)
        plugins.run(archive_of(plugin("pass")), ID)
        (worker,) = plugins.pids()
        assert score(worker) > score(operator.node.pid)
