"""What the verbs of a control plane and of an edge service have in common: finding it, stopping it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rookery.cli import output
from rookery.cli.messages import say
from rookery.cli.parsers import SECONDS

if TYPE_CHECKING:
    from rookery.client.management import ManagementClient

DEFAULT_STOP_TIMEOUT_S = 30.0


class RoleProcess(NamedTuple):
    """Which process is meant.

    Attributes:
        name: Of the role; its texts begin with it.
    """

    name: str
    data_dir: Path

    @property
    def lock_file(self) -> Path:
        return Path("run") / f"{self.name}.lock"

    def client(self, timeout_s: float = 5.0) -> ManagementClient:
        """For its socket."""
        from rookery.client.management import ManagementClient  # noqa: PLC0415

        socket_name = f"{self.name}.sock"
        return ManagementClient(self.data_dir, timeout_s=timeout_s, socket_name=socket_name)

    def pid(self) -> int | None:
        """Of the process that runs there, if one does."""
        from rookery.cli.processes import running_pid  # noqa: PLC0415

        return running_pid(self.data_dir, self.lock_file)

    def stop(self, timeout_s: float) -> int:
        """Have it stop; the exit code."""
        from rookery.cli import node  # noqa: PLC0415
        from rookery.cli.processes import ForeignProcessError, NodeProcess  # noqa: PLC0415

        try:
            process = NodeProcess.find(self.data_dir, self.lock_file)
        except ForeignProcessError as error:
            output.complain(node.foreign(error.pid, self.data_dir))
            return output.FAILED
        if process is None:
            output.line(say(f"{self.name}.not_running", data_dir=self.data_dir))
            return output.OK
        try:
            client = self.client(min(node.ASK_TIMEOUT_S, timeout_s))
            return node.stop_process(process, client, timeout_s)
        finally:
            process.close()


def add_stop_timeout(parser: argparse.ArgumentParser) -> None:
    """``--timeout``."""
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=SECONDS,
        default=DEFAULT_STOP_TIMEOUT_S,
        help=say("option.timeout"),
    )


def report(arguments: argparse.Namespace, value: Any, code: int, text: str) -> int:
    """Print one or the other; ``code``."""
    if arguments.json:
        output.show_json(value)
    else:
        output.line(text)
    return code


def page_url(address: str) -> str:
    """Where a browser on this machine opens the pages at an address."""
    host, _, port = address.rpartition(":")
    host = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)
    scheme = "http" if host in ("127.0.0.1", "[::1]", "localhost") else "https"
    return f"{scheme}://{host}:{port}/"
