"""What ``/rules`` and its tests take and give."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from rookery.config.schema.integration import FUNCTIONS, RULE_ID
from rookery.web.models import Model, Row

SQL = 'SELECT payload.temp AS temp, clientid FROM "line/3/+" WHERE payload.temp > 80'
REPUBLISH = {
    "function": "republish",
    "args": {"topic": "alarms/${clientid}", "payload": "${temp}", "qos": 1},
}
POSTED: dict[str, Any] = {
    "id": "hot_line",
    "name": "Line 3 is hot",
    "sql": SQL,
    "actions": ["http:tell_plant", REPUBLISH],
    "description": "Tells the plant when line 3 gets hot.",
}
FIGURES_EXAMPLE: dict[str, Any] = {
    "matched": 120, "matched.rate": 2.0, "matched.rate.max": 10.0, "matched.rate.last5m": 1.5,
    "passed": 20, "failed": 100, "failed.exception": 0, "failed.no_result": 100,
    "failed.unknown": 0, "actions.total": 40, "actions.success": 40, "actions.failed": 0,
    "actions.failed.out_of_service": 0, "actions.failed.unknown": 0, "actions.discarded": 0,
}  # fmt: skip
NODE_FIGURES = [{"node": "rookery@127.0.0.1", **FIGURES_EXAMPLE}]
SHOWN: dict[str, Any] = {
    **POSTED,
    "enable": True,
    "metadata": {"created_at": 1769860800000, "last_modified_at": 1769860800000},
    "from": ["line/3/+"],
    "created_at": "2026-01-31T12:00:00.000+00:00",
    "last_modified_at": "2026-01-31T12:00:00.000+00:00",
    "action_details": [
        {"id": "http:tell_plant", "type": "http", "name": "tell_plant", "status": "connected",
         "status_reason": "", "enable": True},
        {"function": "republish", "status": "connected", "status_reason": "", "enable": True},
    ],
    "source_details": [],
    "metrics": FIGURES_EXAMPLE,
    "node_metrics": NODE_FIGURES,
}  # fmt: skip
CONTEXT = {
    "event_type": "message_publish",
    "topic": "line/3/oven",
    "clientid": "plc-3",
    "payload": '{"temp": 91}',
    "qos": 1,
}
FUNCTION_EXAMPLE = {
    "name": "upper", "family": "Text", "family_zh": "文本", "arguments_min": 1,
    "arguments_max": 1, "status": "present", "reason": "",
    "examples": [{"expression": "upper('ab')", "result": "\"AB\""}],
}  # fmt: skip
EVENT_EXAMPLE = {
    "event": "$events/client/connected",
    "title": {"en": "A client connected", "zh": "客户端已连接"},
    "description": {"en": "A client connected", "zh": "客户端已连接"},
    "columns": {"clientid": "c_emqx"},
    "test_columns": {"clientid": ["c_emqx", {"en": "the client identifier", "zh": "客户端标识符"}]},
    "sql_example": 'SELECT * FROM "$events/client/connected"',
}


class RepublishProperties(Model):
    """Properties of MQTT 5.0; texts are templates of the rule's row."""

    payload_format_indicator: str | int | None = Field(
        None, alias="Payload-Format-Indicator", description="1: it is UTF-8.", examples=["1"]
    )
    message_expiry_interval: str | int | None = Field(
        None, alias="Message-Expiry-Interval", description="Seconds.", examples=["60"]
    )
    content_type: str | None = Field(
        None, alias="Content-Type", description="Kind of content.", examples=["application/json"]
    )
    response_topic: str | None = Field(
        None, alias="Response-Topic", description="Where an answer goes.", examples=["answers"]
    )
    correlation_data: str | None = Field(
        None, alias="Correlation-Data", description="What an answer carries.", examples=["${id}"]
    )


class RepublishArgs(Model):
    """What is published; texts are templates of the rule's row."""

    topic: str = Field(description="Topic.", examples=["alarms/${clientid}"])
    qos: int | str = Field("${qos}", description="QoS, or a placeholder.", examples=[1])
    retain: bool | str = Field("${retain}", description="Retained or not.", examples=[False])
    payload: str = Field("${payload}", description="Payload.", examples=["${temp}"])
    mqtt_properties: RepublishProperties | None = Field(
        None,
        description="Properties of MQTT 5.0.",
        examples=[{"Content-Type": "application/json"}],
    )
    user_properties: str = Field(
        "${pub_props.'User-Property'}",
        description="A placeholder of an object.",
        examples=["${pub_props.'User-Property'}"],
    )
    direct_dispatch: bool | str = Field(
        False, description="To subscribers alone: no rules, nothing retained.", examples=[False]
    )


