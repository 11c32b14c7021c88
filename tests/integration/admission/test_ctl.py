"""``rookery ctl admins`` and ``rookery ctl api_keys`` need no password on the machine itself."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest

from harness.node import ROOT
from harness.rest_node import ADMIN, RestNode
from integration.admission.conftest import Start

CHOSEN = "chosen-here-1"


def ctl(node: RestNode, *words: str, password: str = "", lang: str = "en") -> tuple[int, str]:
    cli = os.environ.get("ROOKERY_TEST_CLI", str(ROOT / ".venv/bin/rookery"))
    run = subprocess.run(
        [cli, "ctl", *words, "--data-dir", str(node.node.data_dir)],
        input=password,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "ROOKERY_LANG": lang},
    )
    return run.returncode, run.stdout + run.stderr


def test_the_first_password_is_chosen_on_the_machine(start_rest: Start) -> None:
    node = start_rest(has_admin=False)

    assert ctl(node, "admins", "passwd", ADMIN, password="public")[0] == 1
    code, text = ctl(node, "admins", "passwd", ADMIN, password=CHOSEN)

    assert (code, "new password" in text) == (0, True)
    assert node.nobody.login(ADMIN, CHOSEN).get("/users").status == 200


def test_users_are_added_listed_and_removed(rest: RestNode) -> None:
    words = ("admins", "add", "ctl-user", "--role", "viewer", "--description", "x y")
    assert ctl(rest, *words, password=CHOSEN)[0] == 0
    assert ctl(rest, *words, password=CHOSEN)[0] == 1
    table = ctl(rest, "admins", "list")[1]
    assert any(line.split()[:2] == ["ctl-user", "viewer"] for line in table.splitlines())
    assert rest.nobody.login("ctl-user", CHOSEN).get("/users").status == 200
    assert ctl(rest, "admins", "del", "ctl-user", lang="zh") == (0, "已删除 ctl-user\n")
    code, text = ctl(rest, "admins", "del", "ctl-user")
    assert (code, text) == (1, "error: no user ctl-user\n")


@pytest.mark.parametrize("role", ["administrator", "viewer", "publisher"])
def test_a_key_is_made_disabled_and_removed(rest: RestNode, role: str) -> None:
    name = f"ctl-{role}"
    made: Any = json.loads(ctl(rest, "api_keys", "add", name, "--role", role, "--json")[1])
    caller = rest.nobody.with_key(made["api_key"], made["api_secret"])
    reached = caller.get("/error_codes").code

    assert reached == ("UNAUTHORIZED_ROLE" if role == "publisher" else "")
    assert ctl(rest, "api_keys", "disable", name)[0] == 0
    assert caller.get("/error_codes").code == "BAD_API_KEY_OR_SECRET"
    assert ctl(rest, "api_keys", "enable", name)[0] == 0
    assert name in ctl(rest, "api_keys", "list")[1]
    assert made["api_key"] in ctl(rest, "api_keys", "show", name)[1]
    assert ctl(rest, "api_keys", "del", name)[0] == 0
    assert ctl(rest, "api_keys", "show", name)[0] == 1


def test_a_secret_is_printed_once(rest: RestNode) -> None:
    text = ctl(rest, "api_keys", "add", "printed")[1]

    secret = next(line.split()[1] for line in text.splitlines() if line.startswith("secret:"))
    assert secret not in ctl(rest, "api_keys", "list", "--json")[1]
