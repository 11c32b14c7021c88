"""Nodes that find each other by themselves."""

from __future__ import annotations

from pathlib import Path

from harness.members import Member, addresses, until_all_see


def test_nodes_that_know_the_same_seeds_become_one_cluster(tmp_path: Path) -> None:
    places = addresses(2)
    seeds = ",".join(f"rookery@{place}" for place in places)
    settings = {"cluster.discovery_strategy": "static", "cluster.static.seeds": seeds}
    found = [Member(tmp_path / place, place, **settings) for place in places]
    everybody = {member.name: "running" for member in found}
    try:
        for member in found:
            member.start()
        until_all_see(found, everybody, "all see all")
    finally:
        for member in found:
            member.node.stop()


def test_a_node_joins_what_a_name_resolves_to(tmp_path: Path) -> None:
    one, two = addresses(2)
    first = Member(tmp_path / "first", one)
    # A resolver makes an address of itself, as it does of a name that others gave it.
    second = Member(
        tmp_path / "second",
        two,
        **{"cluster.discovery_strategy": "dns", "cluster.dns.name": one},
    )
    try:
        first.start()
        second.start()
        both = {first.name: "running", second.name: "running"}
        until_all_see([second, first], both, "both see each other")
    finally:
        first.node.stop()
        second.node.stop()
