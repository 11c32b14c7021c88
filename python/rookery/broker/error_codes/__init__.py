"""What the error codes of the REST interface mean."""
