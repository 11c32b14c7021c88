"""``/authorization/sources/built_in_database/rules``: rules of users, clients and everybody."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rookery.access.authz import RuleOwner
from rookery.access.authz.rule_store import OwnerKind
from rookery.broker.access import AccessService
from rookery.broker.management.body import read_json, read_object
from rookery.errors import BadRequestError, NotFoundError
from rookery.web.paging import number

BASE = "/authorization/sources/built_in_database/rules"
# What EMQX calls them in paths, and how it names one in a body.
OWNERS: dict[str, tuple[OwnerKind, str]] = {
    "users": ("username", "username"),
    "clients": ("clientid", "clientid"),
}
PAGE_MAX = 1000


class RulesApi:
    """In EMQX's shapes: ``{"username": …, "rules": [{"permission", "action", "topic"}]}``."""

    def __init__(self, access: AccessService) -> None:
        self._access = access

    def routes(self) -> list[Route]:
        return [
            Route(BASE, self.clear, methods=["DELETE"]),
            Route(f"{BASE}/all", self.get_all, methods=["GET"]),
            Route(f"{BASE}/all", self.put_all, methods=["POST", "PUT"]),
            Route(f"{BASE}/all", self.delete_all, methods=["DELETE"]),
            Route(f"{BASE}/{{owners}}", self.list_all, methods=["GET"]),
            Route(f"{BASE}/{{owners}}", self.create, methods=["POST"]),
            Route(f"{BASE}/{{owners}}/{{name:path}}", self.get, methods=["GET"]),
            Route(f"{BASE}/{{owners}}/{{name:path}}", self.put, methods=["PUT"]),
            Route(f"{BASE}/{{owners}}/{{name:path}}", self.delete, methods=["DELETE"]),
        ]

    async def list_all(self, request: Request) -> Response:
        """``?after=&limit=``: a page of owners with their rules."""
        kind, key = _owners(request)
        limit = number(request.query_params, "limit", 100, 1, PAGE_MAX)
        after = request.query_params.get("after", "")
        found = await self._store.page(kind, after=after, limit=limit)
        rows = [{key: owner.name, "rules": rules} for owner, rules in found]
        following = found[-1][0].name if len(found) == limit else None
        return JSONResponse({"data": rows, "meta": {"count": len(rows), "after": following}})

    async def create(self, request: Request) -> Response:
        """One owner, or a list of them; all are taken or none."""
        kind, key = _owners(request)
        body = await read_json(request)
        items = body if isinstance(body, list) else [body]
        owned = [(RuleOwner(kind, _name(item, key)), _rules(item)) for item in items]
        target = f"authorization/rules/{kind}"
        await self._access.change_rules("create", target, lambda store: store.put_many(owned))
        return Response(status_code=204)

    async def get(self, request: Request) -> Response:
        kind, key = _owners(request)
        name = request.path_params["name"]
        rules = await self._store.get(RuleOwner(kind, name))
        return JSONResponse({key: name, "rules": rules})

    async def put(self, request: Request) -> Response:
        kind, _ = _owners(request)
        owner = RuleOwner(kind, request.path_params["name"])
        return await self._put(owner, _rules(await read_object(request)))

    async def delete(self, request: Request) -> Response:
        kind, _ = _owners(request)
        return await self._delete(RuleOwner(kind, request.path_params["name"]))

    async def get_all(self, _request: Request) -> Response:
        """Rules of everybody."""
        try:
            rules = await self._store.get(RuleOwner("all"))
        except NotFoundError:
            rules = []
        return JSONResponse({"rules": rules})

    async def put_all(self, request: Request) -> Response:
        return await self._put(RuleOwner("all"), _rules(await read_object(request)))

    async def delete_all(self, _request: Request) -> Response:
        return await self._delete(RuleOwner("all"))

    async def clear(self, _request: Request) -> Response:
        """Remove every rule of the built-in database."""
        target = "authorization/rules"
        await self._access.change_rules("delete", target, lambda store: store.clear())
        return Response(status_code=204)

    @property
    def _store(self) -> Any:
        return self._access.access.stores.rules

    async def _put(self, owner: RuleOwner, rules: list[Any]) -> Response:
        target = f"authorization/rules/{owner.kind}/{owner.name}"
        await self._access.change_rules("update", target, lambda store: store.put(owner, rules))
        return Response(status_code=204)

    async def _delete(self, owner: RuleOwner) -> Response:
        target = f"authorization/rules/{owner.kind}/{owner.name}"
        await self._access.change_rules("delete", target, lambda store: store.delete(owner))
        return Response(status_code=204)


def _owners(request: Request) -> tuple[OwnerKind, str]:
    found = OWNERS.get(request.path_params["owners"])
    if found is None:
        raise NotFoundError(f"rules are of {', '.join(OWNERS)} or all")
    return found


def _name(item: Any, key: str) -> str:
    name = item.get(key) if isinstance(item, dict) else None
    if not isinstance(name, str) or not name:
        raise BadRequestError(f"{key} is missing")
    return name


def _rules(item: Any) -> list[Any]:
    rules = item.get("rules") if isinstance(item, dict) else None
    if not isinstance(rules, list):
        raise BadRequestError("rules is a list")
    return rules
