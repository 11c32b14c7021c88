"""The life of a node as the command line drives it: real processes, real sockets."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import queue
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from harness.client import DEADLINE_S, RawClient
from harness.control import FREE_PORTS
from harness.packets import ConnAck, Connect
from rookery.access import ADMINS_FILE, DATABASE_FILE
from rookery.client.management import ManagementClient
from rookery.errors import UnavailableError

TIMEOUT_S = 60.0
FREE = ("listeners.tcp.default.bind", "listeners.ws.default.bind", "dashboard.listeners.http.bind")


class Rookery:
    """Runs commands against one data directory, and leaves no node behind."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.environ = {**os.environ, "ROOKERY_LANG": "en"}

    def __call__(self, *words: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "rookery", *words],
            input=text,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            env=self.environ,
            check=False,
        )

    def node(self, verb: str, *words: str) -> subprocess.CompletedProcess[str]:
        return self("node", verb, "--data-dir", str(self.data_dir), *words)

    def start(self, *settings: str) -> subprocess.CompletedProcess[str]:
        values = [*(f"{path}=127.0.0.1:0" for path in FREE), *settings]
        return self.node("start", "--detach", *(word for v in values for word in ("--set", v)))

    @property
    def pid(self) -> int:
        return int((self.data_dir / "run" / "node.lock").read_text())

    def port(self, listener: str = "tcp:default") -> int:
        listed = json.loads(self("ports", "--data-dir", str(self.data_dir), "--json").stdout)
        assert listed["running"]
        (address,) = [row["address"] for row in listed["ports"] if row["listener"] == listener]
        return int(address.rpartition(":")[2])


@pytest.fixture
def rookery(tmp_path: Path) -> Iterator[Rookery]:
    commands = Rookery(tmp_path / "data")
    yield commands
    commands.node("stop", "--timeout", "5")


def has_ended(pid: int) -> bool:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with contextlib.closing(os.fdopen(descriptor, "rb", closefd=True, buffering=0)) as opened:
        import select

        return bool(select.select([opened], [], [], TIMEOUT_S)[0])


def test_a_node_starts_in_the_background_serves_and_stops(rookery: Rookery) -> None:
    started = rookery.start()
    assert started.returncode == 0, started.stderr
    pid = rookery.pid
    assert f"process {pid}" in started.stdout

    status = rookery.node("status", "--json")
    assert status.returncode == 0
    assert json.loads(status.stdout)["node_status"] == "running"
    with RawClient("127.0.0.1", rookery.port()) as client:
        client.send(Connect("a"))
        client.expect(ConnAck)

    stopped = rookery.node("stop")
    assert (stopped.returncode, stopped.stdout) == (0, "stopped\n"), stopped.stderr
    assert has_ended(pid)
    assert rookery.node("status").returncode == 3
    assert rookery.node("stop").returncode == 0


def test_messages_go_from_pub_to_sub(rookery: Rookery) -> None:
    assert rookery.start().returncode == 0
    port = str(rookery.port())
    published = rookery("pub", "-p", port, "-t", "a/b", "-m", "hello", "-q", "1", "-r")
    assert published.returncode == 0, published.stderr
    for version in ("3.1", "3.1.1", "5"):
        received = rookery(
            "sub", "-p", port, "-t", "a/#", "-C", "1", "-W", "30", "-V", version, "--json"
        )
        assert received.returncode == 0, received.stderr
        message = json.loads(received.stdout)
        assert (message["topic"], message["payload"]) == ("a/b", "hello")
        assert message["retain"] is True
    verbose = rookery("sub", "-p", port, "-t", "a/#", "-C", "1", "-W", "30", "-v")
    assert verbose.stdout == "a/b hello\n"


def test_websockets_of_this_machine_are_let_in_and_pages_are_not(rookery: Rookery) -> None:
    assert rookery.start().returncode == 0
    port = rookery.port("ws:default")
    published = rookery("pub", "--ws", "-p", str(port), "-t", "w", "-m", "hello", "-q", "1", "-r")
    assert published.returncode == 0, published.stderr
    received = rookery("sub", "--ws", "-p", str(port), "-t", "w", "-C", "1", "-W", "30")
    assert received.stdout == "hello\n", received.stderr
    for origin, is_let_in in (
        (None, True),  # what paho sends by itself: http://127.0.0.1:PORT
        (f"http://localhost:{port}", True),
        (f"http://localhost:{port + 1}", False),
        (f"http://evil.example.com:{port}", False),
        ("null", False),
    ):
        assert is_admitted(port, origin) == is_let_in, origin


