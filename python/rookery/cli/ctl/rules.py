"""``rookery ctl rules``: what happens to messages besides their delivery."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from rookery.cli import output
from rookery.cli.ctl.asking import add_verb, all_pages, api, done, node_of, show
from rookery.cli.ctl.entries import Entries, Runs, declare_entries
from rookery.cli.ctl.entry_files import read_entry
from rookery.cli.ctl.showing import show_members
from rookery.cli.messages import language, say
from rookery.errors import BadRequestError

CREATE_EXAMPLES = """\
  rookery ctl rules create --id hot --sql 'SELECT * FROM "line/3/+" WHERE payload.temp > 80' \\
      --action http:tell_plant --action console
  rookery ctl rules create --id copy --sql 'SELECT * FROM "line/#"' \\
      --action '{"function": "republish", "args": {"topic": "copy/${topic}"}}'
  rookery ctl rules create --file hot.conf"""
TEST_EXAMPLES = """\
  rookery ctl rules test hot --context '{"topic": "line/3/a", "payload": "{\\"temp\\": 91}"}'
  rookery ctl rules test --sql 'SELECT upper(clientid) AS c FROM "t/#"' --context '{"clientid": "a"}'"""
COLUMNS = ("id", "enable", "matched", "passed", "failed", "from", "actions")


RULES = Entries("rules", ("rules",), "id", "ID", "option.rule", "hot")


def declare(nouns: Any) -> None:
    """Add the noun."""
    runs = Runs(_list, _show, _create, _update, _enable, _delete)
    verbs, create = declare_entries(
        nouns, RULES, runs, create_examples=CREATE_EXAMPLES, file="hot.conf"
    )
    create.add_argument("--id", metavar="ID", help=say("option.rule"))
    create.add_argument("--sql", metavar="SQL", help=say("option.rule.sql"))
    create.add_argument("--action", metavar="ACTION", action="append", dest="actions",
                        help=say("option.rule.action"))  # fmt: skip
    create.add_argument("--name", metavar="TEXT", help=say("option.rule.name"))
    test = add_verb(verbs, "rules", "test", _test, examples=TEST_EXAMPLES)
    test.add_argument("id", metavar="ID", nargs="?", help=say("option.rule"))
    test.add_argument("--sql", metavar="SQL", help=say("option.rule.sql"))
    test.add_argument("--context", metavar="JSON", default="{}", help=say("option.rule.context"))


def _list(arguments: argparse.Namespace) -> int:
    rows = all_pages(node_of(arguments), api("rules"))
    if arguments.json:
        output.show_json(rows)
        return output.OK
    shown = [
        {**row, **row["metrics"], "actions": [_word(item) for item in row["actions"]]}
        for row in rows
    ]
    return show(arguments, shown, COLUMNS)


def _word(item: Any) -> str:
    if isinstance(item, str):
        return item
    topic = item.get("args", {}).get("topic", "") if item["function"] == "republish" else ""
    return f"{item['function']} {topic}".strip()


def _show(arguments: argparse.Namespace) -> int:
    row = node_of(arguments).get(RULES.path(arguments))
    if not arguments.json:
        row = {key: value for key, value in row.items() if key not in ("metrics", "node_metrics")}
    return show_members(arguments, row)


def _create(arguments: argparse.Namespace) -> int:
    given = {
        "id": arguments.id,
        "name": arguments.name,
        "sql": arguments.sql,
        "actions": [_output(action) for action in arguments.actions or ()],
    }
    body = read_entry(arguments.file) if arguments.file is not None else {}
    body |= {key: value for key, value in given.items() if value}
    if "sql" not in body:
        raise BadRequestError(say("ctl.rule.no-sql"))
    made = node_of(arguments).post(api("rules"), body)
    return done(arguments, made, _with_silent(say("ctl.rule.created", id=made["id"]), made))


def _with_silent(text: str, rule: dict[str, Any]) -> str:
    """``text``, and why nothing comes from a source that the rule selects from."""
    told = "status_reason_zh" if language() == "zh" else "status_reason"
    return "\n".join([text, *filter(None, (it[told] for it in rule["source_details"]))])


def _output(action: str) -> Any:
    """An output as the REST interface takes it.

    Raises:
        BadRequestError: it begins as JSON does and is none.
    """
    if action == "console":
        return {"function": "console"}
    if not action.lstrip().startswith("{"):
        return action
    try:
        return json.loads(action)
    except ValueError as error:
        raise BadRequestError(say("ctl.rule.bad-action", error=error)) from None


def _update(arguments: argparse.Namespace) -> int:
    body = read_entry(arguments.file)
    body.pop("id", None)
    answer = node_of(arguments).put(RULES.path(arguments), body)
    text = say("ctl.rule.updated", id=arguments.id)
    return done(arguments, answer, _with_silent(text, answer))


def _enable(arguments: argparse.Namespace) -> int:
    value = "true" if arguments.verb == "enable" else "false"
    node_of(arguments).put(RULES.path(arguments, "enable", value))
    text = say(f"ctl.rule.{arguments.verb}d", id=arguments.id)
    return done(arguments, {"id": arguments.id}, text)


def _delete(arguments: argparse.Namespace) -> int:
    node_of(arguments).delete(RULES.path(arguments))
    return done(arguments, {"id": arguments.id}, say("ctl.rule.deleted", id=arguments.id))


def _test(arguments: argparse.Namespace) -> int:
    if (arguments.id is None) == (arguments.sql is None):
        raise BadRequestError(say("ctl.rule.id-or-sql"))
    text = sys.stdin.read() if arguments.context == "-" else arguments.context
    try:
        context = json.loads(text)
    except ValueError as error:
        raise BadRequestError(say("ctl.plugin.no-json", error=error)) from None
    node = node_of(arguments)
    if arguments.id is not None:
        rows = node.post(RULES.path(arguments, "test"), {"context": context})
    else:
        rows = node.post(api("rule_test"), {"sql": arguments.sql, "context": context})
    output.show_json(rows)
    return output.OK
