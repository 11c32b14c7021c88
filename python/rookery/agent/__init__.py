"""The agent beside a managed cluster: registers, reports every 15 s, carries requests.

It speaks :mod:`rookery.contracts.agent_v1` to the control plane and the documented REST interface
of EMQX 5 to its cluster. It runs on Python 3.9 with the standard library and paho-mqtt, which
:mod:`rookery.agent.bundle` puts into one file with it: everything here imports paho late.
"""