def is_admitted(port: int, origin: str | None) -> bool:
    answers: queue.SimpleQueue[bool] = queue.SimpleQueue()
    client = paho.Client(CallbackAPIVersion.VERSION2, transport="websockets")
    client.ws_set_options("/mqtt", {} if origin is None else {"Origin": origin})
    client.on_connect = lambda _client, _data, _flags, reason, _properties: answers.put(
        not reason.is_failure
    )
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        return answers.get(timeout=TIMEOUT_S)
    finally:
        client.disconnect()
        client.loop_stop()


def test_each_line_of_standard_input_is_a_message(rookery: Rookery) -> None:
    assert rookery.start().returncode == 0
    port = str(rookery.port())
    session = ("-i", "reader", "-V", "3.1.1", "--clean", "0", "-q", "1")
    # Subscribe and leave: the session keeps what comes.
    rookery("sub", "-p", port, "-t", "lines", *session, "-W", "0.1")
    sent = rookery("pub", "-p", port, "-t", "lines", "-l", "-q", "1", text="one\ntwo\nthree\n")
    assert sent.returncode == 0, sent.stderr
    received = rookery("sub", "-p", port, "-t", "lines", *session, "-C", "3", "-W", "30")
    assert received.stdout == "one\ntwo\nthree\n"


def test_a_second_start_in_the_same_directory_names_the_first(rookery: Rookery) -> None:
    assert rookery.start().returncode == 0
    pid = rookery.pid
    second = rookery.start()
    assert second.returncode == 1
    assert second.stderr == f"a node runs in {rookery.data_dir} already (process {pid})\n"
    assert rookery.node("status").returncode == 0


@pytest.mark.parametrize(
    ("path", "listener"),
    [
        ("listeners.tcp.default.bind", "tcp:default"),
        ("listeners.ws.default.bind", "ws:default"),
        ("dashboard.listeners.http.bind", "http:dashboard"),
    ],
)
def test_a_taken_port_is_one_line_and_nothing_stays(
    rookery: Rookery, path: str, listener: str
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = rookery.start(f"{path}=127.0.0.1:{port}")
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert line.startswith(f"port {port} ({listener}) is taken by ")
    assert line.endswith(f"(process {os.getpid()})")
    assert rookery.node("status").returncode == 3
    assert rookery.start().returncode == 0


def test_a_port_that_only_a_connection_has_is_no_process(rookery: Rookery) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        run = rookery.node("start", "--set", f"dashboard.listeners.http.bind=127.0.0.1:{port}")

    assert run.returncode == 1
    assert f"port {port} (http:dashboard) is taken by a connection" in run.stderr
    assert "nobody listens there" in run.stderr


def test_a_lock_of_another_program_is_nobodys_process(rookery: Rookery) -> None:
    run_dir = rookery.data_dir / "run"
    run_dir.mkdir(mode=0o700, parents=True)
    rookery.data_dir.chmod(0o750)
    with (run_dir / "node.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        stopped = rookery.node("stop")
        status = rookery.node("status")
        started = rookery.node("start")

    assert stopped.returncode == 1
    assert "is held by a program that is no node: nothing was stopped" in stopped.stderr
    assert status.returncode == 3
    assert "its lock is held by another program" in status.stdout
    assert started.returncode == 1
    assert "its lock is held by another program" in started.stderr


def test_a_listener_that_stays_closed_is_told_at_the_start(rookery: Rookery) -> None:
    tls = "listeners.ssl.x.ssl_options"
    missing = str(rookery.data_dir / "nope.pem")
    started = rookery.start(
        "listeners.ssl.x.bind=127.0.0.1:0", f"{tls}.certfile={missing}", f"{tls}.keyfile={missing}"
    )
    assert started.returncode == 0
    (line,) = [line for line in started.stderr.splitlines() if "ssl:x" in line]
    assert line.startswith("not listening: ")
    assert "certfile" in line
    assert missing in line
    assert "tcp:default" not in started.stderr


def test_a_data_directory_keeps_its_node_name(rookery: Rookery) -> None:
    assert rookery.start("node.name=first@127.0.0.1").returncode == 0
    assert rookery.node("stop").returncode == 0
    refused = rookery.start("node.name=second@127.0.0.1")
    assert refused.returncode == 1
    assert "first@127.0.0.1" in refused.stderr
    assert "--set node.name=first@127.0.0.1" in refused.stderr
    assert rookery.start("node.name=first@127.0.0.1").returncode == 0


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (ADMINS_FILE, "garbage", "file is not a database"),
        (ADMINS_FILE, "", "file is empty"),
        (DATABASE_FILE, "", "file is empty"),
    ],
)
def test_a_damaged_file_of_users_refuses_the_start_before_anybody_is_let_in(
    rookery: Rookery, name: str, content: str, reason: str
) -> None:
    file = rookery.data_dir / name
    rookery.data_dir.mkdir(mode=0o750)
    file.write_text(content)

    run = rookery.node("start")

    assert run.returncode == 1
    assert "listening" not in run.stdout
    assert run.stderr.startswith(f"error: {file}: {reason}")
    assert f"mv {file} {file}.damaged" in run.stderr


