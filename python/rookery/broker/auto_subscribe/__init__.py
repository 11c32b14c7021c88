"""REST about subscriptions that the node makes for every client."""
