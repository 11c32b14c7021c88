"""Every text of the agent's commands, in English and Chinese.

The language is ``ROOKERY_LANG``, else that of the locale, else English. What the log and the
reports say is English with a code word in front: they are read elsewhere, by others.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from rookery.agent.texts_doctor import DOCTOR_TEXTS

LANGUAGES = ("en", "zh")

TEXTS: dict[str, tuple[str, str]] = {
    "help.agent": (
        "connect a broker cluster to its control plane",
        "将消息服务器集群接入控制面",
    ),
    "help.help": ("show this help and exit", "显示帮助"),
    "help.version": ("show the version and exit", "显示版本"),
    "help.install": (
        "set the agent up on this machine, with systemd where there is one",
        "在本机安装代理，有 systemd 时注册为服务",
    ),
    "help.uninstall": ("stop the agent and remove it", "停止并卸载代理"),
    "help.start": ("start the agent in the background", "在后台启动代理"),
    "help.stop": ("stop the agent", "停止代理"),
    "help.restart": ("stop the agent and start it again", "重启代理"),
    "help.status": ("say how the agent is", "查看代理状态"),
    "help.register": ("register the cluster with the control plane", "向控制面注册集群"),
    "help.unregister": (
        "leave the control plane and forget all credentials",
        "从控制面注销并清除全部凭据",
    ),
    "help.credentials": (
        "give another dashboard user or password of the cluster",
        "更换集群 Dashboard 的用户名或密码",
    ),
    "help.doctor": (
        "check every hop and name the broken one",
        "逐段检查连接并指出故障所在",
    ),
    "help.run": ("run the agent in the foreground", "在前台运行代理"),
    "option.home": (
        "folder of the agent; default {default}",
        "代理目录，默认 {default}",
    ),
    "option.json": ("print JSON", "以 JSON 输出"),
    "option.url": (
        "address of the control plane, such as https://control.example:8082",
        "控制面地址，如 https://control.example:8082",
    ),
    "option.registration-token": (
        "token shown by the control plane; single use",
        "控制面显示的注册令牌，仅可使用一次",
    ),
    "option.username": (
        "administrator of the cluster's dashboard",
        "集群 Dashboard 的管理员用户名",
    ),
    "option.password": (
        "its password; better in EMQX_DASHBOARD_PASSWORD, a file, or typed when asked",
        "其密码；建议用环境变量 EMQX_DASHBOARD_PASSWORD、文件或按提示输入",
    ),
    "option.password-file": (
        "file that holds the password, - is standard input",
        "存放密码的文件，- 为标准输入",
    ),
    "option.dashboard-url": (
        "address of the cluster's dashboard; default http://127.0.0.1:18083",
        "集群 Dashboard 地址，默认 http://127.0.0.1:18083",
    ),
    "option.api-url": (
        "address of the cluster's REST interface; default that of the dashboard",
        "集群 REST 接口地址，默认与 Dashboard 相同",
    ),
    "option.other-urls": (
        "addresses of further nodes of the cluster, asked where the first does not answer",
        "集群其他节点的地址，首个地址无应答时使用",
    ),
    "option.log-enabled": ("collect the log files of the cluster", "采集集群日志文件"),
    "option.log-dir": (
        "folder of these log files; default /opt/emqx/log",
        "日志文件目录，默认 /opt/emqx/log",
    ),
    "option.insecure": (
        "take any certificate of the control plane: only for trials",
        "不校验控制面证书，仅用于试验",
    ),
    "option.ca-sha256": (
        "SHA-256 of the control plane's CA certificate, as its page shows it",
        "控制面 CA 证书的 SHA-256，由其页面显示",
    ),
    "error": ("error: {text}", "错误：{text}"),
    "usage.usage": ("usage: ", "用法："),
    "usage.error": ("{program}: {text}; see --help", "{program}：{text}，参见 --help"),
    # -- commands
    "install.done.systemd": (
        "installed as {unit}; next: {program} register …",
        "已安装为 {unit}；接下来：{program} register …",
    ),
    "install.done.plain": (
        "installed in {home}; no systemd here: {program} start runs it in the background",
        "已安装到 {home}；本机没有 systemd：用 {program} start 在后台运行",
    ),
    "install.root": (
        "a service can only be installed by root; use sudo, or --home DIR without systemd",
        "只有 root 可以安装服务；请使用 sudo，或用 --home DIR 而不使用 systemd",
    ),
    "uninstall.done": ("uninstalled; {home} is gone", "已卸载并删除 {home}"),
    "uninstall.foreign": (
        "{home} is not the folder of an agent: nothing was removed",
        "{home} 不是代理目录，未删除任何文件",
    ),
    "uninstall.registered": (
        "still registered; first: {program} unregister",
        "仍处于注册状态，请先执行：{program} unregister",
    ),
    "start.done": (
        "the agent runs (process {pid}); log: {log}",
        "代理已运行（进程 {pid}）；日志：{log}",
    ),
    "start.already": ("the agent runs already (process {pid})", "代理已在运行（进程 {pid}）"),
    "start.died": ("the agent ended at once; see {file}", "代理启动后立即退出，参见 {file}"),
    "start.service": ("the agent runs as {unit}", "代理以 {unit} 服务运行"),
    "stop.done": ("the agent is stopped", "代理已停止"),
    "stop.none": ("the agent does not run", "代理未运行"),
    "stop.refused": ("process {pid} belongs to another user", "进程 {pid} 属于其他用户"),
    "stop.failed": ("process {pid} does not end", "进程 {pid} 无法结束"),
    "run.already": (
        "another agent runs in this folder (process {pid})",
        "此目录中已有代理运行（进程 {pid}）",
    ),
    "status.running": ("the agent runs (process {pid})", "代理正在运行（进程 {pid}）"),
    "status.stopped": ("the agent does not run", "代理未运行"),
    "status.registered": ("registered with {url} as {agent}", "已注册到 {url}，标识 {agent}"),
    "status.unregistered": ("not registered", "未注册"),
    "status.report": (
        "last report {age} s ago, by {way}; cluster {version}, nodes {nodes}, connections {connections}",
        "上次上报 {age} 秒前，经由 {way}；集群版本 {version}，节点 {nodes}，连接 {connections}",
    ),
    "status.undelivered": (
        "last report {age} s ago could not be delivered",
        "{age} 秒前的上报未能送达",
    ),
    "register.done": (
        "registered as {agent} with {url}",
        "已注册到 {url}，标识 {agent}",
    ),
    "register.told": (
        "the running agent was told and reports within seconds",
        "已通知运行中的代理，数秒内开始上报",
    ),
    "register.start": ("next: {program} start", "接下来：{program} start"),
    "register.bad_token": ("--registration-token is no token", "--registration-token 不是有效令牌"),
    "register.refused": (
        "the cluster refused the dashboard user: {reason}. Nothing was registered and the registration token can still be used.",
        "集群拒绝了该 Dashboard 用户：{reason}。未进行注册，注册令牌仍可使用。",
    ),
    "register.later": (
        "warning: the cluster could not be asked yet ({reason}); the agent goes on trying",
        "警告：暂时无法访问集群（{reason}），代理将继续尝试",
    ),
    "register.insecure": (
        "warning: the control plane's certificate is not checked",
        "警告：未校验控制面证书",
    ),
    "register.needed": ("{name} is needed", "缺少 {name}"),
    "register.control": ("not registered: {reason}", "注册失败：{reason}"),
    "password.ask": ("Password of {username} at the cluster: ", "集群用户 {username} 的密码："),
    "password.file": ("the password cannot be read: {reason}", "无法读取密码：{reason}"),
    "password.visible": (
        "note: a password on the command line is visible to others on this machine while the command runs",
        "提示：命令行中的密码在命令运行期间对本机其他用户可见",
    ),
    "credentials.done": ("kept; the cluster takes it", "已保存，集群已接受"),
    "credentials.refused": ("the cluster refused it: {reason}", "集群拒绝：{reason}"),
    "unregister.done": ("unregistered; all credentials are forgotten", "已注销，全部凭据已清除"),
    "unregister.not": ("this agent is not registered", "此代理未注册"),
    "unregister.control": (
        "warning: the control plane was not told: {reason}",
        "警告：未能通知控制面：{reason}",
    ),
    "unregister.limit": (
        "the cluster keeps the connection limit of the control plane, set it back there: {reason}",
        "集群仍保留控制面设置的连接数上限，请在集群侧手动恢复：{reason}",
    ),
    "unregister.key": (
        "warning: the API key {name} is still at the cluster: {reason}",
        "警告：API 密钥 {name} 仍留在集群中：{reason}",
    ),
    # -- files
    "file.unreadable": ("{file} cannot be read: {reason}", "无法读取 {file}：{reason}"),
    "file.unwritable": ("{file} cannot be written: {reason}", "无法写入 {file}：{reason}"),
    "config.bad": ("{file}: {reason}", "{file}：{reason}"),
    "config.value": ("{file}: {key}: {value} is not allowed", "{file}：{key}：不允许的值 {value}"),
    "secrets.damaged": (
        "{file} cannot be decrypted with {key}: one of them is damaged or of another agent; remove both and register again",
        "无法用 {key} 解密 {file}：其中之一已损坏或属于其他代理；请删除两者后重新注册",
    ),
    "secrets.open": (
        "{file} can be read by others; chmod 600 it, and change what it holds if somebody did",
        "{file} 可被其他用户读取；请执行 chmod 600，若已泄露请更换其中的凭据",
    ),
    "url.bad": (
        "{name}: {value} is not an address such as https://host:port",
        "{name}：{value} 不是 https://主机:端口 形式的地址",
    ),
    "url.many": ("{name}: at most {most} addresses", "{name}：最多 {most} 个地址"),
    "url.plain": (
        "{url}: a token would travel in the clear; use https, or --insecure-skip-verify for a trial",
        "{url}：令牌会以明文传输；请使用 https，试验时可用 --insecure-skip-verify",
    ),
    "ca.bad_hash": (
        "--ca-sha256: {value} is not 64 hex digits",
        "--ca-sha256：{value} 不是 64 位十六进制数",
    ),
    "ca.other": (
        "{url}: its CA certificate is another than --ca-sha256 says: wrong address, or somebody stands in between",
        "{url}：其 CA 证书与 --ca-sha256 不符：地址错误，或连接被中间人截取",
    ),
    "systemd.refused": ("systemctl {words}: {reason}", "systemctl {words}：{reason}"),
}

TEXTS |= DOCTOR_TEXTS


def language(environ: Mapping[str, str] | None = None) -> str:
    """``en`` or ``zh``."""
    environ = os.environ if environ is None else environ
    for name in ("ROOKERY_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environ.get(name)
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


def say(text_of: str, /, **words: object) -> str:
    """The text of that name in the user's language."""
    text = TEXTS[text_of][LANGUAGES.index(language())]
    return text.format(**words) if words else text
