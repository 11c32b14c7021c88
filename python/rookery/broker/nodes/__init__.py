"""The nodes of the cluster; this one, as long as a node stands alone."""

from rookery.broker.nodes.service import Nodes

__all__ = ["Nodes"]
