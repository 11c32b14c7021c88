"""What the core has to ask before the plugins of a node run.

Clients are accepted before the first plugin is loaded. A plugin that decides about clients decides
about those too: until its process is ready they wait, or are refused.
"""

from __future__ import annotations

import json
from pathlib import Path

STATE_FILE = Path("plugins", "state.json")
_DECIDING = frozenset({"client.authenticate", "client.authorize"})


def early_hooks(data_dir: Path) -> frozenset[str]:
    """Hookpoints of plugins that start with the node and decide who may do what."""
    try:
        found = json.loads((data_dir / STATE_FILE).read_bytes())
        plugins = [item for item in found["plugins"] if item["enable"]]
        return _DECIDING & _hooks_of(plugins)
    except FileNotFoundError:
        return frozenset()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # Damaged: who knows what was to be asked. Opening the plugins says what is wrong.
        return _DECIDING


def _hooks_of(plugins: list[dict[str, list[str]]]) -> set[str]:
    return {hook for plugin in plugins for hook in plugin.get("hookpoints", [])}
