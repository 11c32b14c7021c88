"""Which processes serve one database, and which of them does what only one may do."""
