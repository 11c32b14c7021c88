"""Who may use an edge service: users, their passwords, tokens."""
