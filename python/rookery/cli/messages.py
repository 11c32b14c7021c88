"""Every text that the command line says, in English and Chinese.

The language is ``ROOKERY_LANG``, else that of the locale, else English.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from rookery.cli.messages_admins import ADMIN_TEXTS
from rookery.cli.messages_control import CONTROL_TEXTS
from rookery.cli.messages_ctl import CTL_TEXTS
from rookery.cli.messages_edge import EDGE_TEXTS
from rookery.cli.messages_links import LINK_TEXTS
from rookery.cli.messages_rules import RULE_TEXTS
from rookery.cli.messages_tls import TLS_TEXTS

LANGUAGES = ("en", "zh")

TEXTS: dict[str, tuple[str, str]] = {
    # -- the commands
    "help.rookery": ("An MQTT broker and its tools.", "MQTT 消息服务器及其工具。"),
    "help.version": ("show the version and exit", "显示版本"),
    "help.help": ("show this help and exit", "显示帮助"),
    "help.node": ("run and watch a broker node", "运行与管理节点"),
    "help.cluster": ("what a cluster needs besides its nodes", "集群辅助命令"),
    "help.cluster.witness": (
        "run a third voice for a cluster of two nodes: no clients, the same disk",
        "为两节点集群运行见证节点：不接受客户端，仅参与多数派",
    ),
    "option.witness.join": ("a node of the cluster", "集群中的任一节点"),
    "cluster.witness": (
        "{name} is a witness, data in {data_dir}",
        "见证节点 {name}，数据目录 {data_dir}",
    ),
    "help.node.start": ("start a node", "启动节点"),
    "help.node.stop": ("stop the node of a data directory", "停止节点"),
    "help.node.status": ("say whether the node runs, and how it is", "查看节点状态"),
    "help.node.check-config": ("check the configuration without starting", "检查配置但不启动"),
    "help.node.config": ("show the settings that hold", "查看生效的配置"),
    "help.up": (
        "start everything on this machine and say how to use it",
        "在本机启动全部服务并说明用法",
    ),
    "help.agent": (
        "connect a broker cluster to its control plane",
        "将消息服务器集群接入控制面",
    ),
    "help.ports": ("list every port in use, by what and for what", "列出所有使用中的端口及其用途"),
    "help.pub": ("publish messages", "发布消息"),
    "help.sub": ("subscribe and print messages", "订阅并打印消息"),
    "help.bench": ("make load and measure a broker", "压力测试"),
    "help.completion": ("print a completion script for a shell", "输出命令补全脚本"),
    "help.ctl": ("operate a running node", "管理运行中的节点"),
    "help.ctl.listeners": ("listeners of the node", "监听器"),
    "help.ctl.listeners.list": ("list listeners", "列出监听器"),
    "help.ctl.listeners.start": ("open a listener", "启动监听器"),
    "help.ctl.listeners.stop": (
        "close a listener and its clients' connections",
        "停止监听器并断开其客户端",
    ),
    "help.ctl.listeners.restart": (
        "close a listener and open it again",
        "重启监听器",
    ),
    "help.ctl.certificates": ("certificates in use", "使用中的证书"),
    "help.ctl.certificates.list": (
        "list certificates and when they expire",
        "列出证书及其到期时间",
    ),
    "help.ctl.certificates.reload": (
        "read certificates and keys again; no connection is dropped",
        "重新读取证书与私钥，不断开连接",
    ),
    "help.ctl.users": ("users of the built-in database", "内置数据库用户"),
    "help.ctl.users.add": ("add a user", "添加用户"),
    "help.ctl.users.passwd": ("change a user's password", "修改用户密码"),
    "help.ctl.users.delete": ("remove a user", "删除用户"),
    "help.ctl.users.list": ("list users", "列出用户"),
    "help.ctl.users.import": ("add users from a CSV or JSON file", "从 CSV 或 JSON 文件导入用户"),
    "help.ctl.users.export": ("print users with their hashes", "导出用户及其密码哈希"),
    "help.ctl.acl": ("rules of what clients may do", "访问控制规则"),
    "help.ctl.acl.explain": (
        "say what is allowed and which rule decides",
        "说明某操作是否允许及由哪条规则决定",
    ),
    "help.ctl.acl.reload": ("read rule files again", "重新读取规则文件"),
    "help.ctl.acl.cache-purge": ("forget answers that are remembered", "清除授权缓存"),
    "help.ctl.acl.check": ("check a file of rules without a node", "离线检查规则文件"),
    "help.ctl.ban": ("clients that are kept out", "黑名单"),
    "help.ctl.ban.add": (
        "keep somebody out; who is connected is disconnected",
        "加入黑名单，已连接者会被断开",
    ),
    "help.ctl.ban.list": ("list bans", "列出黑名单"),
    "help.ctl.ban.delete": ("lift a ban", "移出黑名单"),
    "help.ctl.conf": ("configuration of the node", "节点配置"),
    "help.ctl.conf.show": ("show what holds and where it comes from", "查看生效的配置及其来源"),
    "help.ctl.conf.reload": (
        "read the configuration again and apply what can change while running",
        "重新读取配置，并应用可在运行时修改的项",
    ),
    "help.ctl.plugins": ("plugins of the node", "插件"),
    "help.ctl.plugins.list": ("list plugins in the order they are asked", "按调用顺序列出插件"),
    "help.ctl.plugins.describe": ("show a plugin and its processes", "查看插件及其进程"),
    "help.ctl.plugins.allow": ("let a plugin be installed over HTTP", "允许通过 HTTP 安装插件"),
    "help.ctl.plugins.disallow": ("take that back", "取消允许"),
    "help.ctl.plugins.install": ("install an archive; it is not started", "安装插件包，不启动"),
    "help.ctl.plugins.uninstall": ("stop and remove a plugin", "停止并卸载插件"),
    "help.ctl.plugins.start": ("start it, and with the node", "启动插件并随节点启动"),
    "help.ctl.plugins.stop": ("stop it, for good", "停止插件且不再随节点启动"),
    "help.ctl.plugins.restart": ("load its code anew", "重新加载插件代码"),
    "help.ctl.plugins.enable": ("start it with the node", "设为随节点启动"),
    "help.ctl.plugins.disable": ("do not start it with the node", "取消随节点启动"),
    "help.ctl.plugins.config": ("show or change its settings", "查看或修改插件配置"),
    "help.ctl.plugins.move": ("change the order of plugins", "调整插件顺序"),
    "help.plugin": ("write plugins", "编写插件"),
    "help.plugin.new": ("make the files of a new plugin", "创建插件项目"),
    "help.plugin.run": (
        "run a plugin in a node of this machine, anew whenever its files change",
        "在本机节点中运行插件，文件变化时重新加载",
    ),
    "help.plugin.build": ("make the archive of a plugin", "构建插件包"),
    "option.plugin": ("name and version, such as payload_transform-1.0.0", "插件名称与版本"),
    "option.plugin-file": (
        "archive made by `rookery plugin build`",
        "由 `rookery plugin build` 构建的插件包",
    ),
    "option.plugin-value": ("settings as a JSON object, whole", "完整配置（JSON 对象）"),
    "option.plugin-settings": (
        "settings as a JSON object, whole; - is standard input",
        "完整配置（JSON 对象）；- 表示标准输入",
    ),
    "ctl.plugin.no-json": ("that is no JSON: {error}", "不是 JSON：{error}"),
    "option.plugin-run": ("how it is run, as a JSON object", "运行参数（JSON 对象）"),
    "option.plugin-position": (
        "front, rear, before:NAME or after:NAME",
        "front、rear、before:NAME 或 after:NAME",
    ),
    "option.plugin-name": ("an identifier in small letters", "小写字母标识符"),
    "option.plugin-project": ("folder of the plugin; this one", "插件项目目录，默认当前目录"),
    "option.plugin-out": (
        "where the archive goes; dist/ of the project",
        "输出目录，默认项目的 dist/",
    ),
    "option.plugin-wheels": ("put what it needs into the archive", "将依赖打入插件包"),
    "ctl.plugin.allow": ("{name} may be installed", "已允许安装 {name}"),
    "ctl.plugin.disallow": ("{name} may not be installed any more", "已取消允许 {name}"),
    "ctl.plugin.install": ("{name} is installed; start it next", "已安装 {name}，尚未启动"),
    "ctl.plugin.uninstall": ("{name} is gone", "已卸载 {name}"),
    "ctl.plugin.start": ("{name} runs", "{name} 已启动"),
    "ctl.plugin.stop": ("{name} is stopped", "{name} 已停止"),
    "ctl.plugin.restart": ("{name} runs with its code loaded anew", "{name} 已重新加载"),
    "ctl.plugin.enable": ("{name} starts with the node", "{name} 将随节点启动"),
    "ctl.plugin.disable": ("{name} does not start with the node", "{name} 不再随节点启动"),
    "ctl.plugin.config": ("{name} has its new settings", "{name} 配置已更新"),
    "ctl.plugin.move": ("{name} is moved", "{name} 顺序已调整"),
    "plugin.made": (
        "{folder} is there; next: cd {folder} && pytest && rookery plugin build",
        "已创建 {folder}；接下来：cd {folder} && pytest && rookery plugin build",
    ),
    "plugin.running": (
        "{name} runs; it is loaded anew when its files change, or with Enter. Ctrl-C ends it.",
        "{name} 已运行；文件变化或按回车时重新加载，Ctrl-C 结束。",
    ),
    "plugin.run-over": ("the plugin is taken out of the node", "插件已从节点移除"),
    "plugin.built": ("{file}", "{file}"),
    "column.name": ("NAME", "名称"),
    "column.status": ("STATUS", "状态"),
    "column.enable": ("WITH NODE", "随节点启动"),
    "column.hookpoints": ("HOOKS", "钩子"),
    "column.restarts": ("RESTARTS", "重启次数"),
    "column.error": ("ERROR", "错误"),
    "help.ctl.log": ("what is logged", "日志级别"),
    "help.ctl.log.set-level": (
        "log more or less of a module, until the node stops",
        "设置模块的日志级别，节点停止后失效",
    ),
    "help.ctl.log.reset-level": ("take the level of a module back", "恢复模块的日志级别"),
    "help.ctl.log.levels": ("list modules with a level of their own", "列出单独设置了级别的模块"),
    "help.ctl.trace": ("traces of clients, topics and addresses", "客户端、主题与地址追踪"),
    "help.ctl.trace.start": ("start a trace", "开始追踪"),
    "help.ctl.trace.list": ("list traces", "列出追踪"),
    "help.ctl.trace.stop": ("end a trace; its log stays", "停止追踪，保留日志"),
    "help.ctl.trace.delete": ("remove a trace with its log", "删除追踪及其日志"),
    "help.ctl.trace.show": ("print the log of a trace", "输出追踪日志"),
    "help.ctl.quota": ("most connected clients of the node", "节点最大连接数"),
    "help.ctl.quota.get": ("show the quota and what is used", "查看配额与使用量"),
    "help.ctl.quota.set": ("set the quota", "设置配额"),
    "help.ctl.data": ("export and import what was set up", "导出与导入节点配置数据"),
    "help.ctl.data.export": ("write it all into a file of the node", "导出到节点上的文件"),
    "help.ctl.data.import": ("put back what a file holds", "从文件导入"),
    "help.ctl.data.list": ("list files that were exported", "列出导出文件"),
    "help.ctl.data.delete": ("delete a file that was exported", "删除导出文件"),
    "help.tls": (
        "make certificates for tests and small installations",
        "生成测试与小型部署所用的证书",
    ),
    "help.tls.init": (
        "make a private CA, a server's and clients' certificates, and say how to use them",
        "生成私有 CA、服务端与客户端证书，并说明用法",
    ),
    "help.config": ("handle the configuration file", "管理配置文件"),
    "help.config.init": (
        "write a commented example, default rookery.conf in the data directory: every node of it reads it",
        "写入带注释的示例配置，默认为数据目录下的 rookery.conf，使用该目录的节点都会读取；不会覆盖已有文件",
    ),
    "help.config.import": (
        "make a configuration file from those of EMQX 3, 4 or 5",
        "由 EMQX 3、4、5 的配置文件生成",
    ),
    "examples": ("examples:", "示例："),
    # -- options
    "option.config": ("configuration file", "配置文件"),
    "option.data-dir": ("data directory", "数据目录"),
    "option.set": (
        "set one value, above all other sources; may be repeated",
        "设置一个值，优先级最高，可重复",
    ),
    "option.detach": ("go to the background when clients are accepted", "就绪后转入后台"),
    "option.timeout": (
        "seconds to wait for a graceful stop before the node is killed",
        "等待正常停止的秒数，超时后强制结束",
    ),
    "option.drain": (
        "send its clients to other nodes first, as `rookery ctl rebalance start --evacuation` does",
        "先将客户端迁移到其他节点，同 `rookery ctl rebalance start --evacuation`",
    ),
    "node.drain-options": ("{option} is for --drain", "{option} 须与 --drain 一起使用"),
    "node.drain": ("{state}: {left} of {of} clients are left", "{state}：剩余客户端 {left}/{of}"),
    "node.drain-goes-on": (
        (
            "the node goes on being emptied and was not stopped; `rookery ctl rebalance stop` has it take "
            "clients again"
        ),
        "节点仍在疏散且未停止；执行 `rookery ctl rebalance stop` 可恢复接受客户端",
    ),
    "option.json": ("print JSON", "以 JSON 输出"),
    "option.origin": ("say where each value comes from", "显示每个值的来源"),
    "option.lan": (
        "listen on all addresses and admit everybody without authentication",
        "监听所有地址，并允许所有人免认证接入",
    ),
    "option.host": ("broker's host", "服务器地址"),
    "option.port": ("broker's port", "服务器端口"),
    "option.topic.pub": ("topic name", "主题"),
    "option.topic.sub": ("topic filter; may be repeated", "主题过滤器，可重复"),
    "option.message": ("payload", "消息内容"),
    "option.file": ("payload from a file, - is standard input", "以文件内容作为消息，- 为标准输入"),
    "option.lines": ("one message for each line of standard input", "标准输入每行作为一条消息"),
    "option.empty": ("an empty payload", "空消息"),
    "option.qos": ("QoS: 0, 1 or 2", "QoS：0、1 或 2"),
    "option.retain": ("retained", "保留消息"),
    "option.client-id": ("client identifier", "Client ID"),
    "option.cache-of": (
        "all (what holds without it), node, or a client identifier",
        "all（默认）、node 或 Client ID",
    ),
    "option.cache-node": ("name of the node, after the word node", "node 之后的节点名"),
    "option.username": ("user name", "用户名"),
    "option.password": (
        "password; better in ROOKERY_PASSWORD",
        "密码，建议使用环境变量 ROOKERY_PASSWORD",
    ),
    "option.protocol": ("protocol version: 3.1, 3.1.1 or 5", "协议版本：3.1、3.1.1 或 5"),
    "option.keepalive": ("keep alive in seconds", "Keep Alive 秒数"),
    "option.count": ("end after so many messages", "收到指定条数后退出"),
    "option.wait": ("end after so many seconds", "指定秒数后退出"),
    "option.verbose": ("print the topic before each message", "在消息前打印主题"),
    "option.clean": ("0 keeps the session when the client leaves", "0 表示断开后保留会话"),
    "option.expiry": ("session expiry in seconds (MQTT 5)", "会话过期秒数（MQTT 5）"),
    "option.repeat": ("publish so many times", "重复发布次数"),
    "option.interval": ("seconds between repetitions", "重复间隔秒数"),
    "option.shell": ("bash, zsh or fish", "bash、zsh 或 fish"),
    "option.listener": ("listener such as tcp:default", "监听器，如 tcp:default"),
    "option.user": ("name of the user", "用户名"),
    "option.scram": (
        "a user of SCRAM (enhanced authentication)",
        "SCRAM（增强认证）用户",
    ),
    "option.superuser": ("nothing is denied to the user", "超级用户，不受授权限制"),
    "option.device": (
        "make a secret for a device and print it once",
        "为设备生成密钥，仅显示一次",
    ),
    "option.like": ("only names that contain this", "仅列出包含该内容的名称"),
    "option.users.file": ("CSV or JSON file of users", "用户文件（CSV 或 JSON）"),
    "option.hashed": ("the file holds hashes, not passwords", "文件包含哈希而非明文密码"),
    "option.format": ("form of the output", "输出格式"),
    "option.ip": ("address of the client", "客户端地址"),
    "option.zone": ("zone of the listener", "区域"),
    "option.cn": ("common name of the client's certificate", "客户端证书的 CN"),
    "option.action": ("publish or subscribe", "publish 或 subscribe"),
    "option.topic.acl": ("topic name or topic filter", "主题或主题过滤器"),
    "option.acl.file": ("file of rules", "规则文件"),
    "option.log.module": (
        "as it stands in the lines of the log; the whole node if absent",
        "日志行中的模块名，省略表示整个节点",
    ),
    "option.log.level": ("the least severe level written", "写入的最低级别"),
    "option.trace.name": ("name of the trace", "追踪名称"),
    "option.trace.type": ("what is traced", "追踪对象的类型"),
    "option.trace.subject": (
        "client id, topic or topic filter, or address",
        "客户端 ID、主题或主题过滤器、地址",
    ),
    "option.trace.for": ("how long; 10m if absent", "时长，默认 10m"),
    "option.trace.payload": ("how payloads are shown", "消息内容的显示方式"),
    "option.trace.lines": ("form of a line", "日志行格式"),
    "option.ban.kind": ("what is compared", "匹配对象"),
    "option.ban.who": (
        "identifier, name, address, network or regular expression",
        "标识、名称、地址、网段或正则表达式",
    ),
    "option.ban.for": (
        "how long, such as 10m or 1d; else for good",
        "时长，如 10m、1d，缺省为永久",
    ),
    "option.ban.reason": ("why", "原因"),
    "option.conf.path": ("only this key and those below it", "仅显示该配置项及其下级"),
    "option.data.file": (
        "a file of this machine, or the name of one that the node has",
        "本机文件，或节点上的文件名",
    ),
    "option.data.name": ("name of the file", "文件名"),
    "option.quota": ("number of clients, or infinity", "连接数，或 infinity"),
    "option.tls": ("connect with TLS", "使用 TLS 连接"),
    "option.cafile": (
        "CA certificates that the broker's must check with",
        "校验服务端的 CA 证书文件",
    ),
    "option.cert": ("client certificate", "客户端证书文件"),
    "option.key": ("its private key", "客户端私钥文件"),
    "option.insecure": ("take any certificate of the broker", "不校验服务端证书"),
    "option.ws": ("connect over WebSocket", "使用 WebSocket 连接"),
    "option.path": ("path of the WebSocket, default {default}", "WebSocket 路径，默认 {default}"),
    "option.bench.tls-version": ("TLS version; default the highest", "TLS 版本，默认最高"),
    "option.bench.tickets": (
        "resume TLS sessions; else every handshake is a full one",
        "恢复 TLS 会话，缺省每次均完整握手",
    ),
    "option.tls.dir": ("folder; certs in the data directory", "目录，默认为数据目录下的 certs"),
    "option.tls.host": (
        "host name or address of the server; may be repeated",
        "服务端域名或地址，可重复",
    ),
    "option.tls.client": (
        "common name of a client's certificate; may be repeated",
        "客户端证书的 CN，可重复",
    ),
    "option.tls.relay": (
        "for the relay of a control plane, and for edge services that dial into it",
        "用于控制面的中继服务及接入的边缘服务",
    ),
    "option.tls.days": ("days that certificates are valid", "证书有效天数"),
    "option.import": (
        "emqx.conf, acl.conf, loaded_plugins, files of plugins, or the folder with them",
        "emqx.conf、acl.conf、loaded_plugins、插件配置文件，或其所在目录",
    ),
    "option.import.output": (
        "file to write; acl.conf and users.json go beside it (default rookery.conf)",
        "输出文件，acl.conf 与 users.json 写在同一目录（默认 rookery.conf）",
    ),
    "option.force": ("write over files that exist", "覆盖已有文件"),
    "option.bench.mode": (
        "pairs, pub, sub, fanout, shared, conn, churn or handshake",
        "pairs、pub、sub、fanout、shared、conn、churn 或 handshake",
    ),
    "option.bench.quiet": ("no progress on the terminal", "不显示进度"),
    "option.bench.address": ("broker as host:port; may be repeated", "服务器 host:port，可重复"),
    "option.bench.retain": ("publish with the retain flag", "以保留消息发布"),
    "option.bench.busy-poll": (
        "do not sleep between events: finer latencies, a whole core per thread",
        "事件之间不休眠：延迟更精确，每线程占满一个核",
    ),
    "option.bench.wildcard": (
        "subscribe to filters with wildcards instead of topics",
        "使用通配符过滤器订阅，而非具体主题",
    ),
    "option.bench.value": ("default {default}", "默认 {default}"),
    "option.bench.warm-up": (
        "default {default}; none with --messages, all of which are counted",
        "默认 {default}；使用 --messages 时不预热，全部消息均计入",
    ),
    # -- a node's life
    "config.good": ("the configuration is good ({file})", "配置正确（{file}）"),
    "config.no_file": ("no configuration file", "无配置文件"),
    "config.bad": ("the configuration cannot be used:", "配置有误："),
    "config.warning": ("warning: {text}", "警告：{text}"),
    "config.written": ("wrote {file}", "已写入 {file}"),
    "config.read": (
        "every node with the data directory {data_dir} reads it",
        "使用数据目录 {data_dir} 的节点都会读取该文件",
    ),
    "config.not_read": (
        "a node reads it with `--config {file}`",
        "节点通过 `--config {file}` 读取该文件",
    ),
    "config.exists": ("{file} exists and was not touched", "{file} 已存在，未作修改"),
    # -- import
    "import.heading": (
        "Made by `rookery config import` from {files}",
        "由 `rookery config import` 生成，来源 {files}",
    ),
    "import.taken": ("Taken over ({count}):", "已迁移（{count}）："),
    "import.changed": ("Changed ({count}):", "有变化（{count}）："),
    "import.not_needed": ("Not needed here ({count}):", "此处不需要（{count}）："),
    "import.unsupported": ("Not supported ({count}):", "不支持（{count}）："),
    "import.unsupported.one": ("not supported", "不支持"),
    "import.unknown": ("Unknown ({count}):", "未知（{count}）："),
    "import.unknown.one": ("unknown", "未知"),
    "import.remarks": ("To know:", "注意："),
    "node.ready": (
        "node {name} runs (process {pid}), data in {data_dir}",
        "节点 {name} 已启动（进程 {pid}），数据目录 {data_dir}",
    ),
    "node.log": ("its log is {file}", "日志文件 {file}"),
    "node.closed": ("not listening: {reason}", "未监听：{reason}"),
    "node.no_log": ("its log {file} cannot be made: {reason}", "无法创建日志 {file}：{reason}"),
    "node.killed": (
        "killed: it did not stop within {timeout} s; the next start takes up what is on disk",
        "已强制结束：{timeout} 秒内未停止；下次启动时将从磁盘恢复",
    ),
    "node.died": (
        "the node ended before it was ready; its log is {file}",
        "节点未能启动，日志文件 {file}",
    ),
    "node.not_running": ("no node runs in {data_dir}", "{data_dir} 中没有运行中的节点"),
    "node.running": (
        "node {name} runs, process {pid}, version {version}, up {uptime}",
        "节点 {name} 运行中，进程 {pid}，版本 {version}，已运行 {uptime}",
    ),
    "node.stopping": ("node {name} is stopping, process {pid}", "节点 {name} 正在停止，进程 {pid}"),
    "node.silent": (
        "the node of {data_dir} (process {pid}) runs and does not answer",
        "{data_dir} 的节点（进程 {pid}）正在运行但没有响应",
    ),
    "node.stopped": ("stopped", "已停止"),
    "node.terminating": (
        "no answer, sending SIGTERM to process {pid}",
        "没有响应，向进程 {pid} 发送 SIGTERM",
    ),
    "node.killing": (
        "it does not stop within {timeout} s, killing process {pid}",
        "{timeout} 秒内未停止，强制结束进程 {pid}",
    ),
    "node.foreign": (
        "process {pid} holds no lock on {data_dir}: nothing was stopped",
        "进程 {pid} 未持有 {data_dir} 的锁，未作处理",
    ),
    "node.foreign_unknown": (
        "the lock of {data_dir} is held by a program that is no node: nothing was stopped",
        "{data_dir} 的锁由其他程序持有，并非节点，未作处理",
    ),
    "node.lock_held": (
        "no node runs in {data_dir}: its lock is held by another program",
        "{data_dir} 中没有运行中的节点，其锁由其他程序持有",
    ),
    "node.not_killed": (
        "process {pid} could not be stopped: {reason}",
        "无法结束进程 {pid}：{reason}",
    ),
    "node.in_use": (
        "a node runs in {data_dir} already (process {pid})",
        "{data_dir} 中已有节点在运行（进程 {pid}）",
    ),
    "node.in_use_unknown": (
        "{data_dir} is in use: its lock is held by another program",
        "{data_dir} 已被占用，其锁由其他程序持有",
    ),
    "node.port_taken": (
        "port {port} ({listener}) is taken by {holder}",
        "端口 {port}（{listener}）已被 {holder} 占用",
    ),
    "node.holder": ("{command} (process {pid})", "{command}（进程 {pid}）"),
    "node.unknown_holder": ("another process", "其他进程"),
    "node.no_holder": (
        "a connection, nobody listens there: choose another port, or try again in a minute",
        "尚未释放的连接（该端口上没有监听者，请改用其他端口或一分钟后重试）",
    ),
    "error": ("error: {text}", "错误：{text}"),
    # -- up
    "up.no_control": (
        "no control plane runs beside the node: {reason}",
        "控制面未能随节点运行：{reason}",
    ),
    "up.control_ended": ("it ended with exit code {code}", "其退出码为 {code}"),
    "option.no-control": ("the node alone, without a control plane", "仅启动节点，不启动控制面"),
    "up.ready": ("Rookery is running.", "Rookery 已启动。"),
    "up.mqtt": ("  MQTT            {url}", "  MQTT            {url}"),
    "up.http": ("  dashboard       {url}", "  控制台          {url}"),
    "up.try": ("Try it in two other terminals:", "在另外两个终端中试用："),
    "up.stop": ("Stop with Ctrl-C.", "按 Ctrl-C 停止。"),
    "up.local": (
        "Only programs on this machine get in; `rookery up --lan` opens it for your network.",
        "仅本机程序可以接入；使用 `rookery up --lan` 向局域网开放。",
    ),
    "up.open": (
        "Everybody who reaches these ports gets in without a password.",
        "任何能访问这些端口的人都可以免密码接入。",
    ),
    # -- ctl
    "ctl.none": ("(none)", "（无）"),
    "ctl.yes": ("yes", "是"),
    "ctl.no": ("no", "否"),
    "ctl.listener.start": ("{id} is open", "{id} 已启动"),
    "ctl.listener.stop": ("{id} is closed", "{id} 已停止"),
    "ctl.listener.restart": ("{id} was opened again", "{id} 已重启"),
    "ctl.certificates.kept": (
        "what could not be read was not replaced",
        "无法读取的证书保持原状",
    ),
    "ctl.users.added": ("added {user}", "已添加 {user}"),
    "ctl.users.changed": ("{user} has a new password", "{user} 的密码已修改"),
    "ctl.users.secret": (
        "its secret, shown this once: {secret}",
        "密钥（仅显示一次）：{secret}",
    ),
    "ctl.users.deleted": ("removed {user}", "已删除 {user}"),
    "ctl.users.imported": (
        "{added} users added, {changed} changed, {kept} left as they were",
        "新增 {added} 个用户，更新 {changed} 个，保持 {kept} 个",
    ),
    "ctl.users.password": ("Password: ", "密码："),
    "ctl.users.again": ("Again: ", "再次输入："),
    "ctl.users.differ": ("the passwords differ", "两次输入的密码不一致"),
    "ctl.users.no_password": ("a password is needed", "需要密码"),
    "ctl.acl.allow": ("allowed, by {why}", "允许，依据 {why}"),
    "ctl.acl.deny": ("denied, by {why}", "拒绝，依据 {why}"),
    "ctl.acl.step": ("  {source}: {said} ({reason})", "  {source}：{said}（{reason}）"),
    "ctl.acl.reloaded": ("{rules} rules hold", "生效规则 {rules} 条"),
    "ctl.acl.purged": ("answers are forgotten", "授权缓存已清除"),
    "ctl.acl.which-node": (
        "name the node, such as rookery@10.0.0.1",
        "请给出节点名，如 rookery@10.0.0.1",
    ),
    "ctl.acl.one-client": (
        "{given} is one word too many: all, node NAME@HOST or one client identifier",
        "多余的参数 {given}：可用 all、node NAME@HOST 或一个 Client ID",
    ),
    "ctl.acl.good": ("the file is good, {rules} rules", "文件正确，共 {rules} 条规则"),
    "ctl.ban.added": ("{kind} {who} is kept out", "已封禁 {kind} {who}"),
    "ctl.ban.deleted": ("{kind} {who} may come again", "已解除 {kind} {who} 的封禁"),
    "ctl.ban.duration": ("{text!r} is no duration such as 10m", "{text!r} 不是时长，如 10m"),
    "ctl.conf.unknown": ("there is no setting {path}", "没有配置项 {path}"),
    "ctl.conf.same": ("nothing changed", "没有变化"),
    "ctl.conf.changed": ("applied {path}", "已应用 {path}"),
    "ctl.conf.restart": (
        "{path} takes effect when the node starts again",
        "{path} 在节点重启后生效",
    ),
    "ctl.data.exported": (
        "exported to {path}; it holds secrets, keep it safe",
        "已导出到 {path}，文件含有敏感信息，请妥善保管",
    ),
    "ctl.data.imported": ("imported {file}", "已导入 {file}"),
    "ctl.data.deleted": ("deleted {file}", "已删除 {file}"),
    "ctl.data.nofile": (
        "{file} is neither a file here nor one that the node has",
        "本机与节点上均没有文件 {file}",
    ),
    "ctl.quota": (
        "{connections} clients of at most {max_connections}",
        "已连接 {connections}，上限 {max_connections}",
    ),
    "ctl.quota.number": ("{text!r} is no number of clients", "{text!r} 不是连接数"),
    "ctl.log.set": ("{module}: {level} and above", "{module}：{level} 及以上"),
    "ctl.log.reset": ("{module}: as the handlers say", "{module}：由日志处理器决定"),
    "ctl.trace.started": ("trace {name} runs until {until}", "追踪 {name} 运行至 {until}"),
    "ctl.trace.stopped": ("trace {name} is stopped", "追踪 {name} 已停止"),
    "ctl.trace.deleted": ("trace {name} is deleted", "追踪 {name} 已删除"),
    "column.module": ("MODULE", "模块"),
    "column.level": ("LEVEL", "级别"),
    "column.type": ("TYPE", "类型"),
    "column.about": ("ABOUT", "对象"),
    "column.end_at": ("UNTIL", "截止"),
    "column.filename": ("FILE", "文件"),
    "column.created_at": ("CREATED", "创建时间"),
    "column.size": ("BYTES", "字节"),
    "column.id": ("ID", "ID"),
    "column.bind": ("ADDRESS", "地址"),
    "column.running": ("OPEN", "运行"),
    "column.current_connections": ("CLIENTS", "连接数"),
    "column.max_connections": ("MOST", "上限"),
    "column.listener": ("LISTENER", "监听器"),
    "column.field": ("FIELD", "配置项"),
    "column.subject": ("SUBJECT", "主体"),
    "column.not_after": ("UNTIL", "有效期至"),
    "column.days_left": ("DAYS", "剩余天数"),
    "column.file": ("FILE", "文件"),
    "column.result": ("RESULT", "结果"),
    "column.user_id": ("NAME", "用户名"),
    "column.is_superuser": ("SUPERUSER", "超级用户"),
    "column.as": ("BY", "类型"),
    "column.who": ("WHO", "对象"),
    "column.until": ("UNTIL", "截止"),
    "column.reason": ("REASON", "原因"),
    "column.by": ("FROM", "操作者"),
    # -- tls
    "tls.days": ("--days is 1 to 3650", "--days 取值 1 到 3650"),
    "tls.wrote": ("wrote {file}", "已写入 {file}"),
    "tls.nothing": ("{dir} has certificates already", "{dir} 中已有证书"),
    "tls.paste": ("Lines for the configuration file:", "写入配置文件的内容："),
    "tls.edge": (
        (
            "On the edge service, Administration > System configuration, with SSL/TLS on and port 38883:\n"
            "  CA certificate      {ca}\n  Client certificate  {certificate}\n  Private key         {private}"
        ),
        (
            "在边缘服务的“管理 > 系统配置”页面开启 SSL/TLS，端口 38883，并上传：\n"
            "  CA 证书     {ca}\n  客户端证书  {certificate}\n  客户端私钥  {private}"
        ),
    ),
    "tls.try": ("Then:", "然后："),
    # -- ports
    "ports.what": ("LISTENER", "监听器"),
    "ports.address": ("ADDRESS", "地址"),
    "ports.purpose": ("FOR", "用途"),
    "ports.planned": ("the node does not run; it would use:", "节点未运行，启动后将使用："),
    "ports.held": ("process {pid} holds:", "进程 {pid} 占用："),
    "ports.hidden": (
        "the sockets of process {pid} cannot be read: it belongs to another user",
        "无法读取进程 {pid} 的套接字：该进程属于其他用户",
    ),
    "ports.tcp": ("MQTT", "MQTT"),
    "ports.ssl": ("MQTT over TLS", "MQTT over TLS"),
    "ports.ws": ("MQTT over WebSocket", "MQTT over WebSocket"),
    "ports.wss": ("MQTT over secure WebSocket", "MQTT over secure WebSocket"),
    "ports.http": ("dashboard and REST", "控制台与 REST"),
    "ports.https": ("dashboard and REST over TLS", "控制台与 REST（TLS）"),
    "ports.v3": ("REST as in EMQX 3", "REST（EMQX 3 风格）"),
    "ports.unix": ("HTTP: management of this node", "HTTP：节点管理"),
    # -- pub and sub
    "mqtt.unreachable": (
        "no connection to {host}:{port}: {reason}",
        "无法连接 {host}:{port}：{reason}",
    ),
    "mqtt.refused": (
        "{host}:{port} refused the connection: {reason}",
        "{host}:{port} 拒绝连接：{reason}",
    ),
    "mqtt.lost": ("the connection was lost: {reason}", "连接断开：{reason}"),
    "mqtt.not_published": ("not published: {reason}", "发布失败：{reason}"),
    "mqtt.not_subscribed": ("{filter}: not subscribed: {reason}", "{filter}：订阅失败：{reason}"),
    "mqtt.no_message": (
        "say what to publish: -m, -f, -l or -n",
        "请用 -m、-f、-l 或 -n 指定消息内容",
    ),
    "mqtt.timeout": ("no answer within {seconds} s", "{seconds} 秒内没有应答"),
    "mqtt.bad_topic": ("'{topic}' is not a topic to publish to", "'{topic}' 不是可发布的主题"),
    "mqtt.bad_filter": ("'{topic}' is not a topic filter", "'{topic}' 不是合法的主题过滤器"),
    "mqtt.no_file": ("{file}: {reason}", "{file}：{reason}"),
    "mqtt.bad_tls": ("TLS cannot be used: {reason}", "无法使用 TLS：{reason}"),
    "mqtt.advice": ("; {text}", "；{text}"),
    "mqtt.advice.refused": (
        "nothing listens there: start a broker (`rookery up`), or name another with -h and -p",
        "该端口无人监听：请启动服务器（`rookery up`），或用 -h 和 -p 指定其他服务器",
    ),
    "mqtt.advice.name": (
        "no host of that name is known: check the name after -h",
        "找不到该主机名：请检查 -h 后的名称",
    ),
    "mqtt.advice.silent": (
        "nobody answers: check host and port (-h, -p) and the firewall between",
        "没有应答：请检查地址和端口（-h、-p）以及中间的防火墙",
    ),
    "mqtt.advice.no_answer": (
        "if that port is for TLS or WebSocket, add --tls or --ws",
        "如果该端口用于 TLS 或 WebSocket，请添加 --tls 或 --ws",
    ),
    "mqtt.advice.websocket": (
        "no WebSocket for MQTT is there: check the port (-p), --path, and whether it wants --tls",
        "该处没有 MQTT WebSocket：请检查端口（-p）、--path 以及是否需要 --tls",
    ),
    "mqtt.advice.no_way": (
        "no network leads there: check the host (-h) and this machine's network",
        "网络不可达：请检查地址（-h）与本机网络",
    ),
    # -- errors of arguments
    "argument.int": (
        "{value} is not a whole number from {low} to {high}",
        "{value} 不是 {low} 到 {high} 之间的整数",
    ),
    "argument.float": (
        "{value} is not a number from {low} to {high}",
        "{value} 不是 {low} 到 {high} 之间的数字",
    ),
    "argument.address": (
        "{value} is not host:port, such as 10.0.0.7:1883 or [::1]:1883",
        "{value} 不是 host:port 形式，如 10.0.0.7:1883 或 [::1]:1883",
    ),
    "usage.usage": ("usage: ", "用法："),
    "usage.options": ("options", "选项"),
    "usage.positionals": ("arguments", "参数"),
    "usage.command": ("command", "命令"),
    "usage.error": (
        "{program}: {text} (help: {program} --help)",
        "{program}：{text}（帮助：{program} --help）",
    ),
    "usage.required": ("missing: {names}", "缺少参数：{names}"),
    "usage.one_required": ("one of {names} is required", "需要 {names} 之一"),
    "usage.unknown": ("unknown arguments: {words}", "未知参数：{words}"),
    "usage.not_with": ("{name} and {other} exclude each other", "{name} 与 {other} 不能同时使用"),
    "usage.no_value": ("{name} needs a value", "{name} 需要一个值"),
    "usage.values": ("{name} needs {count} values", "{name} 需要 {count} 个值"),
    "usage.choice": (
        "{name}: {value} is not one of {choices}",
        "{name}：{value} 不是以下之一：{choices}",
    ),
    "usage.bad_value": ("{name}: {value} is not allowed", "{name}：不允许的值 {value}"),
    "usage.takes_none": ("{name} takes no value: {value}", "{name} 不接受值：{value}"),
    "usage.argument": ("{name}: {text}", "{name}：{text}"),
    # -- bench
    "bench.example.rate": ("open loop: latency at a fixed rate", "开环：固定速率下的延迟"),
    "bench.example.handshake": ("full TLS handshakes", "完整 TLS 握手"),
    "bench.unreachable": ("cannot connect to {address}: {reason}", "无法连接 {address}：{reason}"),
    "bench.refused": (
        "{address} refused the connection with CONNACK code {reason}",
        "{address} 拒绝连接，CONNACK 代码 {reason}",
    ),
    "bench.not_subscribed": (
        "{address} refused a subscription with SUBACK code {reason}",
        "{address} 拒绝订阅，SUBACK 代码 {reason}",
    ),
    "bench.closed": (
        "{address} closed connection {number} before it was ready",
        "{address} 在就绪前关闭了连接 {number}",
    ),
    "bench.too_few": (
        "only {ready} of {wanted} connections were ready after {seconds} s",
        "{seconds} 秒后仅 {ready}/{wanted} 个连接就绪",
    ),
    "bench.reason.refused": ("connection refused", "连接被拒绝"),
    "bench.reason.name": ("the host name is not known", "找不到该主机名"),
    "bench.reason.silent": ("timed out", "连接超时"),
    "bench.reason.no_way": ("network is unreachable", "网络不可达"),
    "bench.phase.set_up": ("connecting", "建立连接"),
    "bench.phase.warm_up": ("warming up", "预热"),
    "bench.phase.measure": ("measuring", "测量"),
    "bench.phase.drain": ("draining", "收尾"),
}

TEXTS |= ADMIN_TEXTS | CONTROL_TEXTS | CTL_TEXTS | EDGE_TEXTS | LINK_TEXTS | RULE_TEXTS | TLS_TEXTS


def language(environ: Mapping[str, str] | None = None) -> str:
    """``en`` or ``zh``."""
    environ = os.environ if environ is None else environ
    for name in ("ROOKERY_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environ.get(name)
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


def say(key: str, **words: object) -> str:
    """The text of ``key`` in the user's language."""
    text = TEXTS[key][LANGUAGES.index(language())]
    return text.format(**words) if words else text
