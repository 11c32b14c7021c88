"""Who waits at the start: clients, where somebody has to be asked about them."""

from __future__ import annotations

from pathlib import Path

import pytest

from rookery.broker.node import OpenNode
from rookery.clock import SystemClock
from rookery.config import load

HTTP = '{type = http, method = get, url = "http://127.0.0.1:1/"}'
LINK = 'name = west, server = "10.0.0.9", topics = []'
USERS = "{mechanism = password_based, backend = built_in_database}"


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("", False),
        ('authorization.sources = [{type = file, rules = "{allow, all}."}]', False),
        ("authorization.sources = [{type = built_in_database}]", False),
        (f"authorization.sources = [{{type = built_in_database}}, {HTTP}]", True),
        (f"authentication = [{USERS}]", True),
        (f"cluster.links = [{{{LINK}}}]", True),
        (f"cluster.links = [{{{LINK}, enable = false}}]", False),
    ],
    ids=[
        "nothing",
        "a file",
        "built-in rules",
        "a service",
        "users",
        "a link",
        "a link that is off",
    ],
)
def test_clients_wait_for_whom_the_core_cannot_do_without(
    tmp_path: Path, text: str, asks: bool
) -> None:
    file = tmp_path / "rookery.conf"
    file.write_text(text)
    config = load(file, tmp_path / "data", environ={})

    assert OpenNode(config, SystemClock(), None).asks is asks
