"""The agent inside an edge service: dials into a control plane and has it work here as if beside it."""
