"""The words of the set-up instructions, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

from rookery.control.errors import Text

PLATFORMS: Mapping[str, Text] = {
    "linux": Text(
        "Linux with systemd (amd64, arm, arm64)", "Linux（systemd，amd64 / arm / arm64）"
    ),
    "python": Text("Any machine with Python 3.9 or newer", "任何装有 Python 3.9 及以上版本的主机"),
}

PARAMETERS: Mapping[str, Text] = {
    "registrationToken": Text("Registration token", "注册令牌"),
    "username": Text("User name for the cluster's dashboard", "集群 Dashboard 用户名"),
    "password": Text("Password for the cluster's dashboard", "集群 Dashboard 密码"),
    "dashboardUrl": Text(
        "Address of the dashboard, seen from that machine", "Dashboard 地址（从该主机访问）"
    ),
    "apiUrl": Text(
        "Address of the REST API, seen from that machine", "REST API 地址（从该主机访问）"
    ),
    "logCollection": Text("Collect the cluster's logs", "采集集群日志"),
    "logDir": Text("Directory of the cluster's logs", "集群日志目录"),
}

STEPS: Mapping[str, tuple[Text, Text]] = {
    "download": (
        Text("Download the agent", "下载代理"),
        Text(
            "On a machine that reaches the cluster. The command compares the file with the digest that it names.",
            "在能够访问集群的主机上执行。命令会校验文件摘要。",
        ),
    ),
    "install": (
        Text("Install it as a service", "安装为系统服务"),
        Text(
            "systemd starts it at boot and again when it fails.",
            "由 systemd 随系统启动，异常退出后自动重启。",
        ),
    ),
    "register": (
        Text("Register the cluster", "注册集群"),
        Text(
            "The user name and the password stay on that machine; the agent makes an API key of its own with them.",
            "用户名和密码只保存在该主机上，代理会用它们创建自己的 API 密钥。",
        ),
    ),
    "start": (
        Text("Start the agent", "启动代理"),
        Text(
            "The cluster runs as soon as the first report is here.",
            "收到第一次上报后，集群即进入运行状态。",
        ),
    ),
}

CHECKLIST: Mapping[str, Text] = {
    "token": Text("Registration token issued", "已签发注册令牌"),
    "downloaded": Text("Agent downloaded", "已下载代理"),
    "registered": Text("Agent registered", "代理已注册"),
    "connected": Text("Tunnel up", "隧道已连通"),
    "reported": Text("First report received", "已收到首次上报"),
}


def say(text: Text, language: str) -> str:
    """In a language."""
    return text.zh if language == "zh" else text.en
