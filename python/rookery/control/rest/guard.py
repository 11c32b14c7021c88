"""Who may do an operation: said where the operation is, checked before a byte of its body is read.

    @router.get("/orgs/{org}/projects")
    async def projects(access: Annotated[Access, requires(Resource.PROJECTS, Level.VIEW)]) -> …

``{org}`` and ``{project}`` in the path say where. An object that the caller does not get to know of is
not there (404); one that is visible and not the caller's to touch is refused (403). An operation that
says nothing of this cannot be put together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from fastapi import Depends
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import Request

from rookery.control.accounts import texts
from rookery.control.caller import Access, Caller
from rookery.control.context import ControlContext
from rookery.control.errors import (
    NOT_ALLOWED,
    NOT_FOUND,
    DeniedError,
    MissingError,
    UnknownCallerError,
)
from rookery.control.tenancy import store
from rookery.control.tenancy.grants import Standing
from rookery.control.tenancy.permissions import Level, Resource
from rookery.control.tokens.service import PREFIX
from rookery.web.peer import HEADER_BYTES_MAX, address_of

ACCESS = "rookery.access"
"""Where a request carries what was found out, in its scope."""

Kind: TypeAlias = Literal["resource", "signed in", "people", "open"]


@dataclass(frozen=True, slots=True)
class Need:
    """What an operation asks of its caller. The framework calls it for what was found out."""

    kind: Kind
    resource: Resource | None = None
    level: Level = Level.NONE
    anywhere: bool = False
    before_all: bool = False

    def __call__(self, request: Request) -> Access | None:
        found: Access | None = request.scope.get(ACCESS)
        return found


def requires(resource: Resource, level: Level, *, anywhere: bool = False) -> Any:
    """The caller may do that in the place that the path names; without one, in the whole system.

    ``anywhere`` is for lists that leave out what the caller may not see: one place is enough.
    """
    return Depends(Need("resource", resource, level, anywhere))


def signed_in(*, before_all: bool = False) -> Any:
    """Everybody who is known, API tokens too.

    ``before_all``: also who has to do something else first, such as change the password.
    """
    return Depends(Need("signed in", before_all=before_all))


def people(*, before_all: bool = False) -> Any:
    """Everybody who signed in, API tokens not; ``before_all`` as with :func:`signed_in`."""
    return Depends(Need("people", before_all=before_all))


def open_to_all() -> Any:
    """Nobody is asked who he is; the operation sees to itself."""
    return Depends(Need("open"))


def need_of(route: APIRoute) -> Need:
    """What an operation asks of its caller.

    Raises:
        ValueError: it does not say.
    """
    found = _needs(route.dependant)
    if len(found) != 1:
        raise ValueError(f"{route.path}: has to say once who may do it, says it {len(found)} times")
    return found[0]


def _needs(dependant: Dependant) -> list[Need]:
    found = [dependant.call] if isinstance(dependant.call, Need) else []
    for below in dependant.dependencies:
        found.extend(_needs(below))
    return found


async def caller_of(control: ControlContext, request: Request) -> Caller | None:
    """Who asks; none when the request does not say.

    Raises:
        UnknownCallerError: what it says is no longer, or never was, good.
    """
    header = request.headers.get("authorization")
    if header is None:
        return None
    kind, _, token = header[:HEADER_BYTES_MAX].partition(" ")
    if kind.lower() != "bearer":
        raise UnknownCallerError(texts.NO_HEADER, code="AUTHORIZATION_HEADER_ERROR")
    token = token.strip()
    known = control.tokens if token.startswith(PREFIX) else control.sessions
    return await known.caller_of(token, address_of(request))


async def may_still(
    control: ControlContext, need: Need, access: Access, request: Request
) -> Access | None:
    """What the caller of an answer that lasts may by now; the same errors as at its beginning."""
    caller: Caller | None
    if access.caller.via == "session":
        # By the session: its access token may have been replaced meanwhile.
        caller = await control.sessions.still(access.caller)
    else:
        caller = await caller_of(control, request)
    return await check(control, need, caller, request.scope["path_params"])


async def check(
    control: ControlContext, need: Need, caller: Caller | None, path_params: dict[str, str]
) -> Access | None:
    """What the caller may.

    Raises:
        UnknownCallerError: nobody said who asks.
        MissingError: the place is not there, for this caller.
        DeniedError: it is, and that may not be done there; or something else has to be done first.
    """
    if need.kind == "open":
        return None if caller is None else Access(caller=caller)
    if caller is None:
        raise UnknownCallerError(texts.NO_HEADER, code="AUTHORIZATION_HEADER_ERROR")
    if caller.must and not need.before_all:
        if caller.must == "changePassword":
            raise DeniedError(texts.CHANGE_PASSWORD, code="PASSWORD_CHANGE_REQUIRED")
        raise DeniedError(texts.FACTOR_IS_NEEDED, code="SECOND_FACTOR_SETUP_REQUIRED")
    if need.kind == "people" and caller.via == "token":
        raise DeniedError(texts.PEOPLE_ONLY)
    if need.resource is None:
        return Access(caller=caller)
    org_id, project_id = path_params.get("org"), path_params.get("project")
    if org_id is None:
        return _in_system(need, caller)
    return await _in_place(control, need, caller, org_id, project_id)


def _in_system(need: Need, caller: Caller) -> Access:
    assert need.resource is not None
    grants = caller.grants
    if need.anywhere:
        is_allowed = grants.allows_anywhere(need.resource, need.level)
    else:
        is_allowed = grants.allows(grants.in_system(), need.resource, need.level)
    if not is_allowed:
        raise DeniedError(NOT_ALLOWED)
    return Access(caller=caller)


async def _in_place(
    control: ControlContext, need: Need, caller: Caller, org_id: str, project_id: str | None
) -> Access:
    assert need.resource is not None
    grants = caller.grants
    standing: Standing | None
    if project_id is None:
        standing = grants.in_org(org_id)
    else:
        standing = grants.in_project(org_id, project_id)
    if standing is None:
        raise MissingError(NOT_FOUND)
    async with control.database.read() as session:
        org = await store.organization(session, org_id)
        project = None
        if project_id is not None:
            project = await store.project(session, org_id, project_id)
    if org is None or (project_id is not None and project is None):
        raise MissingError(NOT_FOUND)
    if not grants.allows(standing, need.resource, need.level):
        raise DeniedError(NOT_ALLOWED)
    return Access(
        caller=caller,
        org_id=org.id,
        org_name=org.name,
        project_id=None if project is None else project.id,
        project_name="" if project is None else project.name,
    )
