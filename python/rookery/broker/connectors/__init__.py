"""Connectors, actions and sources of a running node: what is defined, how it does, who needs it."""
