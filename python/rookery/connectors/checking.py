"""Holds configured connectors, actions and sources against their types, with file and line.

The schema of the configuration knows their names alone. Whoever takes a configuration into use asks
here too; without connectors nothing is loaded for it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rookery.access.errors import SettingError
from rookery.config.problems import InvalidConfigError, Problem
from rookery.config.tree import Origin, join_path
from rookery.errors import BadRequestError
from rookery.words import Words

if TYPE_CHECKING:
    from rookery.config import Config
    from rookery.config.draft import Draft
    from rookery.connectors.settings import Settings

KINDS = ("connectors", "actions", "sources")
KINDS_ZH = {"connectors": "连接器", "actions": "动作", "sources": "数据源"}
KEPT = ("created_at", "last_modified_at")
"""Stands in an entry beside what its type knows: when it was made and changed."""

VALUE_LENGTH_MAX = 60


def is_configured(config: Config | Draft) -> bool:
    """Whether there is anything to check."""
    return any(named for kind in KINDS for named in config[kind].values())


def check(config: Config) -> None:
    """Refuse what a type cannot use.

    Raises:
        InvalidConfigError: with everything that is wrong, and where it is written.
    """
    if is_configured(config) and (found := list(problems(config))):
        raise InvalidConfigError(found)


def all_problems(draft: Draft) -> Iterator[Problem]:
    """What a type cannot use, and what can be seen to fail without contacting anything."""
    if is_configured(draft):
        yield from problems(draft)
        yield from _unfit(draft)


def _unfit(config: Draft) -> Iterator[Problem]:
    """Of those whose settings their type can use."""
    from rookery.connectors.fallback import check_fallbacks  # noqa: PLC0415
    from rookery.connectors.fitting import Place, unfit  # noqa: PLC0415

    place = Place(
        node=config["node.name"] or "",
        data_dir=config.data_dir,
        file_dirs=tuple(Path(path) for path in config["node.connector_file_dirs"]),
    )
    made = {kind: dict(_made(config, kind)) for kind in KINDS}
    count = sum(map(len, config["actions"].values()))
    if not config.problems and len(made["actions"]) == count:
        try:
            check_fallbacks(made["actions"])
        except SettingError as error:
            yield Problem("unfit", "actions", reasons=error.words._asdict())
    for kind, item_id, words in unfit(made["connectors"], made["actions"], made["sources"], place):
        path: tuple[str, ...] = (kind, *item_id.split(":", 1))
        # Most say in front what they are about, which the path says here.
        about, _, reason = words.en.partition(": ")
        texts = {"en": words.en, "zh": words.zh}
        is_key = about.partition(".")[0] in type(made[kind][item_id]).model_fields
        if is_key or about == item_id:
            path = (*path, *about.split(".")) if is_key else path
            texts = {"en": reason, "zh": words.zh.partition("：")[2]}
        yield Problem("unfit", join_path(path), _origin(config, path), reasons=texts)


def _made(config: Draft, kind: str) -> Iterator[tuple[str, Any]]:
    for type_, named in config[kind].items():
        for name, item in named.items():
            with contextlib.suppress(BadRequestError):  # told already
                yield f"{type_}:{name}", settings_of(kind, type_, item)


def problems(config: Config | Draft) -> Iterator[Problem]:
    """Everything that is wrong with what is configured."""
    for kind in KINDS:
        for type_, named in config[kind].items():
            for name, item in named.items():
                yield from _of_entry(config, kind, type_, name, item)
    if any(config["actions"].values()):
        yield from _rounds(config)


def _rounds(config: Config | Draft) -> Iterator[Problem]:
    from rookery.connectors.rounds import rounds  # noqa: PLC0415

    for found in rounds(config):
        path = ("actions", *found.action_id.split(":", 1), "fallback_actions", str(found.place + 1))
        yield Problem(
            "unfit", join_path(path), _origin(config, path), reasons=found.words._asdict()
        )


def settings_of(kind: str, type_: str, item: Mapping[str, Any]) -> Settings:
    """The settings of an entry.

    Raises:
        BadRequestError: they do not fit; says each member and why.
    """
    from pydantic import ValidationError  # noqa: PLC0415

    try:
        return model_of(kind, type_).model_validate(without_kept(item))
    except ValidationError as error:
        found = list(_reasons(error, item))
        refused = BadRequestError(
            "\n".join(
                f"{join_path(it.at)}: {it.words.en}" if it.at else it.words.en for it in found
            ),
            message_zh="\n".join(
                f"{join_path(it.at)}：{it.words.zh}" if it.at else it.words.zh for it in found
            ),
        )
        refused.unknown_keys = [it.at[-1] for it in found if it.at and it.may_hold_secrets]
        raise refused from None


def without_kept(item: Mapping[str, Any]) -> dict[str, Any]:
    """What the type is asked about."""
    return {key: value for key, value in item.items() if key not in KEPT}


def model_of(kind: str, type_: str) -> type[Settings]:
    """What entries of that type are made from.

    Raises:
        NotFoundError: there is no such type.
        BadRequestError: it has none of that kind.
    """
    from rookery.connectors.registry import connector_type  # noqa: PLC0415

    found = connector_type(type_)
    models: dict[str, type[Settings] | None] = {
        "connectors": found.connector_settings,
        "actions": found.action_settings,
        "sources": found.source_settings,
    }
    model = models[kind]
    if model is None:
        raise BadRequestError(
            f"there are no {kind} of type {type_}",
            message_zh=f"没有 {type_} 类型的{KINDS_ZH[kind]}",
        )
    return model


def _of_entry(
    config: Config | Draft, kind: str, type_: str, name: str, item: Mapping[str, Any]
) -> Iterator[Problem]:
    from pydantic import ValidationError  # noqa: PLC0415

    path = (kind, type_, name)
    try:
        model_of(kind, type_).model_validate(without_kept(item))
    except ValidationError as error:
        # Places count from 1 in configuration files.
        for it in _reasons(error, item, first=1):
            full = (*path, *it.at)
            origin = _origin(config, full)
            reasons = it.words._asdict() if it.kind == "setting" else {}
            yield Problem(it.kind, join_path(full), origin, value=it.shown, reasons=reasons)


class _Reason(NamedTuple):
    """One thing that is wrong with an entry.

    Attributes:
        at: Where in it.
        kind: Of :class:`Problem`.
        shown: What stands there, as it may be shown.
        may_hold_secrets: Whether what stands there has no names by which they are known.
    """

    at: tuple[str, ...]
    kind: str
    words: Words
    shown: str
    may_hold_secrets: bool


_OTHER_SHAPES = frozenset(
    {
        "dict_type",
        "model_type",
        "list_type",
        "tuple_type",
        "union_tag_invalid",
        "union_tag_not_found",
    }
)
"""What stands there is not the object or the list that is taken: nothing in it has a known name."""

_KINDS_OF_PROBLEMS = {"missing": "required", "extra_forbidden": "unknown"}


def _reasons(error: Any, item: Mapping[str, Any], *, first: int = 0) -> Iterator[_Reason]:
    """``first``: the place of the first item of a list."""
    from rookery.connectors.refusals import words_of  # noqa: PLC0415

    for found in error.errors(include_url=False):
        kind = _KINDS_OF_PROBLEMS.get(found["type"], "setting")
        at = _written(found["loc"], item, is_missing=kind == "required", first=first)
        shown = _shown(at, found["input"]) if kind == "setting" else ""
        is_shapeless = found["type"] in _OTHER_SHAPES or (
            found["type"].endswith("_type") and isinstance(found["input"], list | dict)
        )
        yield _Reason(at, kind, words_of(found), shown, is_shapeless or kind == "unknown")


def _written(
    place: tuple[int | str, ...], item: Any, *, is_missing: bool, first: int
) -> tuple[str, ...]:
    """A place without the names of forms that the library puts in between.

    ``is_missing``: the last step is a member that is not there, and is told all the same.
    """
    steps: list[str] = []
    for number, step in enumerate(place, start=1):
        is_there = isinstance(item, Mapping) and step in item
        is_item = isinstance(item, list) and isinstance(step, int)
        if is_there or is_item or (is_missing and number == len(place)):
            steps.append(str(int(step) + first) if is_item else str(step))
        if is_there or (is_item and int(step) < len(item)):
            item = item[step]
    return tuple(steps)


def _shown(at: tuple[str, ...], value: Any) -> str:
    import json  # noqa: PLC0415

    from rookery.config.secrets import quoted_without_secrets  # noqa: PLC0415

    hidden = quoted_without_secrets(value, at[-1] if at else "")
    text = json.dumps(hidden, ensure_ascii=False, default=str)
    return text if len(text) <= VALUE_LENGTH_MAX else text[: VALUE_LENGTH_MAX - 1] + "…"


def _origin(config: Config | Draft, path: tuple[str, ...]) -> Origin:
    """Where the nearest key is written that is there."""
    for end in range(len(path), 2, -1):
        origin = config.origin(join_path(path[:end]))
        if origin.kind != "default":
            return origin
    # The entry itself has no line of its own, but its keys do.
    entry = config[path[0]][path[1]][path[2]]
    first = next(iter(entry), None)
    return config.origin(join_path((*path[:3], first))) if first else Origin("default")
