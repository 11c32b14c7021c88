"""Debian's HAProxy and NGINX with the files of ``deploy``, as the current user, in a folder.

Only ports, addresses and paths of the files are replaced, and the number of connections where this
machine does not allow so many; every replacement has to find its text.
"""

from __future__ import annotations

import contextlib
import getpass
import grp
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from harness.client import DEADLINE_S
from harness.node import HOST, ROOT
from harness.ports import free_port
from harness.waiting import until

# Where Debian puts what an ordinary user has not on its path.
_SBIN = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))


def _descriptors() -> int:
    """How many files a program may open here."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return 1_000_000 if hard == resource.RLIM_INFINITY else hard


def render(text: str, replacements: Mapping[str, str]) -> str:
    """``text`` with every key replaced by its value, all at once."""
    missing = [old for old in replacements if old not in text]
    assert not missing, f"not in the file: {missing}"
    longest_first = sorted(replacements, key=len, reverse=True)
    pattern = re.compile("|".join(re.escape(old) for old in longest_first))
    return pattern.sub(lambda match: replacements[match[0]], text)


class Balancer:
    """A running balancer. ``nodes`` are the ports of each node: MQTT, WebSocket, status."""

    program: ClassVar[str]

    def __init__(self, folder: Path, file: str, certs: Path) -> None:
        self.folder = folder
        self.file = ROOT / "deploy" / file
        self.certs = certs
        self.mqtt_port = free_port()
        self.wss_port = free_port()
        self.log: list[str] = []
        self._process: subprocess.Popen[str] | None = None

    def start(self, nodes: Sequence[tuple[int, int, int]], **times: str) -> None:
        """Start with two nodes; ``times`` replaces further texts of the file."""
        binary = shutil.which(self.program, path=_SBIN)
        if binary is None:
            pytest.fail(f"{self.program} is missing; tools/setup.sh test installs it")
        self.configure(nodes, times)
        self._process = subprocess.Popen(
            [binary, *self.arguments()],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
        )
        threading.Thread(target=self._follow, args=(self._process,), daemon=True).start()
        until(lambda: self._accepts(self._process), f"{self.program} listens")

    def configure(self, nodes: Sequence[tuple[int, int, int]], times: Mapping[str, str]) -> None:
        """Write the file it runs with."""
        raise NotImplementedError

    def arguments(self) -> list[str]:
        """What the program is started with."""
        raise NotImplementedError

    @property
    def conf(self) -> Path:
        """The file it runs with."""
        return self.folder / self.file.name

    def signal(self, number: signal.Signals) -> None:
        """Tell the main process something."""
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> None:
        """End it. May be called twice."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _follow(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout:
            self.log.extend(line.rstrip() for line in process.stdout)

    def _accepts(self, process: subprocess.Popen[str] | None) -> bool:
        assert process is not None
        if process.poll() is not None:
            raise AssertionError(f"{self.program} ended:\n" + "\n".join(self.log))
        for port in (self.mqtt_port, self.wss_port):
            try:
                socket.create_connection((HOST, port), timeout=1).close()
            except OSError:
                return False
        return True


