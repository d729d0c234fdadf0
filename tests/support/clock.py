"""A clock that tests set by hand."""

from datetime import UTC, datetime, timedelta


class ManualClock:
    """Stands still until it is told otherwise; call it for the present moment."""

    def __init__(self, start: datetime = datetime(2026, 6, 1, 12, tzinfo=UTC)) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.now += by

    def set(self, moment: datetime) -> None:
        """Jump to a moment."""
        self.now = moment
