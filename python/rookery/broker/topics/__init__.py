"""REST about the topic filters that somebody subscribed to."""
