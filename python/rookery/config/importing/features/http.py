"""``auth.http.*``: an HTTP service that authenticates and authorizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rookery.config.importing import conversions as to
from rookery.config.importing.draft import Draft, Part
from rookery.config.importing.features.gathered import Gathered, Lines
from rookery.config.importing.model import Changed, Outcome, Setting, Words
from rookery.config.importing.tables import notes

PLUGIN = "emqx_auth_http"
ANSWERS = Words(
    'the service must answer 204, or 200 with JSON {"result": "allow" | "deny" | "ignore"}:'
    " the status alone no longer decides",
    '服务需返回 204，或返回 200 及 JSON {"result": "allow" | "deny" | "ignore"}，不再仅凭状态码判断',
)
SUPERUSER = Words(
    'there is no request of its own: the answer to authentication carries "is_superuser": true',
    '不再单独请求：认证应答中携带 "is_superuser": true',
)
NO_PUT = Words("PUT became POST", "PUT 改为 POST")
ACCESS = Words(
    "access is the word publish or subscribe, it was 2 or 1",
    "access 的值为 publish 或 subscribe，原为 2 或 1",
)
LEFT_OUT = Words(
    "left out, for it is not known when this is asked: ", "此请求中没有以下值，已略去："
)
SAME = Words("another line says the same", "另有一行设置了相同内容")
NO_SERVICE = Words("no address of a service is set", "未设置服务地址")
# Of what the old placeholders became, what is not known when who, or what, is asked about.
NOT_KNOWN = {
    "auth_req": ("${topic}", "${action}", "${host}"),
    "acl_req": ("${password}", "${sockport}", "${host}"),
}
CONTENT_TYPES = {
    "json": "application/json",
    "x-www-form-urlencoded": "application/x-www-form-urlencoded",
}


def http(gathered: Sequence[Gathered], draft: Draft) -> None:
    """One provider and one source."""
    lines = Lines(gathered, "auth.http.")
    if not lines:
        return
    for setting in lines.below("super_req").values():
        draft.leave(setting, Outcome.UNSUPPORTED, SUPERUSER)
    seen = lines.used
    lines.used = []
    common = _common(lines)
    shared = {name.lower(): item.value for name, item in lines.below("header.").items()}
    draft.merge(lines.used)
    seen += lines.used
    for request, kind in (("auth_req", draft.providers), ("acl_req", draft.sources)):
        lines.used = []
        value = _request(lines, request, shared)
        seen += lines.used
        if value is None:
            for setting in lines.used:
                draft.leave(setting, Outcome.UNSUPPORTED, NO_SERVICE)
            continue
        entries = [_entry(setting, draft, request) for setting in lines.used]
        head: dict[str, Any] = (
            {"mechanism": "password_based", "backend": "http"}
            if request == "auth_req"
            else {"type": "http"}
        )
        kind.append(Part(PLUGIN, {**head, **value, **common}, entries))
    lines.used = seen
    for setting in lines.rest():
        draft.leave(setting, Outcome.NOT_NEEDED, SAME)


def _members(params: str, request: str) -> tuple[dict[str, str], list[str]]:
    """What is sent, and which members of it cannot be."""
    body: dict[str, str] = {}
    left_out = []
    for pair in params.split(","):
        name, _, template = pair.strip().partition("=")
        value = to.placeholders(template)
        if any(word in value for word in NOT_KNOWN[request]):
            left_out.append(name)
        elif name:
            body[name] = value
    return body, left_out


def _entry(setting: Setting, draft: Draft, request: str) -> Any:
    note = None
    if setting.key.endswith((".url", "_req")):
        note = ANSWERS
    elif setting.key.endswith(".method") and setting.value.lower() == "put":
        note = NO_PUT
    elif setting.key.endswith(".params"):
        note = ACCESS if "%A" in setting.value else notes.TEMPLATES
    entry = draft.merge([setting], note)[0]
    entry.value = to.placeholders(setting.value)
    if setting.key.endswith(".params"):
        _, left_out = _members(setting.value, request)
        if left_out:
            names = ", ".join(left_out)
            entry.notes.append(Words(LEFT_OUT.en + names, LEFT_OUT.zh + names))
    return entry


def _request(lines: Lines, name: str, shared: dict[str, str]) -> dict[str, Any] | None:
    url = lines.text(f"{name}.url", name)
    method = lines.text(f"{name}.method").lower() or "post"
    own = lines.below(f"{name}.headers.")
    headers = {**shared, **{key.lower(): item.value for key, item in own.items()}}
    content = lines.text(f"{name}.content_type")
    body, _ = _members(lines.text(f"{name}.params"), name)
    if not url:
        return None
    if content:
        headers["content-type"] = CONTENT_TYPES.get(content, content)
    method = "post" if method == "put" else method
    if method == "get":
        # A request without a body has no type of one.
        headers.pop("content-type", None)
    else:
        # EMQX 3 sent forms and nothing else, EMQX 4 where nothing was said.
        headers.setdefault("content-type", CONTENT_TYPES["x-www-form-urlencoded"])
    value: dict[str, Any] = {"method": method, "url": url, "body": body}
    if headers:
        value["headers"] = headers
    return value


def _common(lines: Lines) -> dict[str, Any]:
    value: dict[str, Any] = {}
    if (timeout := lines.get("timeout", "request.timeout")) is not None:
        value["request_timeout"] = to.duration(timeout)
    connect = lines.get("connect_timeout", "request.connect_timeout", "request.connect_timout")
    if connect is not None:
        value["connect_timeout"] = to.duration(connect)
    if (pool := lines.get("pool_size")) is not None:
        value["pool_size"] = to.whole(pool)
    tls = tls_options(lines, "ssl.")
    if tls:
        value["ssl"] = tls
    return value


def tls_options(lines: Lines, prefix: str) -> dict[str, Any]:
    """``ssl.*`` of a service that is asked."""
    tls: dict[str, Any] = {}
    for key in ("cacertfile", "certfile", "keyfile"):
        if (setting := lines.get(f"{prefix}{key}")) is not None and setting.value:
            path = to.file_path(setting)
            tls[key] = path.value if isinstance(path, Changed) else path
    if (setting := lines.get(f"{prefix}verify")) is not None:
        tls["verify"] = to.verify(setting)
    if (setting := lines.get(f"{prefix}server_name_indication")) is not None:
        tls["server_name_indication"] = setting.value
    if tls:
        tls = {"enable": True, **tls}
    return tls
