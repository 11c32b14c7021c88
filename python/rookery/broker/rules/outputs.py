"""From the outputs of a rule, as they are written, to what the core is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rookery.native.action_fields import FieldSpec
from rookery.native.rules import ActionOutput, Console, OutputSpec, Republish, RuleSpec

FieldsOf = Callable[[str], tuple[FieldSpec, ...]]
USER_PROPERTIES = "${pub_props.'User-Property'}"


def rule_spec(id_: str, rule: Mapping[str, Any], fields_of: FieldsOf) -> RuleSpec:
    """One rule for the core.

    Raises:
        RookeryError: an action of it is not there.
    """
    return RuleSpec(
        id=id_,
        sql=rule["sql"],
        enable=rule["enable"],
        outputs=tuple(_output(output, fields_of) for output in rule["actions"]),
    )


def _output(output: Any, fields_of: FieldsOf) -> OutputSpec:
    if isinstance(output, str):
        return ActionOutput(action_id=output, fields=fields_of(output))
    if output["function"] == "console":
        return Console()
    args = output["args"]
    return Republish(
        topic=args["topic"],
        qos=_text(args.get("qos", "${qos}")),
        retain=_text(args.get("retain", "${retain}")),
        payload=args.get("payload", "${payload}"),
        user_properties=args.get("user_properties", USER_PROPERTIES),
        mqtt_properties={
            name: _text(value) for name, value in args.get("mqtt_properties", {}).items()
        },
        direct_dispatch=_text(args.get("direct_dispatch", False)) == "true",
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
