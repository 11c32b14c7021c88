"""Clients with passwords of people come back after a restart of the node without a new hash."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from harness.node import Node
from harness.operator import BUILT_IN, USERS, Operator, operated

BAD_USER_NAME_OR_PASSWORD = 0x86
IN_MEMORY = Path("/dev/shm")

pytestmark = pytest.mark.skipif(not IN_MEMORY.is_dir(), reason="there is no /dev/shm")


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in memory that is the node's own, as systemd gives it."""
    folder = mkdtemp(prefix="rookery-test-", dir=IN_MEMORY)
    monkeypatch.setenv("RUNTIME_DIRECTORY", folder)
    yield Path(folder)
    shutil.rmtree(folder)


def hashed(operator: Operator) -> int:
    return int(operator.rest.get("/metrics?aggregate=true")["passwords.hashed"])


@pytest.mark.parametrize("end", [Node.stop, Node.kill9], ids=["graceful", "kill9"])
def test_logins_after_a_restart_cost_no_hash(
    memory: Path, tmp_path: Path, end: Callable[[Node], None]
) -> None:
    assert memory.is_dir()
    with operated(tmp_path, f"authentication = {BUILT_IN}") as operator:
        for name in ("alice", "bob", "carol"):
            operator.add_user(name, f"password of {name}")
            operator.login(name, f"password of {name}").disconnect()
        assert hashed(operator) == 3
        end(operator.node)
        operator.node.start()

        operator.login("alice", "password of alice").disconnect()
        operator.login("bob", "password of bob").disconnect()
        assert hashed(operator) == 0

        assert operator.refusal("alice", "password of bob") == BAD_USER_NAME_OR_PASSWORD
        assert hashed(operator) == 1
        operator.rest.put(f"{USERS}/bob", {"password": "other"})
        assert operator.refusal("bob", "password of bob") == BAD_USER_NAME_OR_PASSWORD
        operator.login("bob", "other").disconnect()
        operator.rest.delete(f"{USERS}/carol")
        assert operator.refusal("carol", "password of carol") == BAD_USER_NAME_OR_PASSWORD


def test_switched_off_nothing_is_kept(memory: Path, tmp_path: Path) -> None:
    text = f"authentication = {BUILT_IN}, access.password_cache.over_restart = false"
    with operated(tmp_path, text) as operator:
        operator.add_user("alice", "wonder")
        operator.login("alice", "wonder").disconnect()
        assert list(memory.rglob("verdicts-*")) == []
        operator.node.restart()
        operator.login("alice", "wonder").disconnect()
        assert hashed(operator) == 1
