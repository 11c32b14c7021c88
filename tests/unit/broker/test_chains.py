"""Providers and sources as entries of a list: found by id, moved, changed without losing secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rookery.broker.access.chains import ChainService
from rookery.broker.audit import AuditLog
from rookery.broker.settings import NodeSettings
from rookery.clock import ManualClock
from rookery.config import InvalidConfigError, load
from rookery.errors import BadRequestError, ConflictError, NotFoundError

JWT = {"mechanism": "jwt", "algorithm": "hmac-based", "secret": "swordfish"}
BUILT_IN = {"mechanism": "password_based", "backend": "built_in_database"}
SCRAM = {"mechanism": "scram", "backend": "built_in_database"}
IDS = ("jwt", "password_based:built_in_database", "scram:built_in_database")


def chain_of(tmp_path: Path, text: str = "") -> tuple[ChainService, NodeSettings]:
    file = tmp_path / "r.conf"
    file.write_text(text)
    clock = ManualClock()
    config = load(file, tmp_path / "data", environ={})
    settings = NodeSettings(config, AuditLog(tmp_path, clock), clock)
    keys = ("mechanism", "backend")
    return ChainService(settings, ("authentication",), keys, lambda _id, _language: {}), settings


@pytest.fixture
async def chain(tmp_path: Path) -> ChainService:
    service, _ = chain_of(tmp_path)
    for entry in (JWT, BUILT_IN, SCRAM):
        await service.create(entry)
    return service


def ids(chain: ChainService) -> list[str]:
    return [entry["id"] for entry in chain.all()]


def test_entries_stand_in_the_order_in_which_they_came(chain: ChainService) -> None:
    assert tuple(ids(chain)) == IDS


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        ("front", (2, 0, 1)),
        ("rear", (0, 1, 2)),
        ("1", (2, 0, 1)),
        ("2", (0, 2, 1)),
        ("99", (0, 1, 2)),
        ("before:jwt", (2, 0, 1)),
        ("after:jwt", (0, 2, 1)),
    ],
)
async def test_an_entry_moves(chain: ChainService, position: str, expected: Any) -> None:
    await chain.move(IDS[2], position)
    assert ids(chain) == [IDS[index] for index in expected]


@pytest.mark.parametrize("position", ["", "0", "up", "before:", "before:nobody", "-1"])
async def test_a_position_that_is_none_moves_nothing(chain: ChainService, position: str) -> None:
    with pytest.raises((BadRequestError, NotFoundError)):
        await chain.move(IDS[2], position)
    assert tuple(ids(chain)) == IDS


async def test_what_is_shown_can_be_sent_back(tmp_path: Path) -> None:
    service, settings = chain_of(tmp_path)
    await service.create(BUILT_IN)
    await service.create(JWT)
    shown = service.get("jwt")
    assert "swordfish" not in str(shown)
    await service.move("jwt", "front")
    await service.update("jwt", {**shown, "from": "username"})
    entry = settings.config["authentication"][0]
    assert (entry["secret"].reveal(), entry["from"]) == ("swordfish", "username")


async def test_what_makes_no_sense_changes_nothing(chain: ChainService) -> None:
    with pytest.raises(ConflictError):
        await chain.create(JWT)
    with pytest.raises(NotFoundError):
        await chain.delete("x509")
    with pytest.raises(BadRequestError):
        await chain.update("jwt", BUILT_IN)
    with pytest.raises(InvalidConfigError):
        await chain.update("jwt", {"mechanism": "jwt"})
    assert tuple(ids(chain)) == IDS


async def test_a_list_of_the_file_stays_the_files(tmp_path: Path) -> None:
    service, _ = chain_of(tmp_path, "authentication = [{mechanism = x509}]")
    for change in (service.delete("x509"), service.create(BUILT_IN)):
        with pytest.raises(ConflictError, match="conf reload"):
            await change
    assert ids(service) == ["x509"]


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"mechanism": "jwt", "algorithm": "hmac-based"}, "algorithm: needs secret as well"),
        ({"mechanism": "password_based"}, "backend: missing"),
        ({**BUILT_IN, "user_id_typ": "username"}, "user_id_typ: unknown key"),
        (
            {**BUILT_IN, "password_hash_algorithm": {"name": "rot13"}},
            "password_hash_algorithm.name: ",
        ),
    ],
)
async def test_a_mistake_is_named_as_it_was_written(
    tmp_path: Path, entry: dict[str, Any], says: str
) -> None:
    service, _ = chain_of(tmp_path)
    await service.create(SCRAM)
    with pytest.raises(InvalidConfigError) as refused:
        await service.create(entry)
    for language in ("en", "zh"):
        text = refused.value.text(language)
        assert "authentication" not in text
        assert str(tmp_path) not in text
    assert refused.value.text().startswith(says)
