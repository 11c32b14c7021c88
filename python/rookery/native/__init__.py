"""The only door to the compiled module: a typed façade, its errors translated, events in batches.

``rookery.native.config`` and ``rookery.native.models`` are plain values and load no compiled code.
"""
