"""Edge services: those that dialed in, and what projects adopted of them."""
