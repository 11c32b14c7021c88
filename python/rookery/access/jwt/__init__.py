"""JSON Web Tokens: keys, where they come from, and what is verified."""
