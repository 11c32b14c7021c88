"""Questions to databases of the operator: what a client sent is bound, never pasted."""
