"""A second MQTT implementation, for tests only.

It shares no code with the broker: what both sides agree on is the specification. It can
also say what is wrong on purpose, which an ordinary client library refuses to.
"""
