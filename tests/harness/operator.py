"""What an operator does to a node that runs: asks its own socket, writes its files."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from harness.client import DEADLINE_S, RawClient
from harness.node import HOST, LOCAL, Node, Settings, Where, fresh_name
from harness.packets import ConnAck, Connect
from harness.waiting import until
from rookery.client.management import API, ManagementClient

USERS = "/authentication/password_based%3Abuilt_in_database/users"
BUILT_IN = "[{mechanism = password_based, backend = built_in_database}]"


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for something that the node does by itself, such as reading a file that changed."""
    until(holds, "what the node does by itself")


class Operator:
    """A node with a configuration file, and everything done to it from outside."""

    def __init__(
        self,
        folder: Path,
        text: str = "",
        settings: Settings | None = None,
        where: Where = LOCAL,
    ) -> None:
        self.file = folder / "rookery.conf"
        self.file.write_text(text, encoding="utf-8")
        self.node = Node(folder, settings or {}, where)
        self.api = ManagementClient(folder, timeout_s=DEADLINE_S)
        self.rest = ManagementClient(folder, timeout_s=DEADLINE_S, prefix=API)

    def add_user(self, name: str, password: str, *, is_superuser: bool = False) -> None:
        user = {"user_id": name, "password": password, "is_superuser": is_superuser}
        self.rest.post(USERS, user)

    def login(
        self, username: str | None = None, password: str | None = None, *, client_id: str = ""
    ) -> RawClient:
        """A connection that was admitted.

        Raises:
            AssertionError: it was refused.
        """
        client = RawClient(HOST, self.node.port, 5)
        try:
            client.connect(self.hello(username, password, client_id))
        except BaseException:
            client.drop()
            raise
        return client

    @staticmethod
    def hello(username: str | None, password: str | None, client_id: str = "") -> Connect:
        secret = None if password is None else password.encode()
        return Connect(client_id or fresh_name("c"), True, 60, username=username, password=secret)

    def refusal(self, username: str | None = None, password: str | None = None) -> int:
        """The reason code with which a CONNECT is refused; 0 when it is not."""
        with RawClient(HOST, self.node.port, 5) as client:
            client.send(self.hello(username, password))
            return client.expect(ConnAck).reason_code

    def port(self, listener_id: str) -> int:
        row = self.rest.get(f"/listeners/{quote(listener_id, safe='')}")
        return int(str(row["bind"]).rpartition(":")[2])

    def audited(self, *words: str) -> bool:
        """Whether an entry of the audit log has all of these words."""
        file = self.node.data_dir / "log" / "audit.jsonl"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return any(all(word in line for word in words) for line in lines)

    def alarms(self) -> set[str]:
        return {alarm["name"] for alarm in self.rest.get("/alarms?limit=1000")["data"]}


@contextlib.contextmanager
def operated(
    folder: Path, text: str = "", settings: Settings | None = None, where: Where = LOCAL
) -> Iterator[Operator]:
    """A running node for one test."""
    operator = Operator(folder, text, settings, where)
    operator.node.start()
    try:
        yield operator
    finally:
        operator.node.stop()
