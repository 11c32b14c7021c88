"""Writes what the comparison with EMQX needs of EMQX's OpenAPI document, small enough to be kept.

    python tools/extract_emqx.py --with emqx.json

EMQX's document is not part of this project: a node of EMQX 5 serves it at ``/api-docs/swagger.json``.
The extract, ``tests/contract/emqx-5.8.1.json``, has every operation that Rookery has too, by ``METHOD
/path`` with ``{}`` for parameters: names of its query parameters, its request, its answers by status
(null: nothing in JSON), and the codes of its refusals by status. Of the operations that EMQX alone has
it has the names. Values are described as

    "string"                       also integer, number, boolean, object, any
    "@name"                        what ``named`` has under that name
    ["string"]                     a list
    {"qos": ..., "topic*": ...}    an object; ``*`` is a member that is always there
    {"=": ["tcp", "ssl"]}          one of these
    {"|": [..., ...]}              any of these
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
OURS = ROOT / "docs" / "reference" / "openapi.json"
EXTRACT = ROOT / "tests" / "contract" / "emqx-5.8.1.json"
METHODS = ("get", "post", "put", "delete", "patch", "head")
# Kinds of connectors and backends that Rookery does not have: alternatives that never come.
ABSENT = re.compile(
    "azure|cassa|clickhouse|confluent|couchbase|datalayers|dynamo|gcp_|greptimedb|hstreamdb|influxdb|"
    "iotdb|kerberos|kinesis|ldap|matrix|mongo|mysql|opents|oracle|pulsar|rabbitmq|rocketmq|_s3|s3_|"
    "snowflake|sqlserver|sso|syskeeper|tdengine|timescale"
)


class Extract:
    """What is kept of one document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self.named: dict[str, Any] = {}

    def operation(self, operation: dict[str, Any]) -> dict[str, Any]:
        """What is kept of one operation."""
        given = [self._resolve(item) for item in operation.get("parameters", ())]
        responses = sorted(operation["responses"].items())
        return {
            "parameters": [item["name"] for item in given if item["in"] == "query"],
            "request": self._content(operation.get("requestBody")),
            "answers": {
                status: self._content(answer)
                for status, answer in responses
                if status.startswith("2")
            },
            "refusals": {
                status: self._codes(answer)
                for status, answer in responses
                if not status.startswith("2")
            },
        }

    def _content(self, holder: Any) -> Any:
        contents = self._resolve(holder or {}).get("content", {})
        schema = contents.get("application/json", {}).get("schema")
        return None if schema is None else self.value(schema)

    def _codes(self, answer: Any) -> list[str]:
        content = self._resolve(answer).get("content", {}).get("application/json", {})
        schema = self._resolve(content.get("schema", {}))
        code = schema.get("properties", {}).get("code", {})
        return sorted(map(str, code.get("enum", ())))

    def value(self, schema: Any) -> Any:
        """A schema in the notation of the extract."""
        if not isinstance(schema, dict):
            return "any"
        if "$ref" in schema:
            return self._reference(schema["$ref"])
        alternatives = [item for key in ("oneOf", "anyOf", "allOf") for item in schema.get(key, ())]
        if alternatives:
            return self._one_of(alternatives)
        if "enum" in schema or "const" in schema:
            return {"=": schema.get("enum") or [schema["const"]]}
        if "items" in schema:
            return [self.value(schema["items"])]
        if schema.get("properties"):
            required = set(schema.get("required", ()))
            return {
                name + "*" * (name in required): self.value(member)
                for name, member in sorted(schema["properties"].items())
            }
        kind = schema.get("type", "any")
        if isinstance(kind, list):
            return self._one_of([{**schema, "type": one} for one in kind])
        return ["any"] if kind == "array" else kind

    def _one_of(self, alternatives: list[Any]) -> Any:
        values: list[Any] = []
        for value in (self.value(item) for item in alternatives if not ABSENT.search(_name(item))):
            for item in value["|"] if isinstance(value, dict) and "|" in value else [value]:
                if item not in values:
                    values.append(item)
        if not values:
            return "any"
        return values[0] if len(values) == 1 else {"|": values}

    def _reference(self, reference: str) -> str:
        name = _name({"$ref": reference})
        if name not in self.named:
            self.named[name] = None
            self.named[name] = self.value(self._resolve({"$ref": reference}))
        return "@" + name

    def _resolve(self, item: Any) -> Any:
        while isinstance(item, dict) and "$ref" in item:
            place: Any = self._document
            for key in item["$ref"].removeprefix("#/").split("/"):
                place = place[key.replace("~1", "/")]
            item = place
        return item


def _name(item: dict[str, Any]) -> str:
    return str(item.get("$ref", "")).rpartition("/")[2]


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By ``METHOD /path`` with the names of parameters left out: those may differ."""
    return {
        f"{method.upper()} {re.sub(r'{[^}]*}', '{}', path)}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    }


def extract(document: dict[str, Any], wanted: Collection[str] | None = None) -> dict[str, Any]:
    """The extract of a document; of operations that are not ``wanted`` the names alone."""
    maker = Extract(document)
    kept = {
        where: maker.operation(operation) if wanted is None or where in wanted else None
        for where, operation in sorted(operations(document).items())
    }
    return {
        "version": document["info"]["version"],
        "operations": {where: item for where, item in kept.items() if item},
        "only_there": [where for where, item in kept.items() if not item],
        "named": dict(sorted(maker.named.items())),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--with", dest="file", type=Path, required=True)
    arguments = parser.parse_args()
    ours = json.loads(OURS.read_text(encoding="utf-8"))
    kept = extract(json.loads(arguments.file.read_text(encoding="utf-8")), operations(ours).keys())
    EXTRACT.write_text(_text(kept), encoding="utf-8")
    return 0


def _text(kept: dict[str, Any]) -> str:
    """A line for each operation and each name, so that changes can be read."""
    parts = []
    for key, value in kept.items():
        if isinstance(value, dict):
            lines = [f"{json.dumps(name)}: {_short(item)}" for name, item in value.items()]
            parts.append(f"{json.dumps(key)}: {{\n" + ",\n".join(lines) + "\n}")
        elif isinstance(value, list):
            parts.append(f"{json.dumps(key)}: [\n" + ",\n".join(map(_short, value)) + "\n]")
        else:
            parts.append(f"{json.dumps(key)}: {_short(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    sys.exit(main())
