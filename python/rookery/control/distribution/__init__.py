"""Configuration for edge services: versioned templates, deliveries wave by wave, drift."""
