"""Watches the machine, and raises alarms before it is exhausted."""

from rookery.broker.sysmon.service import Sysmon

__all__ = ["Sysmon"]
