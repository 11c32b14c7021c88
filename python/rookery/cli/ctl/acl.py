"""``rookery ctl acl``: why something is allowed or denied; read rules again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rookery.cli import output
from rookery.cli.ctl.asking import add_noun, add_verb, done, node_of
from rookery.cli.ctl.lists import add_clean
from rookery.cli.messages import language, say

EXPLAIN_EXAMPLES = """\
  rookery ctl acl explain --clientid sensor-1 --username alice publish plant/1/temperature
  rookery ctl acl explain --username bob --ip 192.0.2.7 subscribe 'plant/#'"""
PURGE_EXAMPLES = """\
  rookery ctl acl cache-purge
  rookery ctl acl cache-purge --clientid sensor-1"""
CHECK_EXAMPLES = "  rookery ctl acl check ./acl.conf"


def declare(nouns: Any) -> None:
    """Add the noun."""
    verbs = add_noun(nouns, "acl")
    explain = add_verb(verbs, "acl", "explain", _explain, examples=EXPLAIN_EXAMPLES)
    explain.add_argument("--clientid", metavar="ID", default="", help=say("option.client-id"))
    explain.add_argument("--username", metavar="NAME", help=say("option.username"))
    explain.add_argument("--ip", metavar="ADDRESS", help=say("option.ip"))
    explain.add_argument("--listener", metavar="ID", default="", help=say("option.listener"))
    explain.add_argument("--zone", metavar="NAME", help=say("option.zone"))
    explain.add_argument("--cn", metavar="NAME", help=say("option.cn"))
    explain.add_argument("--qos", type=int, choices=(0, 1, 2), default=0, help=say("option.qos"))
    explain.add_argument("--retain", action="store_true", help=say("option.retain"))
    explain.add_argument("action", choices=("publish", "subscribe"), help=say("option.action"))
    explain.add_argument("topic", metavar="TOPIC", help=say("option.topic.acl"))
    add_verb(verbs, "acl", "reload", _reload, examples="  rookery ctl acl reload")
    purge = add_verb(verbs, "acl", "cache-purge", _purge, examples=PURGE_EXAMPLES)
    purge.add_argument("--clientid", metavar="ID", help=say("option.client-id"))
    add_clean(verbs, "acl")
    check = add_verb(verbs, "acl", "check", _check, examples=CHECK_EXAMPLES)
    check.add_argument("file", metavar="FILE", type=Path, help=say("option.acl.file"))


def _explain(arguments: argparse.Namespace) -> int:
    said = {
        "clientid": arguments.clientid,
        "username": arguments.username,
        "peerhost": arguments.ip,
        "listener": arguments.listener,
        "zone": arguments.zone,
        "cert_common_name": arguments.cn,
        "action": arguments.action,
        "topic": arguments.topic,
        "qos": arguments.qos,
        "retain": arguments.retain,
    }
    asked = {name: value for name, value in said.items() if value not in (None, "")}
    answer = node_of(arguments).post("/api/v5/authorization/explain", asked)
    text = say(f"ctl.acl.{answer['result']}", why=_why(answer))
    code = done(arguments, answer, text)
    if not arguments.json:
        for step in answer["steps"]:
            output.line(say("ctl.acl.step", **step))
    return code


def _why(answer: dict[str, Any]) -> str:
    place = str(answer["source"])
    if answer.get("file"):
        place += f" {answer['file']}"
    if answer.get("line"):
        place += f":{answer['line']}"
    return place


def _reload(arguments: argparse.Namespace) -> int:
    answer = node_of(arguments).post("/api/v5/authorization/reload")
    return done(arguments, answer, say("ctl.acl.reloaded", rules=answer["rules"]))


def _purge(arguments: argparse.Namespace) -> int:
    from urllib.parse import urlencode  # noqa: PLC0415

    query = "?" + urlencode({"clientid": arguments.clientid}) if arguments.clientid else ""
    node_of(arguments).delete(f"/api/v5/authorization/cache{query}")
    return done(arguments, {}, say("ctl.acl.purged"))


def _check(arguments: argparse.Namespace) -> int:
    """Parse a file here; no node is asked."""
    from rookery.access import acl_file  # noqa: PLC0415

    try:
        rules = acl_file.load(arguments.file, is_shown=True)
    except acl_file.AclSyntaxError as error:
        output.complain(say("error", text=error.text(language())))
        return output.FAILED
    return done(arguments, {"rules": len(rules)}, say("ctl.acl.good", rules=len(rules)))
