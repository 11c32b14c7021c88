"""What is asked, by noun. Each function leaves the node so that the next finds what it needs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from harness.emqx_answers import Asker
from harness.plugins import archive_of, multipart
from harness.rest_node import ADMIN, RestNode
from harness.wire import Properties
from rookery.client.management import Content

Noun = Callable[[Asker], None]
Settings = dict[str, Any]
TOLD = [{"function": "console"}, {"function": "republish", "args": {"topic": "told"}}]
RULES = [{"action": "publish", "permission": "allow", "topic": "plant/#"}]
BUILT_IN = {"mechanism": "password_based", "backend": "built_in_database"}
PLUGIN = """
    from rookery.plugins import Plugin

    class Probe(Plugin):
        pass
"""
SCHEMA = '{"type": "object", "properties": {"limit": {"type": "integer", "default": 1}}}'


CONNECTORS: list[Settings] = [
    {"type": "http", "url": "http://127.0.0.1:1", "headers": {"x-key": "a secret"}},
    {"type": "pgsql", "server": "127.0.0.1:1", "database": "d", "username": "u", "password": "p"},
    {"type": "redis", "parameters": {"redis_type": "single", "server": "127.0.0.1:1"}},
    {"type": "kafka_producer", "bootstrap_hosts": "127.0.0.1:1"},
    {
        "type": "elasticsearch",
        "server": "127.0.0.1:1",
        "authentication": {"username": "u", "password": "p"},
    },
]
SQL = 'SELECT payload.temp AS temp FROM "line/+" WHERE payload.temp > 80'
HOT = {"event_type": "message_publish", "topic": "line/3", "payload": '{"temp": 91}'}


@contextlib.contextmanager
def prepared(running: RestNode) -> Iterator[None]:
    """Clients that are connected and one that is away, with messages on their way and waiting."""
    broker = running.node
    one: Properties = {"receive_maximum": 1, "session_expiry_interval": 3600}
    with contextlib.ExitStack() as held:
        sensor = held.enter_context(broker.connect("sensor-1", level=5, properties=one))
        sensor.subscribe("plant/1/state", qos=1)
        sensor.subscribe("$share/group/plant/#", qos=1)
        held.enter_context(broker.connect("sensor-2", level=4)).subscribe("plant/+/+")
        away = broker.connect("away", level=5, properties={"session_expiry_interval": 3600})
        away.subscribe("plant/#", qos=2)
        away.disconnect()
        for number in range(4):
            sensor.publish("plant/1/state", f"{number}".encode(), qos=1, retain=True)
        yield


def rules(ask: Asker) -> None:
    bridge: Settings = {"server": f"127.0.0.1:{ask.names['port']}", "pool_size": 1}
    ask("POST /connectors_probe", {"type": "mqtt", "name": "self", **bridge})
    ask("POST /connectors", {"type": "mqtt", "name": "self", **bridge})
    for settings in CONNECTORS:
        ask("POST /connectors", {"name": "away", "enable": False, **settings})
    action: Settings = {
        "connector": "self",
        "parameters": {"topic": "hot", "qos": 1, "payload": "${.}"},
    }
    source: Settings = {"connector": "self", "parameters": {"topic": "in/#", "qos": 1}}
    for noun, settings in (("actions", action), ("sources", source)):
        ask(f"POST /{noun}_probe", {"type": "mqtt", "name": "one", **settings})
        ask(f"POST /{noun}", {"type": "mqtt", "name": "one", **settings})
    ask("POST /rules", {"id": "hot", "name": "hot", "sql": SQL, "actions": ["mqtt:one"]})
    ask("GET /rules")
    ask("GET /rules/{id}")
    ask("PUT /rules/{id}", {"name": "hot", "sql": SQL, "actions": ["mqtt:one", *TOLD]})
    ask("POST /publish", {"topic": "line/3", "payload": '{"temp": 91}'})
    ask("GET /rules/{id}/metrics")
    ask("PUT /rules/{id}/metrics/reset")
    ask("POST /rules/{id}/test", {"context": HOT})
    ask("POST /rule_test", {"sql": SQL, "context": HOT})
    ask("GET /rule_events")
    ask("PUT /rule_engine", ask("GET /rule_engine"))
    for noun, settings in (("connectors", bridge), ("actions", action), ("sources", source)):
        _with_status(ask, noun, settings)
    ask("DELETE /rules/{id}")
    for noun in ("actions", "sources"):
        ask(f"DELETE /{noun}/{{id}}", id="mqtt:one")
    ask("DELETE /connectors/{id}", id="mqtt:self")


def _with_status(ask: Asker, noun: str, settings: Settings) -> None:
    one = {"id": "mqtt:self" if noun == "connectors" else "mqtt:one"}
    ask(f"GET /{noun}")
    ask(f"GET /{noun}/{{id}}", **one)
    ask(f"PUT /{noun}/{{id}}", settings, **one)
    for enable in ("false", "true"):
        ask(f"PUT /{noun}/{{id}}/enable/{{enable}}", enable=enable, **one)
    ask(f"POST /{noun}/{{id}}/{{operation}}", operation="start", **one)
    ask(f"POST /nodes/{{node}}/{noun}/{{id}}/{{operation}}", operation="start", **one)
    if noun != "connectors":
        ask(f"GET /{noun}/{{id}}/metrics", **one)
        ask(f"PUT /{noun}/{{id}}/metrics/reset", **one)
        ask(f"GET /{noun.removesuffix('s')}_types")


def node(ask: Asker) -> None:
    for path in (
        "/status", "/nodes", "/nodes/{node}", "/nodes/{node}/stats", "/nodes/{node}/metrics",
        "/cluster", "/cluster/topology", "/cluster/invitation", "/stats", "/metrics", "/monitor", "/monitor/nodes/{node}",
        "/monitor_current", "/monitor_current/nodes/{node}", "/error_codes", "/error_codes/{code}",
        "/load_rebalance/availability_check", "/load_rebalance/status",
        "/load_rebalance/global_status", "/prometheus/auth", "/prometheus/data_integration", "/prometheus/stats", "/license",
        "/license/setting", "/audit", "/alarms",
    ):  # fmt: skip
        ask(f"GET {path}")
    ask("GET /stats", None, {"aggregate": "true"})
    ask("GET /metrics", None, {"aggregate": "true"})
    ask("PUT /license/setting", ask("GET /license/setting"))
    ask("DELETE /alarms")


def links(ask: Asker) -> None:
    link: Settings = {"server": "127.0.0.1:1", "topics": ["north/#"], "pool_size": 1}
    one = "/cluster/links/link/{name}"
    ask("POST /cluster/links", {"name": "north", **link})
    ask("GET /cluster/links")
    for path in (one, f"{one}/metrics"):
        ask(f"GET {path}", name="north")
    ask(f"PUT {one}/metrics/reset", name="north")
    ask(f"PUT {one}", link, name="north")
    ask(f"DELETE {one}", name="north")


def evacuation(ask: Asker) -> None:
    ask("POST /load_rebalance/{node}/evacuation/start", {"wait_health_check": 3600})
    ask("GET /load_rebalance/status")
    ask("GET /load_rebalance/global_status")
    ask("GET /node_eviction/status")
    ask("POST /load_rebalance/{node}/evacuation/stop")


def clients(ask: Asker) -> None:
    one = "/clients/{clientid}"
    for path in (
        "/clients", one, f"{one}/authorization/cache", f"{one}/inflight_messages",
        f"{one}/mqueue_messages", f"{one}/subscriptions", "/subscriptions", "/topics",
        "/topics/{topic}",
    ):  # fmt: skip
        ask(f"GET {path}")
    ask(f"DELETE {one}/authorization/cache")
    wanted = {"topic": "wanted/#", "qos": 1}
    ask(f"POST {one}/subscribe", wanted)
    ask(f"POST {one}/subscribe/bulk", [wanted])
    ask("POST /publish", {"topic": "plant/1/state", "payload": "1"})
    ask("POST /publish", {"topic": "nobody", "payload": "1"})
    ask("POST /publish/bulk", [{"topic": "plant/1/state", "payload": "1"}])
    ask(f"POST {one}/unsubscribe", {"topic": "wanted/#"})
    ask(f"POST {one}/unsubscribe/bulk", [{"topic": "wanted/#"}])


def messages(ask: Asker) -> None:
    for root in ("auto_subscribe", "delayed", "retainer", "topic_rewrite"):
        ask(f"PUT /mqtt/{root}", ask(f"GET /mqtt/{root}"))
    ask("PUT /mqtt/auto_subscribe", [{"topic": "c/${clientid}", "qos": 0}])
    rule = {"action": "publish", "source_topic": "x/#", "dest_topic": "z/$1", "re": "^x/(.+)$"}
    ask("PUT /mqtt/topic_rewrite", [rule])
    ask("GET /mqtt/topic_rewrite")
    ask("GET /mqtt/retainer/messages")
    ask("GET /mqtt/retainer/message/{topic}")
    ask("DELETE /mqtt/retainer/message/{topic}")
    ask("DELETE /mqtt/retainer/messages")
    for number in (1, 2):
        ask("POST /publish", {"topic": f"$delayed/3600/later/{number}", "payload": "x"})
    first = ask("GET /mqtt/delayed/messages")["data"][0]
    ask("GET /mqtt/delayed/messages/{node}/{msgid}", msgid=first["msgid"])
    ask("DELETE /mqtt/delayed/messages/{node}/{msgid}", msgid=first["msgid"])
    left = ask("GET /mqtt/delayed/messages")["data"][0]
    ask("DELETE /mqtt/delayed/messages/{topic}", topic=left["topic"])
    ask("POST /mqtt/topic_metrics", {"topic": "plant/1/state"})
    ask("GET /mqtt/topic_metrics")
    ask("GET /mqtt/topic_metrics/{topic}")
    ask("PUT /mqtt/topic_metrics", {"action": "reset", "topic": "plant/1/state"})
    ask("DELETE /mqtt/topic_metrics/{topic}")


def accounts(ask: Asker) -> None:
    secret = "a-password-2"
    ask("POST /login", {"username": ADMIN, "password": "a-password-1"})
    user = {"username": "ann", "password": secret, "role": "administrator", "description": ""}
    ask("POST /users", user)
    ask("GET /users")
    ask("PUT /users/{username}", {"role": "administrator", "description": "x"}, username="ann")
    # Her own token: who changes a password signs out whoever used the old one.
    token = ask.rest.login("ann", secret).authorization
    changed = {"old_pwd": secret, "new_pwd": "a-password-3"}
    mine, ask.rest.authorization = ask.rest.authorization, token
    ask("POST /users/{username}/change_pwd", changed, username="ann")
    ask.rest.authorization = ask.rest.login("ann", "a-password-3").authorization
    ask("POST /logout", {"username": "ann"})
    ask.rest.authorization = mine
    ask("DELETE /users/{username}", username="ann")
    ask("POST /api_key", {"name": "probe", "enable": True, "desc": "", "expired_at": "infinity"})
    ask("GET /api_key")
    ask("GET /api_key/{name}", name="probe")
    ask("PUT /api_key/{name}", {"enable": False, "desc": "off"}, name="probe")
    ask("DELETE /api_key/{name}", name="probe")


def authentication(ask: Asker) -> None:
    ask("POST /authentication", BUILT_IN)
    one = "/authentication/{id}"
    ask("GET /authentication")
    ask(f"GET {one}")
    ask(f"PUT {one}", BUILT_IN)
    ask("PUT /authentication/order", [{"id": "password_based:built_in_database"}])
    ask(f"PUT {one}/position/{{position}}", position="front")
    ask(f"GET {one}/status")
    ask(f"POST {one}/users", {"user_id": "ann", "password": "a long secret"})
    users = b"user_id,password,is_superuser\nbob,another secret,false\n"
    ask(f"POST {one}/import_users", Content(users, "text/csv"), {"type": "plain"})
    ask(f"GET {one}/users")
    ask(f"GET {one}/users/{{user_id}}", user_id="ann")
    ask(f"PUT {one}/users/{{user_id}}", {"password": "a longer secret"}, user_id="ann")
    ask(f"DELETE {one}/users/{{user_id}}", user_id="ann")
    ask(f"DELETE {one}")


def authorization(ask: Asker) -> None:
    ask("PUT /authorization/settings", {"no_match": "allow", "deny_action": "ignore"})
    ask("GET /authorization/settings")
    ask("DELETE /authorization/cache")
    source = {"type": "built_in_database", "enable": True}
    ask("POST /authorization/sources", source)
    kind = {"type": "built_in_database"}
    ask("GET /authorization/sources")
    ask("PUT /authorization/sources/{type}", source, **kind)
    ask("GET /authorization/sources/{type}", **kind)
    ask("GET /authorization/sources/{type}/status", **kind)
    ask("POST /authorization/sources/{type}/move", {"position": "front"}, **kind)
    names = [{"type": row["type"]} for row in ask("GET /authorization/sources")["sources"]]
    ask("PUT /authorization/sources/order", names)
    rules = "/authorization/sources/built_in_database/rules"
    ask(f"POST {rules}/all", {"rules": RULES})
    ask(f"GET {rules}/all")
    ask(f"DELETE {rules}/all")
    for noun, member in (("clients", "clientid"), ("users", "username")):
        who = {member: "ann"}
        ask(f"POST {rules}/{noun}", [{**who, "rules": RULES}])
        ask(f"GET {rules}/{noun}")
        ask(f"GET {rules}/{noun}/{{{member}}}", **who)
        ask(f"PUT {rules}/{noun}/{{{member}}}", {**who, "rules": RULES}, **who)
        ask(f"DELETE {rules}/{noun}/{{{member}}}", **who)
    ask("PUT /authorization/sources/{type}", {**source, "enable": False}, **kind)
    ask(f"DELETE {rules}")
    ask("DELETE /authorization/sources/{type}", **kind)


def bans(ask: Asker) -> None:
    ask("POST /banned", {"as": "clientid", "who": "somebody"})
    ask("GET /banned")
    ask("DELETE /banned/{as}/{who}", **{"as": "clientid", "who": "somebody"})
    ask("DELETE /banned")


def listeners(ask: Asker) -> None:
    extra = {"type": "tcp", "name": "extra", "bind": "127.0.0.1:0"}
    ask("POST /listeners", extra)
    ask("GET /listeners")
    ask("GET /listeners_status")
    ask("GET /listeners/{id}")
    ask("PUT /listeners/{id}", {"type": "tcp", "bind": "127.0.0.1:0", "max_connections": 100})
    for verb in ("stop", "start", "restart"):
        ask(f"POST /listeners/{{id}}/{verb}")
    ask("DELETE /listeners/{id}")


def configuration(ask: Asker) -> None:
    ask("GET /configs")
    ask("PUT /configs", Content(b"mqtt.max_inflight = 64\n", "text/plain"))
    for root in ("alarm", "dashboard", "global_zone", "log", "sys_topics", "sysmon"):
        ask(f"GET /configs/{root}")
    ask("PUT /configs/alarm", {"size_limit": 500})
    ask("PUT /configs/dashboard", {"swagger_support": True})
    ask("PUT /configs/global_zone", {"mqtt": {"max_inflight": 32}})
    ask("PUT /configs/log", {"throttling": {"time_window": "1m"}})
    ask("PUT /configs/sys_topics", {"sys_heartbeat_interval": "30s"})
    ask("PUT /configs/sysmon", {"os": {"cpu_check_interval": "60s"}})
    ask("POST /configs_reset/{rootname}", rootname="alarm")
    for root in ("prometheus", "opentelemetry"):
        ask(f"PUT /{root}", ask(f"GET /{root}"))


def system(ask: Asker) -> None:
    ask("PUT /slow_subscriptions/settings", {"enable": True, "threshold": "500ms"})
    ask("GET /slow_subscriptions/settings")
    ask("GET /slow_subscriptions")
    ask("DELETE /slow_subscriptions")
    trace = {"name": "probe", "type": "clientid", "clientid": "sensor-1"}
    ask("POST /trace", trace)
    ask("GET /trace")
    ask("POST /publish", {"topic": "plant/1/state", "payload": "traced"})
    ask("GET /trace/{name}/log_detail", name="probe")
    ask("GET /trace/{name}/log", name="probe")
    ask("GET /trace/{name}/download", name="probe")
    ask("PUT /trace/{name}/stop", name="probe")
    ask("DELETE /trace/{name}", name="probe")
    ask("DELETE /trace")


def backup(ask: Asker) -> None:
    made = ask("POST /data/export")["filename"]
    ask("GET /data/files")
    content = ask("GET /data/files/{filename}", filename=made)
    ask("DELETE /data/files/{filename}", filename=made)
    archive = multipart(content)
    named = archive.content.replace(b'name="plugin"', b'name="filename"').replace(
        b"plugin.tar.gz", made.encode()
    )
    ask("POST /data/files", Content(named, archive.kind))
    ask("POST /data/import", {"filename": made})


def plugins(ask: Asker) -> None:
    name = {"name": "probe-1.0.0"}
    ask("POST /plugins/install", multipart(archive_of(PLUGIN, schema=SCHEMA)))
    ask("GET /plugins")
    ask("PUT /plugins/{name}/{action}", action="start", **name)
    ask("GET /plugins/{name}", **name)
    ask("GET /plugins/{name}/schema", **name)
    ask("PUT /plugins/{name}/config", {"limit": 2}, **name)
    ask("GET /plugins/{name}/config", **name)
    ask("POST /plugins/{name}/move", {"position": "front"}, **name)
    ask("PUT /plugins/{name}/{action}", action="stop", **name)
    ask("DELETE /plugins/{name}", **name)


def kicking(ask: Asker) -> None:
    """Last: the client is gone then."""
    ask("DELETE /clients/{clientid}")
    ask("POST /clients/kickout/bulk", ["nobody"])


NOUNS: tuple[Noun, ...] = (
    rules, node, links, clients, messages, accounts, authentication, authorization, bans, listeners,
    configuration, system, backup, plugins, evacuation, kicking,
)  # fmt: skip
