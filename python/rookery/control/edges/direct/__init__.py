"""Edge services that control reaches at an address, without an agent."""
