"""``/authorization/sources/built_in_database/rules``: rules of users, of clients and of everybody."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from rookery.access.authz import RuleOwner, RuleStore
from rookery.access.authz.rule_store import OwnerKind
from rookery.broker.access import AccessService
from rookery.broker.authz.models import Rule, Rules, RulesOfClient, RulesOfUser
from rookery.errors import BadRequestError, NotFoundError
from rookery.web.models import Page
from rookery.web.rest import PageParams, PageQuery, errors, fast, page_of
from rookery.web.sorting import Direction, OrderQuery

BASE = "/authorization/sources/built_in_database/rules"


def add(api: APIRouter, access: AccessService) -> None:
    """Add the operations."""
    rules = RulesOf(access)
    _everybody(api, rules)
    _users(api, rules)
    _clients(api, rules)


class RulesOf:
    """Changes rules and tells the core all of them."""

    def __init__(self, access: AccessService) -> None:
        self._access = access

    @property
    def _store(self) -> RuleStore:
        return self._access.access.stores.rules

    async def page(
        self, kind: OwnerKind, page: PageParams, like: str, order: Direction
    ) -> dict[str, Any]:
        found, count = await self._store.find(
            kind, like=like, start=page.start, limit=page.limit, is_descending=order == "desc"
        )
        rows = [{kind: owner.name, "rules": _shown(rules)} for owner, rules in found]
        return page_of(rows, page.page, page.limit, count)

    async def get(self, owner: RuleOwner) -> list[dict[str, Any]]:
        return _shown(await self._store.get(owner))

    async def create(self, kind: OwnerKind, owned: list[tuple[str, list[Rule]]]) -> Response:
        """All of them or none.

        Raises:
            ConflictError: somebody has rules already.
        """
        given = [(RuleOwner(kind, name), _plain(rules)) for name, rules in owned]
        target = f"authorization/rules/{kind}"
        after = [{kind: owner.name, "rules": rules} for owner, rules in given]
        await self._access.change_rules(
            "create", target, lambda store: store.put_many(given, replace=False), after=after
        )
        return Response(status_code=204)

    async def put(self, owner: RuleOwner, rules: list[Rule], named: str = "") -> Response:
        if named and named != owner.name:
            raise BadRequestError(f"the path says {owner.name!r}, the body {named!r}")
        before, after = await self._known(owner), _plain(rules)
        await self._access.change_rules(
            "update",
            _target(owner),
            lambda store: store.put(owner, after),
            before=before,
            after=after,
        )
        return Response(status_code=204)

    async def delete(self, owner: RuleOwner) -> Response:
        before = await self._known(owner)
        await self._access.change_rules(
            "delete", _target(owner), lambda store: store.delete(owner), before=before
        )
        return Response(status_code=204)

    async def clear(self) -> Response:
        target = "authorization/rules"
        await self._access.change_rules("delete", target, lambda store: store.clear())
        return Response(status_code=204)

    async def _known(self, owner: RuleOwner) -> list[dict[str, Any]] | None:
        try:
            return await self._store.get(owner)
        except NotFoundError:
            return None


def _plain(rules: list[Rule]) -> list[Any]:
    return [rule.model_dump(exclude_none=True) for rule in rules]


def _shown(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A rule about several topics is shown as one for each."""
    shown = []
    for rule in rules:
        topics = rule.get("topics")
        if topics is None:
            shown.append(rule)
            continue
        rest = {name: value for name, value in rule.items() if name != "topics"}
        shown += [{**rest, "topic": topic} for topic in topics]
    return shown


def _target(owner: RuleOwner) -> str:
    return f"authorization/rules/{owner.kind}/{owner.name}".rstrip("/")


def _everybody(api: APIRouter, rules: RulesOf) -> None:
    @api.delete(BASE, status_code=204, summary="Delete all built-in rules")
    async def clear() -> Response:
        """Remove every rule of the built-in database, of users, of clients and of everybody."""
        return await rules.clear()

    @api.get(
        f"{BASE}/all",
        summary="Get rules of everybody",
        response_model=Rules,
        response_model_exclude_none=True,
    )
    async def rules_of_all() -> Any:
        """Rules that are looked at after those of the client and of its user."""
        try:
            return {"rules": await rules.get(RuleOwner("all"))}
        except NotFoundError:
            return {"rules": []}

    @api.post(
        f"{BASE}/all",
        status_code=204,
        summary="Set rules of everybody",
        responses=errors("BAD_REQUEST"),
    )
    async def put_rules_of_all(body: Rules) -> Response:
        """Replace the rules of everybody."""
        return await rules.put(RuleOwner("all"), body.rules)

    @api.delete(
        f"{BASE}/all",
        status_code=204,
        summary="Delete rules of everybody",
        responses=errors("NOT_FOUND"),
    )
    async def delete_rules_of_all() -> Response:
        """Remove the rules of everybody."""
        return await rules.delete(RuleOwner("all"))


