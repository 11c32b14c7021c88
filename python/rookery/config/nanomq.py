"""What configures the TLS of NanoMQ in the environment, read as settings of a control plane's relay.

Whoever had ECP has these names in a container file. Names of Rookery's own stand above them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from rookery.config.sources import value_from_text
from rookery.config.tree import Node, Origin, merge, nested

_OPTIONS = ("control", "relay", "ssl_options")
NAMES: Mapping[str, tuple[str, ...]] = {
    "NANOMQ_TLS_ENABLE": (*_OPTIONS, "enable"),
    "NANOMQ_TLS_URL": ("control", "relay", "tls"),
    "NANOMQ_TLS_CA_CERT_PATH": (*_OPTIONS, "cacertfile"),
    "NANOMQ_TLS_CERT_PATH": (*_OPTIONS, "certfile"),
    "NANOMQ_TLS_KEY_PATH": (*_OPTIONS, "keyfile"),
    "NANOMQ_TLS_KEY_PASSWORD": (*_OPTIONS, "password"),
    "NANOMQ_TLS_VERIFY_PEER": (*_OPTIONS, "verify_peer"),
    "NANOMQ_TLS_FAIL_IF_NO_PEER_CERT": (*_OPTIONS, "fail_if_no_peer_cert"),
}
_SCHEME = re.compile(r"[a-z+-]{1,32}://")


def from_nanomq(environ: Mapping[str, str]) -> Node:
    """Every one of those names that is set, as a tree; an empty one says nothing."""
    tree = Node({}, Origin("env"))
    for name, path in NAMES.items():
        text = environ.get(name, "").strip()
        if not text:
            continue
        if name == "NANOMQ_TLS_URL":
            # ``tls+nmq-tcp://0.0.0.0:8883``
            text = _SCHEME.sub("", text, count=1)
        tree = merge(tree, nested(list(path), value_from_text(text, Origin("env", name))))
    return tree
