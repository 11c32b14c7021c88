"""Alarms: conditions that somebody should look at, from when to when."""

from rookery.broker.alarms.models import Alarm
from rookery.broker.alarms.service import AlarmRegistry
from rookery.broker.alarms.store import STORE_FULL, StoreWatch

__all__ = ["STORE_FULL", "Alarm", "AlarmRegistry", "StoreWatch"]
