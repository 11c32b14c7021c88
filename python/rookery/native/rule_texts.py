"""What the core says about rules, in Chinese: by the key of the text, which stays the same.

The English stands in the core (``rookery_rules::messages``). What the compiler of regular expressions
says stands in :mod:`rookery.native.regex_texts_zh`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from rookery.native.rows import SaidRow

__all__ = ["CHINESE", "REASONS_ZH", "Said"]

Value: TypeAlias = "str | Said"


class Said(NamedTuple):
    """A text about a rule.

    Attributes:
        key: What programs test for.
        english: The whole text.
        values: What stands in it, by name.
    """

    key: str
    english: str
    values: Mapping[str, Value]

    @classmethod
    def of(cls, row: SaidRow) -> Said:
        """As it comes from the core."""
        key, english, values = row
        return cls(key, english, {name: _value(value) for name, value in values})

    def chinese(self) -> str:
        """The same in Chinese; what has no text there stays English."""
        if self.key == "regex_wrong":
            from rookery.native.regex_texts_zh import in_chinese  # noqa: PLC0415

            return in_chinese(self.english)
        if self.key == "absent_because":
            return REASONS_ZH.get(self.english, self.english)
        text = CHINESE.get(self.key)
        if text is None:
            return self.english
        return text.format(
            **{
                name: value.chinese() if isinstance(value, Said) else value
                for name, value in self.values.items()
            }
        )

    def essence(self) -> Said:
        """What is wrong, without its place and the advice about it."""
        if self.key in ("at_place", "with_hint"):
            inner = self.values["what"]
            return inner.essence() if isinstance(inner, Said) else self
        return self

    def params(self) -> dict[str, str]:
        """Its values in English."""
        return {
            name: value.english if isinstance(value, Said) else value
            for name, value in self.values.items()
        }


def _value(value: str | SaidRow) -> Value:
    return value if isinstance(value, str) else Said.of(value)


CHINESE: Mapping[str, str] = {
    # How texts are put together.
    "at_place": "第 {line} 行第 {column} 列：{what}",
    "with_hint": "{what}（{hint}）",
    # The text of a rule.
    "unexpected": "此处应为{wanted}，实际为{found}",
    "means_nothing": "{character} 在此处没有意义",
    "quote_open": "引号没有闭合",
    "number_too_large": "数字过大",
    "index_too_large": "下标过大",
    "index_kind": "下标必须是整数、列名或别名",
    "no_parts": "只有列、别名或函数才能取其中的部分",
    "rule_too_long": "规则超过 {most} 字节",
    "too_many_sources": "规则的来源超过 {most} 个",
    "too_many_parts": "规则的组成部分超过 {most} 个",
    "too_many_joined": "一串运算超过 {most} 项",
    "too_deep": "表达式嵌套超过 {most} 层",
    "path_too_long": "路径超过 {most} 段",
    # What was wanted, and what was found.
    "the_end": "结尾",
    "the_text": "文本 {text}",
    "the_word": ' "{word}"',
    "an_expression": "表达式",
    "select_or_foreach": " SELECT 或 FOREACH",
    "comma_or": ' "," 或 {other}',
    "name_after_as": " AS 之后的名称",
    "filter_or_event": "带引号的主题过滤器或事件",
    "key_after_dot": "点号之后的键",
    "whole_number": "整数",
    # What a rule means.
    "no_topic_filter": "不是主题过滤器：{why}",
    "topic_empty": "主题为空",
    "topic_too_long": "主题有 {bytes} 字节，超过 {most}",
    "topic_null": "主题含有 U+0000",
    "topic_wildcard": "此处不允许通配符 `{wildcard}`",
    "topic_share_name": "共享组名为空，或含有 `/`、`+`、`#`",
    "topic_prefix": "前缀之后没有主题过滤器",
    "no_share": "规则不能使用共享订阅",
    "no_event": "没有事件 {name}",
    "foreach_everything": "FOREACH 遍历的是数组，不能是 *",
    "foreach_nothing": "FOREACH 需要遍历一个数组",
    "element_parts": "元素的名称不能再分段",
    "no_function": "没有函数 {name}",
    "function_absent": "函数 {name} 不可用",
    "arguments": "{name} 需要 {wanted} 个参数，实际为 {found} 个",
    "from_to": "{least} 到 {most}",
    "no_regex": "不是正则表达式：{why}",
    # Advice.
    "did_you_mean": "是否想写 {name}？",
    "events_are": "可用的事件：{names}",
    "filter_alone": "只写主题过滤器即可：每条消息只处理一次",
    "filters_in_quotes": '主题过滤器要加引号：FROM "t/#"',
    "write_from": '写成 FROM "t/#"',
    "write_foreach": "写成 FOREACH payload.list AS item",
    "name_first": "先用 AS 为它命名",
    "numbers_in_quotes": "数字形式的键要加引号",
    "keys_behind_dot": "键写在点号之后：payload.'my key'",
    "join_with_plus": "用 + 连接文本",
    "change_types": "用 str()、int()、float()、bool() 转换类型",
    "use_is_null": "使用 is_null(x) 或 is_not_null(x)",
    "use_regex_match": "使用 regex_match(x, '…') 或 x =~ 'topic/filter'",
    "use_comparisons": "使用 x >= a AND x <= b",
    "one_message": "规则每次只处理一条消息",
    # What fails with one message.
    "function_failed": "{function}：{what}",
    "not_a_number": "{text} 不是数字",
    "overflow": "整数溢出",
    "value_too_deep": "值的嵌套超过 {most} 层",
    "json_too_large": "JSON 超过 {values} 个值或 {levels} 层",
    "too_many_items": "数组超过 {most} 个元素",
    "too_much_work": "规则的运算量超过一条消息的上限",
    "too_much_work_together": "这条消息的所有规则已用完一条消息的运算量上限，没有剩余可供本规则使用",
    "too_large": "结果超过 {most} 字节",
    "not_text": "非 UTF-8 的字节不能转为 JSON；请使用 bin2hexstr 或 base64_encode",
    # What functions say.
    "wrong_argument": "第 {position} 个参数是{kind}，应为{wanted}",
    "cannot_be_done": "不能对{left}和{right}进行此运算",
    "cannot_be_done_with": "不能对{kind}进行此运算",
    "division_by_zero": "除数为零",
    "result_no_number": "结果不是数字",
    "part_of_no_array": "只能截取数组的一部分",
    "positions_from_one": "位置从 1 开始",
    "array_shorter": "数组没有这么长",
    "array_empty": "数组为空",
    "string_empty": "字符串为空",
    "no_element": "没有第 {position} 个元素",
    "no_level": "没有第 {level} 级",
    "no_option": "没有选项 {word}",
    "data_damaged": "数据已损坏",
    "no_base64": "文本不是 base64",
    "no_hexadecimal": "文本不是十六进制",
    "no_json": "文本不是 JSON",
    "regex_not_utf8": "表达式不是 UTF-8",
    "regex_too_long": "表达式超过 {most} 字节",
    "regex_too_large": "表达式过大",
    "time_outside": "时间超出公元 0 年至 9999 年",
    "offset_too_large": "时区偏移必须小于一天",
    "no_offset": "{text} 不是时区偏移",
    "not_written_so": "{text} 的写法不符",
    "format_too_long": "格式超过 {most} 字节",
    "not_the_format": "文本与格式不符",
    "no_such_time": "没有这样的日期或时间",
    "too_few_values": "值太少",
    "too_many_values": "值太多",
    "field_too_wide": "字段宽度超过 {most}",
    "format_ends": "格式在控制序列中间结束",
    "does_not_print": "~{letter} 不能打印{kind}",
    "whole_octets": "只能按整字节取位",
    "at_most_bits": "最多 {most} 位",
    "float_bits": "浮点数为 16、32 或 64 位",
    "bits_no_number": "这些位不是数字",
    "key_too_long": "键超过 {most} 段",
    "too_many_keys": "键超过 {most} 个",
    "key_is": "键是{kind}",
    "neither_true_nor_false": "{text} 既不是 true 也不是 false",
    "at_most_decimals": "最多 {most} 位小数",
    "no_escape": "{escape} 不是转义序列",
    "no_character": "\\x{number} 不是字符",
    # Kinds of values.
    "kind_undefined": "未定义的值",
    "kind_null": "空值",
    "kind_boolean": "布尔值",
    "kind_integer": "整数",
    "kind_float": "浮点数",
    "kind_string": "字符串",
    "kind_array": "数组",
    "kind_map": "映射",
    "an_integer": "整数",
    "a_size": "非负整数",
    "a_number": "数字",
    "a_string": "字符串",
    "utf8": " UTF-8 文本",
    "an_array": "数组",
    "a_map": "映射",
    # Trials.
    "context_no_object": "上下文不是 JSON 对象",
    "no_event_type": "没有 event_type {name}",
    "no_match": "规则没有选取其中任何内容",
}
"""A key that is not here has no words of its own: ``regex_wrong``, ``absent_because``."""

REASONS_ZH: Mapping[str, str] = {
    "what is neither an array, a map nor JSON text is not empty; in EMQX it fails the rule": (
        "既不是数组、映射也不是 JSON 文本的值视为非空；EMQX 中规则会失败"
    ),
    "values print as JSON where Erlang prints its own terms; ~c ~w ~p ~s ~b ~f ~e ~g ~n ~~ with width, "
    "precision and pad are known": (
        "值以 JSON 打印，而 Erlang 打印其自身的项；支持 ~c ~w ~p ~s ~b ~f ~e ~g ~n ~~ 及宽度、精度与填充"
    ),
    "as sprintf": "同 sprintf",
    "linear in time: no look-around, no back-references inside an expression; \\d \\w \\s know Unicode": (
        "线性时间：表达式内不支持环视与反向引用；\\d \\w \\s 支持 Unicode"
    ),
    "keys stay in the order in which they came; EMQX's order is not defined": (
        "键保持出现的顺序；EMQX 的顺序不确定"
    ),
    "an array of names and values; EMQX's begins with a mark for its own Redis action": (
        "由名称和值组成的数组；EMQX 的结果以其 Redis 动作专用的标记开头"
    ),
    "no action of Rookery takes LZ4": "Rookery 没有使用 LZ4 的动作",
    "what needs more than 127 bits fails": "需要超过 127 位时失败",
    "numbers have up to 127 bits; 'bits' gives whole octets only": "数字最多 127 位；'bits' 只给出整字节",
    "there is no schema registry": "没有 Schema 注册中心",
    "Erlang's external terms have no use outside Erlang": "Erlang 外部项格式在 Erlang 之外没有用处",
    "years 0 to 9999": "年份 0 至 9999",
    "there is no MongoDB action": "没有 MongoDB 动作",
    "from a seed that the node gives for each message": "由节点为每条消息给出的种子生成",
    "reads what the node took from variables that begin with EMQXVAR_ when it started": (
        "读取节点启动时以 EMQXVAR_ 开头的环境变量"
    ),
    "jq programs can run without end and cannot be bounded by their text; FOREACH, paths and the "
    "functions of maps and arrays are bounded": (
        "jq 程序可能无休止运行且无法由其文本限制；FOREACH、路径以及映射和数组函数是有界的"
    ),
    "no rule waits for a service": "规则不等待外部服务",
    "undocumented, and about a column that no event has": "未见于文档，且针对任何事件都没有的列",
    "a rule keeps nothing from one message to the next": "规则不在消息之间保存任何内容",
}
"""Why a function is absent or different, by the English reason."""
