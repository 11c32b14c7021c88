"""Secrets of the agent at rest: unreadable without the key, unchangeable, for the owner alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.agent.failures import AgentError
from rookery.agent.secret_file import SecretFile, seal, unseal

KEY = bytes(range(32))
TEXTS = st.binary(max_size=700)


@pytest.fixture
def file(tmp_path: Path) -> SecretFile:
    return SecretFile(tmp_path / "secrets", tmp_path / "key")


@given(TEXTS)
def test_what_was_sealed_comes_back(text: bytes) -> None:
    assert unseal(KEY, seal(KEY, text)) == text


@given(TEXTS, st.integers(0), st.integers(1, 255))
def test_any_changed_byte_is_noticed(text: bytes, at: int, flip: int) -> None:
    sealed = bytearray(seal(KEY, text))
    sealed[at % len(sealed)] ^= flip

    assert unseal(KEY, bytes(sealed)) is None


@given(st.binary(max_size=200))
def test_bytes_of_nobody_are_not_opened(data: bytes) -> None:
    assert unseal(KEY, data) is None
    assert unseal(bytes(32), seal(KEY, data)) is None


def test_the_same_text_looks_different_each_time_and_its_length_tells_little() -> None:
    assert seal(KEY, b"a") != seal(KEY, b"a")
    assert len(seal(KEY, b"a")) == len(seal(KEY, b"a" * 200))
    assert b"password" not in seal(KEY, b"password")


def test_files_are_the_owners_alone(file: SecretFile, tmp_path: Path) -> None:
    file.write({"password": "pa55", "用户": "甲"})

    assert SecretFile(tmp_path / "secrets", tmp_path / "key").read() == {
        "password": "pa55",
        "用户": "甲",
    }
    for name in ("secrets", "key"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert b"pa55" not in (tmp_path / "secrets").read_bytes()


def test_some_are_changed_and_the_others_stay(file: SecretFile) -> None:
    file.write({"a": "1", "b": "2", "c": "3"})

    assert file.update({"a": "9", "b": None}) == {"a": "9", "c": "3"}
    assert file.read() == {"a": "9", "c": "3"}


@pytest.mark.parametrize("name", ["secrets", "key"])
def test_a_file_that_others_can_read_is_refused(
    file: SecretFile, tmp_path: Path, name: str
) -> None:
    file.write({"a": "1"})
    (tmp_path / name).chmod(0o640)

    with pytest.raises(AgentError, match="chmod 600"):
        file.read()


def test_a_key_of_another_agent_opens_nothing(file: SecretFile, tmp_path: Path) -> None:
    file.write({"a": "1"})
    (tmp_path / "key").write_bytes(bytes(32))

    with pytest.raises(AgentError, match="cannot be decrypted"):
        file.read()


def test_a_link_is_not_followed(file: SecretFile, tmp_path: Path) -> None:
    file.write({"a": "1"})
    (tmp_path / "secrets").rename(tmp_path / "elsewhere")
    (tmp_path / "secrets").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(AgentError, match="cannot be read"):
        file.read()
