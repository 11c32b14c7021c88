"""The configuration files of the plugins."""

from __future__ import annotations

from rookery.config.importing import conversions as to
from rookery.config.importing.hashes import hash_name
from rookery.config.importing.model import Convert, Outcome, Row, Words
from rookery.config.importing.tables import notes

# A table reads better with one row in one or two lines.
# fmt: off

NO_DASHBOARD_USER = Words("choose a password with `rookery ctl admins passwd admin`",
                          "请用 `rookery ctl admins passwd admin` 设置密码")
NO_HTTPS = Words("see dashboard.listeners.https, with paths to certificate and key",
                 "见 dashboard.listeners.https，需指定证书与私钥路径")
OWN_APPS = Words("applications are API keys: make them with `rookery ctl api_keys` or on the dashboard",
                 "应用即 API 密钥：请用 `rookery ctl api_keys` 或在控制台创建")
NO_RULES = Words("rules and bridges are not available", "不支持规则与桥接")
NO_GATEWAY = Words("other protocols are not available", "不支持其他协议")
NO_WEBHOOK = Words("messages and events are not sent to web hooks: subscribe to them, or embed the broker and use hooks",
                   "不支持 WebHook：请订阅相应主题，或嵌入使用并编写钩子")
NO_RETRY = Words("a request is not repeated; the verdict on failure is a setting", "请求不重试；失败时的处理可配置")
NO_ENCODING = Words("text is always UTF-8", "文本始终为 UTF-8")

# What has a form in the settings of a database.
DATABASE: dict[str, Convert] = {
    "type": to.one_of("single", "sentinel", "cluster"), "pool": to.whole, "ssl": to.flag,
    "ssl.enable": to.flag, "ssl.verify": to.verify, "query_timeout": to.timeout,
    "password_hash": hash_name, "server": to.some_text,
}

