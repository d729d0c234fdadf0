"""What an answer means: delivered, again later, given up, or an endpoint that is no more."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Between one try and the next: ten tries in about three days, as Standard Webhooks proposes."""

TRIES_MAX = len(WAITS) + 1

JITTER = 0.2
"""A wait is up to so much shorter or longer: those who failed together do not come back together."""

GIVEN_UP_AFTER = timedelta(days=5)
"""An endpoint at which every try of so long a time has failed is disabled."""

GONE = 410
"""HTTP: this resource is not coming back. The receiver's way to unsubscribe."""


class State(StrEnum):
    """Of a message to one endpoint. `held`: the endpoint was disabled; a replay sends it."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Answer:
    """How a try ended: with a status, or with an error before there was one (`timeout`, `connection_refused`, …).

    `retry_after`: what the receiver asked us to wait. `excerpt`: the beginning of its body, for the list of attempts.
    """

    status: int | None
    error: str | None = None
    retry_after: timedelta | None = None
    excerpt: str = ""

    @property
    def is_delivered(self) -> bool:
        """Any status from 200 to 299 means: taken."""
        return self.status is not None and 200 <= self.status <= 299

    @property
    def is_gone(self) -> bool:
        """The receiver wants nothing more, for good."""
        return self.status == GONE


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of the message. `due_at` is set while it waits."""

    state: State
    due_at: datetime | None = None


def judge(answer: Answer, tries: int, now: datetime, chance: float) -> Verdict:
    """After `tries` tries (this one counted) since the message was last put in the queue. `chance` in [0, 1) makes the
    jitter.

    Every answer but a 2xx is tried again, also a 4xx: receivers answer 404 while they are being deployed. Redirects are
    not followed, and so count as failures.
    """
    assert tries >= 1
    if answer.is_delivered:
        return Verdict(State.DELIVERED)
    if tries >= TRIES_MAX or answer.is_gone:
        return Verdict(State.FAILED)
    return Verdict(State.WAITING, now + _wait(answer, tries, chance))


def _wait(answer: Answer, tries: int, chance: float) -> timedelta:
    """The wait of the plan, or the longer one that the receiver asked for, within the longest of the plan."""
    planned = WAITS[tries - 1] * (1 - JITTER + 2 * JITTER * chance)
    if answer.retry_after is None:
        return planned
    return max(planned, min(answer.retry_after, WAITS[-1]))


def is_given_up(failing_since: datetime | None, now: datetime) -> bool:
    """Whether an endpoint that has just failed again is to be disabled. `failing_since`: its first failure after its
    last success."""
    return failing_since is not None and now - failing_since >= GIVEN_UP_AFTER
