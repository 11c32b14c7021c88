"""``/api``: what stands around every operation, and the site that it is part of."""
