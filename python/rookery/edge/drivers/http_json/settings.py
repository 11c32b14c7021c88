"""Settings of the HTTP JSON driver."""

from __future__ import annotations

from urllib.parse import urlsplit

from rookery.edge.schema import Field
from rookery.words import Words

_NO_URL = Words(
    "must be a URL such as http://192.168.1.20/status", "应为 URL，例如 http://192.168.1.20/status"
)
_SECRET_URL = Words(
    "must hold no user and no password: they have fields of their own",
    "不能包含用户名和密码，请填写对应的配置项",
)


def _url(text: str) -> Words | None:
    try:
        parts = urlsplit(text)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1)
    except ValueError:
        return _NO_URL
    if not is_good:
        return _NO_URL
    return _SECRET_URL if parts.username or parts.password else None


FIELDS = (
    Field(
        name="url",
        type="string",
        title=Words("URL", "URL"),
        about=Words(
            "What is asked every cycle, by GET; a tag's address may add a path to it",
            "每个周期以 GET 请求的地址，点位地址可附加路径",
        ),
        is_required=True,
        low=1,
        high=2048,
        check=_url,
    ),
    Field(
        name="timeout",
        type="int",
        title=Words("Timeout (ms)", "超时（毫秒）"),
        about=Words("How long the answer may take", "等待应答的最长时间"),
        default=3000,
        low=50,
        high=60_000,
    ),
    Field(
        name="username",
        type="string",
        title=Words("User name", "用户名"),
        about=Words("For basic authentication", "用于基本认证"),
        high=255,
    ),
    Field(
        name="password",
        type="secret",
        title=Words("Password", "密码"),
        about=Words("Password of the user", "该用户的密码"),
        high=1024,
    ),
    Field(
        name="token",
        type="secret",
        title=Words("Bearer token", "Bearer 令牌"),
        about=Words("Instead of user and password", "可代替用户名和密码"),
        high=4096,
    ),
)
