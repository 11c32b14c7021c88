"""Drivers, one folder each; :mod:`rookery.edge.plugins` finds them."""
