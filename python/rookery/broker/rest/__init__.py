"""``/api/v5``: one application for the HTTP listener of the node and for its own socket.

Loads the web framework; imported when clients are served already.
"""
