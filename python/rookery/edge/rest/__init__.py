"""The port of an edge service: what answers, who may, errors by number."""
