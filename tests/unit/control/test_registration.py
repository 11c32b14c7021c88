"""Registration tokens, and what is shown of the way to a running cluster."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from rookery.control.agents.checklist import checklist
from rookery.control.agents.instructions import Source, parameters, platforms, steps
from rookery.control.agents.registration import (
    RegistrationToken,
    TokenState,
    hash_of,
    is_same,
    new_agent_secret,
    new_registration_token,
    state_of,
)

T = 1_700_000_000_000


def token(**changes: Any) -> RegistrationToken:
    known: dict[str, Any] = {
        "hash": "h",
        "cluster_id": "c",
        "created_at_ms": T - 1000,
        "expires_at_ms": T + 1000,
    }
    return RegistrationToken(**{**known, **changes})


@pytest.mark.parametrize(
    ("known", "now_ms", "state"),
    [
        (None, T, TokenState.NONE),
        (token(), T, TokenState.OPEN),
        (token(), T + 999, TokenState.OPEN),
        (token(), T + 1000, TokenState.EXPIRED),
        (token(revoked_at_ms=T), T, TokenState.REVOKED),
        (token(used_at_ms=T), T, TokenState.USED),
        # What happened to it first is what is said of it.
        (token(used_at_ms=T - 1, revoked_at_ms=T), T + 5000, TokenState.USED),
        (token(revoked_at_ms=T), T + 5000, TokenState.REVOKED),
    ],
)
def test_state_of_a_token(known: RegistrationToken | None, now_ms: int, state: TokenState) -> None:
    assert state_of(known, now_ms) is state


def test_secrets_are_long_random_and_kept_as_a_hash() -> None:
    made = {new_registration_token() for _ in range(100)} | {new_agent_secret() for _ in range(100)}
    assert len(made) == 200
    assert all(len(secret) >= 4 + 43 for secret in made)
    secret = made.pop()
    kept = hash_of(secret)
    assert secret not in kept
    assert is_same(secret, kept)
    assert not is_same(secret + "x", kept)


def done(
    known: RegistrationToken | None,
    registered: int | None,
    connected: int | None,
    reported: int | None,
    now_ms: int,
) -> list[str]:
    found = checklist(known, registered, connected, reported, now_ms, "en")
    return [item.id for item in found if item.is_done]


def test_the_checklist_tells_what_has_happened() -> None:
    assert done(None, None, None, None, T) == []
    assert done(token(), None, None, None, T) == ["token"]
    assert done(token(downloaded_at_ms=T), None, None, None, T) == ["token", "downloaded"]
    used = token(downloaded_at_ms=T, used_at_ms=T)
    assert done(used, T, T, T, T) == ["token", "downloaded", "registered", "connected", "reported"]
    # A token that nobody can use any more is no step forward.
    assert done(token(), None, None, None, T + 5000) == []
    # Another agent is awaited: the one before says nothing of it.
    assert done(token(replaces=True), T, T, T, T) == ["token"]


SOURCE = Source("https://control.example:8082", "ab" * 32, "cd" * 32, "0123456789abcdef")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("platform", ["linux", "python"])
def test_every_command_is_one_line_and_only_marked_ones_trust_anybody(
    platform: str, language: str
) -> None:
    assert platform in [name for name, _ in platforms(language)]
    named = {item.name for item in parameters(language)}
    for step in steps(platform, SOURCE, language):
        assert step.title
        assert step.text
        for command in step.commands:
            text = command.text
            for name in named:
                text = text.replace(f"${{{name}}}", "x")
            assert "${" not in text
            assert "\n" not in text
            assert shlex.split(text)
            is_checked = SOURCE.ca_sha256 in text or SOURCE.file_sha256 in text
            assert command.is_insecure or is_checked or step.id in ("install", "start")
    ids = [step.id for step in steps(platform, SOURCE, language)]
    assert ids[0] == "download"
    assert ids[-1] == "start"


def test_no_token_and_no_password_stands_in_an_address() -> None:
    for platform in ("linux", "python"):
        for step in steps(platform, SOURCE, "en"):
            for command in step.commands:
                addresses = [part for part in shlex.split(command.text) if "://" in part]
                assert not any("${" in part for part in addresses)