class RepublishOutput(Model):
    """Publish a message."""

    function: Literal["republish"]
    args: RepublishArgs


class ConsoleOutput(Model):
    """Write the row into the log."""

    function: Literal["console"]
    args: dict[str, Any] = Field(default_factory=dict, description="Nothing.", examples=[{}])


def _kind_of_output(raw: object) -> str | None:
    """Which form it has, so that what is wrong is told of that one alone."""
    if isinstance(raw, str):
        return "action"
    found = raw.get("function") if isinstance(raw, dict) else getattr(raw, "function", None)
    return found if found in FUNCTIONS else None


Output = Annotated[
    Annotated[str, Tag("action")]
    | Annotated[RepublishOutput, Tag("republish")]
    | Annotated[ConsoleOutput, Tag("console")],
    Discriminator(
        _kind_of_output,
        custom_error_type="rule_output",
        custom_error_message=(
            "must be the id of an action, or an object whose function is republish or console"
        ),
    ),
]


class RuleUpdate(Model):
    """A rule."""

    name: str = Field("", description="Its name for people.", examples=["Line 3 is hot"])
    sql: str = Field(description="What it selects, and from where.", examples=[SQL])
    actions: list[Output] = Field(
        default_factory=list,
        description="What is done with each row: the id of an action, republish, console.",
        examples=[["http:tell_plant", REPUBLISH]],
    )
    enable: bool = Field(True, description="Whether it runs.", examples=[True])
    description: str = Field("", description="What it is for.", examples=["Tells the plant."])
    metadata: dict[str, Any] = Field(
        default_factory=dict, description="Kept as it is.", examples=[{}]
    )


class NewRule(RuleUpdate):
    """A rule to create."""

    id: str | None = Field(
        None,
        json_schema_extra={"pattern": f"^{RULE_ID}$"},
        description="Its id; one is made otherwise.",
        examples=["hot_line"],
    )


class RuleFigures(Row):
    """What a rule did; matched = passed + failed at any time."""

    matched: int = Field(description="Messages and events it selects from.", examples=[120])
    matched_rate: float = Field(
        alias="matched.rate", description="Matched per second, lately.", examples=[2.0]
    )
    matched_rate_max: float = Field(
        alias="matched.rate.max", description="The highest rate there was.", examples=[10.0]
    )
    matched_rate_last5m: float = Field(
        alias="matched.rate.last5m", description="The rate of the last 5 minutes.", examples=[1.5]
    )
    passed: int = Field(description="… whose conditions held.", examples=[20])
    failed: int = Field(description="… that gave nothing.", examples=[100])
    failed_exception: int = Field(
        alias="failed.exception", description="… because the rule failed on them.", examples=[0]
    )
    failed_unknown: int = Field(
        alias="failed.unknown", description="… for a reason nobody knows.", examples=[0]
    )
    failed_no_result: int = Field(
        alias="failed.no_result", description="… because conditions did not hold.", examples=[100]
    )
    actions_total: int = Field(
        alias="actions.total", description="Results given to actions.", examples=[40]
    )
    actions_success: int = Field(
        alias="actions.success", description="… that actions sent.", examples=[40]
    )
    actions_failed: int = Field(
        alias="actions.failed", description="… that actions could not send.", examples=[0]
    )
    actions_failed_out_of_service: int = Field(
        alias="actions.failed.out_of_service",
        description="… because what they need was not there.",
        examples=[0],
    )
    actions_failed_unknown: int = Field(
        alias="actions.failed.unknown", description="… for another reason.", examples=[0]
    )
    actions_discarded: int = Field(
        alias="actions.discarded", description="… that actions gave up.", examples=[0]
    )


class NodeRuleFigures(RuleFigures):
    """The same on one node."""

    node: str = Field(description="The node.", examples=["rookery@127.0.0.1"])