def test_users_that_cannot_be_read_do_not_take_the_broker_down(rookery: Rookery) -> None:
    file = rookery.data_dir / ADMINS_FILE
    rookery.data_dir.mkdir(mode=0o750)
    file.write_bytes(b"SQLite format 3\0" + b"garbage" * 1000)

    assert rookery.start().returncode == 0

    with RawClient("127.0.0.1", rookery.port()) as client:
        client.send(Connect("a"))
        client.expect(ConnAck)
    (alarm,) = ManagementClient(rookery.data_dir).get("/api/v5/alarms")["data"]
    assert alarm["name"] == "administrators_unavailable"
    assert str(file) in alarm["message"]
    login = {"username": "admin", "password": "public"}
    with pytest.raises(UnavailableError, match="cannot be read"):
        ManagementClient(rookery.data_dir).post("/api/v5/login", login)
    assert rookery.node("stop").returncode == 0


def test_a_suspended_node_is_stopped_all_the_same(rookery: Rookery) -> None:
    assert rookery.start().returncode == 0
    pid = rookery.pid
    os.kill(pid, signal.SIGSTOP)
    assert rookery.node("status").returncode == 4
    stopped = rookery.node("stop", "--timeout", "20")
    assert stopped.returncode == 0, stopped.stderr
    assert has_ended(pid)


def test_the_ports_of_a_suspended_node_are_those_it_holds(rookery: Rookery) -> None:
    assert rookery.start().returncode == 0
    port, pid = rookery.port(), rookery.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        shown = rookery("ports", "--data-dir", str(rookery.data_dir), "--json")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert shown.returncode == 4
    assert "runs and does not answer" in shown.stderr
    told = json.loads(shown.stdout)
    assert (told["running"], told["answering"], told["pid"]) == (True, False, pid)
    assert f"127.0.0.1:{port}" in [row["address"] for row in told["ports"]]


def test_a_node_in_the_background_writes_its_journal(rookery: Rookery) -> None:
    assert rookery.start().returncode == 0
    with RawClient("127.0.0.1", rookery.port()) as client:
        client.send(Connect("somebody"))
        client.expect(ConnAck)
    assert rookery.node("stop").returncode == 0

    lines = (rookery.data_dir / "log" / "rookery.log").read_text().splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d ", x) for x in lines)
    kinds = [line.split()[1] for line in lines]
    assert kinds[0] == "listening"
    assert kinds[-1] == "stopped"
    (connected,) = [line for line in lines if line.split()[1] == "connected"]
    assert " somebody from 127.0.0.1:" in connected
    assert any(line.split()[1:3] == ["disconnected", "somebody"] for line in lines)


def test_the_journal_in_the_background_turns_over(rookery: Rookery) -> None:
    small = ("log.file.rotation_size=4KB", "log.file.rotation_count=2")
    assert rookery.start(*small).returncode == 0
    port = rookery.port()
    folder = rookery.data_dir / "log"
    for number in range(200):
        with RawClient("127.0.0.1", port) as client:
            client.send(Connect(f"client-{number}"))
            client.expect(ConnAck)
        if (folder / "rookery.log.2").exists():
            break
    assert rookery.node("stop").returncode == 0

    sizes = {file.name: file.stat().st_size for file in folder.iterdir()}
    assert sizes.keys() == {"rookery.log", "rookery.log.1", "rookery.log.2"}
    assert "stopped" in (folder / "rookery.log").read_text()


def test_a_configured_log_takes_the_place_of_the_journal(rookery: Rookery) -> None:
    assert rookery.start("log.file.enable=true", "log.file.level=info").returncode == 0
    with RawClient("127.0.0.1", rookery.port()) as client:
        client.send(Connect("somebody"))
        client.expect(ConnAck)
    assert rookery.node("stop").returncode == 0

    folder = rookery.data_dir / "log"
    assert all("connected" not in file.read_text() for file in folder.iterdir())


