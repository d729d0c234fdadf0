"""When a message that a provider could not take is tried again."""

from datetime import timedelta
from typing import Final

BASE: Final = timedelta(seconds=30)
"""The longest pause after the first attempt; it doubles with each."""
CAP: Final = timedelta(hours=1)
"""The longest pause of all: receivers that put off first-time senders (greylisting) let them in within the hour."""
ATTEMPTS_MAX: Final = 16
"""Attempts at one message, of which none was refused for good: about five hours. RFC 5321, section 4.5.4.1, asks for
pauses that grow; a mail server behind ours goes on for days, we hand over to it."""


def pause_before(attempt: int, chance: float, at_least: timedelta = timedelta(0)) -> timedelta:
    """How long to wait before the `attempt`-th try (2 is the first repetition), exponential with full jitter.

    `chance` is uniform in [0, 1): everything from nothing to the cap of that attempt is equally likely, so that
    messages that failed together do not come back together. `at_least` is what the provider itself asked for, and is
    kept.
    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    assert attempt >= 2
    assert 0 <= chance < 1
    doublings: int = 2 ** min(attempt - 2, 32)
    return max(min(BASE * doublings, CAP) * chance, min(at_least, CAP))
