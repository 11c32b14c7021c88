"""Two clusters of one node each that are linked, with everything that an operator does to either."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.client import RawClient
from harness.node import HOST, LOCAL, Where
from harness.operator import BUILT_IN, Operator, eventually, operated
from harness.rest import RestSocket

USER, PASSWORD = "client", "a secret of clients"
LINK_PASSWORD = "a secret of links"


@dataclass
class Side:
    """A cluster of one node."""

    name: str
    operator: Operator

    @property
    def rest(self) -> RestSocket:
        return RestSocket(self.operator.node.data_dir)

    @property
    def address(self) -> str:
        return f"{HOST}:{self.operator.node.port}"

    def client(self, client_id: str = "") -> RawClient:
        return self.operator.login(USER, PASSWORD, client_id=client_id)

    def link_to(self, other: Side, **members: Any) -> dict[str, Any]:
        """The body of a link that works when the other side has one back."""
        return {
            "name": other.name,
            "server": other.address,
            "username": f"link-{self.name}",
            "password": LINK_PASSWORD,
            "topics": ["t/#"],
            "pool_size": 2,
            "accept": {"username": f"link-{other.name}"},
            **members,
        }

    def put(self, *links: dict[str, Any]) -> None:
        answer = self.rest.ask("PUT", "/cluster/links", list(links))
        assert answer.status == 200, answer.text

    def link(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.rest.ask("GET", f"/cluster/links/{name}").json
        return found

    def metrics(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.rest.ask("GET", f"/cluster/links/{name}/metrics").json
        return dict(found["metrics"])

    def wait_for(self, name: str, code: str | None, status: str | None = None) -> dict[str, Any]:
        """Until the link says that code (none: it is connected)."""

        def holds() -> bool:
            [node] = self.link(name)["node_status"]
            if code is None:
                return bool(node["status"] == "connected" and node.get("code") is None)
            return bool(node.get("code") == code and status in (None, node["status"]))

        eventually(holds)
        return self.link(name)

    def wait_for_routes(self, name: str, routes: int) -> None:
        """Until that many topic filters of the other side are known here."""
        eventually(lambda: bool(self.metrics(name)["router"]["routes"] == routes))


@contextlib.contextmanager
def side(
    folder: Path, name: str, others: tuple[str, ...], where: Where = LOCAL, **more: str
) -> Iterator[Side]:
    """A cluster that knows the users of the links of others."""
    folder.mkdir()
    settings = {"cluster.name": name, "authentication": BUILT_IN, **more}
    with operated(folder, settings=settings, where=where) as running:
        running.add_user(USER, PASSWORD)
        for other in others:
            running.add_user(f"link-{other}", LINK_PASSWORD)
        yield Side(name, running)


@contextlib.contextmanager
def two_sides(folder: Path) -> Iterator[tuple[Side, Side]]:
    """``east`` and ``west``, without a link yet."""
    with (
        side(folder / "east", "east", ("west",)) as east,
        side(folder / "west", "west", ("east",)) as west,
    ):
        yield east, west
