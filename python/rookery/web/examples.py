"""Examples for what says none itself, put together from the examples of its members."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DEPTH_MAX = 12


def of_parameter(names: Mapping[str, Any], path: str, name: str) -> Any:
    """An example of a parameter in a path; none where nobody said.

    ``names`` says what it looks like: by the beginning of the path, else by its name.
    """
    end = path.find("{" + name + "}")
    return names.get(f"{path[:end]}{{{name}}}", names.get(name))


def of_schema(document: Mapping[str, Any], schema: Mapping[str, Any], depth: int = 0) -> Any:
    """A value that fits."""
    if depth > DEPTH_MAX:
        return None
    # What an operation says of its own body comes before what any value of the kind looks like.
    if schema.get("examples"):
        return schema["examples"][0]
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return of_schema(document, document["components"]["schemas"][name], depth + 1)
    for known in ("example", "const", "default"):
        if known in schema:
            return schema[known]
    if schema.get("enum"):
        return schema["enum"][0]
    for several in ("anyOf", "oneOf", "allOf"):
        if schema.get(several):
            return of_schema(document, schema[several][0], depth + 1)
    if "properties" in schema:
        needed = schema.get("required", ())
        return {
            name: of_schema(document, member, depth + 1)
            for name, member in schema["properties"].items()
            if name in needed or _says_something(member)
        }
    if schema.get("type") == "array":
        return [of_schema(document, schema.get("items", {}), depth + 1)]
    least = schema.get("minimum", 0)
    usual = {"string": "", "integer": least, "number": least, "boolean": True, "object": {}}
    return usual.get(str(schema.get("type")))


def _says_something(member: Mapping[str, Any]) -> bool:
    """Whether a member that may be left out is worth showing."""
    if any(name in member for name in ("$ref", "examples", "example", "const", "enum")):
        return True
    return member.get("default") is not None


def complete(document: dict[str, Any], names: Mapping[str, Any]) -> None:
    """Give every parameter in a path, request and answer an example that has none."""
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                _complete_parameter(names, path, parameter)
            for holder in (operation.get("requestBody", {}), *operation["responses"].values()):
                _complete_content(document, holder)


def _complete_parameter(names: Mapping[str, Any], path: str, parameter: dict[str, Any]) -> None:
    is_known = "example" in parameter or parameter.get("examples")
    if parameter["in"] != "path" or is_known or parameter["schema"].get("examples"):
        return
    found = of_parameter(names, path, parameter["name"])
    if "enum" in parameter["schema"]:
        found = parameter["schema"]["enum"][0]
    if found is not None:
        parameter["example"] = found


def _complete_content(document: dict[str, Any], holder: dict[str, Any]) -> None:
    content = holder.get("content", {}).get("application/json")
    if content is None or "example" in content or content.get("examples"):
        return
    content["example"] = of_schema(document, content.get("schema", {}))
