"""What processes of different versions say to each other: one module a protocol and version.

Fields and message types are only ever added. A receiver ignores fields that it does not know.
"""
