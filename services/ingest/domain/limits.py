"""How much an event may be, so that whatever is accepted can be stored, sent and read everywhere downstream."""

from datetime import UTC, datetime, timedelta

EVENTS_MAX = 1_000
"""Events in one call."""

BODY_BYTES_MAX = 2 * 1024 * 1024
"""Bytes in one call, unpacked."""

RECORD_BYTES_MAX = 512 * 1024
"""Bytes of one event as it travels: below what Kafka takes by default (1 MiB)."""

DEPTH_MAX = 16
"""Objects and lists inside each other, the event itself being the first."""

KEY_LENGTH_MAX = 200
"""Characters in a key of the shop's own."""

INTEGER_MIN, INTEGER_MAX = -(2**63), 2**63 - 1
"""What PostgreSQL, and most languages, can hold."""

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""An event before this is a mistake (often a clock that was never set)."""

AHEAD_MAX = timedelta(minutes=5)
"""How far the sender's clock may run ahead of ours."""

TYPE_LENGTH_MAX = 200
"""Characters in an event type of the shop's own."""

FAULTS_PER_EVENT_MAX = 20
"""Faults listed for one event; whoever has more sees the rest after mending these."""
