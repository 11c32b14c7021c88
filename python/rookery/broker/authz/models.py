"""What ``/authorization`` takes and gives."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from rookery.broker.authn.models import StatusRow
from rookery.config.json_schema import JsonSchema, json_schema
from rookery.config.schema.authorization import AUTHORIZATION, SOURCE
from rookery.web.models import Model, Row, Settings

HTTP_EXAMPLE = {
    "type": "http",
    "method": "post",
    "url": "https://auth.example.com/acl",
    "body": {"clientid": "${clientid}", "action": "${action}", "topic": "${topic}"},
}
RULE_EXAMPLE = {"permission": "allow", "action": "publish", "topic": "plant/${clientid}/#"}

_RULE = "Where it applies."


def _settings_schema() -> JsonSchema:
    whole = json_schema(AUTHORIZATION)["properties"]
    return {
        "type": "object",
        "properties": {name: whole[name] for name in ("no_match", "deny_action", "cache")},
    }


class Source(Settings):
    """A source."""

    shape: ClassVar[JsonSchema] = {
        **json_schema(SOURCE),
        "description": "A source; `type` says which keys it has.",
    }


class AuthorizationSettings(Settings):
    """What holds beside the sources."""

    shape: ClassVar[JsonSchema] = _settings_schema()


class Sources(Row):
    """Every source."""

    sources: list[Source] = Field(description="In the order in which they are asked.")


class SourceRef(Model):
    """A source in an order."""

    type: str = Field(description="Its type.", examples=["file"])


class SourcePosition(Model):
    """Where to move a source."""

    position: str = Field(
        description="`front`, `rear`, `before:TYPE`, `after:TYPE`, or its number from 1.",
        examples=["front"],
    )


class SourceMetrics(Row):
    """What a source said since the start of the node."""

    total: int = Field(description="How often it was asked.", examples=[3])
    allow: int = Field(description="How often it allowed.", examples=[1])
    deny: int = Field(description="How often it denied.", examples=[1])
    nomatch: int = Field(description="How often it left it to the next.", examples=[1])


class NodeSourceMetrics(Row):
    """What a source said to one node."""

    node: str = Field(description="The node.", examples=["rookery@127.0.0.1"])
    metrics: SourceMetrics


class SourceStatus(StatusRow):
    """Whether a source can be asked, and what it said."""

    metrics: SourceMetrics | None = Field(
        None, description="Only of one that asks a service or a database."
    )
    node_metrics: list[NodeSourceMetrics] | None = None


class Rule(Model):
    """A rule; the first of an owner's rules that fits decides."""

    permission: Literal["allow", "deny"] = Field(description="What it says.", examples=["allow"])
    action: Literal["publish", "subscribe", "all"] = Field(
        description="What it is about.", examples=["publish"]
    )
    topic: str = Field(
        description="Topic filter; may hold ${clientid} and ${username}, `eq ` in front takes it "
        "as it is written.",
        examples=["plant/${clientid}/#"],
    )
    qos: list[Literal[0, 1, 2]] | None = Field(None, description=_RULE, examples=[[0, 1]])
    retain: bool | Literal["all"] | None = Field(None, description=_RULE, examples=["all"])
    ipaddr: str | None = Field(None, description="Only of this address or network.")
    username_re: str | None = Field(None, description="Only of user names that this finds.")
    clientid_re: str | None = Field(None, description="Only of client identifiers that this finds.")


class Rules(Model):
    """Rules of everybody."""

    rules: list[Rule] = Field(description="In their order.", examples=[[RULE_EXAMPLE]])


class RulesOfUser(Model):
    """Rules of a user."""

    username: str = Field(description="The user name.", examples=["alice"])
    rules: list[Rule] = Field(description="In their order.", examples=[[RULE_EXAMPLE]])


class RulesOfClient(Model):
    """Rules of a client."""

    clientid: str = Field(description="The client identifier.", examples=["sensor-1"])
    rules: list[Rule] = Field(description="In their order.", examples=[[RULE_EXAMPLE]])


class Reloaded(Row):
    """What reading rules again came to."""

    rules: int = Field(description="Rules that hold.", examples=[2])


class ExplainQuestion(Model):
    """Who wants to do what. A client that is connected needs its identifier alone."""

    action: Literal["publish", "subscribe"] = Field(description="What.", examples=["publish"])
    topic: str = Field(description="Topic name or filter.", examples=["plant/1/temperature"])
    clientid: str | None = Field(None, description="The client.", examples=["sensor-1"])
    username: str | None = Field(None, description="Its user name.", examples=["alice"])
    peerhost: str | None = Field(None, description="Its address.", examples=["192.0.2.7"])
    listener: str | None = Field(None, description="Where it connects.", examples=["tcp:default"])
    zone: str | None = Field(None, description="The zone of that.", examples=["default"])
    cert_common_name: str | None = Field(None, description="Of its certificate.")
    client_attrs: dict[str, str] | None = Field(None, description="Its attributes.")
    qos: Literal[0, 1, 2] = Field(0, description="Of the message, or asked for.")
    retain: bool = Field(False, description="RETAIN of the message.")


class ExplainedStep(Row):
    """What one source said."""

    source: str = Field(description="Its type.", examples=["file"])
    said: Literal["allow", "deny", "none"] = Field(
        description="`none` left it to the next.", examples=["deny"]
    )
    reason: str = Field(
        description="Why, in the language asked for.", examples=["the first rule that fits"]
    )


class Explanation(Row):
    """What would be decided, and why."""

    result: Literal["allow", "deny"] = Field(description="The decision.", examples=["deny"])
    source: str = Field(
        description="What decided: the type of a source, or `superuser`, `client_acl`, "
        "`sys_topics`, `reserved`, `no_match`.",
        examples=["file"],
    )
    file: str | None = Field(description="Its file.", examples=["/etc/rookery/acl.conf"])
    line: int | None = Field(description="The line of it.", examples=[2])
    rule: str | None = Field(
        description="The rule that fits.", examples=['{deny, all, all, ["secret/#"]}.']
    )
    steps: list[ExplainedStep] = Field(description="Everybody who was asked, in order.")
