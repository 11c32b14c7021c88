"""Links for Prometheus, one series for each by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from rookery.observability.exposition import Family, Number

GROUP = "cluster_links"
_HELP: Mapping[str, tuple[Literal["counter", "gauge"], str]] = {
    "routes": ("gauge", "Topic filters that the other cluster wants"),
    "sent_routes": ("gauge", "Topic filters that the other cluster was told"),
    "matched": ("counter", "Messages that the other cluster wants"),
    "success": ("counter", "Messages that the other cluster took"),
    "failed": ("counter", "Messages that the other cluster refused"),
    "dropped": ("counter", "Messages for the other cluster that were given up"),
    "retried": ("counter", "Messages for the other cluster that were sent again"),
    "queuing": ("gauge", "Messages that wait for the other cluster"),
    "inflight": ("gauge", "Messages under way to the other cluster"),
    "queued_bytes": ("gauge", "Bytes that wait for the other cluster"),
    "stored": ("gauge", "Messages on disk until the other cluster has them"),
    "stored_bytes": ("gauge", "Bytes of the files of those messages"),
    "received": ("counter", "Messages from the other cluster"),
    "refused": ("counter", "Messages from the other cluster that nobody asked for"),
}


def link_families(links: Mapping[str, Mapping[str, Any]]) -> list[Family]:
    """What ``/prometheus/stats`` shows of the links of this node, by their names."""
    if not links:
        return []

    def family(name: str, kind: Literal["counter", "gauge"], text: str, read: Any) -> Family:
        values: tuple[tuple[dict[str, str], Number], ...] = tuple(
            ({"link": link}, read(row)) for link, row in links.items()
        )
        return Family(f"rookery_cluster_link_{name}", kind, text, GROUP, values)

    return [
        family(
            "connected", "gauge", "Whether a link is connected",
            lambda row: int(row["status"] == "connected"),
        ),
        *(
            family(name, kind, text, lambda row, name=name: row["figures"][name])
            for name, (kind, text) in _HELP.items()
        ),
    ]  # fmt: skip
