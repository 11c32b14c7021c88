"""What a command may do: a closed list, and nothing that is not on it.

Every action looks first and changes only what differs, so that doing it twice is doing it once.
All paths are of EMQX 5's documented REST interface.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from rookery.agent.commands import Action, Done, ImpossibleError
from rookery.agent.failures import ANSWER, CallError
from rookery.agent.keyed_api import KeyedApi
from rookery.agent.limit import ConnectionLimit

ALREADY = "ALREADY"
# Of a rule, what can be written: the rest of what is read are figures.
RULE_MEMBERS = ("name", "sql", "actions", "description", "metadata")
INTEGRATIONS = {"connector": "connectors", "action": "actions", "source": "sources"}


def actions(api: KeyedApi, limit: ConnectionLimit) -> dict[str, Action]:
    """By the kind of the command."""
    found: dict[str, Action] = {
        "quota.set": limit.set,
        "quota.release": limit.release,
        "rule.start": lambda given: _rule(api, given, is_wanted=True),
        "rule.stop": lambda given: _rule(api, given, is_wanted=False),
    }
    for kind, group in INTEGRATIONS.items():
        for verb, is_wanted in (("start", True), ("stop", False)):
            found[f"{kind}.{verb}"] = _integration(api, group, is_wanted=is_wanted)
    return found


def _integration(api: KeyedApi, group: str, *, is_wanted: bool) -> Action:
    def act(given: Mapping[str, str]) -> Done:
        path = f"/{group}/{_id(given)}"
        if _found(api, path).get("enable") is is_wanted:
            return Done(ALREADY)
        api.send("PUT", f"{path}/enable/{'true' if is_wanted else 'false'}")
        return Done()

    return act


def _rule(api: KeyedApi, given: Mapping[str, str], *, is_wanted: bool) -> Done:
    path = f"/rules/{_id(given)}"
    found = _found(api, path)
    if found.get("enable") is is_wanted:
        return Done(ALREADY)
    body = {name: found[name] for name in RULE_MEMBERS if name in found}
    api.send("PUT", path, {**body, "enable": is_wanted})
    return Done()


def _found(api: KeyedApi, path: str) -> dict[str, Any]:
    try:
        found = api.get(path)
    except CallError as error:
        if error.status == 404:
            raise ImpossibleError("NOT_FOUND", "it is not at the cluster (any more)") from error
        raise
    if not isinstance(found, dict):
        raise CallError(ANSWER, f"{path}: no object")
    return found


def _id(given: Mapping[str, str]) -> str:
    name = given.get("id", "")
    if not name or name in (".", ".."):
        raise ImpossibleError("BAD_REQUEST", "the command names no object")
    return quote(name, safe=":")
