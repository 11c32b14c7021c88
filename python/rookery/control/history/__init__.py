"""What happened to a cluster: its states, conditions, agents, nodes and versions, as they changed."""
