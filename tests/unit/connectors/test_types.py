"""What every type of connector has to have."""

from __future__ import annotations

import json
from typing import Literal

import pytest

from rookery.access.errors import SettingError
from rookery.config.schema.integration import ACTION_TYPES, CONNECTOR_TYPES, SOURCE_TYPES
from rookery.connectors.base import ConnectorType
from rookery.connectors.registry import (
    connector_type,
    parse_action,
    parse_connector,
    type_names,
    why_missing,
)
from rookery.connectors.schema import schema_of, untold
from rookery.errors import NotFoundError

ROLES: tuple[Literal["connector", "action", "source"], ...] = ("connector", "action", "source")


def test_the_configuration_takes_the_types_that_there_are() -> None:
    # The schema of the configuration names them without importing any of them.
    kinds = [connector_type(name) for name in type_names()]
    assert tuple(kind.name for kind in kinds) == CONNECTOR_TYPES
    assert tuple(kind.name for kind in kinds if kind.action_settings) == ACTION_TYPES
    assert tuple(kind.name for kind in kinds if kind.source_settings) == SOURCE_TYPES


@pytest.mark.parametrize("name", type_names())
def test_a_type_says_what_it_is_in_both_languages(name: str) -> None:
    kind = connector_type(name)
    assert kind.name == name
    for words in (kind.title, kind.about):
        assert words.en
        assert words.zh
        assert words.en != words.zh
    assert kind.action_settings or kind.source_settings


@pytest.mark.parametrize("name", type_names())
@pytest.mark.parametrize("role", ROLES)
def test_every_field_has_a_title_and_a_description_in_both_languages(
    name: str, role: Literal["connector", "action", "source"]
) -> None:
    kind: ConnectorType[object] = connector_type(name)  # type: ignore[type-var]
    assert untold(kind, role) == []


@pytest.mark.parametrize("name", type_names())
@pytest.mark.parametrize("role", ROLES)
def test_schemas_are_plain_json_with_defaults_as_people_write_them(
    name: str, role: Literal["connector", "action", "source"]
) -> None:
    schema = schema_of(connector_type(name), role)
    if schema is None:
        return
    json.dumps(schema, allow_nan=False)
    assert "enable" not in schema["properties"]
    if role == "action":
        options = schema["properties"]["resource_opts"]["$ref"].rpartition("/")[2]
        fields = schema["$defs"][options]["properties"]
        assert fields["request_ttl"]["default"] == "45s"
        assert fields["max_buffer_bytes"]["default"] == "256MB"


def test_a_type_that_is_not_there_is_told() -> None:
    with pytest.raises(NotFoundError, match="no connector type carrier_pigeon"):
        connector_type("carrier_pigeon")


def test_what_is_wrong_with_settings_names_the_key_and_not_the_value() -> None:
    raw = {"url": "http://user:secret@host", "ssl": {}}
    with pytest.raises(SettingError, match=r"^url: must not hold a name or password") as caught:
        parse_connector("http", raw)
    assert "secret" not in str(caught.value)
    with pytest.raises(SettingError, match=r"^resource_opts.request_ttl: must be a duration"):
        parse_action("http", {"connector": "a", "resource_opts": {"request_ttl": "soon"}})
    with pytest.raises(SettingError, match="colour"):
        parse_connector("http", {"url": "http://host", "colour": "red"})


def test_settings_are_shown_without_secrets_and_stored_with_them() -> None:
    raw = {
        "url": "https://host/x?token=abc&y=1",
        "headers": {"authorization": "Bearer abc", "accept": "text/plain"},
        "ssl": {"enable": True, "password": "abc"},
    }
    settings = parse_connector("http", raw)
    assert "abc" not in json.dumps(settings.shown())
    assert "abc" not in repr(settings)
    assert settings.shown()["headers"]["accept"] == "text/plain"
    assert parse_connector("http", settings.stored()) == settings


def test_settings_survive_being_stored_with_what_is_infinite() -> None:
    raw = {"connector": "a", "resource_opts": {"request_ttl": "infinity", "batch_time": "5ms"}}
    settings = parse_action("http", raw)
    assert settings.stored()["resource_opts"]["request_ttl"] == "infinity"
    assert parse_action("http", settings.stored()) == settings


def test_a_package_that_is_missing_is_named() -> None:
    kind = connector_type("http")
    assert why_missing(kind) is None
    lame = ConnectorType(
        name="x", title=kind.title, about=kind.about, extra="x", packages=("no_such_package",),
        connector_settings=kind.connector_settings, texts_zh=kind.texts_zh, open=kind.open,
    )  # fmt: skip
    words = why_missing(lame)
    assert words is not None
    assert "rookery[x]" in words.en
    assert "rookery[x]" in words.zh
