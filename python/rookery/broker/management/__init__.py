"""What can be asked of a running node over HTTP: on its own socket, and ``/status`` for everybody.

``sockets`` is free of the web framework, the rest is imported when clients are served already.
"""
