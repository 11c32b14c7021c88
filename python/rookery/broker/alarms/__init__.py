"""Alarms: conditions that somebody should look at, from when to when."""

from rookery.broker.alarms.full_store import STORE_FULL, StoreWatch
from rookery.broker.alarms.messages import MESSAGES, Message, message
from rookery.broker.alarms.models import Alarm
from rookery.broker.alarms.service import AlarmRegistry
from rookery.broker.alarms.store import AlarmFile, AlarmKeeper
from rookery.broker.alarms.watch import CounterWatch

__all__ = [
    "MESSAGES",
    "STORE_FULL",
    "Alarm",
    "AlarmFile",
    "AlarmKeeper",
    "AlarmRegistry",
    "CounterWatch",
    "Message",
    "StoreWatch",
    "message",
]
