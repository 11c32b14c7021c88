"""REST about the subscriptions of all clients."""
