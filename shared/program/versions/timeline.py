"""Which version of the program is in force when: decided by dated activations, the latest start first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Activation:
    """From `starts_at` on, `version` is in force, until another activation starts."""

    id: int
    version: int
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class Timeline:
    """The activations that stand, the latest start first; of two that start together, the later decision first."""

    activations: Sequence[Activation]

    def in_force(self, now: datetime) -> Activation | None:
        """The activation that counts at `now`. The earliest one has counted since ever, so that a clock that is a
        little slow finds a program too; None before there is any."""
        for activation in self.activations:
            if activation.starts_at <= now:
                return activation
        return self.activations[-1] if self.activations else None

    def scheduled(self, now: datetime) -> list[Activation]:
        """Those that are still to start, the next one first."""
        in_force = self.in_force(now)
        return [one for one in reversed(self.activations) if one.starts_at > now and one is not in_force]
