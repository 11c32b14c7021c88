"""Connectors: what rules send to and take from outside, one folder per type.

Knows buffers, rules and the node only as :mod:`rookery.connectors.ports` names them. A type is one
folder with its settings, from which its form is drawn; :mod:`rookery.connectors.registry` lists
them all. Nothing here is on the way of a message: items wait in buffers of the core until a runner
takes them.
"""
