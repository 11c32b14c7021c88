"""What is left in the file of changes of something that stood in the configuration file.

A rule of the configuration file may be switched off while the node runs: the file of changes then
holds ``rule_engine.rules.hot.enable = false`` and nothing else of it. Once the rule is taken out of
the configuration file, that switch belongs to nothing; as half a rule it would keep the node from
starting.
"""

from __future__ import annotations

from rookery.config.tree import Node

_WHERE = (
    ("rule_engine", "rules", "*"),
    ("connectors", "*", "*"),
    ("actions", "*", "*"),
    ("sources", "*", "*"),
)
_SWITCH = {"enable"}


def without_leftovers(runtime: Node, others: list[Node]) -> Node:
    """``runtime`` without switches of what none of ``others`` defines."""
    for path in _WHERE:
        runtime = _pruned(runtime, others, path)
    return runtime


def _pruned(node: Node, others: list[Node], path: tuple[str, ...]) -> Node:
    if not isinstance(node.value, dict):
        return node
    kept = {}
    for key, child in node.value.items():
        if path[0] not in ("*", key):
            kept[key] = child
            continue
        there = [found for other in others if (found := _child(other, key)) is not None]
        if len(path) > 1:
            kept[key] = _pruned(child, there, path[1:])
        elif there or not _is_switch(child):
            kept[key] = child
    return Node(kept, node.origin)


def _is_switch(node: Node) -> bool:
    return isinstance(node.value, dict) and node.value.keys() == _SWITCH


def _child(node: Node, key: str) -> Node | None:
    return node.value.get(key) if isinstance(node.value, dict) else None
