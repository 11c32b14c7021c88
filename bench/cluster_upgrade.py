"""Nodes of an earlier version beside nodes of this one: does everything go on that both know?

    python bench/cluster_upgrade.py --tree ../earlier           a checkout that is built (its native module is there)
    python bench/cluster_upgrade.py --ref v0.1.0                built from the history here, which takes minutes

A cluster of one earlier node and two of this version, joined in both directions: messages of every QoS both ways,
retained messages, sessions that move there and back, users, lists; then the earlier node is stopped and started as
this version, on its own data. Every step that fails is named; the exit code says whether one did.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "python")]

from cluster_nodes import rest, settle  # noqa: E402

from harness.client import RawClient  # noqa: E402
from harness.members import Member, addresses  # noqa: E402
from harness.node import LOCAL, Node, Where  # noqa: E402
from harness.packets import Connect, Publish  # noqa: E402
from harness.waiting import until  # noqa: E402

HOUR_S = 3600
QUEUED = 20
# No more than a receiver may have under way: beyond that QoS 0 overtakes.
COUNT = 30
USERS = "/authentication/password_based%3Abuilt_in_database/users"
SETTINGS = {
    "authentication": "[{mechanism = password_based, backend = built_in_database, "
    "user_id_type = username, enable = false}]",
}


@contextlib.contextmanager
def built(ref: str) -> Iterator[Path]:
    """A checkout of that version with its native module."""
    with tempfile.TemporaryDirectory(prefix="rookery-earlier-") as name:
        tree = Path(name) / "tree"
        run("git", "-C", str(ROOT), "worktree", "add", "--detach", str(tree), ref)
        try:
            target = Path(os.environ.get("CARGO_TARGET_DIR", f"{name}/target"))
            manifest = str(tree / "Cargo.toml")
            run("cargo", "build", "-p", "rookery-py", "--manifest-path", manifest,
                "--target-dir", str(target))  # fmt: skip
            module = tree / "python/rookery/_native.abi3.so"
            shutil.copy(target / "debug/lib_native.so", module)
            yield tree
        finally:
            run("git", "-C", str(ROOT), "worktree", "remove", "--force", str(tree))


def run(*words: str) -> None:
    """A command that has to work."""
    subprocess.run(words, check=True)


class Mixed:
    """One node of the earlier version, two of this one."""

    def __init__(self, place: Path, tree: Path) -> None:
        where = Where(LOCAL.host, ("env", f"PYTHONPATH={tree / 'python'}"))
        at = addresses(3)
        self.old = Member(place / "old", at[0], where, **SETTINGS)
        self.new = Member(place / "new", at[1], **SETTINGS)
        self.third = Member(place / "third", at[2], **SETTINGS)
        self.all = [self.old, self.new, self.third]

    def version(self, member: Member) -> str:
        return str(rest(member.node).get("/nodes/" + member.name)["version"])

    # -- the steps, in their order ------------------------------------------------------------

    def they_join_in_both_directions(self) -> None:
        for member in self.all:
            member.start()
        self.new.join(self.old)
        settle([self.old, self.new])
        self.third.join(self.new)
        settle(self.all)

    def messages_go_both_ways(self) -> None:
        for source, sink in ((self.old, self.new), (self.new, self.old)):
            with sink.node.connect(level=5) as reader, source.node.connect(level=5) as writer:
                topic = f"mixed/{source.address}"
                reader.subscribe(topic, qos=2)
                until(lambda: _flows(writer, reader, topic), "messages flow")  # noqa: B023
                while (left := reader.await_within(0.2)) is not None:
                    assert isinstance(left, Publish)
                    reader.acknowledge(left)
                for number in range(COUNT):
                    writer.publish(topic, b"%d" % number, qos=number % 3)
                got = [reader.receive(topic).payload for _ in range(COUNT)]
                assert got == [b"%d" % number for number in range(COUNT)], got

    def retained_messages_are_alike(self) -> None:
        for number, member in enumerate(self.all):
            with member.node.connect(level=5) as writer:
                writer.publish(f"kept/{number}", b"of %d" % number, qos=1, retain=True)
        for member in self.all:
            until(lambda member=member: _retained(member) == 3, f"retained at {member.name}")  # type: ignore[misc]

    def sessions_move_there_and_back(self) -> None:
        home: list[Member] = [self.old, self.new, self.old, self.third, self.old]
        client, _ = _come(home[0], "mover")
        client.subscribe("queued", qos=2)
        client.disconnect()
        for before, after in itertools.pairwise(home):
            with before.node.connect(level=5) as writer:
                for number in range(QUEUED):
                    writer.publish("queued", b"%d" % number, qos=1 + number % 2)
            client, was_there = _come(after, "mover")
            assert was_there, f"no session from {before.name} at {after.name}"
            got = []
            for _ in range(QUEUED):
                message = client.await_packet(Publish)
                client.acknowledge(message)
                got.append(int(message.payload))
            assert sorted(got) == list(range(QUEUED)), got
            client.disconnect()

    def changes_are_on_all_nodes(self) -> None:
        for number, member in enumerate(self.all):
            body = {"user_id": f"user{number}", "password": "a password of a device 1"}
            rest(member.node).post(USERS, body)
        for member in self.all:
            until(
                lambda member=member: len(rest(member.node).get(USERS)["data"]) == 3,  # type: ignore[misc]
                f"users at {member.name}",
            )

    def lists_are_of_all_nodes(self) -> None:
        with contextlib.ExitStack() as open_:
            for member in self.all:
                open_.enter_context(member.node.connect(f"at-{member.address}", level=5))
            for member in self.all:
                until(
                    lambda member=member: len(_clients(member, "at-")) == 3,  # type: ignore[misc]
                    f"clients at {member.name}",
                )

    def the_earlier_node_becomes_a_new_one(self) -> None:
        self.old.node.stop()
        later = Member(self.old.node.data_dir, self.old.address, **SETTINGS)
        self.all[0] = self.old = later
        later.start()
        settle(self.all)
        assert self.version(self.old) == self.version(self.new)
        assert _retained(self.old) == 3
        _, was_there = _come(self.old, "mover")
        assert was_there


STEPS: tuple[Callable[[Mixed], None], ...] = (
    Mixed.they_join_in_both_directions,
    Mixed.messages_go_both_ways,
    Mixed.retained_messages_are_alike,
    Mixed.sessions_move_there_and_back,
    Mixed.changes_are_on_all_nodes,
    Mixed.lists_are_of_all_nodes,
    Mixed.the_earlier_node_becomes_a_new_one,
)


def _flows(writer: RawClient, reader: RawClient, topic: str) -> bool:
    writer.publish(topic, b"probe")
    found = reader.await_within(0.2)
    return found is not None


def _retained(member: Member) -> int:
    with member.node.connect(level=5) as reader:
        reader.subscribe("kept/#", qos=1)
        reader.fence()
        found = 0
        while isinstance(message := reader.await_within(0.05), Publish):
            reader.acknowledge(message)
            found += 1
        return found


def _clients(member: Member, prefix: str) -> list[object]:
    rows: list[object] = rest(member.node).get(f"/clients?like_clientid={prefix}")["data"]
    return rows


def _come(member: Member, name: str) -> tuple[RawClient, bool]:
    client = RawClient(LOCAL.host, member.node.port, 5)
    answer = client.connect(
        Connect(name, False, 60, properties={"session_expiry_interval": HOUR_S})
    )
    return client, answer.session_present


def _try(place: Path, tree: Path) -> int:
    mixed = Mixed(place, tree)
    failed = 0
    try:
        for step in STEPS:
            name = step.__name__.replace("_", " ")
            try:
                step(mixed)
            except Exception:  # noqa: BLE001 - told with the step
                failed += 1
                print(f"FAILS: {name}\n{traceback.format_exc()}", flush=True)
                if step is STEPS[0]:
                    break
            else:
                print(f"holds: {name}", flush=True)
    finally:
        nodes: list[Node] = [member.node for member in mixed.all]
        for node in nodes:
            node.stop()
    return failed


def main() -> int:
    """Try all; the exit code."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = arguments.add_mutually_exclusive_group(required=True)
    which.add_argument("--tree", type=Path, help="a checkout that is built")
    which.add_argument("--ref", help="a version of the history here")
    given = arguments.parse_args()
    with contextlib.ExitStack() as open_:
        tree = given.tree.resolve() if given.tree else open_.enter_context(built(given.ref))
        place = Path(open_.enter_context(tempfile.TemporaryDirectory(prefix="rookery-mixed-")))
        return 1 if _try(place, tree) else 0


if __name__ == "__main__":
    sys.exit(main())