PLUGINS: tuple[Row, ...] = (
    Row("dashboard.listener.http", "dashboard.listeners.http.bind", to.text, notes.THIS_MACHINE),
    Row("dashboard.listener.http.max_clients", "dashboard.listeners.http.max_connections", to.whole),
    Row("dashboard.listener.http.*", note=notes.SOCKETS, outcome=Outcome.NOT_NEEDED),
    Row("dashboard.listener.https", note=NO_HTTPS),
    Row("dashboard.listener.https.*", note=NO_HTTPS),
    Row("dashboard.default_user.login", note=NO_DASHBOARD_USER),
    Row("dashboard.default_user.password", note=NO_DASHBOARD_USER),
    Row("dashboard.*", note=NO_DASHBOARD_USER),
    Row("management.listener.http", "management.listener.http.bind", to.text, notes.THIS_MACHINE),
    Row("management.listener.http.max_clients", "management.listener.http.max_connections", to.whole),
    Row("management.listener.http.*", note=notes.SOCKETS, outcome=Outcome.NOT_NEEDED),
    Row("management.*", note=OWN_APPS),

    *(Row(f"auth.http.{request}{suffix}", feature="http")
      for request in ("auth_req", "super_req", "acl_req")
      for suffix in ("", ".url", ".method", ".params", ".content_type", ".headers.$header")),
    Row("auth.http.timeout", convert=to.duration, feature="http"),
    Row("auth.http.request.timeout", convert=to.duration, feature="http"),
    Row("auth.http.connect_timeout", convert=to.duration, feature="http"),
    Row("auth.http.request.connect_timeout", convert=to.duration, feature="http"),
    Row("auth.http.request.connect_timout", convert=to.duration, feature="http"),
    Row("auth.http.pool_size", convert=to.whole, feature="http"),
    Row("auth.http.header.$header", feature="http"),
    Row("auth.http.ssl.cacertfile", feature="http"),
    Row("auth.http.ssl.certfile", feature="http"),
    Row("auth.http.ssl.keyfile", feature="http"),
    Row("auth.http.ssl.verify", convert=to.verify, feature="http"),
    Row("auth.http.ssl.server_name_indication", feature="http"),
    Row("auth.http.request.*", note=NO_RETRY, outcome=Outcome.NOT_NEEDED),
    Row("auth.http.enable_pipelining", note=Words("requests of many clients go out together over the pool",
                                                  "多个客户端的请求通过连接池并发发出"), outcome=Outcome.NOT_NEEDED),

    Row("auth.jwt.secret", feature="jwt"),
    Row("auth.jwt.pubkey", feature="jwt"),
    Row("auth.jwt.jwks", feature="jwt"),
    Row("auth.jwt.jwks.endpoint", feature="jwt"),
    Row("auth.jwt.jwks.refresh_interval", convert=to.duration, feature="jwt"),
    Row("auth.jwt.from", convert=to.one_of("username", "password"), feature="jwt"),
    Row("auth.jwt.verify_claims", convert=to.flag, feature="jwt"),
    Row("auth.jwt.verify_claims.$claim", feature="jwt"),
    Row("auth.jwt.acl_claim_name", feature="jwt"),
    Row("auth.jwt.signature_format", note=Words("both formats of signatures are read", "两种签名格式均可识别"),
        outcome=Outcome.NOT_NEEDED),

    *(Row(f"auth.{plugin}.{rest}", convert=convert, feature="users")
      for plugin in ("user", "client", "mnesia")
      for rest, convert in (
          ("password_hash", hash_name), ("as", to.one_of("username", "clientid")),
          ("$n.username", to.some_text), ("$n.clientid", to.some_text), ("$n.login", to.some_text),
          ("$n.password", to.some_text), ("$n.is_superuser", to.flag))),

    *(Row(f"auth.pgsql.{key}", convert=DATABASE.get(key), feature="pgsql")
      for key in ("server", "pool", "username", "password", "database", "auth_query", "super_query",
                  "acl_query", "password_hash", "ssl", "ssl.enable", "ssl.keyfile", "ssl.certfile",
                  "ssl.cacertfile", "ssl_opts.keyfile", "ssl_opts.certfile", "ssl_opts.cacertfile",
                  "ssl.verify", "query_timeout")),
    Row("auth.pgsql.encoding", note=NO_ENCODING, outcome=Outcome.NOT_NEEDED),
    Row("auth.pgsql.ssl_opts.tls_versions", note=to.NO_OLD_TLS, outcome=Outcome.NOT_NEEDED),
    Row("auth.pgsql.ssl.tls_versions", note=to.NO_OLD_TLS, outcome=Outcome.NOT_NEEDED),

    *(Row(f"auth.redis.{key}", convert=DATABASE.get(key), feature="redis")
      for key in ("type", "server", "sentinel", "pool", "database", "password", "auth_cmd",
                  "super_cmd", "acl_cmd", "password_hash", "ssl", "ssl.enable", "ssl.keyfile",
                  "ssl.certfile", "ssl.cacertfile", "ssl.verify", "query_timeout")),

    *(Row(f"auth.{database}.*", note=notes.NO_BACKEND) for database in ("mysql", "mongo", "ldap")),
    Row("web.hook.*", note=NO_WEBHOOK),
    Row("rule_engine.*", note=NO_RULES),
    Row("rule.*", note=NO_RULES),
    Row("bridge.*", note=NO_RULES),
    Row("exhook.*", note=NO_WEBHOOK),
    *(Row(f"{protocol}.*", note=NO_GATEWAY)
      for protocol in ("coap", "lwm2m", "mqtt.sn", "stomp", "exproto", "stream", "tcp", "jt808")),
    Row("prometheus.push.gateway.server", "prometheus.push_gateway.url",
        note=Words("set prometheus.push_gateway.enable to push; they are read over HTTP otherwise",
                   "如需推送请设置 prometheus.push_gateway.enable，否则通过 HTTP 读取")),
    Row("prometheus.*", note=Words("see prometheus.push_gateway", "见 prometheus.push_gateway")),
    Row("recon.*", note=notes.ERLANG, outcome=Outcome.NOT_NEEDED),
    *(Row(f"{plugin}.*", note=notes.NO_PLUGIN)
      for plugin in ("psk", "sasl", "delayed", "statsd", "luahook", "template")),
)