def _users(api: APIRouter, rules: RulesOf) -> None:
    @api.get(
        f"{BASE}/users",
        summary="List rules of users",
        response_model=Page[RulesOfUser],
        response_model_exclude_none=True,
    )
    async def list_users(
        page: PageQuery,
        like_username: Annotated[str, Query(description="What their names hold.")] = "",
        sort: Annotated[Literal["username"], Query(description="Sort by this field.")] = "username",
        order: OrderQuery = "asc",
    ) -> Any:
        """Users that have rules, in the order of their names."""
        return fast(await rules.page(sort, page, like_username, order))

    @api.post(
        f"{BASE}/users",
        status_code=204,
        summary="Add rules of users",
        responses=errors("BAD_REQUEST", "ALREADY_EXISTS"),
    )
    async def create_users(body: list[RulesOfUser]) -> Response:
        """Add users with their rules, all of them or none."""
        return await rules.create("username", [(item.username, item.rules) for item in body])

    @api.get(
        f"{BASE}/users/{{username}}",
        summary="Get rules of a user",
        response_model=RulesOfUser,
        response_model_exclude_none=True,
        responses=errors("NOT_FOUND"),
    )
    async def get_user(username: str) -> Any:
        """Rules of one user."""
        return {"username": username, "rules": await rules.get(RuleOwner("username", username))}

    @api.put(
        f"{BASE}/users/{{username}}",
        status_code=204,
        summary="Set rules of a user",
        responses=errors("BAD_REQUEST"),
    )
    async def put_user(username: str, body: RulesOfUser) -> Response:
        """Replace the rules of one user; they hold at once."""
        return await rules.put(RuleOwner("username", username), body.rules, body.username)

    @api.delete(
        f"{BASE}/users/{{username}}",
        status_code=204,
        summary="Delete rules of a user",
        responses=errors("NOT_FOUND"),
    )
    async def delete_user(username: str) -> Response:
        """Remove the rules of one user."""
        return await rules.delete(RuleOwner("username", username))


def _clients(api: APIRouter, rules: RulesOf) -> None:
    @api.get(
        f"{BASE}/clients",
        summary="List rules of clients",
        response_model=Page[RulesOfClient],
        response_model_exclude_none=True,
    )
    async def list_clients(
        page: PageQuery,
        like_clientid: Annotated[str, Query(description="What their identifiers hold.")] = "",
        sort: Annotated[Literal["clientid"], Query(description="Sort by this field.")] = "clientid",
        order: OrderQuery = "asc",
    ) -> Any:
        """Clients that have rules, in the order of their identifiers."""
        return fast(await rules.page(sort, page, like_clientid, order))

    @api.post(
        f"{BASE}/clients",
        status_code=204,
        summary="Add rules of clients",
        responses=errors("BAD_REQUEST", "ALREADY_EXISTS"),
    )
    async def create_clients(body: list[RulesOfClient]) -> Response:
        """Add clients with their rules, all of them or none."""
        return await rules.create("clientid", [(item.clientid, item.rules) for item in body])

    @api.get(
        f"{BASE}/clients/{{clientid}}",
        summary="Get rules of a client",
        response_model=RulesOfClient,
        response_model_exclude_none=True,
        responses=errors("NOT_FOUND"),
    )
    async def get_client(clientid: str) -> Any:
        """Rules of one client."""
        return {"clientid": clientid, "rules": await rules.get(RuleOwner("clientid", clientid))}

    @api.put(
        f"{BASE}/clients/{{clientid}}",
        status_code=204,
        summary="Set rules of a client",
        responses=errors("BAD_REQUEST"),
    )
    async def put_client(clientid: str, body: RulesOfClient) -> Response:
        """Replace the rules of one client; they hold at once."""
        return await rules.put(RuleOwner("clientid", clientid), body.rules, body.clientid)

    @api.delete(
        f"{BASE}/clients/{{clientid}}",
        status_code=204,
        summary="Delete rules of a client",
        responses=errors("NOT_FOUND"),
    )
    async def delete_client(clientid: str) -> Response:
        """Remove the rules of one client."""
        return await rules.delete(RuleOwner("clientid", clientid))
