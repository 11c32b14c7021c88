"""``rookery plugin run``: the folder a plugin is written in, in a node that runs."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from harness.operator import operated
from harness.plugins import Plugins
from harness.waiting import until
from rookery.plugins.build import new


def test_what_is_written_runs_at_once(tmp_path: Path) -> None:
    source = new("shout", tmp_path) / "shout" / "__init__.py"
    code = source.read_text(encoding="utf-8")
    data = tmp_path / "node"
    data.mkdir()
    with operated(data) as operator, operator.login() as client:
        client.subscribe("t", qos=1)

        def heard(payload: bytes) -> bool:
            client.publish("t", b"m", qos=1)
            return client.receive("t").payload == payload

        command = [sys.executable, "-m", "rookery", "plugin", "run", str(source.parents[1])]
        command += ["--data-dir", str(data), "--value", '{"mark": "?"}']
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as running:
            assert running.stdout is not None
            assert "shout-0.1.0+dev.1" in running.stdout.readline()
            assert heard(b"m?")
            first = Plugins(operator).pids()

            source.write_text(code.replace(".encode()", ".encode() * 2"), encoding="utf-8")
            assert "shout-0.1.0+dev.2" in running.stdout.readline()
            assert heard(b"m??")
            assert not first & Plugins(operator).pids()

            source.write_text("raise OSError('not yet')", encoding="utf-8")
            assert "not yet" in running.stdout.readline()
            assert heard(b"m")

            source.write_text(code, encoding="utf-8")
            assert "+dev.4" in running.stdout.readline()
            assert [row["name"] for row in operator.rest.get("/plugins")] == ["shout-0.1.0+dev.4"]
            assert heard(b"m?")

            running.send_signal(signal.SIGINT)
            assert running.wait() == 0
        until(lambda: operator.rest.get("/plugins") == [], "it is taken out")
        assert heard(b"m")


def test_without_a_node_it_says_so(tmp_path: Path) -> None:
    folder = new("shout", tmp_path)
    command = [sys.executable, "-m", "rookery", "plugin", "run", str(folder)]
    run = subprocess.run(
        [*command, "--data-dir", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert run.returncode != 0
    assert "no node answers" in run.stderr