class RuleRow(Row):
    """A rule, what it does and what it did."""

    id: str = Field(description="Its id.", examples=["hot_line"])
    name: str = Field(description="Its name for people.", examples=["Line 3 is hot"])
    sql: str = Field(description="What it selects, and from where.", examples=[SQL])
    actions: list[Output] = Field(description="What is done with each row.")
    enable: bool = Field(description="Whether it runs.", examples=[True])
    description: str = Field(description="What it is for.", examples=["Tells the plant."])
    metadata: dict[str, Any] = Field(description="When it was made and changed, and more.")
    from_: list[str] = Field(
        alias="from", description="Topic filters, events and sources.", examples=[["line/3/+"]]
    )
    created_at: str | None = Field(
        None, description="When it was made.", examples=["2026-01-31T12:00:00.000+00:00"]
    )
    last_modified_at: str | None = Field(
        None, description="When it was changed.", examples=["2026-01-31T12:00:00.000+00:00"]
    )
    action_details: list[dict[str, Any]] = Field(
        description="How each of `actions` does: `id` or `function`, `status`, `status_reason`."
    )
    source_details: list[dict[str, Any]] = Field(
        description="How each source does that it selects from, as in `action_details`; one that "
        "does not exist says so."
    )
    metrics: RuleFigures = Field(description="What it did.", examples=[FIGURES_EXAMPLE])
    node_metrics: list[NodeRuleFigures] = Field(
        description="The same by node.", examples=[NODE_FIGURES]
    )


class RuleMetrics(Row):
    """What a rule did; matched = passed + failed at any time."""

    id: str = Field(description="Its id.", examples=["hot_line"])
    metrics: RuleFigures = Field(
        description="`matched`, `passed`, `failed` …", examples=[FIGURES_EXAMPLE]
    )
    node_metrics: list[NodeRuleFigures] = Field(
        description="The same by node.", examples=[NODE_FIGURES]
    )


class RuleTest(Model):
    """SQL to try on a message or an event."""

    sql: str = Field(description="What it selects, and from where.", examples=[SQL])
    context: dict[str, Any] = Field(
        default_factory=dict,
        description="`event_type` and the columns of the event; the rest is made up.",
        examples=[CONTEXT],
    )


class RuleProblem(Row):
    """Why no row comes out."""

    message: str = Field(
        description="What is wrong, with its place.",
        examples=["line 1, column 8: an expression is missing"],
    )
    line: int | None = Field(
        description="Where in the SQL, from 1; null: a function failed on the sample.", examples=[1]
    )
    column: int | None = Field(description="Where in that line, from 1.", examples=[8])


class RulePreview(Row):
    """What a rule that is being written makes of a sample."""

    rows: list[dict[str, Any]] = Field(
        description="What comes out. None without a problem: the conditions do not match.",
        examples=[[{"temp": 91, "clientid": "plc-3"}]],
    )
    problem: RuleProblem | None = Field(None, description="Why nothing can come out.")


class RuleApplyTest(Model):
    """A message or an event to try a rule on."""

    context: dict[str, Any] = Field(
        default_factory=dict,
        description="`event_type` and the columns of the event; the rest is made up.",
        examples=[CONTEXT],
    )
    stop_action_after_template_rendering: bool = Field(
        True, description="Taken for EMQX's sake: a test never runs actions.", examples=[True]
    )


class EngineSettings(Model):
    """Settings of all rules."""

    ignore_sys_message: bool = Field(
        True,
        description="Whether the node's own messages under $SYS are not for rules. Where they are, "
        "only a filter that names $SYS/… takes them.",
        examples=[True],
    )
    jq_function_default_timeout: str = Field(
        "10s", description="Taken for EMQX's sake, without effect.", examples=["10s"]
    )


class EventRow(Row):
    """Something to select from."""

    event: str = Field(
        description="What stands behind FROM.", examples=["$events/client/connected"]
    )
    title: dict[str, str] = Field(description="What happens, by language.")
    description: dict[str, str] = Field(description="The same.")
    columns: dict[str, Any] = Field(description="What `*` stands for, with examples.")
    test_columns: dict[str, Any] = Field(
        description="What a person fills in to try a rule: example, and what it is by language."
    )
    sql_example: str = Field(description="A rule on it.")


class FunctionRow(Row):
    """A function of the rule language."""

    name: str = Field(description="Its name.", examples=["upper"])
    family: str = Field(description="What kind of function it is.", examples=["Text"])
    family_zh: str = Field(description="The same in Chinese.", examples=["文本"])
    arguments_min: int = Field(description="Least arguments.", examples=[1])
    arguments_max: int | None = Field(
        None, description="Most arguments; null: no bound.", examples=[1]
    )
    status: Literal["present", "different"] = Field(
        description="Whether it is as in EMQX.", examples=["present"]
    )
    reason: str = Field(description="What is different.", examples=[""])
    examples: list[dict[str, Any]] = Field(description="Expressions and what they give.")
