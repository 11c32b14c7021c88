"""What each operation changes, for the audit log: every one that changes something stands here once.

An operation is told of in one of three ways. Of most the services say themselves how a thing was and
how it is (:data:`TOLD`). Of others the list or the thing is read before and after, as its own ``GET``
answers it (:data:`LOOKS`). And of a few nothing can be said; why stands in :data:`UNDESCRIBED`. What
only looks and is asked by a page on its own leaves no entry (:data:`UNRECORDED`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from rookery.broker.rest.roles import OperationKey


class Look(NamedTuple):
    """What is read before and after.

    Attributes:
        path: Of the ``GET``, with the parameters of the operation itself.
        query: Its query; ``{name}`` stands for a parameter.
        members: Those of the answer that are kept, without any: all.
        without: Those that are left out.
    """

    path: str
    query: str = ""
    members: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def kept(self, answer: Any) -> Any:
        """What of an answer goes into the audit log."""
        if not isinstance(answer, dict) or not (self.members or self.without):
            return answer
        return {
            name: value
            for name, value in answer.items()
            if name not in self.without and (not self.members or name in self.members)
        }


_RULES = "/authorization/sources/built_in_database/rules"
_STATE = ("enable", "status", "status_reason")
_CONNECTED = ("clientid", "username", "ip_address", "connected", "connected_at", "created_at")

LOOKS: Mapping[OperationKey, tuple[Look, ...]] = {
    ("DELETE", "/alarms"): (Look("/alarms", "activated=false"),),
    ("POST", "/alarms/force_deactivate"): (Look("/alarms"),),
    ("DELETE", "/authentication/{id}/users/{user_id}"): (
        Look("/authentication/{id}/users/{user_id}"),
    ),
    ("POST", "/authorization/reload"): (Look("/authorization/sources"),),
    ("DELETE", _RULES): (Look(_RULES + "/all"), Look(_RULES + "/clients"), Look(_RULES + "/users")),
    ("DELETE", "/banned"): (Look("/banned"),),
    ("POST", "/certificates/reload"): (Look("/certificates"),),
    ("DELETE", "/clients/{clientid}"): (Look("/clients/{clientid}", members=_CONNECTED),),
    ("DELETE", "/clients/{clientid}/authorization/cache"): (
        Look("/clients/{clientid}/authorization/cache"),
    ),
    ("PUT", "/clients/{clientid}/keepalive"): (
        Look("/clients/{clientid}", members=("clientid", "keepalive")),
    ),
    ("POST", "/cluster/join"): (Look("/cluster"),),
    **{
        ("POST", f"/load_rebalance/{{node}}/{what}"): (Look("/load_rebalance/global_status"),)
        for what in ("start", "stop", "evacuation/start", "evacuation/stop")
    },
    ("POST", "/cluster/leave"): (Look("/cluster"),),
    ("DELETE", "/cluster/{node}/force_leave"): (Look("/cluster"),),
    ("PUT", "/cluster/{node}/invite"): (Look("/cluster"),),
    ("PUT", "/cluster/{node}/invite_async"): (Look("/cluster/invitation"),),
    **{
        ("POST", f"/listeners/{{id}}/{verb}"): (Look("/listeners/{id}"),)
        for verb in ("start", "stop", "restart")
    },
    **{
        ("PUT", f"{path}/metrics/reset"): (Look(f"{path}/metrics"),)
        for path in ("/cluster/links/{name}", "/cluster/links/link/{name}")
    },
    ("PUT", "/log/levels/{module}"): (Look("/log/levels"),),
    ("DELETE", "/log/levels/{module}"): (Look("/log/levels"),),
    ("DELETE", "/mqtt/delayed/messages/{node}/{msgid}"): (
        Look("/mqtt/delayed/messages/{node}/{msgid}", without=("payload",)),
    ),
    ("DELETE", "/mqtt/delayed/messages/{topic}"): (
        Look("/mqtt/delayed/messages", "like_topic={topic}"),
    ),
    ("DELETE", "/mqtt/retainer/message/{topic}"): (
        Look("/mqtt/retainer/messages", "topic={topic}"),
    ),
    ("DELETE", "/mqtt/retainer/messages"): (Look("/mqtt/retainer/messages"),),
    ("POST", "/mqtt/topic_metrics"): (Look("/mqtt/topic_metrics"),),
    ("PUT", "/mqtt/topic_metrics"): (Look("/mqtt/topic_metrics"),),
    ("DELETE", "/mqtt/topic_metrics/{topic}"): (Look("/mqtt/topic_metrics/{topic}"),),
    ("POST", "/plugins/allowed"): (Look("/plugins/allowed"),),
    ("DELETE", "/plugins/allowed/{name}"): (Look("/plugins/allowed"),),
    ("PUT", "/rules/{id}/metrics/reset"): (Look("/rules/{id}/metrics"),),
    ("DELETE", "/slow_subscriptions"): (Look("/slow_subscriptions"),),
    ("POST", "/trace"): (Look("/trace"),),
    ("DELETE", "/trace"): (Look("/trace"),),
    ("DELETE", "/trace/{name}"): (Look("/trace"),),
    ("PUT", "/trace/{name}/stop"): (Look("/trace"),),
    **{
        ("PUT", f"/{kind}/{{id}}/metrics/reset"): (Look(f"/{kind}/{{id}}/metrics"),)
        for kind in ("actions", "sources")
    },
    **{
        ("PUT", f"/{kind}/{{id}}/enable/{{enable}}"): (Look(f"/{kind}/{{id}}", members=_STATE),)
        for kind in ("actions", "connectors", "sources")
    },
    **{
        ("POST", f"{place}/{kind}/{{id}}/{{operation}}"): (Look(f"/{kind}/{{id}}", members=_STATE),)
        for kind in ("actions", "connectors", "sources")
        for place in ("", "/nodes/{node}")
    },
}

_CHANGED_BY_CONFIGURATION = (
    "/configs", "/configs/alarm", "/configs/dashboard", "/configs/global_zone", "/configs/log",
    "/configs/sys_topics", "/configs/sysmon", "/authorization/settings", "/license/setting",
    "/mqtt/auto_subscribe", "/mqtt/delayed", "/mqtt/retainer", "/mqtt/topic_rewrite",
    "/opentelemetry", "/prometheus", "/rule_engine", "/slow_subscriptions/settings",
    "/authentication/order", "/authorization/sources/order", "/authentication/{id}/position/{position}",
    "/plugins/{name}/config", "/plugins/{name}/run", "/plugins/{name}/{action}",
    "/rules/{id}/enable/{enable}",
)  # fmt: skip
_MADE_CHANGED_AND_DELETED = (
    ("/actions", "{id}"), ("/api_key", "{name}"), ("/authentication", "{id}"),
    ("/authorization/sources", "{type}"), ("/cluster/links", "{name}"), ("/connectors", "{id}"),
    ("/listeners", "{id}"),
    ("/rules", "{id}"), ("/sources", "{id}"), ("/users", "{username}"),
    (_RULES + "/clients", "{clientid}"), (_RULES + "/users", "{username}"),
)  # fmt: skip

TOLD: frozenset[OperationKey] = frozenset(
    {
        *(("PUT", path) for path in _CHANGED_BY_CONFIGURATION),
        *(("POST", path) for path, _ in _MADE_CHANGED_AND_DELETED),
        *(("PUT", f"{path}/{one}") for path, one in _MADE_CHANGED_AND_DELETED),
        *(("DELETE", f"{path}/{one}") for path, one in _MADE_CHANGED_AND_DELETED),
        ("POST", _RULES + "/all"),
        ("DELETE", _RULES + "/all"),
        ("POST", "/authentication/{id}/import_users"),
        ("POST", "/authentication/{id}/users"),
        ("PUT", "/authentication/{id}/users/{user_id}"),
        ("POST", "/authorization/sources/{type}/move"),
        ("POST", "/banned"),
        ("POST", "/banned/lift"),
        ("DELETE", "/banned/{as}/{who}"),
        ("POST", "/clients/kickout/bulk"),
        *(
            ("POST", f"/clients/{{clientid}}/{verb}{bulk}")
            for verb in ("subscribe", "unsubscribe")
            for bulk in ("", "/bulk")
        ),
        ("PUT", "/cluster/links"),
        ("PUT", "/cluster/links/link/{name}"),
        ("DELETE", "/cluster/links/link/{name}"),
        ("POST", "/configs_reload"),
        ("POST", "/configs_reset/{rootname}"),
        ("POST", "/data/export"),
        ("POST", "/data/files"),
        ("DELETE", "/data/files/{filename}"),
        ("POST", "/data/import"),
        ("POST", "/plugins/install"),
        ("DELETE", "/plugins/{name}"),
        ("POST", "/plugins/{name}/move"),
        ("POST", "/users/{username}/change_pwd"),
    }
)

_TRIES = "it tries what is sent and keeps nothing"
_LOOKS_ON = "it looks on and changes nothing"
_PUBLISHES = (
    "a message passes through and leaves nothing behind here; what was sent is in the entry"
)
_ENTERS = "a session begins or ends, nothing that is set up changes; a token must not be kept"

UNDESCRIBED: Mapping[OperationKey, str] = {
    ("POST", "/actions_probe"): _TRIES,
    ("POST", "/cluster/links_probe"): _TRIES,
    ("POST", "/connectors_probe"): _TRIES,
    ("POST", "/sources_probe"): _TRIES,
    ("POST", "/rule_test"): _TRIES,
    ("POST", "/rules/{id}/test"): _TRIES,
    ("POST", "/authorization/explain"): _LOOKS_ON,
    ("DELETE", "/authorization/cache"): "answers of every client are forgotten and asked for anew; "
    "what is answered is set up elsewhere and stays",
    ("POST", "/publish"): _PUBLISHES,
    ("POST", "/publish/bulk"): _PUBLISHES,
    ("POST", "/login"): _ENTERS,
    ("POST", "/logout"): _ENTERS,
    ("POST", "/sso/code"): _ENTERS,
}

UNRECORDED: frozenset[OperationKey] = frozenset({("POST", "/rule_preview")})
"""Looking that an editor asks for with every pause in typing: entries of it would push out others."""
