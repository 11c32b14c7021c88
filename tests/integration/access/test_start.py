"""A node accepts clients when those who are asked about them can answer, and says when they cannot."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from harness.operator import BUILT_IN, Operator, operated

BOOTSTRAP = "{mechanism = password_based, backend = built_in_database, bootstrap_file = %s}"
JWKS = "{mechanism = jwt, use_jwks = true, endpoint = %s}"


@pytest.mark.parametrize(
    ("provider", "told"),
    [
        (BOOTSTRAP % '"/nowhere/users.csv"', "/nowhere/users.csv: cannot be read"),
        (
            "{mechanism = jwt, algorithm = public-key, public_key = nowhere}",
            "authentication.1: public_key",
        ),
    ],
)
def test_a_chain_that_cannot_work_ends_the_start_before_anything_listens(
    tmp_path: Path, provider: str, told: str
) -> None:
    operator = Operator(tmp_path, f"authentication = [{provider}]")

    with pytest.raises(AssertionError):
        operator.node.start()

    assert len([line for line in operator.node.log if told in line]) == 1
    assert not [line for line in operator.node.log if "listening" in line]


def test_the_first_client_is_answered_by_a_chain_that_is_ready(tmp_path: Path) -> None:
    users = [f"user-{number},password-{number},false" for number in range(8)]
    (tmp_path / "users.csv").write_text("\n".join(["user_id,password,is_superuser", *users]))

    chain = BOOTSTRAP % '"users.csv"'
    with operated(tmp_path, f"authentication = [{chain}]") as operator:
        operator.login("user-7", "password-7").disconnect()


def test_keys_that_cannot_be_fetched_do_not_delay_the_start(tmp_path: Path) -> None:
    nobody_listens = JWKS % '"http://127.0.0.1:9/jwks"'
    chain = f"[{nobody_listens}, {BUILT_IN.strip('[]')}]"
    with operated(tmp_path, f"authentication = {chain}") as operator:
        operator.add_user("alice", "wonder")
        operator.login("alice", "wonder").disconnect()


def test_the_audit_log_says_which_user_of_the_machine_asked(tmp_path: Path) -> None:
    with operated(tmp_path, f"authentication = {BUILT_IN}") as operator:
        operator.add_user("alice", "wonder")

    lines = (tmp_path / "log" / "audit.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["by"] == f"local:{os.geteuid()}"
