"""What holds on a node, and how it changes while the node runs."""

from rookery.broker.settings.service import Applied, NodeSettings, Part

__all__ = ["Applied", "NodeSettings", "Part"]
