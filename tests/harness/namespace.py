"""A network of its own for a process of a test: it reaches this machine, and nobody reaches it.

with namespace() as plant:
    plant.run("ip", "addr")                   # a command in there
    plant.move(3)                             # it has another address
    with plant.unplugged(): …                 # no cable
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from harness.client import DEADLINE_S


class Namespace:
    """Behind a cable to this machine: addresses ``.1`` here, ``.2`` there at first."""

    def __init__(self) -> None:
        mark = secrets.token_hex(3)
        self.name = f"plant-{mark}"
        self._near, self._far = f"n{mark}", f"f{mark}"
        self._network = f"10.{200 + secrets.randbelow(50)}.{secrets.randbelow(250)}"
        self._number = 2

    @property
    def here(self) -> str:
        """This machine, seen from there."""
        return f"{self._network}.1"

    @property
    def there(self) -> str:
        """Its own address."""
        return f"{self._network}.{self._number}"

    def make(self) -> None:
        """Raises: CalledProcessError where that is not allowed."""
        _ip("netns", "add", self.name)
        _ip("link", "add", self._near, "type", "veth", "peer", "name", self._far,
            "netns", self.name)  # fmt: skip
        _ip("addr", "add", f"{self.here}/24", "dev", self._near)
        _ip("link", "set", self._near, "up")
        self._there("addr", "add", f"{self.there}/24", "dev", self._far)
        self._there("link", "set", self._far, "up")
        self._there("link", "set", "lo", "up")

    def drop(self) -> None:
        """With everything that is in it."""
        subprocess.run(["ip", "netns", "del", self.name], check=False, capture_output=True)
        subprocess.run(["ip", "link", "del", self._near], check=False, capture_output=True)

    @property
    def prefix(self) -> list[str]:
        """What stands before a command that is to run there."""
        return ["ip", "netns", "exec", self.name]

    def run(self, *command: str, **more: str) -> str:
        """A command there: what it prints."""
        done = subprocess.run(
            [*self.prefix, *command], check=True, capture_output=True, text=True,
            timeout=DEADLINE_S, env={**os.environ, **more},
        )  # fmt: skip
        return done.stdout

    def move(self, number: int) -> None:
        """It gets another address; the one before is gone."""
        # The other way round the second one would go with the first.
        self._there("addr", "del", f"{self.there}/24", "dev", self._far)
        self._there("addr", "add", f"{self._network}.{number}/24", "dev", self._far)
        self._number = number

    @contextlib.contextmanager
    def unplugged(self) -> Iterator[None]:
        """There is no cable, and nobody is told."""
        _ip("link", "set", self._near, "down")
        try:
            yield
        finally:
            _ip("link", "set", self._near, "up")

    def _there(self, *words: str) -> None:
        _ip("-n", self.name, *words)


@contextlib.contextmanager
def namespace() -> Iterator[Namespace]:
    """One that is gone after the block; a test that may not make one is skipped."""
    if shutil.which("ip") is None:
        pytest.skip("there is no ip(8)")
    made = Namespace()
    try:
        made.make()
    except subprocess.CalledProcessError as error:
        made.drop()
        pytest.skip(f"no network namespace can be made: {error.stderr.strip()}")
    try:
        yield made
    finally:
        made.drop()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True, timeout=DEADLINE_S)
