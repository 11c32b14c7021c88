"""``/api/v3`` as EMQX 3 and 4 had it, on a listener of its own: for programs written for those.

It has no model classes: requests are few, small and looked at by hand, so the framework of ``/api/v5``
is not loaded for it. Who asks, how much is sent and the audit are those of ``/api/v5``.
"""
