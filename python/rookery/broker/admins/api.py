"""``/login``, ``/logout`` and ``/users``: people who manage the node."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Query, Request
from pydantic import Field

from rookery.broker.admins.models import Admin
from rookery.broker.management.context import NodeContext
from rookery.errors import BadRequestError, NotAllowedError
from rookery.web.lists import ListQuery
from rookery.web.models import Model, Page, Row
from rookery.web.peer import address_of, is_direct
from rookery.web.rest import Caller, CurrentCaller, errors
from rookery.web.sorting import OrderQuery

UserSort = Literal["username", "role", "description"]

Backend = Annotated[
    Literal["local"] | None,
    Query(description="Where the user is kept; here there is one place."),
]


class Login(Model):
    """Name and password of a user, or a sign-in code."""

    username: str = Field(
        default="", max_length=100, description="Name of the user.", examples=["admin"]
    )
    password: str = Field(
        default="", max_length=100, description="The password.", examples=["pa55-word"]
    )
    sso_code: str = Field(
        default="",
        max_length=100,
        description="Instead of both: what `POST /sso/code` gave.",
        examples=[""],
    )


class License(Row):
    """What EMQX's clients look for."""

    edition: Literal["opensource", "enterprise"] = Field(description="Always `opensource`.")


class LoggedIn(Row):
    """A token, to be sent as ``Authorization: Bearer TOKEN``."""

    token: str = Field(description="The token.", examples=["mF_9.B5f-4.1JqM"])
    version: str = Field(description="Version of the node.", examples=["1.0.0"])
    license: License
    role: Literal["administrator", "viewer", "publisher"] = Field(
        description="What the user may do."
    )
    username: str = Field(description="Who signed in.", examples=["admin"])
    password_change_required: bool = Field(
        description="Whether everything else is refused until the password is changed."
    )


class Logout(Model):
    """Who signs out."""

    username: str = Field(
        default="",
        max_length=100,
        description="Name of the user; the token says it too.",
        examples=["admin"],
    )


class UserRow(Row):
    """A user."""

    username: str = Field(description="Name.", examples=["alice"])
    role: Literal["administrator", "viewer"] = Field(description="What the user may do.")
    description: str = Field(description="A remark.", examples=["operations"])
    backend: Literal["local"] = Field(description="Where the user is kept.")


class NewUser(Model):
    """A user to be made."""

    username: str = Field(min_length=1, max_length=100, description="Name.", examples=["alice"])
    password: str = Field(
        max_length=100,
        description="8 to 64 characters, at least two of letters, digits and others.",
        examples=["pa55-word"],
    )
    role: Literal["administrator", "viewer"] = Field(
        default="administrator", description="What the user may do."
    )
    description: str = Field(
        default="", max_length=500, description="A remark.", examples=["operations"]
    )


class UserChange(Model):
    """What becomes another; what is left out stays."""

    role: Literal["administrator", "viewer"] | None = Field(
        default=None, description="What the user may do.", examples=["viewer"]
    )
    description: str | None = Field(
        default=None, max_length=500, description="A remark.", examples=["operations"]
    )


class PasswordChange(Model):
    """The old password and the new one."""

    old_pwd: str = Field(
        default="",
        max_length=100,
        description="The password so far. Not needed on the node's own socket.",
        examples=["public"],
    )
    new_pwd: str = Field(
        max_length=100,
        description="8 to 64 characters, at least two of letters, digits and others.",
        examples=["pa55-word"],
    )


def router(node: NodeContext) -> APIRouter:
    api = APIRouter(tags=["Dashboard"])
    _add_login(api, node)
    _add_users(api, node)
    return api


