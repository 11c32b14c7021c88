"""Applications on the north side, one folder each; :mod:`rookery.edge.plugins` finds them."""
