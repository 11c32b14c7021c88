"""Alarms: conditions that somebody should look at, from when to when."""

from rookery.broker.alarms.models import Alarm
from rookery.broker.alarms.service import AlarmRegistry

__all__ = ["Alarm", "AlarmRegistry"]