def _add_login(api: APIRouter, node: NodeContext) -> None:
    admins = node.services.admins

    @api.post(
        "/login",
        summary="Sign in",
        responses=errors(
            "BAD_USERNAME_OR_PWD", "LOGIN_LOCKED", "BAD_SSO_CODE", "SERVICE_UNAVAILABLE"
        ),
    )
    async def login(body: Login, request: Request) -> LoggedIn:
        """A token for a user. It holds for an hour without being used, and ends with a change of the
        password.

        While nobody has chosen a password, `admin` and `public` work on the node's own machine, and
        only to change the password.
        """
        must_change = False
        if body.sso_code:
            token, username, role = admins.login_with_code(body.sso_code)
        else:
            username = body.username
            token, role, must_change = await admins.login(
                username, body.password, address_of(request), is_direct=is_direct(request)
            )
        return LoggedIn(
            token=token,
            version=node.version,
            license=License(edition="opensource"),
            role=role,
            username=username,
            password_change_required=must_change,
        )

    @api.post("/logout", status_code=204, summary="Sign out")
    async def logout(
        caller: CurrentCaller, body: Logout | None = None, backend: Backend = None
    ) -> None:
        """End the token that this request is made with."""
        if body is not None and body.username not in ("", caller.name):
            raise BadRequestError(f"the token belongs to {caller.name}")
        admins.tokens.revoke(caller.token)


def _add_users(api: APIRouter, node: NodeContext) -> None:
    admins = node.services.admins

    @api.get("/users", summary="List users", response_model=list[UserRow] | Page[UserRow])
    async def users(
        wanted: ListQuery,
        sort: Annotated[UserSort | None, Query(description="By which member.")] = None,
        order: OrderQuery = "asc",
    ) -> Any:
        """Everybody who may sign in. With `page` or `limit` the answer is a page, otherwise the whole
        list.
        """
        rows = [_row(admin).model_dump() for admin in admins.users()]
        return wanted.answer(rows, get_args(UserSort), sort, order)

    @api.post(
        "/users",
        summary="Create a user",
        responses=errors((400, "BAD_REQUEST"), (409, "ALREADY_EXISTS")),
    )
    async def create_user(body: NewUser) -> UserRow:
        """Make a user."""
        return _row(await admins.create(body.username, body.password, body.role, body.description))

    @api.put(
        "/users/{username}",
        summary="Change a user",
        responses=errors("USER_NOT_FOUND", "NOT_ALLOWED"),
    )
    async def update_user(username: str, body: UserChange, backend: Backend = None) -> UserRow:
        """Change role or description. Whoever is signed in has the new role at once."""
        return _row(await admins.update(username, body.role, body.description))

    @api.delete(
        "/users/{username}",
        status_code=204,
        summary="Delete a user",
        responses=errors("USER_NOT_FOUND", "NOT_ALLOWED"),
    )
    async def delete_user(username: str, caller: CurrentCaller, backend: Backend = None) -> None:
        """Remove a user, whose tokens end. Nobody can remove the own account or the last
        administrator.
        """
        if caller.via == "token" and caller.name == username:
            raise BadRequestError(
                "nobody can remove the own account",
                code="NOT_ALLOWED",
                message_zh="不能删除当前登录的账号",
            )
        await admins.delete(username)

    @api.post(
        "/users/{username}/change_pwd",
        status_code=204,
        summary="Change a password",
        responses=errors("USER_NOT_FOUND", "ERROR_PWD_NOT_MATCH", "LOGIN_LOCKED", "FORBIDDEN"),
    )
    async def change_password(username: str, body: PasswordChange, caller: CurrentCaller) -> None:
        """Give a user another password; whoever was signed in as that user is signed out.

        A viewer can change the own password alone. The old password is needed in any case, except on
        the node's own socket.
        """
        admins.user(username)
        if caller.via != "local":
            _refuse_others(caller, username)
            await admins.check_old_password(username, body.old_pwd, caller.address)
        await admins.set_password(username, body.new_pwd)


def _refuse_others(caller: Caller, username: str) -> None:
    is_own = caller.name == username and caller.via == "token"
    if not is_own and (caller.role != "administrator" or caller.must_change_password):
        raise NotAllowedError("only the own password can be changed")


def _row(admin: Admin) -> UserRow:
    return UserRow(
        username=admin.username, role=admin.role, description=admin.description, backend="local"
    )
