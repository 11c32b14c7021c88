"""Clients are sent to other nodes: all of one that is to stop, or of some that have too many."""

from rookery.broker.load_rebalance.service import Rebalancing

__all__ = ["Rebalancing"]
