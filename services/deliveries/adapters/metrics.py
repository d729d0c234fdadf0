"""What deliveries measures of messages."""

from datetime import datetime

from prometheus_client import Counter, Gauge, Histogram

from services.deliveries.domain.messages.message import Message, State

MESSAGES = Counter(
    "regulars_messages_total",
    "Messages that came into a state, with the reason if it has one; `none` is the channel of those without one yet.",
    ["state", "reason", "channel"],
)
SECONDS = Histogram(
    "regulars_message_seconds",
    "Time from the cause of a message until a provider took it; `held`: whether it had to wait for its limits.",
    ["channel", "held"],
    buckets=(0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 3600, 6 * 3600, 24 * 3600, 7 * 24 * 3600),
)
WAITING = Gauge("regulars_messages_waiting", "Messages in the queue by their state.", ["state"])
OVERDUE = Gauge(
    "regulars_messages_overdue_seconds", "For how long the oldest message that is due has been so."
)

RESPONSES = Counter(
    "regulars_message_responses_total",
    "What people did with messages: opened, clicked (each link of a message once), unsubscribed; `lost` were links that"
    " were followed while the database was away.",
    ["response"],
)


class Measured:
    """Implements `Told`."""

    def decided(self, message: Message) -> None:
        """A decision about a message."""
        _count(message)

    def settled(self, message: Message, now: datetime) -> None:
        """What a sender said of a message."""
        _count(message)
        if message.state is State.SENT and message.channel is not None:
            seconds = max(0.0, (now - message.caused_at).total_seconds())
            SECONDS.labels(message.channel, "yes" if message.holds else "no").observe(seconds)


def _count(message: Message) -> None:
    MESSAGES.labels(message.state, message.reason or "", message.channel or "none").inc()
