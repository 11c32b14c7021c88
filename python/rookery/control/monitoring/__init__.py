"""What runs in a project's clusters: connections, rules, connectors, and which of them are not well."""
