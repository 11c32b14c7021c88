"""Clusters: entries, the state they are in, and what people do with them."""
