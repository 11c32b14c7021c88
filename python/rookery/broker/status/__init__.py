"""Whether the node is there."""
