"""The providers of the authentication chain, one module each with its settings."""
