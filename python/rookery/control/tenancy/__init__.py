"""Organizations, their projects, who belongs to them, and what that one may do there."""
