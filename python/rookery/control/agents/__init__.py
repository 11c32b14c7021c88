"""Agents of clusters: how they enter, what they are told, what they say."""