def test_a_data_directory_that_everybody_writes_is_refused(rookery: Rookery) -> None:
    rookery.data_dir.mkdir()
    rookery.data_dir.chmod(0o777)
    refused = rookery.start()
    assert refused.returncode == 1
    assert "everybody may write" in refused.stderr
    assert list(rookery.data_dir.iterdir()) == []


@pytest.mark.parametrize("is_suspended", [False, True])
def test_a_node_that_is_killed_is_said_to_be(rookery: Rookery, is_suspended: bool) -> None:
    assert rookery.start().returncode == 0
    pid = rookery.pid
    if is_suspended:
        os.kill(pid, signal.SIGSTOP)
    stopped = rookery.node("stop", "--timeout", "0")
    assert stopped.returncode == 0, stopped.stderr
    assert stopped.stdout.startswith("killed: it did not stop within 0 s")
    assert f"killing process {pid}" in stopped.stderr
    assert has_ended(pid)


def test_alarms_of_the_last_run_that_do_not_hold_any_more_are_over(rookery: Rookery) -> None:
    rookery.data_dir.mkdir(mode=0o750)
    (rookery.data_dir / "alarms.jsonl").write_text(
        '{"format": "rookery-alarms", "version": 1}\n'
        '{"name": "store_damaged/1", "message": "m", "details": {}, "activated_at": 1000}\n'
    )
    assert rookery.start().returncode == 0
    client = ManagementClient(rookery.data_dir, timeout_s=DEADLINE_S)

    assert client.get("/api/v5/alarms")["data"] == []
    (alarm,) = client.get("/api/v5/alarms?activated=false")["data"]
    assert alarm["name"] == "store_damaged/1"
    assert rookery.node("stop").returncode == 0
    _, line = (rookery.data_dir / "alarms.jsonl").read_text().splitlines()
    assert json.loads(line)["deactivated_at"] > 1000


def test_a_killed_node_leaves_nothing_that_hinders_the_next(rookery: Rookery) -> None:
    assert rookery.start().returncode == 0
    pid = rookery.pid
    os.kill(pid, signal.SIGKILL)
    assert has_ended(pid)
    assert rookery.node("status").returncode == 3
    started = rookery.start()
    assert started.returncode == 0, started.stderr


def test_a_bad_configuration_refuses_the_background_start(rookery: Rookery) -> None:
    refused = rookery.start("mqtt.max_inflight=0")
    assert refused.returncode == 1
    assert "mqtt.max_inflight" in refused.stderr
    assert not (rookery.data_dir / "run").exists()


@contextlib.contextmanager
def foreground(rookery: Rookery, *words: str) -> Iterator[subprocess.Popen[str]]:
    settings = [word for path in FREE for word in ("--set", f"{path}=127.0.0.1:0")]
    process = subprocess.Popen(
        [sys.executable, "-m", "rookery", *words, "--data-dir", str(rookery.data_dir), *settings],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=rookery.environ,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_systemd_hears_when_a_node_is_ready_and_when_it_stops(
    rookery: Rookery, tmp_path: Path, number: signal.Signals
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(str(tmp_path / "notify"))
        notices.settimeout(TIMEOUT_S)
        rookery.environ["NOTIFY_SOCKET"] = str(tmp_path / "notify")
        with foreground(rookery, "node", "start") as process:
            assert notices.recv(100) == b"READY=1"
            process.send_signal(number)
            assert notices.recv(100) == b"STOPPING=1"
            assert process.wait(TIMEOUT_S) == 0


def test_up_says_how_to_use_it(rookery: Rookery) -> None:
    free = [part for item in FREE_PORTS for part in ("--set", item)]
    with foreground(rookery, "up", *free) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "set-up code" in line:  # the last line of the control plane
                break
        process.send_signal(signal.SIGINT)
        assert process.wait(TIMEOUT_S) == 0
    text = "".join(lines)
    assert "Rookery is running." in text
    assert "rookery up --lan" in text
    assert re.search(r"Console +http://127.0.0.1:\d+/", text)
    # Both have stopped: nobody holds either lock.
    for path in ("run/node.lock", "control/run/control.lock"):
        with (rookery.data_dir / path).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_bench_measures_and_reports(rookery: Rookery) -> None:
    assert rookery.start().returncode == 0
    words = ["bench", "pairs", "-p", str(rookery.port()), "--messages", "100", "--json"]
    done = rookery(*words, "--warm-up", "0", "--duration", "5", "--drain", "1")
    assert done.returncode == 0, done.stderr
    assert isinstance(json.loads(done.stdout), dict)
