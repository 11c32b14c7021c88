"""The MQTT broker that agents dial into, embedded in a control process, and the tunnel through it.

It keeps nothing on disk: what has to outlive a process is in the database, and agents subscribe
again when they find their session gone.
"""
