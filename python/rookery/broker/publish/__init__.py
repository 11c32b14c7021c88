"""REST to publish messages."""
