"""What ``doctor`` says: the name of each hop, and what to do when it is broken."""

from __future__ import annotations

DOCTOR_TEXTS: dict[str, tuple[str, str]] = {
    "doctor.state.ok": ("ok", "正常"),
    "doctor.state.broken": ("BROKEN", "故障"),
    "doctor.state.skipped": ("not checked", "未检查"),
    "doctor.all": ("every hop works", "各段均正常"),
    "doctor.first": ("broken: {hop}. What to do: {advice}", "故障：{hop}。处理方法：{advice}"),
    "doctor.hop.config": ("configuration", "配置"),
    "doctor.hop.process": ("agent process", "代理进程"),
    "doctor.hop.control.address": ("control plane: address", "控制面：地址"),
    "doctor.hop.control.tls": ("control plane: certificate", "控制面：证书"),
    "doctor.hop.registration": ("registration", "注册"),
    "doctor.hop.clock": ("clock", "时钟"),
    "doctor.hop.relay.address": ("relay: address", "消息通道：地址"),
    "doctor.hop.relay.credentials": ("relay: credentials", "消息通道：凭据"),
    "doctor.hop.cluster.address": ("cluster: address", "集群：地址"),
    "doctor.hop.cluster.api": ("cluster: REST interface", "集群：REST 接口"),
    "doctor.hop.cluster.credentials": ("cluster: credentials", "集群：凭据"),
    "doctor.hop.logs": ("log folder", "日志目录"),
    "doctor.unregistered": ("not registered", "未注册"),
    "doctor.registered": ("cluster {cluster}", "集群 {cluster}"),
    "doctor.logs.off": ("log collection is off", "未启用日志采集"),
    "doctor.tls.none": ("plain HTTP", "明文 HTTP"),
    "doctor.tls.insecure": ("not checked: insecure_skip_verify", "未校验：insecure_skip_verify"),
    "doctor.tls.pinned": ("signed by the pinned CA", "由固定的 CA 签发"),
    "doctor.tls.system": ("signed by a CA of this system", "由本系统的 CA 签发"),
    "doctor.clock.unknown": ("the control plane did not say", "控制面未给出时间"),
    "doctor.clock.skew": ("{seconds} s against the control plane", "与控制面相差 {seconds} 秒"),
    "doctor.relay.running": (
        "the running agent (process {pid}) is connected",
        "运行中的代理（进程 {pid}）已连接",
    ),
    "doctor.cluster.nodes": ("nodes: {count}", "节点数：{count}"),
    "doctor.advice.config": (
        "register with the command that the control plane shows for this cluster; a damaged {config} can be removed",
        "使用控制面为该集群显示的命令进行注册；{config} 若已损坏可删除",
    ),
    "doctor.advice.process": (
        "rookery-agent start; if it ends again, {log} says why",
        "执行 rookery-agent start；若再次退出，原因见 {log}",
    ),
    "doctor.advice.control.address": (
        "check that {url} is right, that its host name resolves here, and that a firewall lets this machine connect to that port",
        "检查 {url} 是否正确、本机能否解析该主机名，以及防火墙是否允许连接该端口",
    ),
    "doctor.advice.control.tls": (
        "the certificate is not of the CA that was pinned, is out of date, or names another host: take the command of the control plane's page anew, its hash has changed with the CA",
        "证书不是由固定的 CA 签发、已过期或主机名不符：请重新使用控制面页面上的命令，CA 更换后其哈希也随之改变",
    ),
    "doctor.advice.registration": (
        "the control plane does not know this agent any more: issue a new registration token there and register again",
        "控制面已不认识此代理：请在平台上重新生成注册令牌并重新注册",
    ),
    "doctor.advice.clock": (
        "set the clock, best with NTP: certificates are judged by it; reports work nevertheless",
        "请校准时钟，最好启用 NTP：证书有效期依赖时钟；上报仍可工作",
    ),
    "doctor.advice.relay.address": (
        "a firewall between this machine and the control plane has to let the relay's ports through as well, usually 38883 and 31883",
        "本机与控制面之间的防火墙还需放行消息通道端口，通常为 38883 与 31883",
    ),
    "doctor.advice.relay.credentials": (
        "the relay does not take this agent: register again with a new token; if another machine has a copy of this folder, remove it there",
        "消息通道不接受此代理：请用新令牌重新注册；若其他机器上有此目录的副本，请将其删除",
    ),
    "doctor.advice.cluster.address": (
        "check that the cluster runs and that api_url in {config} ({api_url}) is its address",
        "检查集群是否运行，以及 {config} 中的 api_url（{api_url}）是否为其地址",
    ),
    "doctor.advice.cluster.api": (
        "what answers at {api_url} is no EMQX 5 REST interface: correct api_url in {config}",
        "{api_url} 处的应答不是 EMQX 5 REST 接口：请修正 {config} 中的 api_url",
    ),
    "doctor.advice.cluster.credentials": (
        "give the right dashboard user: rookery-agent credentials --emqx-dashboard-username …; a refused password is tried again only every 10 minutes",
        "提供正确的 Dashboard 用户：rookery-agent credentials --emqx-dashboard-username …；被拒绝的密码每 10 分钟才会重试一次",
    ),
    "doctor.advice.logs": (
        "the agent must be able to read that folder: correct dir below [logs] in {config}, or its permissions",
        "代理须能读取该目录：请修正 {config} 中 [logs] 下的 dir，或调整其权限",
    ),
}
