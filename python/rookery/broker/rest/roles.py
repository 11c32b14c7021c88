"""Who may do what, in one place and as data.

The rule: an administrator may do everything, a viewer may look, a publisher may publish. API keys
never touch accounts. Whatever differs from that is named here, by method and path of an operation.
"""

from __future__ import annotations

from typing import TypeAlias

from rookery.errors import NotAllowedError, RookeryError, UnauthorizedError
from rookery.web.caller import Caller

OperationKey: TypeAlias = tuple[str, str]

OPEN: frozenset[OperationKey] = frozenset(
    {
        ("GET", "/status"),
        ("POST", "/login"),
        ("GET", "/load_rebalance/availability_check"),
        ("GET", "/prometheus/auth"),
        ("GET", "/prometheus/data_integration"),
        ("GET", "/prometheus/stats"),
    }
)
"""Needs no credentials. An operation that decides itself (``/prometheus/stats``) stands here too and
asks for ``maybe_caller``."""

OWN: frozenset[OperationKey] = frozenset(
    {("POST", "/users/{username}/change_pwd"), ("POST", "/logout")}
)
"""What every user may do about the own account; the operation checks whose account it is."""

PUBLISHER: frozenset[OperationKey] = frozenset({("POST", "/publish"), ("POST", "/publish/bulk")})
"""What a publisher may do."""

LOOKING: frozenset[OperationKey] = frozenset(
    {
        ("POST", "/authorization/explain"),
        ("POST", "/rule_preview"),
        ("POST", "/rule_test"),
        ("POST", "/rules/{id}/test"),
    }
)
"""Looking that takes a body: nothing changes by it, viewers may."""

NOT_FOR_VIEWERS: frozenset[OperationKey] = frozenset(
    {("GET", "/data/files/{filename}"), ("GET", "/authentication/{id}/export_users")}
)
"""Looking that shows secrets: an export holds every password hash."""

NOT_FOR_KEYS = ("/users", "/api_key", "/logout")
"""Accounts: paths that begin so are for users alone. Who signed in by the code of an API key has no
more rights than the key and may sign out beside that."""

FOR_KEYS: frozenset[OperationKey] = frozenset({("POST", "/sso/code")})
"""What a key of a viewer may do as well; the operation refuses users."""


def is_open(key: OperationKey) -> bool:
    """Whether nobody has to say who he is."""
    return key in OPEN


def is_for_users(path: str) -> bool:
    """Whether API keys are refused."""
    return any(path == prefix or path.startswith(prefix + "/") for prefix in NOT_FOR_KEYS)


def known(caller: Caller | None) -> Caller:
    """There has to be one.

    Raises:
        UnauthorizedError: nobody said who asks.
    """
    if caller is None:
        raise UnauthorizedError(
            "say who asks: Authorization: Bearer TOKEN from POST /api/v5/login, "
            "or Basic with an API key and its secret",
            code="AUTHORIZATION_HEADER_ERROR",
            message_zh="缺少身份凭据：请使用 Authorization: Bearer 令牌（由 POST /api/v5/login 获取），"
            "或以 API 密钥及其密文进行 Basic 认证",
        )
    return caller


def check(caller: Caller, key: OperationKey) -> None:
    """Let it be or refuse it.

    Raises:
        NotAllowedError: the role does not allow it, or the password has to be changed first.
        UnauthorizedError: an API key may not do that.
    """
    if (problem := _problem(caller, key)) is not None:
        raise problem


def _problem(caller: Caller, key: OperationKey) -> RookeryError | None:
    method, path = key
    is_key = caller.via == "api_key" or (caller.via == "sso" and path != "/logout")
    if is_key and is_for_users(path):
        return UnauthorizedError(
            "an API key may not do this, nor who signed in by its code; sign in as a user",
            code="API_KEY_NOT_ALLOW",
            message_zh="API 密钥以及通过其登录码登录的会话不能执行此操作，请以用户身份登录",
        )
    if caller.must_change_password and key not in OWN:
        return NotAllowedError(
            "change the password first: POST /api/v5/users/"
            f"{caller.name}/change_pwd, or `rookery ctl admins passwd {caller.name}`",
            code="PASSWORD_CHANGE_REQUIRED",
            message_zh=f"请先修改密码：POST /api/v5/users/{caller.name}/change_pwd，"
            f"或执行 `rookery ctl admins passwd {caller.name}`",
        )
    if caller.role == "administrator":
        return None
    if caller.role == "viewer":
        is_looking = (method == "GET" and key not in NOT_FOR_VIEWERS) or key in LOOKING
        allowed = key in OWN | FOR_KEYS or is_looking
    else:
        allowed = key in PUBLISHER
    if allowed:
        return None
    return NotAllowedError(
        f"{caller.role}s may not do this",
        code="UNAUTHORIZED_ROLE",
        message_zh=f"角色 {caller.role} 无权执行此操作",
    )
