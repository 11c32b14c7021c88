"""Asks a node every operation that EMQX has too, in an order in which each has something to answer."""
