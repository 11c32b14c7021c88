"""Nodes that answer as one broker: who belongs to them, who runs, and what they ask each other.

What is here goes over NATS; messages of clients do not. A node without a cluster imports only
:mod:`~rookery.broker.cluster.alone`.
"""