class HaProxy(Balancer):
    """HAProxy; spoken to over its runtime socket."""

    program = "haproxy"

    def configure(self, nodes: Sequence[tuple[int, int, int]], times: Mapping[str, str]) -> None:
        text = self.file.read_text()
        is_terminating = "crt /etc/haproxy" in text
        mqtt, ws = ("1884", "8085") if is_terminating else ("8884", "8086")
        group = grp.getgrgid(os.getgid()).gr_name
        replacements = {
            "user haproxy": f"user {getpass.getuser()}",
            "group haproxy": f"group {group}",
            "/run/haproxy/admin.sock": str(self.folder / "admin.sock"),
            "/dev/log": str(self.folder / "log.sock"),
            "maxconn 100000": f"maxconn {min(100_000, _descriptors() // 2 - 100)}",
            "bind :8883": f"bind {HOST}:{self.mqtt_port}",
            "bind :8084": f"bind {HOST}:{self.wss_port}",
            **times,
        }
        if is_terminating:
            replacements["/etc/haproxy/certs"] = str(self.certs)
        for number, (mqtt_port, ws_port, status_port) in enumerate(nodes, 1):
            # Each node of a test has its status on a port of its own.
            status = f"check port {status_port}"
            replacements[f"192.0.2.1{number}:{mqtt}"] = f"{HOST}:{mqtt_port} {status}"
            replacements[f"192.0.2.1{number}:{ws}"] = f"{HOST}:{ws_port} {status}"
        self.conf.write_text(render(text, replacements))

    def arguments(self) -> list[str]:
        return ["-db", "-f", str(self.conf)]

    def _accepts(self, process: subprocess.Popen[str] | None) -> bool:
        if not super()._accepts(process):
            return False
        # Its runtime socket comes after the ports of its clients.
        try:
            self.command("show info")
        except OSError:
            return False
        return True

    def command(self, text: str) -> str:
        """One command over the runtime socket, and its answer."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(DEADLINE_S)
            connection.connect(str(self.folder / "admin.sock"))
            connection.sendall(text.encode() + b"\n")
            answer = b""
            while data := connection.recv(65_536):
                answer += data
        return answer.decode()

    def states(self) -> dict[str, str]:
        """What ``show stat`` says about every server."""
        lines = self.command("show stat").splitlines()
        names = lines[0].removeprefix("# ").split(",")
        rows = [dict(zip(names, line.split(","), strict=False)) for line in lines[1:] if line]
        return {
            f"{row['pxname']}/{row['svname']}": row["status"]
            for row in rows
            if row["svname"] not in ("FRONTEND", "BACKEND")
        }

    def await_up(self, *servers: str) -> None:
        """Wait until the health checks have found these servers good."""
        until(
            lambda: all(self.states().get(server, "").startswith("UP") for server in servers),
            f"{servers} are up",
        )


class Nginx(Balancer):
    """NGINX; told by its file and SIGHUP."""

    program = "nginx"

    def configure(self, nodes: Sequence[tuple[int, int, int]], times: Mapping[str, str]) -> None:
        text = self.file.read_text()
        is_terminating = "ssl_certificate" in text
        mqtt, ws = ("1884", "8085") if is_terminating else ("8884", "8086")
        replacements = {
            # Without a line the workers of root are nobody's, who may not write here.
            "user www-data;": "user root;" if os.geteuid() == 0 else "",
            "/run/nginx.pid": str(self.folder / "nginx.pid"),
            "/var/log/nginx/error.log": str(self.folder / "error.log"),
            "listen 8883": f"listen {HOST}:{self.mqtt_port}",
            "listen 8084": f"listen {HOST}:{self.wss_port}",
            **times,
        }
        if is_terminating:
            replacements["/etc/nginx/certs"] = str(self.certs)
        for number, (mqtt_port, ws_port, _) in enumerate(nodes, 1):
            replacements[f"192.0.2.1{number}:{mqtt}"] = f"{HOST}:{mqtt_port}"
            replacements[f"192.0.2.1{number}:{ws}"] = f"{HOST}:{ws_port}"
        self.conf.write_text(render(text, replacements))

    def arguments(self) -> list[str]:
        # Its temporary folders lie below the prefix, or it would want Debian's.
        temporary = " ".join(
            f"{name}_temp_path {self.folder / name};"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        text = self.conf.read_text()
        if "http {" in text and "client_body_temp_path" not in text:
            self.conf.write_text(text.replace("http {", f"http {{ {temporary}", 1))
        return ["-p", str(self.folder), "-c", str(self.conf), "-g", "daemon off;"]

    def rewrite(self, old: str, new: str) -> None:
        """Change the file and let NGINX read it; waits until only new workers accept."""
        text = self.conf.read_text()
        assert old in text
        self.conf.write_text(text.replace(old, new))
        before = self._workers()
        self.signal(signal.SIGHUP)
        until(lambda: self._workers() - before, "new workers")
        until(lambda: not any(_accepts(worker) for worker in before), "the old workers retire")

    def _workers(self) -> set[int]:
        assert self._process is not None
        path = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        with contextlib.suppress(OSError):
            return {int(number) for number in path.read_text().split()}
        return set()


def _accepts(worker: int) -> bool:
    """Whether a worker of NGINX takes connections: one that does not says so in its title."""
    try:
        return b"shutting down" not in Path(f"/proc/{worker}/cmdline").read_bytes()
    except OSError:
        return False
