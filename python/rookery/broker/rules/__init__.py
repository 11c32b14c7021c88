"""Rules of a running node: what is defined, what they did, what they would do."""
