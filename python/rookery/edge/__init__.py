"""The role of an edge gateway: machines on one side, MQTT on the other.

A *node* is a driver, which talks to one device, or an application, which sends on what drivers read. A
driver has *groups* that are read at an interval, a group has *tags*. Needs the extra ``rookery[edge]``
for the devices; knows neither a broker's role nor the control plane.
"""
