"""From the outputs of a rule, as they are written, to what the core is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rookery.native.action_fields import FieldSpec
from rookery.native.rules import ActionOutput, Console, OutputSpec, Republish, RuleSpec

FieldsOf = Callable[[str], tuple[FieldSpec, ...]]


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
    return Republish.of(output["args"])
