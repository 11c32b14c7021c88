"""Texts of ``rookery ctl rules``, ``connectors``, ``actions`` and ``sources``: English and Chinese."""

from __future__ import annotations

_KINDS = {
    "connectors": ("connector", "connectors", "连接器"),
    "actions": ("action", "actions", "动作"),
    "sources": ("source", "sources", "数据源"),
}


def _of_kind(kind: str, one: str, many: str, zh: str) -> dict[str, tuple[str, str]]:
    article = "an" if one[0] == "a" else "a"
    verbs = {
        "list": (f"list {many} and how they do", f"列出{zh}及其状态"),
        "types": (f"list the types of {many} that there are", f"列出可用的{zh}类型"),
        "show": (f"show the settings of {article} {one}", f"查看{zh}"),
        "create": (f"define {article} {one} and start it", f"创建{zh}"),
        "test": (
            f"try the settings of {article} {one} without keeping them",
            f"测试{zh}配置但不保存",
        ),
        "update": (f"replace the settings of {article} {one}", f"修改{zh}"),
        "enable": (f"switch {article} {one} on", f"启用{zh}"),
        "disable": (f"switch {article} {one} off", f"停用{zh}"),
        "start": (f"start {article} {one} now", f"启动{zh}"),
        "stop": (f"stop {article} {one} until the node ends", f"停止{zh}，直到节点停止运行"),
        "restart": (f"stop {article} {one} and start it again", f"重启{zh}"),
        "delete": (f"take {article} {one} away", f"删除{zh}"),
        "metrics": (f"show what {article} {one} did", f"查看{zh}指标"),
        "reset": (f"let the metrics of {article} {one} begin at zero again", f"重置{zh}指标"),
    }
    return {f"help.ctl.{kind}.{verb}": texts for verb, texts in verbs.items()}


RULE_TEXTS: dict[str, tuple[str, str]] = {
    "help.ctl.rules": ("rules: what happens to messages besides delivery", "规则"),
    "help.ctl.rules.list": ("list rules and what they did", "列出规则及其指标"),
    "help.ctl.rules.show": ("show a rule", "查看规则"),
    "help.ctl.rules.create": ("define a rule; it runs at once", "创建规则并立即运行"),
    "help.ctl.rules.update": ("replace a rule", "修改规则"),
    "help.ctl.rules.enable": ("let a rule run", "启用规则"),
    "help.ctl.rules.disable": ("stop a rule from running", "停用规则"),
    "help.ctl.rules.delete": ("take a rule away", "删除规则"),
    "help.ctl.rules.metrics": ("show what a rule did", "查看规则指标"),
    "help.ctl.rules.reset": ("let the metrics of a rule begin at zero again", "重置规则指标"),
    "help.ctl.rules.test": (
        "try a rule, or SQL, on a message; actions do not run",
        "用一条消息测试规则或 SQL，不执行动作",
    ),
    "help.ctl.connectors": ("connections to other services", "到外部服务的连接器"),
    "help.ctl.actions": ("what rules send through connectors", "规则通过连接器发送数据的动作"),
    "help.ctl.sources": ("what connectors bring in for rules", "连接器为规则引入数据的数据源"),
    "option.rule": ("id of the rule", "规则 ID"),
    "option.rule.sql": ("what it selects, and from where", "规则 SQL"),
    "option.rule.action": (
        "what is done with each row: TYPE:NAME of an action, console, or a JSON object; may be repeated",
        "对每条结果执行的动作：动作的 TYPE:NAME、console，或 JSON 对象（如消息重发布），可重复",
    ),
    "option.rule.name": ("name for people", "规则名称"),
    "option.rule.context": (
        "event_type and columns of the message or event; - reads the standard input",
        "消息或事件的 event_type 与各列（JSON），- 表示标准输入",
    ),
    "option.entry-file": (
        "its settings in HOCON or JSON, as the REST interface takes them; - is the standard input",
        "HOCON 或 JSON 格式的设置，与 REST 接口相同，- 表示标准输入",
    ),
    "option.entry.with-uses": (
        "take it out of the rules that name it as well",
        "同时从引用它的规则中移除",
    ),
    "option.connector": (
        "id of the connector, such as http:plant_service",
        "连接器 ID，如 http:plant_service",
    ),
    "option.action": ("id of the action, such as http:tell_plant", "动作 ID，如 http:tell_plant"),
    "option.source": ("id of the source, such as mqtt:plant_2", "数据源 ID，如 mqtt:plant_2"),
    "ctl.rule.bad-action": (
        "--action is no JSON object: {error}",
        "--action 不是 JSON 对象：{error}",
    ),
    "ctl.rule.no-sql": ("a rule needs --sql or --file", "规则需要 --sql 或 --file"),
    "ctl.rule.id-or-sql": ("say which rule, or --sql", "请指定规则 ID 或 --sql 之一"),
    "ctl.rule.created": ("rule {id} runs", "规则 {id} 已运行"),
    "ctl.rule.updated": ("changed rule {id}", "已修改规则 {id}"),
    "ctl.rule.enabled": ("enabled rule {id}", "已启用规则 {id}"),
    "ctl.rule.disabled": ("disabled rule {id}", "已停用规则 {id}"),
    "ctl.rule.deleted": ("deleted rule {id}", "已删除规则 {id}"),
    "ctl.entry.created": ("made {id}, {status}", "已创建 {id}，{status}"),
    "ctl.entry.created-why": ("made {id}, {status}: {reason}", "已创建 {id}，{status}：{reason}"),
    "state.connected": ("connected", "已连接"),
    "state.connecting": ("connecting", "正在连接"),
    "state.disconnected": ("disconnected", "已断开"),
    "state.inconsistent": ("inconsistent", "状态不一致"),
    "ctl.entry.tested": ("{id} works", "{id} 测试成功"),
    "ctl.entry.updated": ("changed {id}", "已修改 {id}"),
    "ctl.entry.enabled": ("enabled {id}", "已启用 {id}"),
    "ctl.entry.disabled": ("disabled {id}", "已停用 {id}"),
    "ctl.entry.started": ("started {id}", "已启动 {id}"),
    "ctl.entry.stopped": ("stopped {id}", "已停止 {id}"),
    "ctl.entry.restarted": ("restarted {id}", "已重启 {id}"),
    "ctl.entry.deleted": ("deleted {id}", "已删除 {id}"),
    "ctl.entry.reset": ("metrics of {id} are at zero", "{id} 的指标已重置"),
    "column.matched": ("MATCHED", "命中"),
    "column.passed": ("PASSED", "通过"),
    "column.failed": ("FAILED", "未通过"),
    "column.from": ("FROM", "来源"),
    "column.actions": ("ACTIONS", "动作"),
    "column.sources": ("SOURCES", "数据源"),
    "column.rules": ("RULES", "规则"),
    "column.connector": ("CONNECTOR", "连接器"),
    "column.title": ("TITLE", "名称"),
    "column.missing": ("MISSING", "缺少"),
}
for _kind, _words in _KINDS.items():
    RULE_TEXTS |= _of_kind(_kind, *_words)
