"""Which nodes have too many clients, and how many each may keep."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Balance:
    """Nodes by how many clients they have.

    Attributes:
        donors: Those with more than the average, and how many they have.
        recipients: The others.
        goal: What each has when all have the same.
    """

    donors: Mapping[str, int]
    recipients: Mapping[str, int]
    goal: int

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> Balance:
        """Of at least one node."""
        average = sum(counts.values()) / len(counts)
        donors = {name: count for name, count in counts.items() if count > average}
        recipients = {name: count for name, count in counts.items() if name not in donors}
        return cls(donors, recipients, math.ceil(average))

    @property
    def donor_average(self) -> float:
        return _average(self.donors)

    @property
    def recipient_average(self) -> float:
        return _average(self.recipients)

    def needs(self, absolute: int, relative: float) -> bool:
        """Whether the difference is more than either threshold lets be."""
        there = self.recipient_average
        return self.donor_average >= max(there + absolute, there * relative) and bool(self.donors)


def _average(counts: Mapping[str, int]) -> float:
    return sum(counts.values()) / len(counts) if counts else 0.0
